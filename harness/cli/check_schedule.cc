#include "harness/cli/check_options.h"
#include "harness/run/faults.h"

namespace parley::cli {

FaultSchedule load_schedule(const CheckOptions& options) {
  harness::RunSpec run;
  run.faults = options.faults;
  run.duration_s = options.seconds.value_or(kUsualSeconds);
  run.seed = options.common.seed.value_or(1);
  if (options.nodes != 0) run.nodes = options.nodes;
  return harness::load_faults(run);
}

}  // namespace parley::cli
