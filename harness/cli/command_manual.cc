// parley manual and completion: what is made of the definitions of the command line.
#include <fmt/core.h>

#include "algorithms/registry/registry.h"
#include "harness/cli/commands.h"
#include "harness/cli/completion.h"
#include "harness/cli/manual.h"
#include "harness/cli/software.h"

namespace parley::cli {

int run_manual(const CommandText& program) {
  const ManualFacts facts{std::string(kVersion),
                          {{kDone, "Done."},
                           {kFailed, "A check or a measurement failed."},
                           {kUsage, "Wrong usage or configuration; standard error says what."}}};
  fmt::print("{}", manual_page(program, facts));
  return kDone;
}

int run_completion(const std::string& shell, const CommandText& program) {
  std::vector<std::string> names;
  for (const Algorithm* algorithm : algorithms()) names.emplace_back(algorithm->name);
  fmt::print("{}", completion_script(shell, program, {{"ALGORITHM", names}}));
  return kDone;
}

}  // namespace parley::cli
