#include "harness/cli/completion.h"

#include <fmt/format.h>

namespace parley::cli {
namespace {

enum class Kind : std::uint8_t { nothing, words, files, folders, unknown };

// How the value of an option is completed.
struct Value {
  Kind kind = Kind::nothing;
  std::string words;
};

Value value_of(const OptionText& option, const KnownValues& known) {
  if (option.value.empty()) return {};
  if (!option.choices.empty())
    return {Kind::words, fmt::format("{}", fmt::join(option.choices, " "))};
  if (option.value == "DIR") return {Kind::folders, {}};
  if (option.value == "FILE" || option.value == "SPEC") return {Kind::files, {}};
  const auto found = known.find(option.value);
  if (found == known.end()) return {Kind::unknown, {}};
  return {Kind::words, fmt::format("{}", fmt::join(found->second, " "))};
}

// What stands in a command's place, if it takes anything there.
Value value_by_place(const CommandText& command, const KnownValues& known) {
  for (const OptionText& option : command.options) {
    if (option.by_place()) return value_of(option, known);
  }
  return {};
}

std::string names_of(const CommandText& command) {
  std::vector<std::string> names;
  for (const OptionText& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return fmt::format("{}", fmt::join(names, " "));
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

// Within '...' of a shell.
std::string quoted(const std::string& text) {
  return replaced(text, "'", "'\\''");
}

// --- bash ---

constexpr std::string_view kBashHead =
    R"(# Completion of {0} for bash, made by `{0} completion bash`.
_{0}_words() {{
  compopt +o default
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}}
_{0}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} command= at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ ${{COMP_WORDS[at]}} == -* ]] && continue
    command=${{COMP_WORDS[at]}}
    break
  done
  case "$command $previous" in
)";

// Without a match bash completes names of files: the default for what takes them.
std::string bash_action(const Value& value, const std::string& program) {
  switch (value.kind) {
    case Kind::words:
      return fmt::format("_{}_words '{}'", program, value.words);
    case Kind::files:
      return ":";
    case Kind::folders:
      return "compopt -o dirnames";
    case Kind::nothing:
    case Kind::unknown:
      break;
  }
  return "compopt +o default";
}

std::string bash(const CommandText& program, const KnownValues& known) {
  std::string script = fmt::format(fmt::runtime(kBashHead), program.name);
  const auto action = [&program](const Value& value) { return bash_action(value, program.name); };
  for (const CommandText& command : program.commands) {
    for (const OptionText& option : command.options) {
      if (option.by_place() || option.value.empty()) continue;
      for (const std::string& name : option.names) {
        script += fmt::format("    '{} {}') {}; return ;;\n", command.name, name,
                              action(value_of(option, known)));
      }
    }
  }
  script += "  esac\n  case \"$command $current\" in\n";
  script += fmt::format("    ' -'*) _{}_words '{}' ;;\n", program.name, names_of(program));
  std::vector<std::string> names;
  for (const CommandText& command : program.commands) names.push_back(command.name);
  script += fmt::format("    ' '*) _{}_words '{}' ;;\n", program.name, fmt::join(names, " "));
  for (const CommandText& command : program.commands) {
    script += fmt::format("    '{} -'*) _{}_words '{}' ;;\n", command.name, program.name,
                          names_of(command));
    script +=
        fmt::format("    '{} '*) {} ;;\n", command.name, action(value_by_place(command, known)));
  }
  return script + fmt::format("  esac\n}}\ncomplete -o default -F _{0} {0}\n", program.name);
}

// --- zsh ---

// A text within [...] of an option, or after a name and a colon.
std::string zsh_text(const std::string& text) {
  std::string escaped = replaced(replaced(text, "\\", "\\\\"), "[", "\\[");
  return quoted(replaced(replaced(escaped, "]", "\\]"), ":", "\\:"));
}

std::string zsh_action(const Value& value) {
  switch (value.kind) {
    case Kind::words:
      return fmt::format("({})", value.words);
    case Kind::files:
      return "_files";
    case Kind::folders:
      return "_files -/";
    case Kind::nothing:
    case Kind::unknown:
      break;
  }
  return " ";
}

