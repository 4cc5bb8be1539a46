// What a fault cost, in milliseconds.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/load/load.h"

namespace parley::load {

// Each counted from the fault; empty if it never came.
struct Recovery {
  std::optional<double> noticed_ms;
  std::optional<double> first_success_ms;
  std::optional<double> back_to_95_ms;
};

// `fault_at` is the moment of the fault after the start of the measured window.
Recovery recovery_of(const LoadResult& result, Duration fault_at);

// The first time after the fault that some node named a leader other than the one whom most named
// before it. Empty when no other took over, as after the loss of a follower. Nodes are asked every
// 25 ms, so it is at most about that much late.
std::optional<double> noticed_ms(std::span<const LeaderSeen> leaders, Duration fault_at);

// The first ok answer to an operation whose first attempt was sent after the fault, local reads
// aside (a node answers those alone, unless they are all there is). What was under way at the
// moment of the fault does not count: it may have been decided before. A cluster that never stopped
// gives the time of one operation.
std::optional<double> first_success_ms(std::span<const SuccessSeen> successes, Duration fault_at);

// The end of the first 500 ms, in steps of the timeline's rows and wholly after the fault, in which
// at least 95 % as many operations per second were completed as in the 5 s before the fault (or in
// as much of them as was measured, and at least one row). Only rows of the measured window count:
// after `measured_s` there is no load to complete.
std::optional<double> back_to_95_ms(std::span<const TimelineRow> timeline, double measured_s,
                                    Duration fault_at);

// The longest time between `from` and `until` (after the start of the measured window) in which no
// answer came that shows that the cluster works (SuccessSeen); also before the first such answer
// and after the last. Under little load that is at least the longest pause between two arrivals.
double unavailable_ms(std::span<const SuccessSeen> successes, Duration from, Duration until);

}  // namespace parley::load
