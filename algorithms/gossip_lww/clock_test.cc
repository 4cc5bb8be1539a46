#include "algorithms/gossip_lww/clock.h"

#include <gtest/gtest.h>

namespace parley::gossip_lww {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr WallTime at(Duration since_start) {
  return WallTime(seconds(1'000'000)) + since_start;
}

TEST(HybridClock, FollowsTheWallClock) {
  HybridClock clock;
  EXPECT_EQ(clock.take(at(seconds(1)), 1).value, 1'000'001'000'000'000U);
  EXPECT_EQ(clock.take(at(seconds(2)), 1).value, 1'000'002'000'000'000U);
}

TEST(HybridClock, GivesNoTimeTwice) {
  HybridClock clock;
  const HybridTime first = clock.take(at(seconds(1)), 10);
  const HybridTime next = clock.take(at(seconds(1)), 1);
  EXPECT_EQ(next, first.plus(10));
}

// Kulkarni et al., theorem 1: if one event led to another, its time is lower.
TEST(HybridClock, IsAheadOfWhatItWasShown) {
  HybridClock clock;
  clock.observe({2'000'000'000'000'000});
  EXPECT_EQ(clock.take(at(seconds(1)), 1).value, 2'000'000'000'000'001U);
}

TEST(HybridClock, DoesNotStepBackWithTheWallClock) {
  HybridClock clock;
  const HybridTime before = clock.take(at(hours(1)), 1);
  EXPECT_EQ(clock.take(at(seconds(0)), 1), before.next());
}

// The whole 64 bits count, without a sign.
TEST(HybridClock, TimesBeyondThirtyTwoBitsAreInOrder) {
  HybridClock clock;
  clock.observe({(std::uint64_t{1} << 63) - 10});
  EXPECT_GT(clock.take(at(seconds(0)), 5).value, (std::uint64_t{1} << 63) - 10);
}

class Reference : public testing::Test {
 protected:
  // What a node with `own` on its clock takes for the latest time, in whole seconds from at(0).
  static std::int64_t seconds_of(const ReferenceClock& clock, Duration own, Instant now) {
    const Duration since = Duration(static_cast<std::int64_t>(clock.now(at(own), now).value)) -
                           at({}).time_since_epoch();
    return since / seconds(1);
  }
  const Instant now_ = Instant(seconds(77));
};

TEST_F(Reference, AloneItIsTheOwnClock) {
  const ReferenceClock clock(0);
  EXPECT_TRUE(clock.usable());
  EXPECT_EQ(seconds_of(clock, seconds(9), now_), 9);
}

TEST_F(Reference, WithPeersItIsUsableOnceOneWasHeard) {
  ReferenceClock clock(3);
  EXPECT_FALSE(clock.usable());
  clock.heard(1, at({}), now_);
  EXPECT_TRUE(clock.usable());
}

TEST_F(Reference, OneWrongClockOfThreeDoesNotMatter) {
  ReferenceClock clock(3);
  clock.heard(1, at(seconds(10)), now_);
  clock.heard(2, at(hours(1)), now_);
  EXPECT_EQ(seconds_of(clock, seconds(11), now_), 11);
  clock.heard(2, at(seconds(12)), now_);
  EXPECT_EQ(seconds_of(clock, hours(1), now_), 12);
  EXPECT_EQ(seconds_of(clock, -hours(1), now_), 10);
}

// With two, nobody knows who is right: both go by the one that is behind.
TEST_F(Reference, OfTwoClocksTheLowerCounts) {
  ReferenceClock clock(2);
  clock.heard(1, at(seconds(10)), now_);
  EXPECT_EQ(seconds_of(clock, hours(1), now_), 10);
  EXPECT_EQ(seconds_of(clock, seconds(5), now_), 5);
}

TEST_F(Reference, PeersClocksGoOnByTheMonotonicOne) {
  ReferenceClock clock(3);
  clock.heard(1, at(seconds(10)), now_);
  clock.heard(2, at(seconds(10)), now_);
  EXPECT_EQ(seconds_of(clock, hours(1), now_ + seconds(30)), 40);
}

}  // namespace
}  // namespace parley::gossip_lww
