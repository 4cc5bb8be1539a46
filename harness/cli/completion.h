// Completion for shells, made of the definitions of the command line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/cli/command_text.h"

namespace parley::cli {

// What can be said for values that the definitions only name, as "ALGORITHM". Values named FILE,
// DIR and SPEC are completed as paths, and those with choices as these, without being told here.
using KnownValues = std::map<std::string, std::vector<std::string>, std::less<>>;

// The script for `shell`, which is "bash", "zsh" or "fish".
std::string completion_script(std::string_view shell, const CommandText& program,
                              const KnownValues& known);

}  // namespace parley::cli
