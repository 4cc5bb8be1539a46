// How a failure is told.
#include "runtime/sim/story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/sim/check_seeds.h"
#include "runtime/sim/flawed.h"

namespace parley::sim {
namespace {

using std::chrono::microseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Instant at_us(std::int64_t us) {
  return Instant{microseconds(us)};
}

Fact status(std::int64_t us, std::uint32_t node, std::uint64_t leader, std::string_view role) {
  return {at_us(us), FactKind::status, node, 2, leader, 0, role};
}

// Without the legend.
std::vector<std::string> draw_all(std::uint32_t nodes, const std::vector<Moment>& moments) {
  const auto partners = find_partners(moments);
  std::vector<std::string> lines =
      draw({nodes, {}, moments, partners, std::vector<bool>(moments.size(), true)});
  lines.erase(lines.begin(), lines.begin() + 3);
  return lines;
}

// --- the picture ---

TEST(Picture, ShowsStatesMessagesAndLosses) {
  const std::vector<Moment> moments{
      {{at_us(0), FactKind::start, 1, 1}, {}},
      {{at_us(0), FactKind::start, 2, 1}, {}},
      {{at_us(0), FactKind::start, 3, 1}, {}},
      {status(1000, 2, 2, "leader"), {}},
      {{at_us(1000), FactKind::send, 2, 1, 1}, "append a"},
      {{at_us(1000), FactKind::send, 2, 2, 3}, "append a"},
      {{at_us(1400), FactKind::delivery, 1, 1, 2}, "append a"},
      {{at_us(1500), FactKind::lost, 2, 2, 3, static_cast<std::uint64_t>(Loss::cut_under_way)},
       "append a"},
      {status(1600, 1, 2, "follower"), {}},
      {{at_us(2000), FactKind::crash, 3, 4}, {}},
      {{at_us(2500), FactKind::pause, 1, 7'000'000}, {}},
      {{at_us(3000), FactKind::commit, 2, 7, 1ULL << 32 | 1, 5}, {}},
      {{at_us(3000), FactKind::commit, 2, 8, 1ULL << 32 | 1, 6}, {}},
  };
  EXPECT_THAT(
      draw_all(3, moments),
      ElementsAre(
          "     0.000      *                       node 1 starts, incarnation 1, 0 records on "
          "disk",
          "     0.000      :        *              node 2 starts, incarnation 1, 0 records on "
          "disk",
          "     0.000      :        :        *     node 3 starts, incarnation 1, 0 records on "
          "disk",
          "     1.000      :        *        :     node 2 is leader in epoch 2",
          "     1.000      :<-------#-----x  :     2 -> 1 3 +0.4 (the link was cut meanwhile: 3)  "
          "append a",
          "     1.600      *        #        :     node 1 is follower in epoch 2, led by node 2",
          "     2.000      |        #        *     node 3 crashes; 4 unsynced writes are lost",
          "     2.500      *        #              node 1 stands still for 7.0 ms",
          "     3.000      .        *              node 2 commits index 8: run 6 of node 1, "
          "incarnation 1 (and 7)"));
}

TEST(Picture, AMessageThatIsOvertakenArrivesOnALineOfItsOwn) {
  const std::vector<Moment> moments{
      {{at_us(1000), FactKind::send, 1, 1, 2}, "first"},
      {{at_us(2000), FactKind::send, 1, 2, 2}, "second"},
      {{at_us(2500), FactKind::delivery, 2, 2, 1}, "second"},
      {{at_us(4000), FactKind::delivery, 2, 1, 1}, "first"},
      {{at_us(5000), FactKind::send, 2, 3, 1}, "third"},
  };
  EXPECT_THAT(draw_all(2, moments),
              ElementsAre(HasSubstr("1 -> 2  first"), HasSubstr("1 -> 2 +0.5  second"),
                          HasSubstr("2 gets from 1 after 3.0 ms  first"),
                          HasSubstr("2 -> 1 (under way at the end)  third")));
}

TEST(Picture, CountsWhatItLeavesOut) {
  std::vector<Moment> moments(12, {{at_us(10), FactKind::commit, 1, 1}, {}, {.repeats = 2}});
  moments.push_back({{at_us(20), FactKind::send, 1, 1, 2}, "x"});
  moments.push_back({{at_us(30), FactKind::crash, 1}, {}});
  const auto partners = find_partners(moments);
  std::vector<bool> chosen(moments.size());
  chosen.back() = true;
  EXPECT_THAT(draw({2, {}, moments, partners, chosen}),
              Contains(HasSubstr("... 24 repeated messages, 1 message, 12 other events")));
}

TEST(Picture, LongWordsGoOnInTheNextLine) {
  const std::string words(300, 'w');
  const std::vector<std::string> lines =
      draw_all(7, {{{at_us(1), FactKind::violation}, "a b " + words}});
  EXPECT_GT(lines.size(), 3U);
  for (const std::string& line : lines) EXPECT_LE(line.size(), 118U);
}

// --- what is told ---

TEST(Named, AreIndicesClientsAndCells) {
  Named named;
  named.take("client 3, 17: ordered at 41.2, but 42.0 was known; index 7, cell 9");
  const auto has = [&named](FactKind kind, std::uint64_t a, std::uint64_t b) {
    return named.has({Instant{}, kind, 1, a, b});
  };
  EXPECT_TRUE(has(FactKind::commit, 41, 0));
  EXPECT_TRUE(has(FactKind::commit, 7, 0));
  EXPECT_FALSE(has(FactKind::commit, 17, 0));
  EXPECT_TRUE(has(FactKind::result, 3, 17));
  EXPECT_TRUE(has(FactKind::refused, 3, 17));
  EXPECT_FALSE(has(FactKind::result, 3, 41));
  EXPECT_TRUE(has(FactKind::answer, 3, 9));
  EXPECT_TRUE(has(FactKind::applied, 9, 0));
  EXPECT_FALSE(has(FactKind::status, 7, 0));
}

TEST(Story, WhatAViolationNamesIsKeptHoweverLongAgo) {
  const std::vector<std::string> violations{"node 1 commits at index 5 what it should not"};
  Story story(violations);
  story.begin({"test", 1, 3});
  story.take({at_us(1), FactKind::start, 1, 1}, {});
  story.take(status(2, 1, 1, "leader"), {});
  story.take({at_us(3), FactKind::commit, 1, 5, 1ULL << 32, 9}, {});
  for (std::int64_t i = 0; i < 50'000; ++i) {
    story.take({at_us(10 + i), FactKind::answer, 2, 1, 1, 1}, {});
  }
  story.take({at_us(60'000), FactKind::violation}, violations[0]);
  const std::vector<std::string> lines = story.lines();
  EXPECT_THAT(lines, Contains(HasSubstr("node 1 commits index 5: run 9 of node 1")));
  EXPECT_THAT(lines, Contains(HasSubstr("VIOLATION: " + violations[0])));
  EXPECT_LE(lines.size(), 61U);
  EXPECT_THAT(lines,
              Contains(AllOf(HasSubstr("... 49"), HasSubstr("other events"), HasSubstr("#"))))
      << "what is forgotten is counted, and who led is not forgotten";
}

TEST(Story, RepeatedMessagesAreCountedAndTheirCopiesToo) {
  Story story({});
  story.begin({"test", 1, 2});
  std::uint64_t number = 0;
  for (std::int64_t i = 0; i < 40; ++i) {
    const std::uint64_t first = ++number;
    story.take({at_us(i * 10), FactKind::send, 1, first, 2}, "beat");
    story.take({at_us(i * 10), FactKind::send, 1, ++number, 2, first}, "beat");
    story.take({at_us(i * 10 + 5), FactKind::delivery, 2, first, 1}, "beat");
    story.take({at_us(i * 10 + 5), FactKind::delivery, 2, number, 1}, "beat");
  }
  story.take(status(900, 1, 1, "leader"), {});
  story.take({at_us(1000), FactKind::send, 1, ++number, 2}, "beat");
  const std::vector<std::string> lines = story.lines();
  EXPECT_THAT(lines, Contains(HasSubstr("... 78 repeated messages")));
  EXPECT_THAT(lines.back(), HasSubstr("1 -> 2 (under way at the end)  beat"))
      << "after a change it is news again";
}

TEST(Story, NothingIsToldAfterTheViolationAndNotEveryOne) {
  Story story({});
  story.begin({"test", 1, 1});
  for (int i = 0; i < 5; ++i) story.take({at_us(1), FactKind::violation}, "wrong");
  story.take({at_us(2), FactKind::crash, 1}, {});
  const std::vector<std::string> lines = story.lines();
  EXPECT_THAT(lines, Not(Contains(HasSubstr("crashes"))));
  EXPECT_EQ(lines.back(), "... and 2 more violations");
}

// --- of strategies with mistakes ---

Failure first_failure(Flaw flaw, std::uint32_t nodes) {
  const Algorithm& algorithm = flawed_raft_algorithm();
  OptionValues values = default_options(algorithm.options);
  values.set("flaw", static_cast<std::int64_t>(flaw));
  SeedsOptions options;
  options.each.nodes = nodes;
  options.seeds = 30;
  const SeedsReport report = check_seeds(algorithm, values, options);
  return report.failures.empty() ? Failure{} : report.failures[0];
}

TEST(Story, FitsOnAPageForAnyNumberOfNodes) {
  for (const std::uint32_t nodes : {2U, 3U, 5U, 7U, 16U}) {
    const Failure failure = first_failure(Flaw::applies_twice, nodes);
    ASSERT_GT(failure.story.size(), 10U);
    EXPECT_LE(failure.story.size(), 61U);
    for (const std::string& line : failure.story) EXPECT_LE(line.size(), 118U) << line;
    EXPECT_THAT(failure.story, Contains(HasSubstr("VIOLATION: ")));
  }
}

TEST(Story, OfASmallQuorumShowsWhoLeadsWithTooFewVotes) {
  const Failure failure = first_failure(Flaw::small_quorum, 5);
  EXPECT_THAT(failure.violations, ElementsAre(HasSubstr("nodes have that vote on disk")));
  EXPECT_THAT(failure.story, Contains(HasSubstr("is candidate in epoch 1")));
  EXPECT_THAT(failure.story, Contains(HasSubstr("is leader in epoch 1")));
}

// Whether the story of the first stale read shows the commit of the write that the read missed.
bool shows_what_was_missed(std::uint32_t nodes) {
  const Failure failure = first_failure(Flaw::answers_reads_at_once, nodes);
  if (failure.violations.empty()) return false;
  EXPECT_THAT(failure.violations[0], HasSubstr("linearizable read of cell"));
  const std::size_t stamp = failure.violations[0].find("; ") + 2;
  const std::string missed = failure.violations[0].substr(stamp);
  const std::string commit = "commits index " + missed.substr(0, missed.find('.')) + ":";
  return std::ranges::any_of(failure.story, [&commit](const std::string& line) {
    return line.find(commit) != std::string::npos;
  });
}

// Where many commits come together, only the first of them is named.
TEST(Story, OfAStaleReadShowsWhatItMissed) {
  int shown = 0;
  for (const std::uint32_t nodes : {2U, 3U, 4U, 5U, 6U, 7U}) shown += shows_what_was_missed(nodes);
  EXPECT_GE(shown, 1);
}

}  // namespace
}  // namespace parley::sim
