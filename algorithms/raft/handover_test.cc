// A leader hands over (dissertation §3.10): a replica between hand-made messages.
#include <gtest/gtest.h>

#include "algorithms/raft/test_node.h"

namespace parley::raft::test {
namespace {

using Ms = std::chrono::milliseconds;

// Node 1 leads term 1 of three nodes; they have its first entry.
class RaftHandover : public testing::Test {
 protected:
  RaftHandover() {
    node_.lead();
    node_.append_reply(2, 1, 1);
    node_.append_reply(3, 1, 1);
  }
  TestNode node_{3};
};

TEST_F(RaftHandover, WhoHasTheWholeLogIsToldAtOnce) {
  EXPECT_TRUE(has(node_.hand_over(2), "sends 2 timeout_now term 1 log 1"));
  EXPECT_EQ(node_.role(), "leader") << "until it hears of the next one";
}

TEST_F(RaftHandover, WhoLacksSomethingIsToldWhenItHasIt) {
  node_.submit("a");
  node_.durable_all();
  EXPECT_TRUE(lacks(node_.hand_over(2), "timeout_now"));
  EXPECT_TRUE(lacks(node_.append_reply(3, 1, 2), "timeout_now"));
  EXPECT_TRUE(has(node_.append_reply(2, 1, 2), "sends 2 timeout_now term 1 log 2"));
  EXPECT_TRUE(lacks(node_.append_reply(2, 1, 2), "timeout_now")) << "once";
}

TEST_F(RaftHandover, WhoHasMostOfTheLogSuitsBest) {
  node_.submit("a");
  node_.durable_all();
  node_.append_reply(3, 1, 2);
  EXPECT_TRUE(has(node_.hand_over(), "sends 3 timeout_now"));
}

TEST_F(RaftHandover, WhoHasJustComeBackIsNotTheFirstChoice) {
  for (int i = 0; i < 10; ++i) {
    node_.wait(Ms(40));
    node_.append_reply(2, 1, 1);
    node_.append_reply(3, 1, 1);
  }
  ASSERT_EQ(node_.role(), "leader");
  for (const char* text : {"a", "b"}) node_.submit(text);
  node_.durable_all();
  // Node 2 was started anew meanwhile, and has caught up sooner than node 3.
  node_.rejection(2, 1, 1, 2, 1, {{{1}, {1}}});
  node_.append_reply(2, 1, 3);
  node_.append_reply(3, 1, 2);
  EXPECT_TRUE(lacks(node_.hand_over(), "timeout_now"));
  EXPECT_TRUE(has(node_.append_reply(3, 1, 3), "sends 3 timeout_now term 1 log 3"));
}

TEST_F(RaftHandover, NothingNewIsTakenInMeanwhileAndNothingIsLost) {
  node_.hand_over(2);
  EXPECT_TRUE(lacks(node_.submit("own"), "append 2@1"));
  EXPECT_TRUE(lacks(node_.forward(3, 1, "forwarded"), "append 2@1"));
  const auto lines = node_.wait(Ms(150));
  EXPECT_TRUE(has(lines, "answers 1: refused, node 2 did not take over"));
  EXPECT_TRUE(has(lines, "append 2@1 \"forwarded\""));
  EXPECT_TRUE(has(lines, "append 3@1 \"own\""));
  EXPECT_EQ(node_.role(), "leader");
}

TEST_F(RaftHandover, WhatIsPostponedIsBounded) {
  TestNode node(3, {{"max_uncommitted_bytes", 65536}});
  node.lead();
  node.append_reply(2, 1, 1);
  node.hand_over(2);
  for (std::uint64_t i = 1; i <= 10; ++i) node.forward(3, i, std::string(10'000, 'a'));
  const auto lines = node.wait(Ms(150));
  EXPECT_TRUE(has(lines, "append 7@1"));
  EXPECT_TRUE(lacks(lines, "append 10@1")) << "it stays with node 3";
}

TEST_F(RaftHandover, ItVotesForTheOneThatTakesOverThoughItLeads) {
  node_.hand_over(2);
  EXPECT_TRUE(lacks(node_.vote_request(2, 2, 1, 1), "vote_reply")) << "not what was asked for";
  EXPECT_TRUE(has(node_.vote_request(2, 2, 1, 1, /*pre=*/false, /*handed_over=*/true),
                  "sends 2 when durable vote_reply term 2 granted"));
  EXPECT_EQ(node_.role(), "follower");
  EXPECT_TRUE(has(node_.append(2, 2, 1, 1, {2}), "answers 1: done"));
}

// The test's node looks whether every turn ends with a deadline that lies ahead.
TEST_F(RaftHandover, AChangeOfMembersThatIsOverdueWaitsForItsEnd) {
  TestNode node(3, {{"catch_up_timeout_ms", 100}});
  node.lead();
  for (const std::uint32_t id : {2U, 3U}) node.append_reply(id, 1, 1);
  node.change(4, 0);
  node.durable_all();
  for (const std::uint32_t id : {2U, 3U}) node.append_reply(id, 1, 2);
  node.wait(Ms(50));
  node.hand_over(2);
  EXPECT_TRUE(lacks(node.wait(Ms(60)), "answers 1"));
  const auto lines = node.wait(Ms(90));
  EXPECT_TRUE(has(lines, "answers 2: refused, node 2 did not take over"));
  EXPECT_TRUE(has(lines, "answers 1: refused, node 4 did not catch up"));
}

TEST_F(RaftHandover, WithoutANextLeaderTheOutcomeIsUnknown) {
  node_.hand_over(2);
  node_.vote_request(2, 2, 1, 1, /*pre=*/false, /*handed_over=*/true);
  EXPECT_TRUE(has(node_.time_out(), "answers 1: unknown"));
}

TEST_F(RaftHandover, IsRefusedWithTheReason) {
  EXPECT_TRUE(has(node_.hand_over(1), "answers 1: refused, node 1 is no other voter"));
  EXPECT_TRUE(has(node_.hand_over(9), "answers 2: refused, node 9 is no other voter"));
  node_.hand_over(2);
  EXPECT_TRUE(has(node_.hand_over(3), "answers 4: refused, node 2 is taking over already"));
  EXPECT_TRUE(has(node_.change(4, 0), "answers 5: refused, node 2 is taking over"));
  TestNode follower(3);
  EXPECT_TRUE(has(follower.hand_over(2), "answers 1: refused, no leader is known"));
}

TEST_F(RaftHandover, WhoWasNotHeardOfDoesNotSuit) {
  node_.wait(Ms(149));
  node_.append_reply(3, 1, 1);
  node_.wait(Ms(1));
  EXPECT_TRUE(has(node_.hand_over(2), "answers 1: refused"));
  EXPECT_TRUE(has(node_.hand_over(), "sends 3 timeout_now"));
}

TEST_F(RaftHandover, WhoIsToldStandsAtOnceWithoutAskingFirst) {
  TestNode node(3, {{"pre_vote", 1}});
  node.append(2, 1, 0, 0, {1});
  node.durable_all();
  EXPECT_TRUE(has(node.timeout_now(2, 1, 1),
                  "sends 3 when durable vote_request term 2 log 1@1, handed over"));
}

TEST_F(RaftHandover, WhatCameTooLateOrFromAnotherIsIgnored) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {1});
  node.durable_all();
  EXPECT_TRUE(is(node.timeout_now(2, 1, 2), {})) << "it lacks the end of the log";
  EXPECT_TRUE(is(node.timeout_now(3, 1, 1), {})) << "node 2 leads";
  node.append(3, 2, 1, 1, {});
  EXPECT_TRUE(is(node.timeout_now(2, 1, 1), {})) << "of an earlier term";
}

TEST_F(RaftHandover, OthersVoteThoughTheyHaveHeardTheLeader) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {1});
  EXPECT_TRUE(is(node.vote_request(3, 2, 1, 1), {}));
  EXPECT_TRUE(has(node.vote_request(3, 2, 1, 1, /*pre=*/false, /*handed_over=*/true), "granted"));
}

TEST_F(RaftHandover, ALeaderThatIsRemovedHandsOver) {
  node_.change(0, 1);
  node_.durable_all();
  node_.append_reply(2, 1, 2);
  node_.append_reply(3, 1, 2);
  node_.durable_all();
  node_.append_reply(2, 1, 3);
  EXPECT_TRUE(has(node_.append_reply(3, 1, 3), "timeout_now term 1 log 3"));
  EXPECT_EQ(node_.role(), "outsider");
}

}  // namespace
}  // namespace parley::raft::test
