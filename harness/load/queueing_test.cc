#include "harness/load/queueing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "algorithms/contract/random.h"
#include "harness/load/workload.h"

namespace parley::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kMs = 1'000'000;

const KnownService kStalling{milliseconds(2), seconds(1), milliseconds(400)};

std::vector<std::int64_t> every(std::int64_t gap, std::int64_t first, std::size_t count) {
  std::vector<std::int64_t> arrivals(count);
  for (std::size_t i = 0; i < count; ++i) {
    arrivals[i] = first + static_cast<std::int64_t>(i) * gap;
  }
  return arrivals;
}

TEST(Latencies, WithoutAQueueAreTheWork) {
  const KnownService service{milliseconds(2), {}, {}};
  EXPECT_THAT(latencies(every(3 * kMs, 0, 1000), service), testing::Each(2 * kMs));
}

TEST(Latencies, GrowByTheWorkWhenAllArriveAtOnce) {
  const KnownService service{milliseconds(2), {}, {}};
  EXPECT_THAT(latencies({0, 0, 0, 5 * kMs}, service),
              testing::ElementsAre(2 * kMs, 4 * kMs, 6 * kMs, 3 * kMs));
}

TEST(Latencies, AStallInterruptsTheWork) {
  // 1 ms before the second stall, which takes 400 ms.
  EXPECT_THAT(latencies({999 * kMs}, kStalling), testing::ElementsAre(402 * kMs));
  // Done just when it begins.
  EXPECT_THAT(latencies({998 * kMs}, kStalling), testing::ElementsAre(2 * kMs));
}

TEST(Latencies, OfAStallAreThoseOfTheClosedForm) {
  constexpr std::int64_t kGap = 5 * kMs;
  constexpr std::int64_t kFirst = kGap / 2;
  const auto found = latencies(every(kGap, kFirst, 2000), kStalling);  // ten periods
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto in_period = static_cast<std::int64_t>(i % 200);
    ASSERT_EQ(found[i], stalled_latency(in_period, kFirst, kGap, kStalling)) << "arrival " << i;
  }
}

// Two ways to say the same: the server goes on from stall to stall, the recursion leaves them out
// of its clock.
TEST(KnownServerTest, DoesWhatTheRecursionSays) {
  Random random(7);
  std::vector<std::int64_t> arrivals;
  std::int64_t at = 0;
  for (int i = 0; i < 20'000; ++i) {
    at += static_cast<std::int64_t>(random.below(7 * kMs));
    arrivals.push_back(at);
  }
  const auto expected = latencies(arrivals, kStalling);
  const Instant epoch(seconds(12345));
  KnownServer server(kStalling, epoch);
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    const Instant arrival = epoch + Duration(arrivals[i]);
    ASSERT_EQ((server.finish(arrival) - arrival).count(), expected[i]) << "arrival " << i;
  }
}

TEST(KnownServerTest, CountsItsPeriodsBackwardsToo) {
  const Instant epoch(seconds(100));
  KnownServer server(kStalling, epoch);
  EXPECT_EQ(server.finish(epoch - milliseconds(600)), epoch - milliseconds(598));
  EXPECT_EQ(server.finish(epoch - milliseconds(1)), epoch + milliseconds(401));
}

TEST(Md1, WhoFindsTheServerIdleDoesNotWait) {
  EXPECT_DOUBLE_EQ(md1_wait_at_most(0, 0.7, 1), 0.3);
  EXPECT_EQ(md1_wait_at_most(-1, 0.7, 1), 0);
  EXPECT_EQ(md1_latency(0.25, 0.7, 1), 1);
}

TEST(Md1, UpToOneServiceTimeTheFormulaHasOneTerm) {
  EXPECT_NEAR(md1_wait_at_most(0.5, 0.7, 1), 0.3 * std::exp(0.35), 1e-12);
}

// The mean of the waiting time is known by itself (Pollaczek and Khinchin).
TEST(Md1, HasTheKnownMean) {
  for (const double load : {0.3, 0.7, 0.85}) {
    double mean = 0;
    constexpr double kStep = 1e-3;
    for (double wait = kStep / 2; wait < 40; wait += kStep) {
      mean += (1 - md1_wait_at_most(wait, load, 1)) * kStep;
    }
    EXPECT_NEAR(mean, load / (2 * (1 - load)), 0.002) << load;
  }
}

// The generator's own schedule, served by the recursion without any time passing: the arrivals are
// random enough for the formula to hold.
TEST(Md1, IsWhatTheRecursionGivesForTheGeneratorsSchedule) {
  const KnownService service{milliseconds(10), {}, {}};
  LoadSpec spec;
  spec.rate = 70;
  const auto source = make_source(spec);
  std::vector<canvas::Place> place(1);
  std::vector<std::int64_t> arrivals;
  for (int i = 0; i < 2'000'000; ++i) arrivals.push_back(source->take(place).due_ns);
  const auto found = latencies(arrivals, service);
  for (const double share : {0.5, 0.9, 0.99}) {
    const double expected_ms = md1_latency(share, 0.07, 10);
    const auto found_ms = static_cast<double>(percentile_of(found, share)) / 1e6;
    EXPECT_NEAR(found_ms / expected_ms, 1, 0.02) << share;
  }
}

TEST(PercentileOf, IsTheSmallestThatTheShareDoesNotExceed) {
  EXPECT_EQ(percentile_of({4, 1, 3, 2}, 0.5), 2);
  EXPECT_EQ(percentile_of({4, 1, 3, 2}, 0.51), 3);
  EXPECT_EQ(percentile_of({4, 1, 3, 2}, 1), 4);
  EXPECT_EQ(percentile_of({4, 1, 3, 2}, 0), 1);
}

}  // namespace
}  // namespace parley::load
