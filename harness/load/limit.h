// Whether a run's figures are the cluster's or the load generator's.
#pragma once

#include "harness/load/load.h"

namespace parley::load {

// What of a percentile of latency, 0 to 1, is the generator's own lateness: `handled` are the same
// operations, timed from when the generator took them up instead of from when they were due. 0 for
// a percentile that falls among the operations without an end.
double own_share(const LatencyHistogram& latency, const LatencyHistogram& handled, double share);

// Why the figures are in part the generator's, or Limit::none; `result` is complete but for this.
//   cpu       its thread used more than 95 % of a core
//   ceiling   more than 90 % of what it was seen to do at most were offered, and its thread used
//   more
//             than half of a core: else the ceiling is only that of a moment when the machine was
//             busy
//   lateness  more than a quarter of a percentile of latency (p50, p90 or p99), and more than 100
//   us,
//             are its own: less is within what waking a thread takes on any machine
Limit limit_of(const LoadResult& result);

std::string_view limit_name(Limit limit);

// What to tell of it in a sentence; empty if the figures are the cluster's.
std::string limit_text(const LoadResult& result);

}  // namespace parley::load
