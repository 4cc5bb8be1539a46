#include "algorithms/gossip_lww/recent.h"

#include <gtest/gtest.h>

namespace parley::gossip_lww {
namespace {

using std::chrono::milliseconds;

class Recent : public testing::Test {
 protected:
  // A delta of the first member from `previous` to `last`, with `cells` bytes of cells.
  void add(std::uint64_t previous, std::uint64_t last, std::size_t cells = 40, int at_ms = 0) {
    Delta delta;
    delta.origin = {1};
    delta.previous = {previous};
    delta.first = {last};
    delta.count = 1;
    delta.cells = Block::make(cells, [cells](std::byte* to) { std::memset(to, 0, cells); });
    ours_.add(0, delta.previous, delta.last());
    recent_.add(0, delta, Instant(milliseconds(at_ms)));
  }

  // The last times of what is offered to someone who knows up to `through`.
  std::vector<std::uint64_t> offered(std::uint64_t through, std::uint64_t max_bytes = 1 << 20,
                                     int until_ms = 1000) {
    Known theirs(2);
    theirs.join(0, {through});
    offer_ = recent_.offer(ours_, theirs, Instant(milliseconds(until_ms)), max_bytes);
    std::vector<std::uint64_t> lasts;
    for (const Delta* delta : offer_.deltas) lasts.push_back(delta->last().value);
    return lasts;
  }

  Known ours_{2};
  RecentDeltas recent_{2, 2000};
  RecentDeltas::Offer offer_;
};

using Times = std::vector<std::uint64_t>;

TEST_F(Recent, OffersWhatThePeerLacks) {
  add(0, 5);
  add(5, 9);
  EXPECT_EQ(offered(0), (Times{5, 9}));
  EXPECT_EQ(offered(5), Times{9});
  EXPECT_EQ(offered(9), Times{});
  EXPECT_FALSE(offer_.out_of_reach);
}

TEST_F(Recent, KeepsThemInTheOrderOfTheirChain) {
  add(5, 9);
  add(0, 5);
  EXPECT_EQ(offered(0), (Times{5, 9}));
}

TEST_F(Recent, TheFirstThatCameAreTheFirstToGo) {
  add(0, 5, 1000);
  add(5, 9, 1000);
  EXPECT_LE(recent_.bytes(), 2000U);
  EXPECT_EQ(offered(5), Times{9});
  EXPECT_EQ(offered(0), Times{});
  EXPECT_TRUE(offer_.out_of_reach);
}

TEST_F(Recent, AMessageIsBounded) {
  add(0, 5);
  add(5, 9);
  EXPECT_EQ(offered(0, 1), Times{5});  // one goes in any case
  EXPECT_TRUE(offer_.more);
  EXPECT_FALSE(offer_.out_of_reach);
}

TEST_F(Recent, WhatMayStillBeOnItsWayWaits) {
  add(0, 5, 40, 100);
  add(5, 9, 40, 200);
  EXPECT_EQ(offered(0, 1 << 20, 150), Times{5});
  EXPECT_FALSE(offer_.out_of_reach);
}

}  // namespace
}  // namespace parley::gossip_lww
