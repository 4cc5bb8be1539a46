#include "runtime/link_shaper.h"

#include <gtest/gtest.h>

#include <string>

namespace parley {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

Instant at(Duration since_zero) {
  return Instant(since_zero);
}

TEST(LinkShaper, WithoutAProfileNothingHappens) {
  LinkShaper shaper;
  EXPECT_FALSE(shaper.profile().shapes());
  EXPECT_EQ(shaper.pass(at(milliseconds(3))), at(milliseconds(3)));
}

TEST(LinkShaper, AllowingReorderAloneShapesNothing) {
  EXPECT_FALSE(LinkProfile{.allow_reorder = true}.shapes());
  EXPECT_TRUE(LinkProfile{.cut = true}.shapes());
  EXPECT_TRUE(LinkProfile{.loss_per_million = 1}.shapes());
}

TEST(LinkShaper, DelaysByTheProfile) {
  LinkShaper shaper({.delay = milliseconds(20)}, 1);
  EXPECT_EQ(shaper.pass(at(milliseconds(5))), at(milliseconds(25)));
}

class Jitters : public testing::TestWithParam<LinkProfile::Jitter> {};

TEST_P(Jitters, StaysWithinItsBoundAndUsesIt) {
  LinkShaper shaper({.delay = milliseconds(10),
                     .jitter = milliseconds(4),
                     .jitter_shape = GetParam(),
                     .allow_reorder = true},
                    7);
  Duration least = milliseconds(1000);
  Duration most{};
  Duration sum{};
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; ++i) {
    const Duration delay = *shaper.pass(at({})) - at({});
    least = std::min(least, delay);
    most = std::max(most, delay);
    sum += delay;
  }
  EXPECT_GE(least, milliseconds(6));
  EXPECT_LE(most, milliseconds(14));
  EXPECT_LT(least, milliseconds(8));
  EXPECT_GT(most, milliseconds(12));
  EXPECT_NEAR(static_cast<double>((sum / kDraws).count()), 10e6, 0.1e6);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Jitters,
                         testing::Values(LinkProfile::Jitter::uniform,
                                         LinkProfile::Jitter::normal));

TEST(LinkShaper, JitterNeverMakesADelayNegative) {
  LinkShaper shaper({.delay = {}, .jitter = milliseconds(5), .allow_reorder = true}, 3);
  for (int i = 0; i < 1000; ++i) EXPECT_GE(*shaper.pass(at(milliseconds(1))), at(milliseconds(1)));
}

TEST(LinkShaper, LosesTheShareThatTheProfileSays) {
  LinkShaper shaper({.loss_per_million = 100'000}, 5);
  int lost = 0;
  for (int i = 0; i < 100'000; ++i) lost += shaper.pass(at({})).has_value() ? 0 : 1;
  EXPECT_NEAR(lost, 10'000, 500);
}

TEST(LinkShaper, ACutLosesEverythingAndHealsAgain) {
  LinkShaper shaper({.cut = true}, 5);
  EXPECT_EQ(shaper.pass(at({})), std::nullopt);
  shaper.set_profile({});
  EXPECT_EQ(shaper.pass(at(milliseconds(1))), at(milliseconds(1)));
}

TEST(LinkShaper, KeepsTheOrderUnlessAllowedToChangeIt) {
  const LinkProfile profile{.delay = milliseconds(5), .jitter = milliseconds(5)};
  LinkShaper keeps(profile, 11);
  LinkProfile loose = profile;
  loose.allow_reorder = true;
  LinkShaper reorders(loose, 11);
  Instant last_kept{};
  Instant last_loose{};
  int overtakings = 0;
  for (int i = 0; i < 1000; ++i) {
    const Instant now = at(microseconds(10) * i);
    const Instant kept = *keeps.pass(now);
    EXPECT_GE(kept, last_kept);
    last_kept = kept;
    const Instant any = *reorders.pass(now);
    if (any < last_loose) ++overtakings;
    last_loose = any;
  }
  EXPECT_GT(overtakings, 100);
}

TEST(LinkShaper, TheSameSeedGivesTheSameFates) {
  const LinkProfile profile{
      .delay = milliseconds(5), .jitter = milliseconds(2), .loss_per_million = 300'000};
  LinkShaper one(profile, 42);
  LinkShaper two(profile, 42);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(one.pass(at({})), two.pass(at({})));
}

TEST(DelayLine, GivesMessagesBackInTheOrderOfTheirTimes) {
  DelayLine<std::string> line(8);
  EXPECT_EQ(line.next_due(), kNever);
  EXPECT_TRUE(line.push(at(milliseconds(3)), "c"));
  EXPECT_TRUE(line.push(at(milliseconds(1)), "a"));
  EXPECT_TRUE(line.push(at(milliseconds(1)), "b"));
  EXPECT_EQ(line.next_due(), at(milliseconds(1)));
  EXPECT_EQ(line.pop(at({})), std::nullopt);
  EXPECT_EQ(line.pop(at(milliseconds(2))), "a");
  EXPECT_EQ(line.pop(at(milliseconds(2))), "b");
  EXPECT_EQ(line.pop(at(milliseconds(2))), std::nullopt);
  EXPECT_EQ(line.pop(at(milliseconds(3))), "c");
  EXPECT_EQ(line.size(), 0u);
}

TEST(DelayLine, IsBounded) {
  DelayLine<std::string> line(2);
  EXPECT_TRUE(line.push(at({}), "a"));
  EXPECT_TRUE(line.push(at({}), "b"));
  EXPECT_FALSE(line.push(at({}), "c"));
  EXPECT_EQ(line.size(), 2u);
}

}  // namespace
}  // namespace parley
