// The options of `parley check`, for the program itself and for the one with mutants.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/commands.h"
#include "runtime/fault_schedule.h"
#include "runtime/links.h"

namespace CLI {
class App;
}

namespace parley::cli {

// Virtual seconds of a seed. Rare mistakes want time rather than many beginnings.
inline constexpr std::uint32_t kUsualSeconds = 60;
inline constexpr std::uint32_t kMutantSeconds = 240;

void add_check_options(CLI::App& command, CheckOptions& options);

// The schedule of faults that `options` name, at the times of a run that lasts as long. Throws
// ConfigError when there is none of that name, its file is not right, or the cluster is too small
// for it. (The program with mutants has none.)
FaultSchedule load_schedule(const CheckOptions& options);
// Likewise the links.
NetworkProfile load_links(const CheckOptions& options);

// The options as arguments that are read back as the same.
std::vector<std::string> arguments_of(const CheckOptions& options);

}  // namespace parley::cli
