#include "harness/load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "algorithms/contract/random.h"
#include "harness/load/workload.h"

namespace parley::load {
namespace {

constexpr double kLimitUs = 5e6;

double exact(const std::vector<std::int64_t>& sorted_ns, double share) {
  const double rank = std::max(1.0, std::ceil(share * static_cast<double>(sorted_ns.size())));
  return static_cast<double>(sorted_ns[static_cast<std::size_t>(rank) - 1]) / 1000;
}

TEST(LatencyHistogram, PercentilesAreWithinOnePerCentOfTheExactOnes) {
  Random random(7);
  LatencyHistogram histogram;
  std::vector<std::int64_t> all;
  for (int i = 0; i < 100'000; ++i) {
    // From 2 us to 20 s, so that every part of the scale is met.
    const auto latency_ns = static_cast<std::int64_t>(2000 * std::pow(10, 7 * unit(random)));
    histogram.add(latency_ns);
    all.push_back(latency_ns);
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
    const Percentile found = histogram.percentile(share, kLimitUs);
    EXPECT_FALSE(found.above);
    EXPECT_NEAR(found.us / exact(all, share), 1, 0.01) << share;
  }
  EXPECT_EQ(histogram.percentile(0, kLimitUs).us, exact(all, 0));
  EXPECT_EQ(histogram.percentile(1, kLimitUs).us, exact(all, 1));
}

TEST(LatencyHistogram, ExtremesAreExactAlsoBeyondTheScale) {
  LatencyHistogram histogram;
  histogram.add(137);  // ns
  histogram.add(5'000'000);
  histogram.add(std::int64_t{2'000'000'000'000'017});
  const LatencySummary summary = histogram.summary(kLimitUs);
  EXPECT_DOUBLE_EQ(summary.min.us, 0.137);
  EXPECT_NEAR(summary.p50.us, 5000, 50);
  EXPECT_DOUBLE_EQ(summary.max.us, 2'000'000'000'000.017);
}

TEST(LatencyHistogram, OperationsWithoutAnEndAreLongerThanAllOthers) {
  LatencyHistogram histogram;
  histogram.add(1'000'000, 98);
  histogram.add_endless(2);
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_FALSE(histogram.percentile(0.98, kLimitUs).above);
  EXPECT_EQ(histogram.percentile(0.99, kLimitUs), (Percentile{kLimitUs, true}));
  EXPECT_EQ(to_json(histogram.percentile(0.99, kLimitUs)), "\">5000000\"");
  EXPECT_EQ(to_csv(histogram.percentile(0.99, kLimitUs)), ">5000000");
  EXPECT_EQ(to_json(histogram.percentile(0.5, kLimitUs)), "1000.000");
}

TEST(LatencyHistogram, OnlyOperationsWithoutAnEnd) {
  LatencyHistogram histogram;
  histogram.add_endless(3);
  EXPECT_TRUE(histogram.percentile(0, kLimitUs).above);
  EXPECT_TRUE(histogram.bins().empty());
}

TEST(LatencyHistogram, AnEmptyOneHasZeroPercentiles) {
  EXPECT_EQ(LatencyHistogram().percentile(0.5, kLimitUs), Percentile{});
}

TEST(LatencyHistogram, SumsAreTheSameAsCountingTogether) {
  LatencyHistogram one;
  LatencyHistogram other;
  LatencyHistogram both;
  for (std::int64_t i = 1; i <= 1000; ++i) {
    (i % 3 == 0 ? one : other).add(i * 12'345);
    both.add(i * 12'345);
  }
  other.add_endless(5);
  both.add_endless(5);
  LatencyHistogram sum = one;
  sum.add(other);
  EXPECT_EQ(sum.count(), both.count());
  for (const double share : {0.0, 0.3, 0.5, 0.99, 1.0}) {
    EXPECT_EQ(sum.percentile(share, kLimitUs), both.percentile(share, kLimitUs));
  }
  sum.clear();
  EXPECT_EQ(sum.count(), 0u);
  EXPECT_TRUE(sum.bins().empty());
}

TEST(LatencyHistogram, BinsHoldEverythingOnceInRisingOrder) {
  LatencyHistogram histogram;
  for (std::int64_t ns = 100; ns < 3'000'000'000'000'000; ns = ns * 3 / 2) histogram.add(ns, 2);
  std::uint64_t count = 0;
  double before = 0;
  for (const LatencyHistogram::Bin& bin : histogram.bins()) {
    EXPECT_LT(bin.low_us, bin.high_us);
    EXPECT_GE(bin.low_us, before);
    before = bin.high_us;
    count += bin.count;
  }
  EXPECT_EQ(count, histogram.count());
}

}  // namespace
}  // namespace parley::load
