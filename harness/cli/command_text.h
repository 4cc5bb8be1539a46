// The command line as data: what --help prints, for the manual page and the completion of shells.
#pragma once

#include <string>
#include <vector>

namespace parley::cli {

struct OptionText {
  std::vector<std::string> names;    // "-h", "--help"; empty: an argument by its place
  std::string value;                 // what it takes, "DIR" or "INT"; empty: nothing
  std::string allowed;               // "[1 - 64]", "{open,closed}"; empty: anything
  std::vector<std::string> choices;  // if these are all that is allowed
  std::string help;
  bool required = false;
  bool many = false;  // may be given more than once

  [[nodiscard]] bool by_place() const { return names.empty(); }
};

struct CommandText {
  std::string name;
  std::string help;
  std::string footer;  // examples
  std::vector<OptionText> options;
  std::vector<CommandText> commands;
};

}  // namespace parley::cli
