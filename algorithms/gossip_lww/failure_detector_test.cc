#include "algorithms/gossip_lww/failure_detector.h"

#include <gtest/gtest.h>

#include <map>

namespace parley::gossip_lww {
namespace {

using std::chrono::milliseconds;

constexpr DetectorTiming kTiming{milliseconds(100), milliseconds(30), milliseconds(500)};

// A node's detector among three, in the time of the test. Peers answer as they are told to.
class Detector : public testing::Test {
 protected:
  // Runs until then; those in `answers_` answer each ping at once, and pass on asked-for pings to
  // those in `reached_`.
  void run_to(int ms) {
    const Instant end{milliseconds(ms)};
    while (detector_.deadline() <= end) {
      now_ = std::max(now_, detector_.deadline());
      std::vector<FailureDetector::Action> actions;
      detector_.tick(now_, random_, actions);
      for (const auto& action : actions) {
        ++sent_[action.to];
        if (action.target) {
          ++asked_;
          if (answers_[action.to] && reached_[*action.target]) {
            detector_.heard(action.to, now_);
            detector_.heard_by_other(*action.target, now_);
          }
        } else if (answers_[action.to]) {
          detector_.heard(action.to, now_);
        }
      }
    }
    now_ = end;
  }

  Random random_{1};
  Instant now_;
  FailureDetector detector_{3, 0, kTiming, Instant{}};
  std::map<std::size_t, bool> answers_{{1, true}, {2, true}};
  std::map<std::size_t, bool> reached_;
  std::map<std::size_t, int> sent_;
  int asked_ = 0;
};

TEST_F(Detector, WhoAnswersIsAlive) {
  run_to(5000);
  EXPECT_EQ(detector_.standing(1), Standing::alive);
  EXPECT_EQ(detector_.standing(2), Standing::alive);
  EXPECT_EQ(asked_, 0);
}

TEST_F(Detector, WhoAnswersNobodyIsSuspectedAndThenDead) {
  answers_[2] = false;
  run_to(400);
  EXPECT_EQ(detector_.standing(2), Standing::suspect);
  EXPECT_GT(asked_, 0) << "others were asked first";
  run_to(1500);
  EXPECT_EQ(detector_.standing(2), Standing::dead);
  EXPECT_EQ(detector_.standing(1), Standing::alive);
}

TEST_F(Detector, WhoIsReachedByOthersIsNotSuspected) {
  answers_[2] = false;
  reached_[2] = true;
  run_to(5000);
  EXPECT_EQ(detector_.standing(2), Standing::alive);
  EXPECT_GT(asked_, 0);
}

TEST_F(Detector, AllTheDeadTogetherCostOnePingAPeriod) {
  answers_[1] = answers_[2] = false;
  run_to(2000);
  sent_.clear();
  run_to(12'000);
  EXPECT_NEAR(sent_[1] + sent_[2], 100, 2);
  EXPECT_NEAR(sent_[1], 50, 2);
}

TEST_F(Detector, TheDeadDoNotTakeTheTurnOfTheLiving) {
  answers_[2] = false;
  run_to(2000);
  sent_.clear();
  run_to(12'000);
  EXPECT_NEAR(sent_[1], 100, 2);
  EXPECT_NEAR(sent_[2], 100, 2);
}

TEST_F(Detector, TheDeadReturnWhenTheyAreHeard) {
  answers_[2] = false;
  run_to(2000);
  detector_.heard(2, now_);
  EXPECT_EQ(detector_.standing(2), Standing::alive);
}

TEST_F(Detector, OthersWordCountsUnlessOneHeardForOneself) {
  detector_.heard(1, Instant{});
  detector_.take({1, Standing::dead, 0}, Instant(milliseconds(100)));
  EXPECT_EQ(detector_.standing(1), Standing::alive);
  detector_.take({1, Standing::dead, 0}, Instant(milliseconds(900)));
  EXPECT_EQ(detector_.standing(1), Standing::dead);
}

TEST_F(Detector, ALaterIncarnationWins) {
  const Instant later(milliseconds(900));
  detector_.take({1, Standing::suspect, 3}, later);
  detector_.take({1, Standing::alive, 3}, later);
  EXPECT_EQ(detector_.standing(1), Standing::suspect);
  detector_.take({1, Standing::alive, 4}, later);
  EXPECT_EQ(detector_.standing(1), Standing::alive);
  detector_.take({1, Standing::suspect, 3}, later);
  EXPECT_EQ(detector_.standing(1), Standing::alive);
}

TEST_F(Detector, ContradictsWhoSuspectsIt) {
  detector_.take({0, Standing::suspect, 7}, now_);
  std::vector<Update> updates;
  detector_.tell(updates);
  ASSERT_EQ(updates.size(), 1U);
  EXPECT_EQ(updates[0].member, 0U);
  EXPECT_EQ(updates[0].standing, Standing::alive);
  EXPECT_EQ(updates[0].incarnation, 8U);
}

TEST_F(Detector, NewsIsToldABoundedNumberOfTimes) {
  detector_.take({1, Standing::suspect, 1}, Instant(milliseconds(900)));
  std::vector<Update> updates;
  int told = 0;
  do {
    detector_.tell(updates);
    told += static_cast<int>(updates.size());
  } while (!updates.empty());
  EXPECT_EQ(told, 6);  // 3 log2 n, rounded up
}

}  // namespace
}  // namespace parley::gossip_lww
