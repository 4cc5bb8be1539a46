// The options of `parley check`, for the program itself and for the one with mutants.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/commands.h"

namespace CLI {
class App;
}

namespace parley::cli {

void add_check_options(CLI::App& command, CheckOptions& options);

// The options as arguments that are read back as the same.
std::vector<std::string> arguments_of(const CheckOptions& options);

}  // namespace parley::cli
