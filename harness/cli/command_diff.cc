// parley diff: two sets of results, where they differ and how sure that is.
#include <fmt/core.h>

#include "harness/cli/commands.h"
#include "harness/diff/diff.h"

namespace parley::cli {

int run_diff(const DiffOptions& options) {
  diff::Diff found;
  try {
    found =
        diff::compare_results(diff::read_result_set(options.a), diff::read_result_set(options.b),
                              {options.metrics, options.tolerance});
  } catch (const diff::ResultError& error) {
    complain(error.what());
    return kUsage;
  }
  fmt::print("{}", options.common.json ? diff::to_json(found) + "\n"
                                       : diff::to_text(found, options.tolerance));
  switch (diff::verdict_of(found)) {
    case diff::Verdict::same:
      return kDone;
    case diff::Verdict::differs:
      return kFailed;
    case diff::Verdict::cannot_tell:
      return kUsage;
  }
  return kUsage;
}

}  // namespace parley::cli