// One argument of _arguments a name.
std::string zsh_option(const OptionText& option, const KnownValues& known) {
  const std::string value = option.value.empty() ? ""
                                                 : fmt::format(":{}:{}", zsh_text(option.value),
                                                               zsh_action(value_of(option, known)));
  if (option.by_place()) return fmt::format(" \\\n        '{}{}'", option.many ? "*" : "", value);
  std::string text;
  for (const std::string& name : option.names) {
    text += fmt::format(" \\\n        '{}{}[{}]{}'", option.many ? "*" : "", name,
                        zsh_text(option.help), value);
  }
  return text;
}

std::string zsh_options(const CommandText& command, const KnownValues& known) {
  std::string text;
  for (const OptionText& option : command.options) text += zsh_option(option, known);
  return text;
}

std::string zsh(const CommandText& program, const KnownValues& known) {
  std::string script = fmt::format(
      "#compdef {0}\n# Completion of {0} for zsh, made by `{0} completion zsh`.\n_{0}() {{\n"
      "  local curcontext=$curcontext state line\n  local -a commands=(\n",
      program.name);
  for (const CommandText& command : program.commands) {
    script += fmt::format("    '{}:{}'\n", command.name, zsh_text(command.help));
  }
  script += fmt::format(
      "  )\n  _arguments -C{} \\\n        '1:command:->command' '*::argument:->argument'\n",
      zsh_options(program, known));
  script +=
      "  case $state in\n    command) _describe command commands ;;\n"
      "    argument)\n      case $line[1] in\n";
  for (const CommandText& command : program.commands) {
    script += fmt::format("      {}) _arguments{} ;;\n", command.name, zsh_options(command, known));
  }
  return script + fmt::format("      esac ;;\n  esac\n}}\n_{} \"$@\"\n", program.name);
}

// --- fish ---

std::string fish_text(const std::string& text) {
  return replaced(replaced(text, "\\", "\\\\"), "'", "\\'");
}

// What takes a value: -x for one that is no path, -r for one that is, as fish offers paths then.
std::string fish_action(const Value& value) {
  switch (value.kind) {
    case Kind::nothing:
      return "";
    case Kind::words:
      return fmt::format(" -x -a '{}'", value.words);
    case Kind::files:
      return " -r -F";
    case Kind::folders:
      return " -x -a '(__fish_complete_directories)'";
    case Kind::unknown:
      break;
  }
  return " -x";
}

std::string fish_option(const OptionText& option) {
  std::string text;
  for (const std::string& name : option.names) {
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  return text;
}

std::string fish(const CommandText& program, const KnownValues& known) {
  std::string script = fmt::format(
      "# Completion of {0} for fish, made by `{0} completion fish`.\ncomplete -c {0} -f\n",
      program.name);
  for (const OptionText& option : program.options) {
    script += fmt::format("complete -c {} -n __fish_use_subcommand{} -d '{}'\n", program.name,
                          fish_option(option), fish_text(option.help));
  }
  for (const CommandText& command : program.commands) {
    script += fmt::format("complete -c {} -n __fish_use_subcommand -a {} -d '{}'\n", program.name,
                          command.name, fish_text(command.help));
    for (const OptionText& option : command.options) {
      Value value = value_of(option, known);
      // An argument by its place is not one that something has to follow.
      std::string action = fish_action(value);
      if (option.by_place()) {
        if (value.kind == Kind::unknown) continue;
        action = value.kind == Kind::words ? fmt::format(" -a '{}'", value.words) : " -F";
      }
      script += fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}'{}{} -d '{}'\n",
                            program.name, command.name, fish_option(option), action,
                            fish_text(option.help));
    }
  }
  return script;
}

}  // namespace

std::string completion_script(std::string_view shell, const CommandText& program,
                              const KnownValues& known) {
  if (shell == "zsh") return zsh(program, known);
  if (shell == "fish") return fish(program, known);
  return bash(program, known);
}

}  // namespace parley::cli
