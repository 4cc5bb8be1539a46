#include "harness/diff/rank_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "algorithms/contract/random.h"

namespace parley::diff {
namespace {

using Sample = std::vector<double>;

// The definition itself: all ways to call so many of the values "a".
double p_by_enumeration(const Sample& a, const Sample& b) {
  Sample all = a;
  all.insert(all.end(), b.begin(), b.end());
  const auto u_of = [&all](const std::vector<bool>& in_a) {
    double u = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t j = 0; j < all.size(); ++j) {
        if (in_a[i] && !in_a[j]) u += all[i] > all[j] ? 1 : all[i] == all[j] ? 0.5 : 0;
      }
    }
    return u;
  };
  std::vector<bool> in_a(all.size(), false);
  std::fill_n(in_a.begin(), a.size(), true);
  const double observed = u_of(in_a);
  double below = 0;
  double above = 0;
  double ways = 0;
  std::sort(in_a.begin(), in_a.end());
  do {
    const double u = u_of(in_a);
    ++ways;
    if (u <= observed) ++below;
    if (u >= observed) ++above;
  } while (std::next_permutation(in_a.begin(), in_a.end()));
  return std::min(1.0, 2 * std::min(below, above) / ways);
}

TEST(RankTest, IsExactAlsoWithTies) {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    Sample a(1 + random.below(5));
    Sample b(1 + random.below(5));
    const std::uint64_t values = 2 + random.below(8);
    for (double& x : a) x = 1 + static_cast<double>(random.below(values));
    for (double& x : b) x = 1 + static_cast<double>(random.below(values));
    EXPECT_NEAR(compare_samples(a, b, 0.95).p, p_by_enumeration(a, b), 1e-12);
  }
}

// Tables of the test: 4 and 4 values that do not overlap.
TEST(RankTest, KnowsTheTables) {
  const RankTest test = compare_samples(Sample{1, 2, 3, 4}, Sample{5, 6, 7, 8}, 0.95);
  EXPECT_NEAR(test.p, 2.0 / 70, 1e-12);
  EXPECT_EQ(test.larger, 1);
  EXPECT_NEAR(smallest_p(4, 4), 2.0 / 70, 1e-12);
  EXPECT_NEAR(smallest_p(3, 3), 0.1, 1e-12);
  EXPECT_EQ(smallest_p(1, 1), 1);
}

TEST(RankTest, DoesNotDependOnWhichComesFirst) {
  const Sample a{3, 1, 4, 1.5};
  const Sample b{2, 7, 1.8, 2.8, 9};
  const RankTest one = compare_samples(a, b, 0.95);
  const RankTest other = compare_samples(b, a, 0.95);
  EXPECT_NEAR(one.p, other.p, 1e-12);
  EXPECT_NEAR(one.larger, 1 - other.larger, 1e-12);
  EXPECT_NEAR(one.ratio->estimate, 1 / other.ratio->estimate, 1e-12);
  EXPECT_NEAR(one.ratio->low, 1 / other.ratio->high, 1e-12);
}

TEST(RankTest, FewValuesHaveTheWidestInterval) {
  const RankTest three = compare_samples(Sample{10, 11, 12}, Sample{20, 22, 24}, 0.95);
  EXPECT_NEAR(three.ratio->confidence, 0.9, 1e-12);
  EXPECT_NEAR(three.ratio->low, 20.0 / 12, 1e-12);
  EXPECT_NEAR(three.ratio->high, 24.0 / 10, 1e-12);
  EXPECT_NEAR(three.ratio->estimate, 2, 0.01);
  const RankTest one = compare_samples(Sample{10}, Sample{20}, 0.95);
  EXPECT_EQ(one.p, 1);
  EXPECT_EQ(one.ratio->low, 2);
  EXPECT_EQ(one.ratio->confidence, 0);
}

// The interval holds the true ratio as often as it says.
TEST(RankTest, TheIntervalCoversTheRatio) {
  Random random(7);
  const auto draw = [&random](double scale) {
    // Log-normal, roughly: a sum of uniform draws.
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random.below(1U << 20)) / (1U << 20);
    return scale * std::exp((sum - 6) / 4);
  };
  int covered = 0;
  constexpr int kRounds = 2000;
  double confidence = 0;
  for (int round = 0; round < kRounds; ++round) {
    Sample a(6);
    Sample b(7);
    for (double& x : a) x = draw(1);
    for (double& x : b) x = draw(1.7);
    const Ratio ratio = *compare_samples(a, b, 0.95).ratio;
    confidence = ratio.confidence;
    if (ratio.low <= 1.7 && 1.7 <= ratio.high) ++covered;
  }
  EXPECT_GE(confidence, 0.95);
  EXPECT_LT(confidence, 0.98);
  EXPECT_NEAR(static_cast<double>(covered) / kRounds, confidence, 0.015);
}

TEST(RankTest, InfinityHasARankButNoRatio) {
  const double never = std::numeric_limits<double>::infinity();
  const RankTest test = compare_samples(Sample{1, 2, 3, 4}, Sample{5, never, never, never}, 0.95);
  EXPECT_NEAR(test.p, p_by_enumeration({1, 2, 3, 4}, {5, 6, 6, 6}), 1e-12);
  EXPECT_FALSE(test.ratio.has_value());
}

TEST(RankTest, LargeSamplesAreNoProblem) {
  Sample a(kMaxSample);
  Sample b(kMaxSample);
  for (std::size_t i = 0; i < kMaxSample; ++i) {
    a[i] = 1 + static_cast<double>(i);
    b[i] = 1.5 + static_cast<double>(i);
  }
  const RankTest test = compare_samples(a, b, 0.95);
  EXPECT_GT(test.p, 0.5);
  EXPECT_LE(test.p, 1);
}

}  // namespace
}  // namespace parley::diff
