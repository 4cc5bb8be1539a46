// The only source that knows the TOML library.
#include "harness/cluster/toml.h"

#include <toml++/toml.h>

#include <algorithm>

namespace parley::harness {
namespace {

ConfigValue convert(const toml::node& node) {
  ConfigValue value;
  value.line = node.source().begin.line;
  using Kind = ConfigValue::Kind;
  if (const auto* integer = node.as_integer()) {
    value.kind = Kind::integer;
    value.integer = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    value.kind = Kind::real;
    value.real = real->get();
  } else if (const auto* text = node.as_string()) {
    value.kind = Kind::text;
    value.text = text->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.kind = Kind::boolean;
    value.boolean = boolean->get();
  } else if (const auto* list = node.as_array()) {
    value.kind = Kind::list;
    for (const toml::node& element : *list) value.list.push_back(convert(element));
  } else if (const auto* table = node.as_table()) {
    value.kind = Kind::table;
    for (const auto& [key, entry] : *table) value.table.emplace(key.str(), convert(entry));
  }
  return value;
}

// Each dot of a key is a table within the last, and whoever goes through tables within tables needs
// as much stack. The parser bounds brackets, but not dots.
constexpr std::ptrdiff_t kMaxDots = 1000;

void refuse_deep_keys(std::string_view text, const std::string& name) {
  std::size_t number = 1;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (std::count(line.begin(), line.end(), '.') > kMaxDots) {
      throw ConfigError(name + ":" + std::to_string(number) + ": has more than " +
                        std::to_string(kMaxDots) + " dots in a line");
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ++number;
  }
}

}  // namespace

ConfigValue parse_toml(std::string_view text, const std::string& name) {
  refuse_deep_keys(text, name);
  try {
    return convert(toml::parse(text));
  } catch (const toml::parse_error& error) {
    throw ConfigError(name + ":" + std::to_string(error.source().begin.line) +
                      ": not TOML: " + std::string(error.description()));
  }
}

}  // namespace parley::harness
