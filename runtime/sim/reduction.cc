#include "runtime/sim/reduction.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace parley::sim {
namespace {

using std::chrono::milliseconds;

constexpr Duration kLongest = std::chrono::hours(24);

template <class Number>
bool read(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// The part of `text` before `separator`, which is taken off with it.
std::string_view take_part(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

std::string seconds_text(Duration time) {
  return fmt::format("{}", static_cast<double>(time / milliseconds(1)) / 1000);
}

bool read_seconds(std::string_view text, Duration& time) {
  double value = 0;
  if (!read(text, value) || !(value >= 0) || value > 86400) return false;
  time = milliseconds(std::llround(value * 1000));
  return time <= kLongest;
}

bool read_strikes(std::string_view text, std::vector<std::uint32_t>& strikes) {
  if (text == "none") return true;
  while (!text.empty()) {
    std::uint32_t strike = 0;
    if (!read(take_part(text, ','), strike) || strike == 0) return false;
    if (!strikes.empty() && strike <= strikes.back()) return false;
    strikes.push_back(strike);
  }
  return !strikes.empty();
}

// Reads one `name=value`. Returns an empty string, or what is allowed.
std::string read_field(std::string_view name, std::string_view value, Reduction& reduction) {
  if (name == "from" || name == "until") {
    Duration& time = name == "from" ? reduction.from : reduction.until;
    return read_seconds(value, time) ? "" : "seconds, 0 to 86400";
  }
  if (name == "strikes") {
    return read_strikes(value, reduction.strikes.emplace())
               ? ""
               : "none, or numbers from 1 in rising order, separated by commas";
  }
  if (name == "clients") {
    const bool fits =
        read(value, reduction.clients) && reduction.clients >= 1 && reduction.clients <= 1000;
    return fits ? "" : "1 to 1000";
  }
  return read(value, reduction.operations.emplace()) ? "" : "a number of operations";
}

}  // namespace

std::string to_text(const Reduction& reduction) {
  std::string text;
  if (reduction.from > Duration{}) text += "from=" + seconds_text(reduction.from) + ";";
  text += "until=" + seconds_text(reduction.until);
  if (reduction.strikes) {
    text += reduction.strikes->empty()
                ? ";strikes=none"
                : fmt::format(";strikes={}", fmt::join(*reduction.strikes, ","));
  }
  if (reduction.clients != 0) text += fmt::format(";clients={}", reduction.clients);
  if (reduction.operations) text += fmt::format(";operations={}", *reduction.operations);
  return text;
}

std::string parse_reduction(std::string_view text, Reduction& reduction) {
  constexpr std::string_view kNames[] = {"from", "until", "strikes", "clients", "operations"};
  Reduction parsed;
  std::vector<std::string_view> seen;
  while (!text.empty()) {
    std::string_view value = take_part(text, ';');
    const std::string_view name = take_part(value, '=');
    if (std::ranges::find(kNames, name) == std::end(kNames)) {
      return fmt::format("reduced: \"{}\" is not one of {}", name, fmt::join(kNames, ", "));
    }
    if (std::ranges::find(seen, name) != seen.end()) {
      return fmt::format("reduced: {} is there twice", name);
    }
    seen.push_back(name);
    const std::string allowed = read_field(name, value, parsed);
    if (!allowed.empty()) {
      return fmt::format("reduced: {}=\"{}\" must be {}", name, value, allowed);
    }
  }
  if (parsed.until <= parsed.from) {
    return "reduced: until must be there and after from, in seconds: \"from=1;until=2.5\"";
  }
  reduction = std::move(parsed);
  return {};
}

}  // namespace parley::sim
