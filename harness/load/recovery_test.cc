#include "harness/load/recovery.h"

#include <gtest/gtest.h>

namespace parley::load {
namespace {

using std::chrono::milliseconds;

// A row per number of completed operations.
std::vector<TimelineRow> rows(const std::vector<std::uint64_t>& completed) {
  std::vector<TimelineRow> timeline;
  for (const std::uint64_t count : completed) {
    TimelineRow row;
    row.t_ms = static_cast<std::uint32_t>(timeline.size() * 100);
    row.completed = count;
    timeline.push_back(row);
  }
  return timeline;
}

std::vector<TimelineRow> dip(std::size_t before, std::size_t silent, std::size_t after) {
  std::vector<std::uint64_t> completed(before, 100);
  completed.insert(completed.end(), silent, 0);
  completed.insert(completed.end(), after, 100);
  return rows(completed);
}

TEST(Noticed, IsTheFirstOtherLeaderNamedAfterTheFault) {
  const std::vector<LeaderSeen> leaders = {
      {milliseconds(-500), {1}, {3}, {3}},
      {milliseconds(2010), {3}, kNoNode, {3}},  // the connection to the dead node
      {milliseconds(2100), {2}, kNoNode, {3}},
      {milliseconds(2230), {2}, {2}, {2}},
      {milliseconds(2240), {1}, {2}, {2}}};
  EXPECT_EQ(noticed_ms(leaders, milliseconds(2000)), 230.0);
}

TEST(Noticed, IsEmptyWhenTheLeaderStays) {
  const std::vector<LeaderSeen> leaders = {{milliseconds(-500), {1}, {3}, {3}},
                                           {milliseconds(2010), {1}, kNoNode, {3}},
                                           {milliseconds(2100), {1}, {3}, {3}}};
  EXPECT_EQ(noticed_ms(leaders, milliseconds(2000)), std::nullopt);
  EXPECT_EQ(noticed_ms({}, milliseconds(2000)), std::nullopt);
}

TEST(Noticed, OfASecondFaultStartsFromTheLeaderOfThen) {
  const std::vector<LeaderSeen> leaders = {{milliseconds(0), {1}, {3}, {3}},
                                           {milliseconds(1200), {1}, {2}, {2}},
                                           {milliseconds(3300), {1}, {1}, {1}}};
  EXPECT_EQ(noticed_ms(leaders, milliseconds(1000)), 200.0);
  EXPECT_EQ(noticed_ms(leaders, milliseconds(3000)), 300.0);
}

TEST(FirstSuccess, CountsOnlyWhatWasSentAfterTheFault) {
  const std::vector<SuccessSeen> successes = {
      {milliseconds(1990), milliseconds(2001), {2}},  // was under way
      {milliseconds(2005), milliseconds(2500), {2}},
      {milliseconds(2300), milliseconds(2310), {1}},
      {milliseconds(2400), milliseconds(2405), {1}}};
  EXPECT_EQ(first_success_ms(successes, milliseconds(2000)), 310.0);
  EXPECT_EQ(first_success_ms(successes, milliseconds(3000)), std::nullopt);
}

TEST(BackTo95, IsTheEndOfTheFirstFullWindow) {
  // The fault at 5 s; 400 ms without an answer.
  const auto timeline = dip(50, 4, 46);
  EXPECT_EQ(back_to_95_ms(timeline, 10, milliseconds(5000)), 900.0);
}

TEST(BackTo95, AFaultWithinARowWaitsForTheNextRow) {
  const auto timeline = dip(51, 4, 45);
  EXPECT_EQ(back_to_95_ms(timeline, 10, milliseconds(5040)), 960.0);
}

TEST(BackTo95, FaultsThatNobodyFeelsTakeOneWindow) {
  EXPECT_EQ(back_to_95_ms(dip(100, 0, 0), 10, milliseconds(5000)), 500.0);
}

TEST(BackTo95, IsEmptyWhenItNeverComesBack) {
  EXPECT_EQ(back_to_95_ms(dip(50, 50, 0), 10, milliseconds(5000)), std::nullopt);
  // 94 % is not enough, 95 % is.
  std::vector<std::uint64_t> completed(50, 100);
  completed.insert(completed.end(), 50, 94);
  EXPECT_EQ(back_to_95_ms(rows(completed), 10, milliseconds(5000)), std::nullopt);
  completed.insert(completed.end(), 5, 95);
  EXPECT_EQ(back_to_95_ms(rows(completed), 10.5, milliseconds(5000)), 5500.0);
}

TEST(BackTo95, RowsOfTheDrainDoNotCount) {
  // A backlog answered after the load has ended is no recovery.
  auto timeline = dip(50, 50, 10);
  EXPECT_EQ(back_to_95_ms(timeline, 10, milliseconds(5000)), std::nullopt);
  EXPECT_TRUE(back_to_95_ms(timeline, 11, milliseconds(5000)).has_value());
}

TEST(BackTo95, TheMeanIsThatOfFiveSeconds) {
  // Twice as much was done long before: it does not count.
  std::vector<std::uint64_t> completed(50, 200);
  completed.insert(completed.end(), 50, 100);
  completed.insert(completed.end(), 20, 100);
  EXPECT_EQ(back_to_95_ms(rows(completed), 12, milliseconds(10'000)), 500.0);
}

TEST(BackTo95, WithoutAnythingBeforeThereIsNoAnswer) {
  EXPECT_EQ(back_to_95_ms(dip(50, 0, 0), 5, milliseconds(50)), std::nullopt);
  EXPECT_EQ(back_to_95_ms({}, 0, milliseconds(50)), std::nullopt);
}

TEST(Unavailable, IsTheLongestTimeWithoutAnAnswer) {
  const auto seen = [](int sent, int answered) {
    return SuccessSeen{milliseconds(sent), milliseconds(answered), NodeId{1}};
  };
  // What was sent later may be answered earlier.
  const std::vector<SuccessSeen> successes{seen(100, 110), seen(200, 900), seen(300, 310),
                                           seen(1000, 1001)};
  const auto from = [&](int begin, int end) {
    return unavailable_ms(successes, milliseconds(begin), milliseconds(end));
  };
  EXPECT_EQ(from(0, 1050), 590.0);
  EXPECT_EQ(from(0, 320), 200.0) << "310 - 110";
  EXPECT_EQ(from(700, 1000), 200.0) << "nothing before 900";
  EXPECT_EQ(from(1001, 2000), 999.0) << "nothing after the last";
  EXPECT_EQ(unavailable_ms({}, milliseconds(5), milliseconds(25)), 20.0);
}

}  // namespace
}  // namespace parley::load
