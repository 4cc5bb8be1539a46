#include "harness/sweep/baseline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "harness/sweep/sweep.h"

namespace parley::harness {
namespace {

using testing::HasSubstr;

// So many runs of 14 s each.
SweepSpec spec_of(std::uint32_t runs, const std::string& extra = "") {
  return parse_sweep_spec_text("algorithms = \"raft\"\nnodes = 3\nrate = 100\nrepetitions = " +
                                   std::to_string(runs) + "\n" + extra,
                               "s");
}

// The places of the baseline runs among all.
std::vector<std::size_t> places_of(const std::vector<SweepPlan>& plans) {
  std::vector<std::size_t> places;
  std::size_t place = 0;
  for (const SweepPlan& plan : plans) {
    for (const PlannedRun& run : plan.runs) {
      if (run.spec.baseline) places.push_back(place);
      ++place;
    }
  }
  return places;
}

TEST(Baseline, StandsFirstLastAndEvenlyBetween) {
  const auto plans = plan_sweeps({spec_of(100)});  // 1400 s, of which 5 % are 17 runs of 4 s
  const auto places = places_of(plans);
  ASSERT_EQ(places.size(), 17U);
  EXPECT_EQ(places.front(), 0U);
  EXPECT_EQ(places.back(), plans[0].runs.size() - 1);
  for (std::size_t i = 1; i < places.size(); ++i) {
    EXPECT_GE(places[i] - places[i - 1], 6U);
    EXPECT_LE(places[i] - places[i - 1], 8U);
  }
  EXPECT_EQ(plans[0].runs[0].name, "baseline-01");
  EXPECT_EQ(plans[0].runs[1].name, "001-raft-n3-r100-rep1") << "the others keep their numbers";
  EXPECT_EQ(plans[0].runs.back().name, "baseline-17");
  // In lists they come last.
  std::set<std::uint32_t> numbers;
  for (const PlannedRun& run : plans[0].runs) {
    numbers.insert(run.number);
    EXPECT_EQ(run.spec.baseline, run.number > 100) << run.name;
  }
  EXPECT_EQ(numbers.size(), 117U);
  EXPECT_EQ(*numbers.rbegin(), 117U);
}

TEST(Baseline, TakesAtMostATenthOfTheTimeAndIsLeftOutOfShortSweeps) {
  for (std::uint32_t runs = 1; runs <= 60; ++runs) {
    const SweepPlan plan = plan_sweeps({spec_of(runs)})[0];
    const auto count = places_of({plan}).size();
    const double seconds = 14.0 * runs;
    EXPECT_LE(4.0 * static_cast<double>(count), 0.1 * seconds) << runs;
    EXPECT_EQ(count >= 3, seconds >= 120 && runs >= 6) << runs << " runs, " << count;
    EXPECT_EQ(plan.runs.size(), runs + count);
  }
  const std::string long_ones = "duration_s = 1000\n";
  EXPECT_TRUE(places_of(plan_sweeps({spec_of(5, long_ones)})).empty()) << "a few runs";
  EXPECT_LE(places_of(plan_sweeps({spec_of(6, long_ones)})).size(), 7U) << "one between two runs";
  EXPECT_EQ(places_of(plan_sweeps({spec_of(1000)})).size(), kMostBaselineRuns);
}

TEST(Baseline, CanBeSwitchedOff) {
  EXPECT_TRUE(places_of(plan_sweeps({spec_of(100, "baseline = false\n")})).empty());
}

TEST(Baseline, OfSeveralSweepsIsThatOfAllTogether) {
  const SweepSpec six = spec_of(6);
  const auto plans = plan_sweeps({six, spec_of(6, "baseline = false\n"), six, six});
  const auto places = places_of(plans);
  ASSERT_EQ(places.size(), 3U);
  EXPECT_EQ(places.front(), 0U);
  EXPECT_EQ(places.back(), 26U);
  EXPECT_EQ(plans[1].runs.size(), 6U);
  EXPECT_EQ(plans[3].runs.back().name, "baseline-03");
}

TEST(Baseline, MakesTheQuickComparisonOnlyALittleLonger) {
  double all = 0;
  double baseline = 0;
  for (const SweepPlan& plan : plan_sweeps(compare_specs(true))) {
    for (const PlannedRun& run : plan.runs) {
      all += estimated_seconds(run.spec);
      if (run.spec.baseline) baseline += estimated_seconds(run.spec);
    }
  }
  EXPECT_GE(baseline, 12);
  EXPECT_LE(baseline, 20) << "of " << all;
}

ResultRow row_of(double rate, bool baseline = true) {
  ResultRow row;
  row.record.run.spec = baseline_run(1);
  row.record.run.spec.baseline = baseline;
  row.record.state = RecordState::done;
  row.figures["achieved_ops_per_s"] = std::to_string(rate);
  return row;
}

TEST(BaselineSpread, IsThatOfTheBaselineRunsOnly) {
  const auto spread = baseline_spread({row_of(100), row_of(5, false), row_of(90), row_of(120)});
  ASSERT_TRUE(spread.has_value());
  EXPECT_EQ(spread->runs, 3U);
  EXPECT_DOUBLE_EQ(spread->median, 100);
  EXPECT_DOUBLE_EQ(spread->share(), 0.3);
  EXPECT_THAT(to_text(*spread), HasSubstr("3 baseline runs (unreplicated, 1 node): 100 oper"));
  EXPECT_THAT(warning_of(*spread), HasSubstr("30 % apart (90 to 120 operations/s)"));
  EXPECT_EQ(warning_of(*baseline_spread({row_of(100), row_of(120), row_of(100)})), "");
  EXPECT_EQ(baseline_spread({row_of(100), row_of(5, false)}), std::nullopt);
}

}  // namespace
}  // namespace parley::harness
