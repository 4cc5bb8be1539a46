#include "harness/cli/check_options.h"
#include "harness/cluster/config_file.h"
#include "harness/cluster/links.h"
#include "harness/run/faults.h"
#include "runtime/sim/simulation.h"

namespace parley::cli {

FaultSchedule load_schedule(const CheckOptions& options) {
  harness::RunSpec run;
  run.faults = options.faults;
  run.duration_s = options.seconds.value_or(kUsualSeconds);
  run.seed = options.common.seed.value_or(1);
  run.nodes = options.nodes != 0 ? options.nodes : sim::kScheduledNodes;
  FaultSchedule schedule = harness::load_faults(run);
  if (const std::string problem = harness::impossible_for(schedule, run.nodes); !problem.empty()) {
    throw harness::ConfigError("faults: " + problem);
  }
  return schedule;
}

NetworkProfile load_links(const CheckOptions& options) {
  return harness::load_network_profile(options.links);
}

}  // namespace parley::cli
