// The two clocks of the contract. Algorithms never read a clock: times come in with the turn.
#pragma once

#include <chrono>

namespace parley {

using Duration = std::chrono::nanoseconds;

// Monotonic time of one process; its zero has no meaning.
struct MonotonicTimeline {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  static constexpr bool is_steady = true;
};
using Instant = std::chrono::time_point<MonotonicTimeline>;
inline constexpr Instant kNever = Instant::max();

// Nanoseconds since 1970 by the node's own clock, which may be skewed and may step back.
struct WallTimeline {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  static constexpr bool is_steady = false;
};
using WallTime = std::chrono::time_point<WallTimeline>;

}  // namespace parley
