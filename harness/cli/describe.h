// Reads the definitions of the command line back.
#pragma once

#include "harness/cli/command_text.h"

namespace CLI {
class App;
}

namespace parley::cli {

// The command with its options and its own commands, as --help would show them.
CommandText describe(const CLI::App& app);

}  // namespace parley::cli
