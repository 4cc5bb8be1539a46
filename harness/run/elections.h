// Elections as the nodes' logs tell them, and which of them nobody needed.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "algorithms/contract/ids.h"
#include "algorithms/contract/time.h"
#include "harness/run/fault_injector.h"
#include "runtime/fault_schedule.h"

namespace parley::harness {

// A leader has to have led undisturbed for so long before an election counts as false: what a node
// has missed until then may be due to what was wrong before.
inline constexpr std::chrono::milliseconds kUndisturbed{1000};

// A node tells of its role when that changes, and of elections that it begins. Times are
// milliseconds after the start of the measured window.
struct RoleTold {
  double at_ms = 0;
  NodeId node;
  NodeId leader;                // whom it names
  std::uint64_t elections = 0;  // that it began with this turn
};

// Reads what nodes say of that in their logs (`<id>.log` in `folder`), in the order of time.
// `zero`: when the measured window began. Lines that are none of these are passed over.
std::vector<RoleTold> read_roles(const std::filesystem::path& folder, std::uint32_t nodes,
                                 std::chrono::system_clock::time_point zero);

// A node or links that did not work for some time, as the schedule had it.
struct Disturbance {
  double from_ms = 0;
  double until_ms = 0;
  NodeId node;                      // that was away or stood still; kNoNode: of links
  std::vector<DirectedLink> links;  // that were cut
};
std::vector<Disturbance> disturbances_of(const FaultSchedule& schedule,
                                         const std::vector<InjectedFault>& faults);

// How many elections of the measured window, which is `window_ms` long, were false: another node
// began one although the one that led was there, did not stand still, was connected with it in both
// directions, and all of that for kUndisturbed. What is merely slow is no excuse: elections because
// of it are what this counts.
std::uint64_t false_elections(const std::vector<RoleTold>& roles,
                              const std::vector<Disturbance>& disturbances, double window_ms);

}  // namespace parley::harness
