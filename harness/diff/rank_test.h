// Two small samples compared without assuming how they are distributed.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace parley::diff {

// Hodges and Lehmann (1963): how many times as large values of b are as those of a.
struct Ratio {
  double estimate = 1;  // median of all quotients of a value of b and one of a
  double low = 1;
  double high = 1;
  double confidence = 0;  // of the interval from low to high: exact if there are no ties
};

// Mann and Whitney (1947), two-sided.
struct RankTest {
  double p = 1;  // exact, given the ties: how often labels dealt at random look as different
  // Vargha and Delaney (2000): how likely a value of b is larger than one of a, ties counting half.
  double larger = 0.5;
  std::optional<Ratio> ratio;  // none unless all values are finite and positive
};

inline constexpr std::size_t kMaxSample = 50;

// Both have 1 to kMaxSample values; infinity is one. `confidence` is what the interval should
// reach; where so few values cannot, it is the widest there is.
RankTest compare_samples(std::span<const double> a, std::span<const double> b, double confidence);

// The smallest p that samples of these sizes can have: two orders out of all.
double smallest_p(std::size_t a, std::size_t b);

}  // namespace parley::diff
