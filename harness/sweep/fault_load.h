// Whether faults were measured at a load at which their consequences say something of the strategy:
// above half of saturation the survivors cannot make up for what was missed, and heartbeats wait
// behind work.
#pragma once

#include <string>
#include <vector>

#include "harness/sweep/results.h"

namespace parley::harness {

inline constexpr double kMostOfSaturation = 0.5;

struct LoadedRun {
  std::string name;  // of the run
  double rate = 0;
  double saturation = 0;  // the highest that these runs show under the same conditions
};

// The runs with faults whose rate is above that share of the saturation that is known: by a search,
// a closed loop, or a rate that was not reached, of runs without faults that have all else in
// common with them. Of runs for which none is known nothing is said.
std::vector<LoadedRun> loaded_fault_runs(const std::vector<ResultRow>& rows);

std::string to_text(const LoadedRun& run);

}  // namespace parley::harness
