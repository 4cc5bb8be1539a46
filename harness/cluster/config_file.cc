#include "harness/cluster/config_file.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/cluster/toml.h"

namespace parley::harness {
namespace {

constexpr std::uintmax_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxShown = 60;

// The number of insertions, deletions, substitutions and swaps of neighbours that lead from one
// word to the other (optimal string alignment).
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  std::iota(cost[0].begin(), cost[0].end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + differs});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string_view kind_name(ConfigValue::Kind kind) {
  switch (kind) {
    case ConfigValue::Kind::integer:
      return "an integer";
    case ConfigValue::Kind::real:
      return "a number with a fraction";
    case ConfigValue::Kind::text:
      return "text";
    case ConfigValue::Kind::boolean:
      return "true or false";
    case ConfigValue::Kind::list:
      return "a list";
    case ConfigValue::Kind::table:
      return "a table";
    case ConfigValue::Kind::other:
      return "a date or time";
  }
  return "";
}

std::string shown(const ConfigValue& value) {
  switch (value.kind) {
    case ConfigValue::Kind::integer:
      return fmt::format("{}", value.integer);
    case ConfigValue::Kind::real:
      return fmt::format("{}", value.real);
    case ConfigValue::Kind::boolean:
      return value.boolean ? "true" : "false";
    case ConfigValue::Kind::text:
      return value.text.size() <= kMaxShown ? toml_quoted(value.text)
                                            : toml_quoted(value.text.substr(0, kMaxShown) + "...");
    default:
      return std::string(kind_name(value.kind));
  }
}

std::string nearest(std::string_view word, std::span<const std::string> known) {
  const std::string_view start = word.substr(0, 100);
  std::string best;
  std::size_t least = std::max<std::size_t>(3, start.size() / 2) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edits(start, candidate);
    // As many edits as letters: the words have nothing in common.
    if (distance < least && distance < std::max(start.size(), candidate.size())) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

ConfigReader::ConfigReader(std::shared_ptr<const ConfigValue> root, const ConfigValue* table,
                           std::string name, std::string prefix)
    : root_(std::move(root)), table_(table), name_(std::move(name)), prefix_(std::move(prefix)) {}

ConfigReader ConfigReader::from_file(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) throw ConfigError(path.string() + ": cannot be read: " + error.message());
  if (size > kMaxFileBytes) {
    throw ConfigError(
        fmt::format("{}: {} bytes; at most {} are read", path.string(), size, kMaxFileBytes));
  }
  std::ifstream file(path, std::ios::binary);
  std::string content(size, '\0');
  if (!file.read(content.data(), static_cast<std::streamsize>(size))) {
    throw ConfigError(path.string() + ": cannot be read");
  }
  return from_text(content, path.string());
}

ConfigReader ConfigReader::from_text(std::string_view text, std::string name) {
  auto root = std::make_shared<const ConfigValue>(parse_toml(text, name));
  const ConfigValue* table = root.get();
  return {std::move(root), table, std::move(name), ""};
}

const ConfigValue* ConfigReader::find(std::string_view key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.emplace_back(key);
  const auto it = table_->table.find(key);
  return it == table_->table.end() ? nullptr : &it->second;
}

const ConfigValue& ConfigReader::require(std::string_view key, std::string_view allowed) {
  const ConfigValue* value = find(key);
  if (value != nullptr) return *value;
  const std::string missing(key);
  std::string slip;  // of the pen, which would be named only at the end
  for (const auto& [other, there] : table_->table) {
    const bool asked = std::find(asked_.begin(), asked_.end(), other) != asked_.end();
    if (asked || nearest(other, std::span(&missing, 1)).empty()) continue;
    slip = fmt::format("; line {} has \"{}{}\"", there.line, prefix_, other);
  }
  fail(key, fmt::format("is missing; it must be {}{}", allowed, slip));
}

std::vector<ConfigValue> ConfigReader::elements(std::string_view key) {
  const ConfigValue* value = find(key);
  if (value == nullptr) return {};
  if (value->kind != ConfigValue::Kind::list) return {*value};
  if (value->list.empty()) fail(key, *value, "is an empty list; it must hold at least one value");
  return value->list;
}

void ConfigReader::real(std::string_view key, double min, double max, double& value) {
  if (const ConfigValue* found = find(key)) value = real_of(key, *found, min, max);
}

void ConfigReader::text(std::string_view key, std::string& value) {
  if (const ConfigValue* found = find(key)) value = text_of(key, *found);
}

void ConfigReader::boolean(std::string_view key, bool& value) {
  const ConfigValue* found = find(key);
  if (found == nullptr) return;
  if (found->kind != ConfigValue::Kind::boolean) {
    fail(key, *found, fmt::format("{} is not true or false", shown(*found)));
  }
  value = found->boolean;
}

void ConfigReader::choice(std::string_view key, std::span<const std::string_view> choices,
                          std::string& value) {
  if (const ConfigValue* found = find(key)) value = choice_of(key, *found, choices);
}

std::optional<ConfigReader> ConfigReader::table(std::string_view key) {
  const ConfigValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind != ConfigValue::Kind::table) {
    fail(key, *value, fmt::format("{} is not a table; write [{}{}]", shown(*value), prefix_, key));
  }
  return ConfigReader(root_, value, name_, fmt::format("{}{}.", prefix_, key));
}

