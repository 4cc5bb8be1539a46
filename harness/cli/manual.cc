#include "harness/cli/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace parley::cli {
namespace {

// Takes one character of UTF-8 off the text; what is no UTF-8 as the byte that it is.
std::uint32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  std::size_t length = 1;
  if (first >= 0xC0) length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length > text.size()) length = 1;
  std::uint32_t character = length == 1 ? first : first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    character = character << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  text.remove_prefix(length);
  return character;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string_view without_end(std::string_view text, std::string_view end) {
  return text.ends_with(end) ? text.substr(0, text.size() - end.size()) : text;
}

// What to type for an option: "-h, --help", "--rate FLOAT", "DIR...".
std::string usage_of(const OptionText& option) {
  const std::string value = fmt::format("\\fI{}\\fR", roff_text(option.value));
  if (option.by_place()) return value + (option.many ? " ..." : "");
  std::string text;
  for (const std::string& name : option.names) {
    text += fmt::format("{}\\fB{}\\fR", text.empty() ? "" : ", ", roff_text(name));
  }
  return option.value.empty() ? text : text + ' ' + value;
}

// Whether the help says already what may be chosen.
bool names_choices(const OptionText& option) {
  const auto named = [&option](const std::string& choice) {
    return option.help.find(choice) != std::string::npos;
  };
  return !option.choices.empty() &&
         std::all_of(option.choices.begin(), option.choices.end(), named);
}

bool is_help(const OptionText& option) {
  return std::find(option.names.begin(), option.names.end(), "--help") != option.names.end();
}

void add_option(const OptionText& option, std::string& page) {
  page += fmt::format(".TP\n{}\n{}", usage_of(option), roff_text(option.help));
  std::vector<std::string> remarks;
  if (option.required) remarks.emplace_back("required");
  if (!option.allowed.empty() && !names_choices(option)) remarks.push_back(option.allowed);
  if (option.many && !option.by_place()) remarks.emplace_back("may be given more than once");
  if (!remarks.empty())
    page += fmt::format(" ({})", roff_text(fmt::format("{}", fmt::join(remarks, "; "))));
  page += '\n';
}

// Lines as they stand, without filling; those of examples are indented already.
void add_lines(std::string_view text, std::string& page) {
  page += ".PP\n.nf\n";
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    page += roff_text(text.substr(0, end)) + '\n';
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  page += ".fi\n";
}

void add_command(const CommandText& command, const std::string& program, std::string& page) {
  page += fmt::format(".SS {} {}", roff_text(program), roff_text(command.name));
  const auto& options = command.options;
  const bool named = std::any_of(options.begin(), options.end(), [](const OptionText& option) {
    return !option.by_place() && !is_help(option);
  });
  if (named) page += " [OPTION]...";
  for (const OptionText& option : options) {
    if (option.by_place()) page += ' ' + usage_of(option);
  }
  page += '\n' + roff_text(command.help) + ".\n";
  for (const OptionText& option : options) {
    if (!is_help(option)) add_option(option, page);  // every command has it
  }
  if (!command.footer.empty()) add_lines(command.footer, page);
}

}  // namespace

std::string roff_text(std::string_view text) {
  std::string escaped;
  // At the beginning of a line these would be a request to roff.
  if (!text.empty() && (text.front() == '.' || text.front() == '\'')) escaped = "\\&";
  while (!text.empty()) {
    const std::uint32_t character = take_character(text);
    switch (character) {
      case '\\':
        escaped += "\\e";
        break;
      case '-':  // else it may be printed as a hyphen, which cannot be pasted into a shell
        escaped += "\\-";
        break;
      case '`':
        escaped += "\\(ga";
        break;
      case '\'':
        escaped += "\\(aq";
        break;
      case '"':
        escaped += "\\(dq";
        break;
      case '^':
        escaped += "\\(ha";
        break;
      case '~':
        escaped += "\\(ti";
        break;
      case '\n':
        escaped += "\n.br\n";
        break;
      default:
        if (character < 0x80) {
          escaped += static_cast<char>(character);
        } else {
          escaped += fmt::format("\\[u{:04X}]", character);
        }
    }
  }
  return escaped;
}

std::string manual_page(const CommandText& program, const ManualFacts& facts) {
  const std::string name = roff_text(program.name);
  // "Parley: what it is." in the definitions, "parley - what it is" in a manual.
  std::string_view what = without_end(program.help, ".");
  const std::size_t colon = what.find(": ");
  if (colon != std::string_view::npos) what.remove_prefix(colon + 2);

  std::string page = fmt::format(
      ".\\\" Made by `{} manual` from the definitions of its command line.\n"
      ".TH {} 1 \"\" \"{} {}\" \"User Commands\"\n",
      program.name, upper(program.name), name, roff_text(facts.version));
  page += fmt::format(".SH NAME\n{} \\- {}\n", name, roff_text(what));
  page += fmt::format(
      ".SH SYNOPSIS\n\\fB{0}\\fR \\fICOMMAND\\fR [OPTION]...\n.br\n"
      "\\fB{0}\\fR [\\fICOMMAND\\fR] \\fB\\-\\-help\\fR\n.br\n\\fB{0} \\-\\-version\\fR\n",
      name);
  page += fmt::format(".SH DESCRIPTION\n{}\n.SH OPTIONS\n", roff_text(program.help));
  for (const OptionText& option : program.options) add_option(option, page);
  page += ".SH COMMANDS\n";
  for (const CommandText& command : program.commands) add_command(command, program.name, page);
  page += ".SH EXIT STATUS\n";
  for (const auto& [status, meaning] : facts.exit_status) {
    page += fmt::format(".TP\n{}\n{}\n", status, roff_text(meaning));
  }
  return page;
}

}  // namespace parley::cli
