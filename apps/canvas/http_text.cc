#include "apps/canvas/http_text.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace parley {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Cuts the part before `separator` off the front of `text`.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// A weight such as "0.85", in thousandths.
int parse_weight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 0;
  int weight = (text[0] - '0') * 1000;
  int unit = 100;
  for (std::size_t i = 2; i < text.size() && i < 5 && text[1] == '.'; ++i, unit /= 10) {
    if (text[i] < '0' || text[i] > '9') return 0;
    weight += (text[i] - '0') * unit;
  }
  return std::min(weight, 1000);
}

// How closely a media range fits a type: 3 exactly, 2 by its main type, 1 by */*, 0 not at all.
int specificity(std::string_view range, std::string_view type) {
  if (range == type) return 3;
  if (range == "*/*") return 1;
  const std::string_view main = type.substr(0, type.find('/') + 1);
  return range.ends_with("/*") && range.substr(0, range.size() - 1) == main ? 2 : 0;
}

int weight_of(std::string_view accept, std::string_view type) {
  int best_fit = 0;
  int weight = 0;
  while (!accept.empty()) {
    std::string_view item = take_until(accept, ',');
    const std::string range = lower(trim(take_until(item, ';')));
    int item_weight = 1000;
    while (!item.empty()) {
      const std::string parameter = lower(trim(take_until(item, ';')));
      if (parameter.starts_with("q=")) item_weight = parse_weight(parameter.substr(2));
    }
    const int fit = specificity(range, type);
    if (fit > best_fit) {
      best_fit = fit;
      weight = item_weight;
    }
  }
  return weight;
}

}  // namespace

std::string host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string() : lower(authority.substr(1, end - 1));
  }
  return lower(authority.substr(0, authority.find(':')));
}

bool is_numeric_address(const std::string& address) {
  boost::system::error_code error;
  boost::asio::ip::make_address(address, error);
  return !error;
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost") || host == "::1") return true;
  if (!host.starts_with("127.")) return false;
  // A name such as 127.example.org is not an address.
  int parts = 0;
  while (!host.empty()) {
    std::uint64_t number = 0;
    if (!parse_number(take_until(host, '.'), number) || number > 255) return false;
    ++parts;
  }
  return parts == 4;
}

std::string_view origin_authority(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return origin.substr(scheme.size());
  }
  return {};
}

int choose_media_type(std::string_view accept, std::span<const std::string_view> offered) {
  if (trim(accept).empty()) return 0;
  int best = -1;
  int best_weight = 0;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const int weight = weight_of(accept, offered[i]);
    if (weight > best_weight) {
      best = static_cast<int>(i);
      best_weight = weight;
    }
  }
  return best;
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  while (!if_none_match.empty()) {
    std::string_view tag = trim(take_until(if_none_match, ','));
    if (tag == "*") return true;
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag) return true;
  }
  return false;
}

std::vector<std::pair<std::string_view, std::string_view>> query_parameters(
    std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  while (!query.empty()) {
    std::string_view value = take_until(query, '&');
    if (value.empty()) continue;
    const std::string_view name = take_until(value, '=');
    parameters.emplace_back(name, value);
  }
  return parameters;
}

bool parse_number(std::string_view text, std::uint64_t& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return !text.empty() && error == std::errc() && stop == end;
}

}  // namespace parley
