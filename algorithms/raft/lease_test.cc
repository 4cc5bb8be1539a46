// Reads by lease (dissertation §6.4.1): a replica between hand-made messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "algorithms/raft/options.h"
#include "algorithms/raft/replica.h"
#include "algorithms/raft/test_node.h"

namespace parley::raft::test {
namespace {

using Ms = std::chrono::milliseconds;

// Node 1 leads term 1 of three nodes, with election timeouts from 150 ms and heartbeats of 50 ms. A
// lease lasts 150 ms * 0.9 / 1.1, so 122 ms and a little more.
class RaftLease : public testing::Test {
 protected:
  RaftLease() {
    node_.lead();
    node_.append_reply(2, 1, 1);
    node_.append_reply(3, 1, 1);
  }
  TestNode node_{3, {{"reads", 1}}};
};

TEST_F(RaftLease, AConfirmedRoundServesReadsAtOnce) {
  EXPECT_TRUE(lacks(node_.read(1), "read 1")) << "nobody has confirmed anything";
  EXPECT_TRUE(has(node_.append_reply(2, 1, 1, 1), "read 1 at 1"));
  const auto lines = node_.read(2);
  EXPECT_TRUE(has(lines, "read 2 at 1"));
  EXPECT_TRUE(lacks(lines, "sends")) << "and asks nobody";
  node_.wait(Ms(122));
  EXPECT_TRUE(has(node_.read(3), "read 3 at 1"));
  node_.wait(Ms(1));
  EXPECT_TRUE(lacks(node_.read(4), "read 4 at")) << "by then others may follow another leader";
}

// Each of them begins a round of its own, and what is remembered of rounds is bounded.
TEST_F(RaftLease, ManyReadsBeforeTheFirstAnswerDoNotKeepItFromBeginning) {
  for (std::uint64_t id = 1; id <= 200; ++id) node_.read(id);
  node_.append_reply(2, 1, 1, 1);
  EXPECT_TRUE(has(node_.read(201), "read 201 at 1"));
}

TEST_F(RaftLease, AMajorityIsNeeded) {
  TestNode node(5, {{"reads", 1}});
  node.lead();
  for (const std::uint32_t id : {2U, 3U}) node.append_reply(id, 1, 1);
  node.append_reply(2, 1, 1, 1);
  EXPECT_TRUE(lacks(node.read(1), "read 1 at"));
  EXPECT_TRUE(has(node.append_reply(3, 1, 1, 1), "read 1 at"));
}

TEST_F(RaftLease, LastsFromTheBeginningOfTheRoundNotFromTheAnswer) {
  node_.wait(Ms(100));
  node_.append_reply(2, 1, 1, 1);
  EXPECT_TRUE(has(node_.read(1), "read 1 at 1"));
  node_.wait(Ms(23));
  EXPECT_TRUE(lacks(node_.read(2), "read 2 at"));
}

TEST_F(RaftLease, HeartbeatsRenewIt) {
  node_.append_reply(2, 1, 1, 1);
  for (int beat = 0; beat < 10; ++beat) {
    EXPECT_TRUE(has(node_.wait(Ms(50)), "round")) << beat;
    node_.append_reply(2, 1, 1, static_cast<std::uint64_t>(beat) + 2);
    EXPECT_TRUE(has(node_.read(1), "read 1 at 1")) << beat;
  }
}

// A round that is not remembered renews nothing: turns that follow each other fast begin none.
TEST_F(RaftLease, HeartbeatsThatFollowFastDoNotMakeEveryTurnARound) {
  TestNode node(3, {{"reads", 1}, {"heartbeat_ms", 1}});
  node.lead();
  node.append_reply(2, 1, 1, 1);
  EXPECT_TRUE(lacks(node.wait(std::chrono::microseconds(1100)), "round 2"));
  for (int turn = 0; turn < 3; ++turn) EXPECT_TRUE(lacks(node.step(), "sends")) << turn;
  // At most 64 are remembered, of 122.7 ms.
  EXPECT_TRUE(has(node.wait(Ms(1)), "round 2"));
}

TEST_F(RaftLease, NeedsAnEntryOfTheOwnTerm) {
  TestNode node(3, {{"reads", 1}});
  node.lead();
  node.begin();
  node.append_reply(2, 1, 0, 1);
  node.read(1);
  EXPECT_TRUE(lacks(node.end(), "read 1 at"));
}

TEST_F(RaftLease, EndsBeforeItHandsOverAndDoesNotComeBack) {
  node_.append_reply(2, 1, 1, 1);
  node_.append_reply(3, 1, 1, 1);
  node_.hand_over(2);
  EXPECT_TRUE(lacks(node_.read(1), "read 1 at")) << "node 2 may lead any moment";
  node_.wait(Ms(150));  // in vain
  node_.append_reply(2, 1, 1, 3);
  EXPECT_TRUE(lacks(node_.read(2), "read 2 at")) << "what was sent may still arrive";
  EXPECT_TRUE(has(node_.append_reply(2, 1, 1, 4), "read 2 at")) << "a round of its own will do";
}

TEST_F(RaftLease, WhoHasAnsweredALeaderHelpsNoOtherOneWhateverItHeardSince) {
  TestNode node(3, {{"reads", 1}});
  node.wait(Ms(140));
  node.append(2, 1, 0, 0, {1});
  node.append_reply(3, 7, 0);  // of a term in which nobody leads
  ASSERT_EQ(node.status().epoch, Epoch{7});
  ASSERT_EQ(node.status().leader, kNoNode);
  node.wait(Ms(149));
  EXPECT_TRUE(is(node.vote_request(3, 9, 5, 1), {}));
  node.wait(Ms(1));
  EXPECT_TRUE(has(node.vote_request(3, 9, 5, 1), "granted"));
}

TEST_F(RaftLease, WhoStartsWaitsAsIfItHadAnswered) {
  TestNode node(3, {{"reads", 1}}, TestNode::disk(1, 2, {1}), 2);
  node.wait(Ms(149));
  EXPECT_TRUE(is(node.vote_request(3, 2, 1, 1), {}));
  node.wait(Ms(1));
  EXPECT_TRUE(has(node.vote_request(3, 2, 1, 1), "granted"));
  TestNode without(3, {}, TestNode::disk(1, 2, {1}), 2);
  EXPECT_TRUE(has(without.vote_request(3, 2, 1, 1), "granted")) << "not without leases";
}

TEST_F(RaftLease, IsShorterTheMoreClocksDiffer) {
  OptionValues values = default_options(kRaft.options);
  EXPECT_EQ(max_clock_drift(values), 0U) << "without leases nothing depends on clocks";
  values.set("reads", 1);
  EXPECT_EQ(max_clock_drift(values), 100'000U);
  values.set("max_clock_drift_per_million", 0);
  EXPECT_EQ(read_options(values).lease_time, Ms(150));
  values.set("max_clock_drift_per_million", 500'000);
  EXPECT_EQ(read_options(values).lease_time, Ms(50));
  values.set("check_quorum", 0);
  EXPECT_THAT(check_options(values), testing::StartsWith("reads=lease needs check_quorum=on"));
}

}  // namespace
}  // namespace parley::raft::test
