// Looks for a small execution in which a failure shows: few faults, few nodes, little time, few
// requests.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/sim/simulation.h"

namespace parley::sim {

// The same for the same arguments everywhere, and so without a clock.
inline constexpr std::uint32_t kMaxReductions = 200;              // executions
inline constexpr std::uint64_t kMaxReductionEvents = 20'000'000;  // of them all, about

// The check that found a violation, by its name in check_names.h.
std::string_view check_of(std::string_view violation);

struct Reduced {
  SimOptions options;  // of the smaller execution; not of the trace
  SimResult before;    // of the whole
  SimResult after;
  std::uint32_t executions = 0;  // that it took
};

// `options` name an execution that fails. Returns the smallest that was found to fail by the same
// check, if any is smaller. `stop` (may be null) ends the search when it becomes true.
std::optional<Reduced> reduce(const Algorithm& algorithm, const OptionValues& values,
                              const SimOptions& options, const std::atomic<bool>* stop);

using Numbers = std::vector<std::uint32_t>;

// Leaves out of `all` what is not needed for `fails`: Zeller and Hildebrandt's ddmin, "Simplifying
// and Isolating Failure-Inducing Input", TSE 2002, figure 5, on the complements only, since few
// failures show with a small part. `fails(all)` is taken for granted; where it fails it may leave
// out more of what it is given. What comes back no longer fails with any single one left out, if
// `fails` says the same each time and never gives up.
Numbers leave_out(Numbers all, const std::function<bool(Numbers&)>& fails);

}  // namespace parley::sim
