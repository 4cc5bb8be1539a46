// Other programs that commands run.
#pragma once

#include <string>
#include <vector>

namespace parley::cli {

// Runs a program in the foreground and waits for it. Returns its exit status, 127 when it could not
// be started, 128 when a signal ended it. With `output_to_stderr` its standard output goes to
// standard error, so that ours stays machine-readable.
int run_program(std::vector<std::string> arguments, bool output_to_stderr);

}  // namespace parley::cli
