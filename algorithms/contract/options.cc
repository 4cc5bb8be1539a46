#include "algorithms/contract/options.h"

#include <algorithm>
#include <charconv>

namespace parley {
namespace {

const OptionSpec* find(std::span<const OptionSpec> specs, std::string_view name) {
  const auto it = std::find_if(specs.begin(), specs.end(),
                               [name](const OptionSpec& spec) { return spec.name == name; });
  return it == specs.end() ? nullptr : &*it;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

std::string set_choice(const OptionSpec& spec, std::string_view text, OptionValues& values) {
  const auto it = std::find(spec.choices.begin(), spec.choices.end(), text);
  if (it == spec.choices.end()) {
    return spec.name + ": \"" + std::string(text) + "\" is not one of " + joined(spec.choices);
  }
  values.set(spec.name, it - spec.choices.begin());
  return {};
}

std::string set_integer(const OptionSpec& spec, std::string_view text, OptionValues& values) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value < spec.min || value > spec.max) {
    return spec.name + ": \"" + std::string(text) + "\" is not a whole number from " +
           std::to_string(spec.min) + " to " + std::to_string(spec.max);
  }
  values.set(spec.name, value);
  return {};
}

}  // namespace

OptionSpec integer_option(std::string name, std::int64_t fallback, std::int64_t min,
                          std::int64_t max, std::string help) {
  return {std::move(name), std::move(help), fallback, min, max, {}, true};
}

OptionValues default_options(std::span<const OptionSpec> specs) {
  OptionValues values;
  for (const OptionSpec& spec : specs) values.set(spec.name, spec.fallback);
  return values;
}

std::string set_option(std::span<const OptionSpec> specs, std::string_view name,
                       std::string_view text, OptionValues& values) {
  const OptionSpec* spec = find(specs, name);
  if (spec == nullptr) {
    std::vector<std::string> names;
    for (const OptionSpec& known : specs) names.push_back(known.name);
    return "unknown option \"" + std::string(name) +
           "\"; known: " + (names.empty() ? std::string("none") : joined(names));
  }
  return spec->choices.empty() ? set_integer(*spec, text, values) : set_choice(*spec, text, values);
}

std::string option_text(std::span<const OptionSpec> specs, std::string_view name,
                        const OptionValues& values) {
  const OptionSpec* spec = find(specs, name);
  const std::int64_t value = values.at(name);
  return spec->choices.empty() ? std::to_string(value)
                               : spec->choices[static_cast<std::size_t>(value)];
}

}  // namespace parley
