#include "harness/load/recorder.h"

#include <gtest/gtest.h>

namespace parley::load {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kZero = 5000 * kMs;
constexpr std::int64_t kEnd = kZero + 1000 * kMs;
constexpr double kLimitUs = 5e6;

LoadResult finished(Recorder& recorder, std::int64_t now_ns) {
  LoadResult result;
  recorder.finish(result, now_ns);
  return result;
}

TEST(RecorderTest, LatencyIsFromTheIntendedMomentAndServiceFromTheFirstAttempt) {
  Recorder recorder(kZero, kEnd, kLimitUs);
  recorder.completed({kZero + 10 * kMs, kZero + 15 * kMs, 1}, kZero + 17 * kMs);
  const LoadResult result = finished(recorder, kEnd);
  EXPECT_EQ(result.latency.percentile(1, kLimitUs).us, 7000);
  EXPECT_EQ(result.service.percentile(1, kLimitUs).us, 2000);
}

// Four nodes in two regions, in turn: clients 0, 2, 4, ... are in the first.
TEST(RecorderTest, ClientsAreWhereTheirFirstNodeIs) {
  Recorder recorder(kZero, kEnd, kLimitUs, {"here", "there", "here", "there"});
  recorder.completed({kZero, kZero, 3, 0, 6}, kZero + 2 * kMs);
  recorder.completed({kZero, kZero, 1, 0, 7}, kZero + 90 * kMs);
  recorder.unknown({kZero, kZero, 2, 0, 1}, kNoAnswer, kZero + 100 * kMs);
  const LoadResult result = finished(recorder, kEnd);
  ASSERT_EQ(result.regions.size(), 2u);
  EXPECT_EQ(result.regions[0].name, "here");
  EXPECT_EQ(result.regions[0].latency.count(), 3u);
  EXPECT_EQ(result.regions[0].latency.percentile(1, kLimitUs).us, 2000);
  EXPECT_EQ(result.regions[1].latency.count(), 3u);
  EXPECT_EQ(result.regions[1].latency.endless(), 2u);
  EXPECT_TRUE(result.regions[1].latency.percentile(1, kLimitUs).above);
}

TEST(RecorderTest, AWindowThatBeginsEarlierIsAsIfItHadBeenPlannedSo) {
  Recorder recorder(kZero + 200 * kMs, kEnd + 200 * kMs, kLimitUs);
  LeaderSeen seen;
  seen.by_most = NodeId{2};
  recorder.leader_seen(seen, kZero - 50 * kMs);
  recorder.refused_without_leader(NodeId{1}, kZero - 40 * kMs);
  recorder.begin_earlier(std::chrono::milliseconds(200));
  recorder.completed({kZero, kZero, 5}, kZero + kMs);
  recorder.completed({kEnd, kEnd, 7}, kEnd + kMs);
  const LoadResult result = finished(recorder, kEnd + kMs);
  EXPECT_EQ(result.completed, 5u);
  EXPECT_EQ(result.timeline[0].t_ms, 0u);
  EXPECT_EQ(result.timeline[0].completed, 5u);
  EXPECT_EQ(result.timeline[0].leader, NodeId{2});
  ASSERT_EQ(result.leaders.size(), 1u);
  EXPECT_EQ(result.leaders[0].at, std::chrono::milliseconds(-50));
  ASSERT_EQ(result.refusals.size(), 1u);
  EXPECT_EQ(result.refusals[0].at, std::chrono::milliseconds(-40));
  EXPECT_DOUBLE_EQ(result.measured_s, 1);
}

TEST(RecorderTest, CountsByTheIntendedMomentAndAchievedByTheClock) {
  Recorder recorder(kZero, kEnd, kLimitUs);
  recorder.completed({kZero - kMs, kZero - kMs, 3}, kZero + kMs);  // of the warm-up
  recorder.completed({kZero, kZero, 5}, kZero + kMs);              // the first
  recorder.completed({kEnd - 1, kEnd - 1, 7}, kEnd + 250 * kMs);   // ends in the drain
  recorder.completed({kEnd, kEnd, 11}, kEnd + 260 * kMs);          // after the window
  recorder.refused({kEnd, kEnd, 11}, 1, kEnd + 260 * kMs);
  recorder.unknown({kZero - 1, kZero - 1, 11}, kNoAnswer, kEnd + 260 * kMs);
  recorder.unsent({kZero - 1, 0, 11}, kEnd + 260 * kMs);
  const LoadResult result = finished(recorder, kEnd + 260 * kMs);
  EXPECT_EQ(result.completed, 12u);
  EXPECT_EQ(result.offered, 12u);
  EXPECT_DOUBLE_EQ(result.achieved_ops_per_s, 8);
  EXPECT_DOUBLE_EQ(result.offered_ops_per_s, 12);
  ASSERT_EQ(result.timeline.size(), 13u);
  EXPECT_EQ(result.timeline[0].completed, 8u) << "rows go by the clock";
  EXPECT_EQ(result.timeline[12].t_ms, 1200u);
  EXPECT_EQ(result.timeline[12].completed, 18u);
}

TEST(RecorderTest, PercentilesOfARowHaveThoseWithoutAnEnd) {
  Recorder recorder(kZero, kEnd, kLimitUs);
  recorder.completed({kZero, kZero, 98}, kZero + 2 * kMs);
  recorder.unsent({kZero, 0, 2}, kZero + 3 * kMs);
  recorder.refused({kZero, kZero, 5}, 1, kZero + 150 * kMs);
  const LoadResult result = finished(recorder, kEnd);
  EXPECT_NEAR(result.timeline[0].p50.us, 2000, 20);
  EXPECT_EQ(result.timeline[0].p99, (Percentile{kLimitUs, true}));
  EXPECT_TRUE(result.timeline[0].has_latency);
  EXPECT_FALSE(result.timeline[1].has_latency);
  EXPECT_EQ(result.timeline.size(), 10u);
}

TEST(RecorderTest, LateIsWhatTheGeneratorTookUpLate) {
  Recorder recorder(kZero, kEnd, kLimitUs);
  for (std::int64_t i = 0; i < 10; ++i) {
    const std::int64_t intended = kZero + i * kMs;
    const std::uint32_t late_us = i < 3 ? 1001 : 1000;
    // Sent much later, since no node was up: that is the cluster's.
    const Recorder::Operations four{intended, intended + 50 * kMs, 4, late_us};
    recorder.taken_up(four);
    recorder.sent(four);
  }
  recorder.sent_again({kZero, kZero, 4}, 1);
  recorder.taken_up({kZero - 1, 0, 4, 5000});  // of the warm-up
  const LoadResult result = finished(recorder, kEnd);
  EXPECT_DOUBLE_EQ(result.generator.late_share, 0.3);
  EXPECT_NEAR(result.generator.late_us.p50, 1000, 10);
  EXPECT_EQ(result.generator.late_us.max, 1001);
  EXPECT_EQ(result.attempts, 11u);
  EXPECT_EQ(result.retries, 1u);
  EXPECT_EQ(result.errors.at("retried_no_leader"), 4u);
}

TEST(RecorderTest, TheGeneratorsShareOfALatencyIsWhatItWasLate) {
  Recorder recorder(kZero, kEnd, kLimitUs);
  // Each takes 2 ms; the generator was 8 ms late with the last 5 of 100.
  for (std::int64_t i = 0; i < 100; ++i) {
    const std::uint32_t late_us = i < 95 ? 0 : 8000;
    const std::int64_t answered = kZero + 2 * kMs + late_us * std::int64_t{1000};
    recorder.completed({kZero, kZero, 1, late_us}, answered);
  }
  const LoadResult result = finished(recorder, kEnd);
  EXPECT_NEAR(result.generator.latency_share.p50, 0, 0.01);  // a bin is 1 % wide
  EXPECT_NEAR(result.generator.latency_share.p90, 0, 0.01);
  EXPECT_NEAR(result.generator.latency_share.p99, 0.8, 0.02);
}

TEST(RecorderTest, SuccessesAreTheEarliestAnswersOfTheirMillisecond) {
  Recorder recorder(kZero, kEnd, kLimitUs);
  recorder.success({0, kZero + 5 * kMs + 100, 1}, {2}, kZero + 30 * kMs);
  recorder.success({0, kZero + 5 * kMs + 200, 1}, {3}, kZero + 20 * kMs);
  recorder.success({0, kZero + 2 * kMs, 1}, {1}, kZero + 40 * kMs);
  recorder.success({0, kZero - 2 * kMs, 1}, {1}, kZero + 40 * kMs);
  const LoadResult result = finished(recorder, kEnd);
  ASSERT_EQ(result.successes.size(), 3u);
  EXPECT_EQ(result.successes[0].sent, Duration(2 * kMs));
  EXPECT_EQ(result.successes[1].sent, Duration(5 * kMs + 200));
  EXPECT_EQ(result.successes[1].answered, Duration(20 * kMs));
  EXPECT_EQ(result.successes[1].node, NodeId{3});
  EXPECT_EQ(result.successes[2].sent, Duration{}) << "of the warm-up, answered in the window";
  EXPECT_EQ(result.successes[2].answered, Duration(40 * kMs));
}

TEST(RecorderTest, RowsHaveTheLeaderOfTheirEnd) {
  Recorder recorder(kZero, kEnd, kLimitUs);
  recorder.leader_seen({.node = {1}, .leader = {2}, .by_most = {2}}, kZero - 100 * kMs);
  recorder.leader_seen({.node = {1}, .leader = {3}, .by_most = {3}, .epoch = Epoch{7}},
                       kZero + 150 * kMs);
  const LoadResult result = finished(recorder, kEnd);
  ASSERT_EQ(result.leaders.size(), 2u);
  EXPECT_EQ(result.leaders[1].at, Duration(150 * kMs));
  EXPECT_EQ(result.leaders[1].epoch, Epoch{7});
  EXPECT_EQ(result.timeline[0].leader, NodeId{2});
  EXPECT_EQ(result.timeline[1].leader, NodeId{3});
  EXPECT_EQ(result.timeline[9].leader, NodeId{3});
}

TEST(RecorderTest, RowsHaveTheLargestLagThatWasSeenInThem) {
  Recorder recorder(kZero, kEnd, kLimitUs);
  recorder.lag_seen(9, kZero - kMs);
  recorder.lag_seen(2, kZero + 10 * kMs);
  recorder.lag_seen(5, kZero + 40 * kMs);
  recorder.lag_seen(1, kZero + 60 * kMs);
  recorder.lag_seen(0, kZero + 210 * kMs);
  const LoadResult result = finished(recorder, kEnd);
  EXPECT_EQ(result.timeline[0].lag, 5u);
  EXPECT_EQ(result.timeline[1].lag, std::nullopt);
  EXPECT_EQ(result.timeline[2].lag, 0u);
}

TEST(RecorderTest, OfRefusalsForWantOfALeaderOneInTenMillisecondsIsKept) {
  Recorder recorder(kZero, kEnd, kLimitUs);
  for (int ms = -5; ms < 20; ++ms) recorder.refused_without_leader({2}, kZero + ms * kMs);
  const LoadResult result = finished(recorder, kEnd);
  ASSERT_EQ(result.refusals.size(), 3u);
  EXPECT_EQ(result.refusals[0].at, Duration(-5 * kMs));
  EXPECT_EQ(result.refusals[2].at, Duration(15 * kMs));
  EXPECT_EQ(result.refusals[2].node, NodeId{2});
}

TEST(RecorderTest, AWindowThatEndsEarlyIsAsLongAsItWas) {
  Recorder recorder(kZero, kEnd, kLimitUs);
  recorder.completed({kZero, kZero, 10}, kZero + kMs);
  recorder.end_early(kZero + 250 * kMs);
  const LoadResult result = finished(recorder, kZero + 250 * kMs);
  EXPECT_DOUBLE_EQ(result.measured_s, 0.25);
  EXPECT_DOUBLE_EQ(result.achieved_ops_per_s, 40);
  EXPECT_EQ(result.timeline.size(), 3u);
}

}  // namespace
}  // namespace parley::load
