#include "harness/sweep/baseline.h"

#include <fmt/format.h>

#include <algorithm>

#include "algorithms/registry/registry.h"

namespace parley::harness {
namespace {

// What all plans that want a baseline amount to.
struct Extent {
  std::size_t runs = 0;
  double seconds = 0;
};

Extent extent_of(const std::vector<SweepPlan>& plans, const std::vector<bool>& wanted) {
  Extent extent;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (!wanted[i]) continue;
    extent.runs += plans[i].runs.size();
    extent.seconds += estimated_seconds(plans[i]);
  }
  return extent;
}

std::size_t baseline_count(const Extent& extent) {
  const double one = estimated_seconds(baseline_run(1));
  if (extent.runs < kLeastRunsWithBaseline) return 0;
  if (kLeastBaselineRuns * one > kMostBaselineShare * extent.seconds) return 0;
  const auto usual = static_cast<std::size_t>(kUsualBaselineShare * extent.seconds / one);
  return std::clamp(usual, kLeastBaselineRuns, kMostBaselineRuns);
}

// One behind all others in the lists of its sweep.
PlannedRun planned_baseline(std::uint32_t turn, std::size_t others) {
  return {fmt::format("baseline-{:02}", turn), baseline_run(turn),
          static_cast<std::uint32_t>(others + 1)};
}

// Says where the runs of a baseline stand, as time goes on.
class Turns {
 public:
  Turns(std::size_t count, double seconds)
      : gap_(seconds / static_cast<double>(count - 1)), seconds_(seconds) {}

  // Whether one stands before a run that takes so long: its moment is nearer to that run's
  // beginning than to its end. The last one stands after all runs.
  bool before(double run_seconds) {
    const double due = gap_ * placed_;
    const bool now = due <= elapsed_ + run_seconds / 2 && due < seconds_ - gap_ / 2;
    elapsed_ += run_seconds;
    placed_ += now ? 1 : 0;
    return now;
  }
  [[nodiscard]] std::uint32_t placed() const { return placed_; }

 private:
  double gap_;
  double seconds_;
  double elapsed_ = 0;
  std::uint32_t placed_ = 0;
};

}  // namespace

RunSpec baseline_run(std::uint32_t number) {
  RunSpec run;
  run.algorithm = find_algorithm("unreplicated");
  run.options = default_options(run.algorithm->options);
  run.nodes = 1;
  run.closed_loop = true;
  run.window = 256;
  run.warmup_s = 0.5;
  run.duration_s = 1.5;
  run.repetition = number;
  run.baseline = true;
  return run;
}

void interleave_baseline(std::vector<SweepPlan>& plans, const std::vector<bool>& wanted) {
  const Extent extent = extent_of(plans, wanted);
  const std::size_t count = baseline_count(extent);
  if (count == 0) return;
  Turns turns(count, extent.seconds);
  SweepPlan* last = nullptr;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (!wanted[i]) continue;
    last = &plans[i];
    std::vector<PlannedRun> mixed;
    std::size_t numbered = plans[i].runs.size();
    for (PlannedRun& run : plans[i].runs) {
      if (turns.before(estimated_seconds(run.spec)))
        mixed.push_back(planned_baseline(turns.placed(), numbered++));
      mixed.push_back(std::move(run));
    }
    plans[i].runs = std::move(mixed);
  }
  last->runs.push_back(planned_baseline(turns.placed() + 1, last->runs.size()));
}

std::optional<BaselineSpread> baseline_spread(const std::vector<ResultRow>& rows) {
  std::vector<double> rates;
  for (const ResultRow& row : rows) {
    const auto rate = number_of(row, "achieved_ops_per_s");
    const bool done = row.record.state == RecordState::done;
    if (row.record.run.spec.baseline && done && rate && *rate > 0) rates.push_back(*rate);
  }
  if (rates.size() < 2) return std::nullopt;
  std::ranges::sort(rates);
  const std::size_t middle = rates.size() / 2;
  const double median =
      rates.size() % 2 == 1 ? rates[middle] : (rates[middle - 1] + rates[middle]) / 2;
  return BaselineSpread{rates.size(), rates.front(), median, rates.back()};
}

std::string to_text(const BaselineSpread& spread) {
  return fmt::format("{} baseline runs (unreplicated, 1 node): {:.0f} operations/s, {:.1f} % apart",
                     spread.runs, spread.median, 100 * spread.share());
}

std::string warning_of(const BaselineSpread& spread) {
  if (spread.share() <= kWideBaseline) return {};
  return fmt::format(
      "the baseline runs are {:.0f} % apart ({:.0f} to {:.0f} operations/s), although they do "
      "one and the same: smaller differences between runs may be the machine's",
      100 * spread.share(), spread.low, spread.high);
}

}  // namespace parley::harness
