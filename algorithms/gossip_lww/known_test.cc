#include "algorithms/gossip_lww/known.h"

#include <gtest/gtest.h>

#include "algorithms/contract/random.h"

namespace parley::gossip_lww {
namespace {

TEST(Known, GoesOnWithEachDeltaOfTheChain) {
  Known known(2);
  EXPECT_TRUE(known.add(0, {0}, {5}));
  EXPECT_TRUE(known.add(0, {5}, {9}));
  EXPECT_EQ(known.through(0), HybridTime{9});
  EXPECT_EQ(known.through(1), HybridTime{0});
  EXPECT_TRUE(known.has(0, {7}));
  EXPECT_FALSE(known.has(0, {10}));
}

TEST(Known, ADeltaThatIsKnownIsNoNews) {
  Known known(1);
  EXPECT_TRUE(known.add(0, {0}, {5}));
  EXPECT_FALSE(known.add(0, {0}, {5}));
  EXPECT_TRUE(known.add(0, {8}, {9}));
  EXPECT_FALSE(known.add(0, {8}, {9}));
}

TEST(Known, WhatIsAheadOfAGapDoesNotCountUntilTheGapIsFilled) {
  Known known(1);
  known.add(0, {0}, {5});
  known.add(0, {8}, {12});
  EXPECT_FALSE(known.whole());
  EXPECT_EQ(known.through(0), HybridTime{5});
  EXPECT_TRUE(known.has(0, {12}));
  EXPECT_FALSE(known.has(0, {8}));
  known.add(0, {5}, {8});
  EXPECT_EQ(known.through(0), HybridTime{12});
  EXPECT_TRUE(known.whole());
}

TEST(Known, JoiningFillsGaps) {
  Known known(1);
  known.add(0, {8}, {12});
  known.join(0, {9});
  EXPECT_EQ(known.through(0), HybridTime{12});
  EXPECT_TRUE(known.whole());
  known.join(0, {3});
  EXPECT_EQ(known.through(0), HybridTime{12});
}

// What cannot be remembered must not be taken for news, or two nodes would send it to each other
// for ever.
TEST(Known, RemembersABoundedNumberOfGaps) {
  Known known(1);
  std::uint64_t remembered = 0;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    if (known.add(0, {10 * i}, {10 * i + 1})) ++remembered;
  }
  EXPECT_EQ(remembered, 64U);
  EXPECT_FALSE(known.add(0, {10'000}, {10'001}));
  EXPECT_TRUE(known.add(0, {0}, {10'000}));
  EXPECT_TRUE(known.whole());
}

// Islands that touch are one: a long chain behind one gap takes no more room than a short one.
TEST(Known, ALongChainBehindOneGapIsOneIsland) {
  Known known(1);
  for (std::uint64_t i = 1000; i > 1; --i) EXPECT_TRUE(known.add(0, {i}, {i + 1})) << i;
  EXPECT_EQ(known.through(0), HybridTime{0});
  EXPECT_TRUE(known.add(0, {0}, {2}));
  EXPECT_EQ(known.through(0), HybridTime{1001});
}

// Whatever the order of arrival, and whatever comes twice.
TEST(Known, TheOrderOfArrivalDoesNotMatter) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    std::vector<std::uint64_t> order;
    for (std::uint64_t i = 0; i < 50; ++i) order.push_back(i);
    for (std::size_t i = order.size(); i > 1; --i) {
      const std::uint64_t j = random.below(i);
      std::swap(order[i - 1], order[j]);
    }
    Known known(1);
    for (const std::uint64_t i : order) {
      EXPECT_TRUE(known.add(0, {3 * i}, {3 * i + 3}));
      EXPECT_FALSE(known.add(0, {3 * i}, {3 * i + 3}));
    }
    EXPECT_EQ(known.through(0), HybridTime{150});
    EXPECT_TRUE(known.whole());
  }
}

}  // namespace
}  // namespace parley::gossip_lww
