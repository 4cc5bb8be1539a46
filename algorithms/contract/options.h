// Options of an algorithm: declared once, used by --help, configuration files and manifests.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace parley {

// An integer option with its range, or a choice between words. Times are integers with the unit in
// the name.
struct OptionSpec {
  std::string name = {};
  std::string help = {};
  std::int64_t fallback = 0;  // of an integer; of a choice, its place in `choices`
  std::int64_t min = 0;       // both ends are allowed
  std::int64_t max = 0;
  std::vector<std::string> choices = {};  // empty for an integer
  // Of an integer that is no time: a bound, which must be safe at any size, so that the simulator
  // tries small ones; false: it says how a cluster is made up.
  bool limit = true;
};

OptionSpec integer_option(std::string name, std::int64_t fallback, std::int64_t min,
                          std::int64_t max, std::string help);

// A value for every option of an algorithm, by name; a choice by its place.
class OptionValues {
 public:
  OptionValues() = default;

  // The value of an option that the algorithm declares.
  [[nodiscard]] std::int64_t at(std::string_view name) const { return values_.find(name)->second; }
  void set(std::string_view name, std::int64_t value) { values_[std::string(name)] = value; }
  [[nodiscard]] const std::map<std::string, std::int64_t, std::less<>>& all() const {
    return values_;
  }

 private:
  std::map<std::string, std::int64_t, std::less<>> values_;
};

// The defaults of `specs`.
OptionValues default_options(std::span<const OptionSpec> specs);

// Sets one option from text. Returns an empty string, or what is wrong and what is allowed.
std::string set_option(std::span<const OptionSpec> specs, std::string_view name,
                       std::string_view text, OptionValues& values);

// The value of `name` as text, as set_option would take it.
std::string option_text(std::span<const OptionSpec> specs, std::string_view name,
                        const OptionValues& values);

}  // namespace parley
