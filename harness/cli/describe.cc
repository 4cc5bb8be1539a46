#include "harness/cli/describe.h"

#include <CLI/CLI.hpp>

namespace parley::cli {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && text[at] != separator) continue;
    parts.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  return parts;
}

// The parser keeps a value's type and what is allowed in one text, as "TEXT:{open,closed}" or
// "INT:INT in [1 - 64]".
void take_type(const std::string& type, OptionText& option) {
  const std::size_t colon = type.find(':');
  option.value = type.substr(0, colon);
  if (colon == std::string::npos) return;
  const std::size_t bracket = type.find_first_of("[{", colon);
  if (bracket == std::string::npos) return;
  option.allowed = type.substr(bracket);
  if (option.allowed.front() != '{') return;
  option.choices = split(option.allowed.substr(1, option.allowed.size() - 2), ',');
}

OptionText describe_option(const CLI::Option& from) {
  OptionText option;
  for (const std::string& name : from.get_snames()) option.names.push_back("-" + name);
  for (const std::string& name : from.get_lnames()) option.names.push_back("--" + name);
  option.help = from.get_description();
  option.required = from.get_required();
  if (from.get_type_size() != 0) {
    take_type(from.get_type_name(), option);
    option.many = from.get_expected_max() > 1;
  }
  if (option.by_place()) option.value = from.get_name(true);
  return option;
}

}  // namespace

CommandText describe(const CLI::App& app) {
  CommandText command;
  command.name = app.get_name();
  command.help = app.get_description();
  command.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    command.options.push_back(describe_option(*option));
  }
  for (const CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; })) {
    command.commands.push_back(describe(*subcommand));
    // One without a footer of its own shows that of the program.
    std::string& footer = command.commands.back().footer;
    if (footer == command.footer) footer.clear();
  }
  return command;
}

}  // namespace parley::cli