std::vector<ConfigReader> ConfigReader::tables(std::string_view key) {
  const ConfigValue* value = find(key);
  std::vector<ConfigReader> readers;
  if (value == nullptr) return readers;
  const auto is_table = [](const ConfigValue& entry) {
    return entry.kind == ConfigValue::Kind::table;
  };
  if (value->kind != ConfigValue::Kind::list ||
      !std::all_of(value->list.begin(), value->list.end(), is_table)) {
    fail(key, *value, fmt::format("must be tables; write [[{}{}]] before each", prefix_, key));
  }
  for (const ConfigValue& entry : value->list) {
    readers.push_back(ConfigReader(root_, &entry, name_, fmt::format("{}{}.", prefix_, key)));
  }
  return readers;
}

std::vector<std::string> ConfigReader::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : table_->table) keys.push_back(key);
  return keys;
}

void ConfigReader::finish() const {
  for (const auto& [key, value] : table_->table) {
    if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) continue;
    const std::string near = nearest(key, asked_);
    const std::string hint = near.empty()
                                 ? fmt::format("known: {}", fmt::join(asked_, ", "))
                                 : fmt::format("the nearest known one is \"{}{}\"", prefix_, near);
    throw ConfigError(
        fmt::format("{}:{}: unknown key \"{}{}\"; {}", name_, value.line, prefix_, key, hint));
  }
}

void ConfigReader::fail(std::string_view key, const ConfigValue& at,
                        std::string_view problem) const {
  fail_at(at.line, key, problem);
}

void ConfigReader::fail(std::string_view key, std::string_view problem) const {
  fail_at(table_->line, key, problem);
}

void ConfigReader::fail_at(std::uint32_t line, std::string_view key,
                           std::string_view problem) const {
  std::string field = prefix_ + std::string(key);
  if (field.ends_with('.')) field.pop_back();  // the table as a whole
  throw ConfigError(fmt::format("{}:{}: {}: {}", name_, line, field, problem));
}

std::int64_t ConfigReader::integer_of(std::string_view key, const ConfigValue& value,
                                      std::int64_t min, std::int64_t max) const {
  if (value.kind != ConfigValue::Kind::integer || value.integer < min || value.integer > max) {
    fail(key, value, fmt::format("{} is not a whole number from {} to {}", shown(value), min, max));
  }
  return value.integer;
}

double ConfigReader::real_of(std::string_view key, const ConfigValue& value, double min,
                             double max) const {
  const bool whole = value.kind == ConfigValue::Kind::integer;
  const double number = whole ? static_cast<double>(value.integer) : value.real;
  const bool fits = std::isfinite(number) && number >= min && number <= max;
  if ((!whole && value.kind != ConfigValue::Kind::real) || !fits) {
    fail(key, value, fmt::format("{} is not a number from {} to {}", shown(value), min, max));
  }
  return number;
}

const std::string& ConfigReader::text_of(std::string_view key, const ConfigValue& value,
                                         std::string_view allowed) const {
  if (value.kind != ConfigValue::Kind::text) {
    fail(key, value, fmt::format("{} is not {}", shown(value), allowed));
  }
  return value.text;
}

const std::string& ConfigReader::choice_of(std::string_view key, const ConfigValue& value,
                                           std::span<const std::string_view> choices) const {
  const bool known = value.kind == ConfigValue::Kind::text &&
                     std::find(choices.begin(), choices.end(), value.text) != choices.end();
  if (!known) {
    fail(key, value, fmt::format("{} is not one of {}", shown(value), fmt::join(choices, ", ")));
  }
  return value.text;
}

std::string toml_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace parley::harness
