// A run in the simulator. Its faults: the same schedule, strategy, options and number of nodes, in
// a quick network and under some load, so that both timelines can be laid side by side. And its
// latency over links that take their time.
#pragma once

#include <cstdint>
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

// The latency of placements that the links and the strategy's own waiting come to, without what
// processors, queues and waking threads add.
struct SimulatedLatency {
  double p50_us = 0;
  double p99_us = 0;
  std::uint64_t placements = 0;
  std::string problem;  // why there is none, or what went wrong in it; else empty
};

// Ten virtual seconds without faults, over the links of `spec`, under 200 placements a second, by
// its seed. From the client's asking, at a node nearby, to that node's answer. Throws ConfigError
// when the links' file cannot be read.
SimulatedLatency simulate_latency(const RunSpec& spec);

// Whether there is something to be predicted: links that take their time, and placements only,
// since reads have latencies of their own.
bool predicts_latency(const RunSpec& spec);

}  // namespace parley::harness
