#include "harness/load/warmup.h"

#include <gtest/gtest.h>

#include <vector>

#include "algorithms/contract/random.h"

namespace parley::load {
namespace {

constexpr std::size_t kWindows = 20;

// Windows of a closed loop, or of an open one: `figure` of each.
template <class Figure>
std::vector<WarmupWindow> windows_of(Loop loop, const Figure& figure,
                                     std::size_t count = kWindows) {
  std::vector<WarmupWindow> windows(count);
  for (std::size_t i = 0; i < count; ++i) {
    windows[i].leader = NodeId{1};
    windows[i].completed = 1000;
    if (loop == Loop::closed) {
      windows[i].completed = static_cast<std::uint64_t>(figure(i));
    } else {
      windows[i].in_flight = static_cast<double>(figure(i));
    }
  }
  return windows;
}

// The share of 1000 noisy warm-ups, of that spread about 1000, that count as steady.
double steady_share(Loop loop, std::uint64_t spread, std::size_t windows) {
  Random random(7);
  int steady = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto noisy = windows_of(
        loop, [&](std::size_t) { return 1000 - spread / 2 + random.below(spread); }, windows);
    if (judge_warmup(noisy, loop) == Steadiness::steady) ++steady;
  }
  return steady / 1000.0;
}

TEST(JudgeWarmup, AnEvenOneIsSteady) {
  for (const Loop loop : {Loop::open, Loop::closed}) {
    EXPECT_EQ(judge_warmup(windows_of(loop, [](std::size_t) { return 1000; }), loop),
              Steadiness::steady);
  }
}

TEST(JudgeWarmup, ARampIsNot) {
  const auto up = [](std::size_t i) { return 100 * i; };
  const auto down = [](std::size_t i) { return 5000 - 100 * i; };
  EXPECT_EQ(judge_warmup(windows_of(Loop::closed, up), Loop::closed), Steadiness::throughput_moves);
  EXPECT_EQ(judge_warmup(windows_of(Loop::closed, down), Loop::closed),
            Steadiness::throughput_moves);
  EXPECT_EQ(judge_warmup(windows_of(Loop::open, up), Loop::open), Steadiness::backlog_moves);
}

TEST(JudgeWarmup, ATrendThatDoesNotMatterIsSteady) {
  const auto slow = [](std::size_t i) { return 10'000 + 10 * i; };
  EXPECT_EQ(judge_warmup(windows_of(Loop::closed, slow), Loop::closed), Steadiness::steady);
  const auto one_more = [](std::size_t i) { return i < 12 ? 1 : 2; };
  EXPECT_EQ(judge_warmup(windows_of(Loop::open, one_more), Loop::open), Steadiness::steady);
}

TEST(JudgeWarmup, ASlowBeginningIsSteadyOnceItIsAtMostHalf) {
  const auto after = [](std::size_t from) {
    return windows_of(Loop::closed, [from](std::size_t i) { return i < from ? 300 : 1000; });
  };
  EXPECT_EQ(judge_warmup(after(10), Loop::closed), Steadiness::steady);
  EXPECT_EQ(judge_warmup(after(12), Loop::closed), Steadiness::throughput_moves);
}

TEST(JudgeWarmup, NoiseIsMostlySteadyAndMoreSoTheLongerItLasts) {
  for (const Loop loop : {Loop::open, Loop::closed}) {
    EXPECT_GT(steady_share(loop, 600, kWindows), 0.75);
    EXPECT_GT(steady_share(loop, 600, 2 * kWindows), 0.80);
  }
}

TEST(JudgeWarmup, ADeadSystemIsNotSteadyAlthoughNothingChanges) {
  auto dead = windows_of(Loop::closed, [](std::size_t i) { return i < 5 ? 1000 : 0; });
  for (WarmupWindow& window : dead) window.in_flight = 64;
  EXPECT_EQ(judge_warmup(dead, Loop::closed), Steadiness::nothing_done);
  for (WarmupWindow& window : dead) window.in_flight = 0;
  EXPECT_EQ(judge_warmup(dead, Loop::closed), Steadiness::steady) << "nothing was due";
}

TEST(JudgeWarmup, OperationsThatTakeMoreThanHalfOfTheLatterHalfShowNothingSteady) {
  const auto waiting = [](double in_flight) {
    auto windows = windows_of(Loop::open, [in_flight](std::size_t) { return in_flight; });
    for (WarmupWindow& window : windows) window.completed = 10;
    return judge_warmup(windows, Loop::open);
  };
  EXPECT_EQ(waiting(50), Steadiness::steady) << "5 windows, of 10";
  EXPECT_EQ(waiting(51), Steadiness::too_slow);
}

TEST(JudgeWarmup, ALeaderThatChangesInTheLatterHalfIsAnElectionUnderWay) {
  auto windows = windows_of(Loop::open, [](std::size_t) { return 3; });
  windows[9].leader = kNoNode;
  EXPECT_EQ(judge_warmup(windows, Loop::open), Steadiness::steady) << "in the former half";
  windows[12].leader = kNoNode;
  EXPECT_EQ(judge_warmup(windows, Loop::open), Steadiness::leader_changed);
  for (WarmupWindow& window : windows) window.leader = kNoNode;
  EXPECT_EQ(judge_warmup(windows, Loop::open), Steadiness::steady) << "nobody leads";
}

TEST(JudgeWarmup, FewWindowsSayNothing) {
  const auto few = windows_of(
      Loop::closed, [](std::size_t) { return 1; }, 9);
  EXPECT_EQ(judge_warmup(few, Loop::closed), Steadiness::too_short);
}

TEST(Mser, LeavesOutWhatBiasesTheMean) {
  const std::vector<double> values{0, 0, 0, 9, 11, 9, 11, 9, 11, 9, 11};
  EXPECT_EQ(mser_truncation(values), 3U);
  EXPECT_EQ(mser_truncation(std::vector<double>{5, 5, 5, 5, 5, 5}), 0U);
  EXPECT_EQ(mser_truncation(std::vector<double>{1, 2, 3}), 0U);
  // By hand: all of them 7.33 / 36, without the first 0.8 / 25.
  EXPECT_EQ(mser_truncation(std::vector<double>{4, 1, 1, 1, 1, 2}), 1U);
}

TEST(WarmupWatch, GathersWhatWasDoneAndTheMedianUnderWay) {
  WarmupWatch watch(1000, 100);
  watch.look(1000, 0, 9, NodeId{1});
  watch.look(1040, 5, 1, NodeId{1});
  watch.look(1090, 8, 2, NodeId{2});
  EXPECT_TRUE(watch.windows().empty());
  watch.look(1100, 20, 7, NodeId{2});
  ASSERT_EQ(watch.windows().size(), 1U);
  EXPECT_EQ(watch.windows()[0].completed, 8U);
  EXPECT_EQ(watch.windows()[0].in_flight, 2);
  EXPECT_EQ(watch.windows()[0].leader, NodeId{2});
  watch.look(1350, 21, 7, NodeId{2});  // nobody looked between 1200 and 1300
  watch.look(1400, 30, 7, NodeId{2});
  ASSERT_EQ(watch.windows().size(), 3U);
  EXPECT_EQ(watch.windows()[1].completed, 12U);
  EXPECT_EQ(watch.windows()[2].completed, 1U);
}

TEST(WarmupWatch, WindowsAreATwentiethWithinBounds) {
  using std::chrono::milliseconds;
  EXPECT_EQ(WarmupWatch::window_of(milliseconds(1000)), 50'000'000);
  EXPECT_EQ(WarmupWatch::window_of(milliseconds(100)), 10'000'000);
  EXPECT_EQ(WarmupWatch::window_of(milliseconds(10'000)), 100'000'000);
}

}  // namespace
}  // namespace parley::load
