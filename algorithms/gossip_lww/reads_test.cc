// Reads that ask other nodes, and reads by clients that come from elsewhere.
#include <gtest/gtest.h>

#include "algorithms/gossip_lww/core.h"
#include "algorithms/gossip_lww/test_node.h"

namespace parley::gossip_lww::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Reads : public Cluster {
 protected:
  // A local read of a cell, by a client that has seen `seen`; its number.
  std::uint64_t read(std::uint32_t id, std::uint32_t key, std::vector<Seen> seen = {}) {
    const std::uint64_t number = ++reads_;
    node(id).read({number, ReadMode::local, {{key}}, std::move(seen)});
    return number;
  }
  bool ready(std::uint32_t id, std::uint64_t number) {
    const auto& all = node(id).ready;
    return std::find(all.begin(), all.end(), number) != all.end();
  }
  Seen seen_of(std::uint32_t id, std::uint32_t key) { return {{id}, 0, node(id).stamp(key).major}; }
  // Whether the node's only refusal is one for this reason.
  testing::AssertionResult refused(std::uint32_t id, Refusal::Reason reason) {
    const auto& all = node(id).refused;
    if (all.size() == 1 && all[0].reason == reason) return testing::AssertionSuccess();
    return testing::AssertionFailure() << all.size() << " refusals";
  }

 private:
  std::uint64_t reads_ = 0;
};

TEST_F(Reads, AloneAnswersAtOnce) {
  make(3);
  EXPECT_TRUE(ready(1, read(1, 7)));
}

TEST_F(Reads, WhoAsksAllSeesWhatOnlyOneHolds) {
  make(3, {{"read", "3"}});
  node(2).write(7, 100);
  node(2).outbox.clear();
  const std::uint64_t number = read(1, 7);
  EXPECT_FALSE(ready(1, number));
  deliver();
  EXPECT_TRUE(ready(1, number));
  EXPECT_EQ(node(1).value(7), 100U) << "and holds it itself from then on";
}

// In its first turn the store does not hold yet what the disk does.
TEST_F(Reads, WhoHasJustStartedDoesNotAnswerFromAnEmptyStore) {
  make(2, {{"read", "2"}});
  node(1).write(7, 100);
  deliver();
  ASSERT_EQ(node(2).value(7), 100U);
  node(1).outbox.clear();
  const std::uint64_t number = read(1, 7);
  std::vector<Frame> asked;
  for (const TestNode::Outgoing& sent : node(1).outbox) {
    if (sent.to == NodeId{2}) asked.push_back(sent.frame);
  }
  ASSERT_FALSE(asked.empty());
  node(1).outbox.clear();
  node(2).start();
  node(2).outbox.clear();
  node(2).step(asked);
  ASSERT_EQ(node(2).value(7), 100U);
  for (const TestNode::Outgoing& sent : node(2).outbox) {
    if (sent.to == NodeId{1}) node(1).step({sent.frame});
  }
  EXPECT_FALSE(ready(1, number));
}

TEST_F(Reads, AnOlderAnswerDoesNotWin) {
  make(3, {{"read", "3"}});
  node(1).write(7, 100);
  deliver();
  cut(2);
  cut(3);
  node(1).write(7, 200);
  deliver();
  heal();
  const std::uint64_t number = read(1, 7);
  deliver();
  EXPECT_TRUE(ready(1, number));
  EXPECT_EQ(node(1).value(7), 200U);
}

TEST_F(Reads, TooFewAnswersRefuseIt) {
  make(3, {{"read", "3"}});
  cut(3);
  const std::uint64_t number = read(1, 7);
  run(milliseconds(400));
  EXPECT_TRUE(node(1).refused.empty());
  run(milliseconds(200));
  EXPECT_FALSE(ready(1, number));
  EXPECT_TRUE(refused(1, Refusal::Reason::unanswered));
}

TEST_F(Reads, WhoDoesNotAnswerIsReplacedByAnother) {
  make(5, {{"read", "3"}});
  cut(3);
  cut(4);
  const std::uint64_t number = read(1, 7);
  run(milliseconds(450));
  EXPECT_TRUE(ready(1, number));
}

TEST_F(Reads, AnAnswerCountsOnce) {
  make(3, {{"read", "3"}});
  cut(3);
  const std::uint64_t number = read(1, 7);
  const auto asked = node(1).outbox;
  for (int i = 0; i < 3; ++i) {
    node(1).outbox = asked;
    deliver();
  }
  EXPECT_FALSE(ready(1, number));
  heal();
  node(1).outbox = asked;
  deliver();
  EXPECT_TRUE(ready(1, number));
}

TEST_F(Reads, TooManyCellsAreNotOffered) {
  make(3, {{"read", "2"}});
  ReadRequest request{1, ReadMode::local, {}, {}};
  for (std::uint32_t key = 0; key < 33 * kCellsPerBlock; key += kCellsPerBlock) {
    request.keys.push_back({key});
  }
  node(1).read(request);
  EXPECT_TRUE(refused(1, Refusal::Reason::not_offered));
}

TEST_F(Reads, AClientThatMovesWaitsForWhatItHasSeen) {
  make(3);
  node(2).write(7, 100);
  const Seen seen = seen_of(2, 7);
  node(2).outbox.clear();
  const std::uint64_t number = read(1, 7, {seen});
  EXPECT_FALSE(ready(1, number));
  run(milliseconds(450));
  EXPECT_TRUE(ready(1, number));
  EXPECT_EQ(node(1).value(7), 100U);
  EXPECT_TRUE(ready(1, read(1, 7, {seen}))) << "at once from then on";
}

TEST_F(Reads, WhatArrivedAheadOfAGapIsNotEnough) {
  make(3);
  node(2).write(7, 100);
  node(2).outbox.clear();
  node(2).write(8, 200);
  const std::uint64_t number = read(1, 7, {seen_of(2, 8)});
  deliver();
  EXPECT_EQ(node(1).value(8), 200U);
  EXPECT_FALSE(ready(1, number));
  run(milliseconds(450));
  EXPECT_TRUE(ready(1, number));
  EXPECT_EQ(node(1).value(7), 100U);
}

TEST_F(Reads, WhatDoesNotComeInTimeIsRefused) {
  make(3);
  cut(2);
  node(2).write(7, 100);
  const std::uint64_t number = read(1, 7, {seen_of(2, 7)});
  run(milliseconds(600));
  EXPECT_FALSE(ready(1, number));
  EXPECT_TRUE(refused(1, Refusal::Reason::behind));
  read(1, 7, {{{9}, 0, 1}});
  run(milliseconds(600));
  EXPECT_EQ(node(1).refused.size(), 2U) << "there is no node 9";
}

}  // namespace
}  // namespace parley::gossip_lww::test
