// The machine's noise over a sweep: short runs of one and the same thing, evenly between the
// others. What they differ by no strategy has caused.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/sweep/results.h"
#include "harness/sweep/sweep_spec.h"

namespace parley::harness {

// They take about so much of the time of the other runs, and never more than the second; there are
// from three (first, last, in between) to twenty of them, or none.
inline constexpr double kUsualBaselineShare = 0.05;
inline constexpr double kMostBaselineShare = 0.1;
inline constexpr std::size_t kLeastBaselineRuns = 3;
inline constexpr std::size_t kMostBaselineRuns = 20;
// Sweeps of fewer runs have none.
inline constexpr std::size_t kLeastRunsWithBaseline = 6;

// One node without coordination (`unreplicated`), 256 operations in flight, for 1.5 s: the same in
// all sweeps. `number` is its repetition.
RunSpec baseline_run(std::uint32_t number);

// Puts baseline runs between those of the plans that are carried out one after the other; `wanted`
// says of each plan whether it may have any. Which, depends on the arguments only.
void interleave_baseline(std::vector<SweepPlan>& plans, const std::vector<bool>& wanted);

// What the baseline runs among these rows say.
struct BaselineSpread {
  std::size_t runs = 0;
  double low = 0;  // operations per second
  double median = 0;
  double high = 0;

  [[nodiscard]] double share() const { return (high - low) / median; }
};
// Above this the machine was too uneven to tell smaller differences from its noise.
inline constexpr double kWideBaseline = 0.2;

// Nothing if fewer than two of them are done.
std::optional<BaselineSpread> baseline_spread(const std::vector<ResultRow>& rows);

// "5 baseline runs (unreplicated, 1 node): 212000 operations/s, 3.1 % apart".
std::string to_text(const BaselineSpread& spread);
// What to warn of; empty if the spread is not wide.
std::string warning_of(const BaselineSpread& spread);

}  // namespace parley::harness
