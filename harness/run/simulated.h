// The faults of a run in the simulator: the same schedule, strategy, options and number of nodes,
// in a quick network and under some load, so that both timelines can be laid side by side.
#pragma once

#include <string>

#include "harness/run/events.h"
#include "harness/run/run_spec.h"
#include "runtime/fault_schedule.h"

namespace parley::harness {

struct SimulatedRun {
  Sightings sightings;
  std::string problem;  // why there is none, or what went wrong in it; else empty
};

// One execution by the seed of `spec`, which takes a fraction of a second for a window of a minute.
// As before a live window, the cluster has had time to elect a leader.
SimulatedRun simulate_run(const RunSpec& spec, const FaultSchedule& schedule);

}  // namespace parley::harness
