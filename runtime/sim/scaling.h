// How a strategy that merges fares as its cluster grows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "runtime/sim/simulation.h"

namespace parley::sim {

// What one cluster was seen to do.
struct ScalingPoint {
  std::uint32_t nodes = 0;
  std::uint64_t seed = 0;
  Duration agreed_after{};  // SimResult::agreed_after
  double rounds = 0;        // the same in rounds of exchange
  std::uint32_t promised_rounds = 0;
  double bytes_to_agree = 0;    // sent by a node, on average, from healing until all agreed
  double idle_bytes_per_s = 0;  // likewise, when there was nothing left to tell
  // Messages from one region to another, where kRegion nodes make up one, in turn: those that
  // carried writes, for each placement acknowledged, and those of all nodes in a second when there
  // was nothing left to tell. The same for strategies that know of regions and those that do not.
  double crossings_per_write = 0;
  double idle_crossings_per_s = 0;
};

inline constexpr std::uint32_t kRegion = 32;  // at most

// 10, 32, 100, 316 and 1000 nodes, as far as the strategy goes.
std::vector<std::uint32_t> scaling_sizes(const Algorithm& algorithm);

// One cluster in a quick network: it takes writes for a second, then falls into two halves for
// three, in which both take writes; then it heals. Throws std::runtime_error with the violations if
// there are any. `algorithm` merges, and promises what MergePromise says of rounds; `values` must
// be complete.
ScalingPoint measure_scaling(const Algorithm& algorithm, const OptionValues& values,
                             std::uint32_t nodes, std::uint64_t seed);

// As a CSV file with the columns algorithm, options (that are not the defaults: "region_size 32"),
// nodes, seed, agreed_after_ms, rounds, promised_rounds, bytes_to_agree, idle_bytes_per_s (both a
// node), crossings_per_write, idle_crossings_per_s.
std::string scaling_csv(const Algorithm& algorithm, const OptionValues& values,
                        const std::vector<ScalingPoint>& points);

}  // namespace parley::sim
