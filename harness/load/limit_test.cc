#include "harness/load/limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/load/ceiling.h"

namespace parley::load {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kNsPerUs = 1000;

// A run whose operations all took as long.
LoadResult run_of(std::int64_t latency_us) {
  LoadResult result;
  result.latency.add(latency_us * kNsPerUs, 1000);
  result.offered_ops_per_s = 10'000;
  return result;
}

TEST(Limit, IsNotThereWhenTheGeneratorKeepsUp) {
  LoadResult result = run_of(300);
  result.generator.cpu_share = 0.5;
  result.generator.ceiling_ops_per_s = 1e6;
  EXPECT_EQ(limit_of(result), Limit::none);
  EXPECT_EQ(limit_text(result), "");
}

TEST(Limit, IsAFullCore) {
  LoadResult result = run_of(300);
  result.generator.cpu_share = 0.96;
  result.generator.limit = limit_of(result);
  EXPECT_EQ(result.generator.limit, Limit::cpu);
  EXPECT_THAT(limit_text(result), HasSubstr("it used 96 % of a core"));
}

TEST(Limit, IsTheCeiling) {
  LoadResult result = run_of(300);
  result.generator.ceiling_ops_per_s = 11'000;
  EXPECT_EQ(limit_of(result), Limit::none) << "with a core to spare it is no limit";
  result.generator.cpu_share = 0.6;
  result.generator.limit = limit_of(result);
  EXPECT_EQ(result.generator.limit, Limit::ceiling);
  EXPECT_THAT(limit_text(result), HasSubstr("10000 operations/s"));
  result.generator.ceiling_ops_per_s = 0;  // not known
  EXPECT_EQ(limit_of(result), Limit::none);
}

// What matters is not how late the generator was, but how much of the figures that is.
TEST(Limit, IsLatenessOnlyWhereItIsMuchOfAPercentile) {
  LoadResult slow = run_of(200'000);
  slow.generator.late_share = 1;  // all of them 2 ms late
  slow.generator.latency_share = {0.01, 0.01, 0.24};
  EXPECT_EQ(limit_of(slow), Limit::none);

  LoadResult quick = run_of(3000);
  quick.generator.late_share = 0;  // none of them 1 ms late, but all by 0.9 ms
  quick.generator.latency_share = {0.3, 0.3, 0.3};
  quick.generator.limit = limit_of(quick);
  EXPECT_EQ(quick.generator.limit, Limit::lateness);
  EXPECT_THAT(limit_text(quick), HasSubstr("30 % of p99"));

  LoadResult tail = run_of(3000);
  tail.generator.latency_share = {0, 0, 0.26};
  EXPECT_EQ(limit_of(tail), Limit::lateness);
}

// Waking a thread takes some 50 us on any machine.
TEST(Limit, IsNotLatenessBelowWhatWakingAThreadTakes) {
  LoadResult result = run_of(250);
  result.generator.latency_share = {0.3, 0.3, 0.3};
  EXPECT_EQ(limit_of(result), Limit::none);
}

TEST(OwnShare, IsTheDifferenceOfTheTwoDistributions) {
  LatencyHistogram latency;
  LatencyHistogram handled;
  EXPECT_EQ(own_share(latency, handled, 0.5), 0);
  latency.add(1000 * kNsPerUs, 100);
  handled.add(750 * kNsPerUs, 100);
  EXPECT_NEAR(own_share(latency, handled, 0.5), 0.25, 0.01);
  latency.add_endless(100);
  handled.add_endless(100);
  EXPECT_EQ(own_share(latency, handled, 0.9), 0);
}

// How high it is depends on the machine: `parley bench generator` tells.
TEST(Ceiling, IsFoundForSingleCommandsAndForBatches) {
  EXPECT_GT(measure_ceiling(1), 0);
  EXPECT_GT(measure_ceiling(4), 0);
}

}  // namespace
}  // namespace parley::load
