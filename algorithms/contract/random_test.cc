#include "algorithms/contract/random.h"

#include <gtest/gtest.h>

#include <array>

namespace parley {
namespace {

// The values are those of the standard's mt19937_64 and of our own reduction: a change of either
// changes every trace hash.
TEST(Random, IsTheSameEverywhere) {
  Random random(1);
  EXPECT_EQ(random.bits(), 2469588189546311528U);
  EXPECT_EQ(random.bits(), 2516265689700432462U);
  std::mt19937_64 engine(1);
  engine.discard(2);
  const auto upper = static_cast<std::uint64_t>(static_cast<double>(engine()) / 0x1p64 * 1000);
  EXPECT_EQ(random.below(1000), upper);
}

TEST(Random, DrawsEveryValueOfASmallRangeAboutEquallyOften) {
  Random random(7);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60'000; ++i) ++counts[random.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
}

TEST(Random, BetweenIncludesBothEnds) {
  Random random(3);
  bool low = false;
  bool high = false;
  for (int i = 0; i < 200; ++i) {
    const Duration draw = random.between(Duration(5), Duration(8));
    ASSERT_GE(draw, Duration(5));
    ASSERT_LE(draw, Duration(8));
    low |= draw == Duration(5);
    high |= draw == Duration(8);
  }
  EXPECT_TRUE(low && high);
}

TEST(Random, ChanceFollowsItsProbability) {
  Random random(9);
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += random.chance(250'000) ? 1 : 0;
  EXPECT_NEAR(hits, 25'000, 700);
  EXPECT_FALSE(random.chance(0));
  EXPECT_TRUE(random.chance(1'000'000));
}

}  // namespace
}  // namespace parley
