#include "algorithms/contract/log.h"

#include <gtest/gtest.h>

#include "algorithms/contract/held_runs.h"
#include "algorithms/contract/window.h"

namespace parley {
namespace {

constexpr std::size_t kMaxTermStarts = 32;

Log log_of(const std::vector<std::uint64_t>& terms) {
  Log log;
  for (const std::uint64_t term : terms) log.append({term}, {log.last().value + 1}, {});
  return log;
}

std::uint64_t agreement(const Log& log, const Log& other) {
  std::vector<TermStart> starts;
  other.newest_terms(other.last(), starts, kMaxTermStarts);
  return log.agreement(other.last(), starts).value;
}

TEST(Log, FindsWhereItAgreesWithAnotherOne) {
  const Log log = log_of({1, 1, 1, 4, 4, 5, 5, 6, 6, 6});
  EXPECT_EQ(agreement(log, log), 10U);
  EXPECT_EQ(agreement(log, log_of({1, 1, 1, 4, 4, 5, 5, 6, 6})), 9U);
  EXPECT_EQ(agreement(log, log_of({1, 1, 1, 4})), 4U);
  EXPECT_EQ(agreement(log, log_of({1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7})), 10U);
  EXPECT_EQ(agreement(log, log_of({1, 1, 1, 4, 4, 4, 4})), 5U);
  EXPECT_EQ(agreement(log, log_of({1, 1, 1, 2, 2, 2, 3, 3})), 3U);
  EXPECT_EQ(agreement(log, log_of({})), 0U);
  EXPECT_EQ(agreement(log, log_of({2, 3})), 0U);
}

TEST(Log, TakesAnotherRoundWhenTheLogsDifferInTooManyTerms) {
  Log mine = log_of({1});
  Log other = log_of({1});
  for (std::uint64_t term = 2; term < 100; ++term) {
    (term % 2 == 0 ? mine : other).append({term}, {}, {});
  }
  // The oldest term that is told begins at this index; the logs part before it. So it goes on.
  std::vector<TermStart> starts;
  LogIndex last = other.last();
  for (int round = 1; last > LogIndex{1}; ++round) {
    other.newest_terms(last, starts, kMaxTermStarts);
    const LogIndex common = mine.agreement(last, starts);
    EXPECT_EQ(common.value, last.value - std::min<std::uint64_t>(kMaxTermStarts, last.value - 1));
    last = common;
    ASSERT_LE(round, 2) << "of 50 terms";
  }
}

TEST(Log, JudgesDurabilityByTheTicketOfEachEntry) {
  Log log;
  log.append({1}, {1}, {});
  log.append({1}, {2}, {});
  log.truncate({2});
  log.append({2}, {4}, {});
  log.acknowledge({2});
  EXPECT_EQ(log.durable(), LogIndex{1});
  log.acknowledge({4});
  EXPECT_EQ(log.durable(), LogIndex{2});
  log.truncate({1});
  EXPECT_EQ(log.durable(), LogIndex{0});
}

TEST(Log, GrowsAndShrinksAcrossSegments) {
  Log log;
  for (std::uint64_t i = 1; i <= 5000; ++i) log.append({1 + i / 1000}, {i}, {{}, 0, {}});
  EXPECT_EQ(log.last_term(), Epoch{6});
  EXPECT_EQ(log.bytes(), 5000 * cost(CommandRun{}));
  log.truncate({1500});
  EXPECT_EQ(log.last(), LogIndex{1499});
  EXPECT_EQ(log.last_term(), Epoch{2});
  log.append({9}, {6000}, {});
  EXPECT_TRUE(log.matches({1500}, {9}));
  EXPECT_FALSE(log.matches({1501}, {9}));
  EXPECT_TRUE(log.matches({0}, {0}));
  EXPECT_EQ(log.bytes_between({1000}, {1500}), 500 * cost(CommandRun{}));
}

TEST(RaftWindow, IsBoundedInMessagesAndBytes) {
  Window window(3, 100);
  window.add({1}, 500);  // one may always go
  EXPECT_FALSE(window.has_room());
  window.acknowledge({1});
  EXPECT_TRUE(window.empty());
  window.add({2}, 10);
  window.add({3}, 10);
  EXPECT_TRUE(window.has_room());
  window.add({5}, 10);
  EXPECT_FALSE(window.has_room());
  window.acknowledge({4});
  EXPECT_TRUE(window.has_room());
  EXPECT_FALSE(window.empty());
}

TEST(RaftHeldRuns, AreSettledInAnyOrderAndSentInTheirs) {
  HeldRuns held;
  for (std::uint64_t i = 1; i <= 4; ++i) held.add({{NodeId{1}, {1}, i}, 1, {}}, Instant{});
  std::vector<std::uint64_t> sent;
  const auto send = [&](const HeldRun& run) { sent.push_back(run.run.id.number); };
  held.send_unsent(Instant{}, send);
  held.settle(3);
  EXPECT_EQ(held.size(), 3U);
  held.settle(1);
  held.settle(1);
  EXPECT_EQ(held.size(), 2U);
  held.forget_sending();
  held.skip(2);
  held.send_unsent(Instant{}, send);
  EXPECT_EQ(sent, (std::vector<std::uint64_t>{1, 2, 3, 4, 4}));
  held.settle(4);
  held.settle(2);
  EXPECT_TRUE(held.empty());
  EXPECT_EQ(held.bytes(), 0U);
}

}  // namespace
}  // namespace parley
