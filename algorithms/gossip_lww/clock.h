// Hybrid logical time, and what to do about clocks that are wrong.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "algorithms/contract/ids.h"
#include "algorithms/contract/time.h"
#include "algorithms/gossip_lww/guards.h"

namespace parley::gossip_lww {

// Nanoseconds since 1970, as close to the wall clock as causality allows.
using HybridTime = Ordinal<struct HybridTimeTag>;

inline HybridTime physical_time(WallTime wall) {
  return {static_cast<std::uint64_t>(std::max<WallTime::rep>(wall.time_since_epoch().count(), 1))};
}

// A hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", OPODIS 2014, figure 5): never
// behind a time that it was shown, never the same time twice, and ahead of the wall clock only as
// far as it was shown such times. Its counter lives in the nanoseconds, below the resolution of
// real clocks: a time is one number.
class HybridClock {
 public:
  // The first of `count` times in a row, above all that were given out or observed.
  HybridTime take(WallTime wall, std::uint32_t count) {
    const HybridTime first = next(wall);
    last_ = first.plus(count - 1);
    return first;
  }

  // What `take` would return.
  [[nodiscard]] HybridTime next(WallTime wall) const {
    return std::max(physical_time(wall), last_.next());
  }

  void observe(HybridTime time) {
    if (holds(guards::kClockObserves)) last_ = std::max(last_, time);
  }

  [[nodiscard]] HybridTime last() const { return last_; }

 private:
  HybridTime last_;
};

// What time it is as far as a node can tell from all clocks that it knows of: the lower median of
// its own and its peers'. A clock that is wrong by itself moves it only within the others.
class ReferenceClock {
 public:
  explicit ReferenceClock(std::size_t peers) : ahead_(peers) {}

  // A peer's clock showed `wall` about now. Peers' clocks are held against the own monotonic one,
  // so that a step of the own wall clock shows.
  void heard(std::size_t peer, WallTime wall, Instant now) {
    ahead_[peer] = wall.time_since_epoch() - now.time_since_epoch();
  }

  // Whether there is anything to compare the own clock with; alone there need not be.
  [[nodiscard]] bool usable() const {
    return ahead_.empty() ||
           std::any_of(ahead_.begin(), ahead_.end(), [](const auto& a) { return a.has_value(); });
  }

  [[nodiscard]] HybridTime now(WallTime wall, Instant now) const {
    clocks_.assign(1, wall.time_since_epoch());
    for (const auto& ahead : ahead_) {
      if (ahead) clocks_.push_back(now.time_since_epoch() + *ahead);
    }
    const auto median = clocks_.begin() + static_cast<std::ptrdiff_t>((clocks_.size() - 1) / 2);
    std::nth_element(clocks_.begin(), median, clocks_.end());
    return {static_cast<std::uint64_t>(std::max<Duration::rep>(median->count(), 0))};
  }

 private:
  std::vector<std::optional<Duration>> ahead_;  // of the own monotonic clock, by peer
  mutable std::vector<Duration> clocks_;
};

}  // namespace parley::gossip_lww
