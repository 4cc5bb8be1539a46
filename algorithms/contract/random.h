// Random numbers that are the same on every compiler and library.
#pragma once

#include <cstdint>
#include <random>

#include "algorithms/contract/time.h"

namespace parley {

// The standard fixes the output of std::mt19937_64 but not that of its distributions, so the draws
// from it are our own. Draw once per statement: the order of evaluation of arguments is not fixed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // 64 random bits.
  std::uint64_t bits() { return engine_(); }

  // Uniform in [0, bound), without bias; bound > 0. (Lemire, "Fast random integer generation in an
  // interval", 2019, §4: the upper half of a product, which needs no division as a rule.)
  std::uint64_t below(std::uint64_t bound) {
    Wide product = Wide{engine_()} * bound;
    if (static_cast<std::uint64_t>(product) < bound) {
      const std::uint64_t excess = (0 - bound) % bound;  // 2^64 mod bound: so many draws too many
      while (static_cast<std::uint64_t>(product) < excess) product = Wide{engine_()} * bound;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

  // Uniform in [low, high], both ends included; low <= high.
  Duration between(Duration low, Duration high) {
    return low + Duration(static_cast<std::int64_t>(
                     below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }

  // True with a probability of `per_million` in a million.
  bool chance(std::uint32_t per_million) { return below(1'000'000) < per_million; }

 private:
  __extension__ using Wide = unsigned __int128;

  std::mt19937_64 engine_;
};

}  // namespace parley
