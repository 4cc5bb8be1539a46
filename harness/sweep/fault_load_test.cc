#include "harness/sweep/fault_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "algorithms/registry/registry.h"

namespace parley::harness {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

ResultRow row(const char* faults, double rate, Figures figures = {}) {
  ResultRow row;
  RunSpec& spec = row.record.run.spec;
  spec.algorithm = find_algorithm("raft");
  spec.options = default_options(spec.algorithm->options);
  spec.faults = faults;
  spec.rate = rate;
  row.record.run.name = std::string(faults) + "-run";
  row.record.state = RecordState::done;
  row.figures = std::move(figures);
  return row;
}

Figures reached(const char* offered, const char* achieved) {
  return {{"offered_ops_per_s", offered}, {"achieved_ops_per_s", achieved}};
}

TEST(FaultLoad, AboveHalfOfASaturationThatWasSearchedForIsTold) {
  const ResultRow search = row("none", kSearchedRate, {{"search.saturation_ops_per_s", "20000"}});
  EXPECT_THAT(loaded_fault_runs({search, row("kill-leader", 10'000)}), IsEmpty());
  const auto loaded = loaded_fault_runs({row("kill-leader", 10'001), search});
  ASSERT_THAT(loaded, SizeIs(1));
  EXPECT_EQ(loaded[0].name, "kill-leader-run");
  EXPECT_THAT(to_text(loaded[0]),
              HasSubstr("kill-leader-run: faults at 50 % of saturation (10001 of 20000"));
}

TEST(FaultLoad, ARateThatWasNotReachedAndAClosedLoopShowSaturation) {
  const ResultRow faulty = row("pause-leader", 6000);
  EXPECT_THAT(loaded_fault_runs({faulty, row("none", 9000, reached("9000", "8999"))}), IsEmpty())
      << "it could be more";
  EXPECT_THAT(loaded_fault_runs({faulty, row("none", 15'000, reached("15000", "11000.5"))}),
              SizeIs(1));
  ResultRow closed = row("none", 0, reached("11000", "11000"));
  closed.record.run.spec.closed_loop = true;
  EXPECT_THAT(loaded_fault_runs({faulty, closed}), SizeIs(1));
  closed.figures = reached("13000", "13000");
  EXPECT_THAT(loaded_fault_runs({faulty, closed}), IsEmpty());
  closed.record.run.spec.faults = "kill-leader";
  EXPECT_THAT(loaded_fault_runs({row("none", 15'000, reached("15000", "11000")), closed}),
              SizeIs(1))
      << "a closed loop with faults is at saturation";
}

TEST(FaultLoad, OfOtherConditionsOrFailedRunsNothingIsKnown) {
  ResultRow search = row("none", kSearchedRate, {{"search.saturation_ops_per_s", "100"}});
  search.record.run.spec.nodes = 5;
  EXPECT_THAT(loaded_fault_runs({search, row("kill-leader", 6000)}), IsEmpty());
  search.record.run.spec.nodes = 3;
  EXPECT_THAT(loaded_fault_runs({search, row("kill-leader", 6000)}), SizeIs(1));
  search.record.state = RecordState::failed;
  EXPECT_THAT(loaded_fault_runs({search, row("kill-leader", 6000)}), IsEmpty());
}

}  // namespace
}  // namespace parley::harness
