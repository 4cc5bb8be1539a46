// Configuration files in TOML, read strictly: a wrong type, a value out of range and a key that
// nobody asked for are errors that name the file, the line, the key and what is allowed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace parley::harness {

// Wrong usage or configuration: the program ends with exit status 2 and this message.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A value as the file holds it, with its line. Dates and times are not used by any key.
struct ConfigValue {
  enum class Kind : std::uint8_t { integer, real, text, boolean, list, table, other };
  Kind kind = Kind::other;
  std::uint32_t line = 0;  // from 1
  std::int64_t integer = 0;
  double real = 0;
  bool boolean = false;
  std::string text;
  std::vector<ConfigValue> list;
  std::map<std::string, ConfigValue, std::less<>> table;
};

// "an integer", "a list", ...: what a value is, in words.
std::string_view kind_name(ConfigValue::Kind kind);

// The value as it would stand in a file, shortened; for messages.
std::string shown(const ConfigValue& value);

// The word of `known` that is nearest to `word` (fewest single-character edits, swaps included);
// empty if none is near enough to have been meant.
std::string nearest(std::string_view word, std::span<const std::string> known);

// Reads the keys of one table. A key that is absent leaves the default untouched. `finish` refuses
// the keys that were not read. All functions throw ConfigError.
class ConfigReader {
 public:
  // Parses a file or a text; `name` stands in messages.
  static ConfigReader from_file(const std::filesystem::path& path);
  static ConfigReader from_text(std::string_view text, std::string name);

  // Whole numbers and reals from `min` to `max`, both included. A real may be written as an
  // integer.
  template <class T>
  void integer(std::string_view key, std::int64_t min, std::int64_t max, T& value) {
    if (const ConfigValue* found = find(key))
      value = static_cast<T>(integer_of(key, *found, min, max));
  }
  void real(std::string_view key, double min, double max, double& value);
  void text(std::string_view key, std::string& value);
  void boolean(std::string_view key, bool& value);
  void choice(std::string_view key, std::span<const std::string_view> choices, std::string& value);

  // The value of `key`, which counts as read, or null.
  const ConfigValue* find(std::string_view key);
  // The value of a key that has to be there.
  const ConfigValue& require(std::string_view key, std::string_view allowed);
  // The elements of a list; a scalar is a list of one. Empty if the key is absent.
  std::vector<ConfigValue> elements(std::string_view key);

  // A table inside this one, or nothing; the tables of an array of tables.
  std::optional<ConfigReader> table(std::string_view key);
  std::vector<ConfigReader> tables(std::string_view key);

  // The keys of this table in alphabetical order, read or not.
  [[nodiscard]] std::vector<std::string> keys() const;

  // Refuses every key that was not read, and names the nearest of those that were asked for.
  void finish() const;

  // Throws the error "file:line: key: <problem>".
  [[noreturn]] void fail(std::string_view key, const ConfigValue& at,
                         std::string_view problem) const;
  // The same without a value: the table's own line.
  [[noreturn]] void fail(std::string_view key, std::string_view problem) const;

  // Checks of single values, for the elements of lists.
  std::int64_t integer_of(std::string_view key, const ConfigValue& value, std::int64_t min,
                          std::int64_t max) const;
  double real_of(std::string_view key, const ConfigValue& value, double min, double max) const;
  const std::string& text_of(std::string_view key, const ConfigValue& value,
                             std::string_view allowed = "text in quotes") const;
  const std::string& choice_of(std::string_view key, const ConfigValue& value,
                               std::span<const std::string_view> choices) const;

 private:
  ConfigReader(std::shared_ptr<const ConfigValue> root, const ConfigValue* table, std::string name,
               std::string prefix);
  [[noreturn]] void fail_at(std::uint32_t line, std::string_view key,
                            std::string_view problem) const;

  std::shared_ptr<const ConfigValue> root_;  // keeps `table_` alive
  const ConfigValue* table_;
  std::string name_;    // of the file
  std::string prefix_;  // "options." and the like, before keys in messages
  std::vector<std::string> asked_;
};

// A TOML string in quotes.
std::string toml_quoted(std::string_view text);

}  // namespace parley::harness
