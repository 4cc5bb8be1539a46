// One test for each clause about members (dissertation chapter 4; §6 of the paper): a replica
// between hand-made messages.
#include <gtest/gtest.h>

#include "algorithms/raft/membership.h"
#include "algorithms/raft/test_node.h"

namespace parley::raft::test {
namespace {

using Ms = std::chrono::milliseconds;

Membership members(std::vector<NodeId> voters, std::vector<NodeId> outgoing = {},
                   std::vector<NodeId> learners = {}) {
  Membership of;
  of.voters = std::move(voters);
  of.outgoing = std::move(outgoing);
  of.learners = std::move(learners);
  return of;
}

Membership with_disk(Membership members, NodeId node, DiskId disk) {
  members.disks.push_back({node, disk});
  return members;
}

constexpr NodeId k1{1};
constexpr NodeId k2{2};
constexpr NodeId k3{3};
constexpr NodeId k4{4};
constexpr NodeId k5{5};

// Node 1 leads term 1 of so many nodes, and its first entry is committed.
class RaftMembers : public testing::Test {
 protected:
  void lead(std::uint32_t size, std::vector<std::pair<std::string, std::int64_t>> set = {}) {
    node_ = std::make_unique<TestNode>(size, std::move(set));
    node_->lead();
    for (std::uint32_t id = 2; id <= size; ++id) node_->append_reply(id, 1, 1);
    ASSERT_EQ(node_->status().commit, LogIndex{1});
  }
  // The nodes have confirmed up to there.
  TestNode::Lines confirm(std::vector<std::uint32_t> ids, std::uint64_t index) {
    node_->begin();
    for (const std::uint32_t id : ids) node_->append_reply(id, 1, index);
    return node_->end();
  }

  std::unique_ptr<TestNode> node_;
};

// --- a change from its beginning to its end ---

TEST_F(RaftMembers, ANodeIsAddedAsALearner) {
  lead(3);
  const auto lines = node_->change(4, 0);
  EXPECT_TRUE(has(lines, "append 2@1 members 1 2 3, learners 4"));
  EXPECT_TRUE(has(lines, "sends 4 append")) << "in force at once";
  EXPECT_TRUE(lacks(lines, "answers"));
  EXPECT_EQ(node_->members(), "1 2 3, learners 4");
}

TEST_F(RaftMembers, ALearnerIsNotCounted) {
  lead(3);
  node_->change(4, 0);
  node_->durable_all();
  EXPECT_TRUE(lacks(confirm({4}, 2), "commits"));
  EXPECT_TRUE(has(confirm({2}, 2), "commits 2"));
}

TEST_F(RaftMembers, ALearnerThatHasCaughtUpVotesByJointConsensus) {
  lead(3);
  node_->change(4, 0);
  node_->durable_all();
  EXPECT_TRUE(lacks(confirm({2}, 2), "append 3@1 members")) << "it has not";
  EXPECT_TRUE(has(confirm({4}, 2), "append 3@1 members 1 2 3 4, from 1 2 3"));
  node_->durable_all();
  EXPECT_TRUE(has(confirm({2, 4}, 3), "append 4@1 members 1 2 3 4"));
  EXPECT_EQ(node_->members(), "1 2 3 4") << "in force at once";
  node_->durable_all();
  EXPECT_TRUE(has(confirm({2, 3}, 4), "answers 1: done"));
}

TEST_F(RaftMembers, AJointChangeNeedsAMajorityOfTheNewOnesToo) {
  lead(3);
  node_->change(4, 0);
  node_->durable_all();
  confirm({2, 4}, 2);
  node_->durable_all();
  EXPECT_TRUE(lacks(confirm({2}, 3), "commits")) << "two of three, but of four";
  EXPECT_TRUE(has(confirm({3}, 3), "commits 3"));
}

TEST_F(RaftMembers, AJointChangeNeedsAMajorityOfTheOldOnesToo) {
  TestNode node(5, {}, {}, 1);
  // Node 1 follows until the joint entry is there, and then leads.
  node.append_members(2, 1, 0, 0, members({k1, k4, k5}, {k1, k2, k3}));
  node.time_out();
  node.durable_all();
  EXPECT_EQ(node.role(), "candidate");
  node.vote_reply(4, 2, true);
  node.vote_reply(5, 2, true);
  EXPECT_EQ(node.role(), "candidate") << "all of the new ones, and one of the old";
  node.vote_reply(3, 2, true);
  EXPECT_EQ(node.role(), "leader");
  node.durable_all();
  EXPECT_TRUE(lacks(node.append_reply(4, 2, 2), "commits"));
  const auto lines = node.append_reply(2, 2, 2);
  EXPECT_TRUE(has(lines, "commits 2"));
  EXPECT_TRUE(has(lines, "append 3@2 members 1 4 5")) << "it carries through what it found";
}

TEST_F(RaftMembers, ANodeIsRemovedByJointConsensus) {
  lead(3);
  EXPECT_TRUE(has(node_->change(0, 3), "append 2@1 members 1 2, from 1 2 3"));
  node_->durable_all();
  EXPECT_TRUE(lacks(confirm({3}, 2), "commits")) << "two of three, but one of two";
  const auto lines = confirm({2}, 2);
  EXPECT_TRUE(has(lines, "append 3@1 members 1 2"));
  EXPECT_TRUE(has(lines, "sends 3 append")) << "who leaves is told";
  node_->durable_all();
  EXPECT_TRUE(has(confirm({2}, 3), "answers 1: done"));
  EXPECT_TRUE(lacks(node_->submit("a"), "sends 3")) << "and then no more";
}

TEST_F(RaftMembers, OneNodeTakesThePlaceOfAnother) {
  lead(3);
  node_->change(4, 3);
  node_->durable_all();
  EXPECT_TRUE(has(confirm({2, 4}, 2), "append 3@1 members 1 2 4, from 1 2 3"));
  node_->durable_all();
  EXPECT_TRUE(has(confirm({2}, 3), "append 4@1 members 1 2 4"));
  node_->durable_all();
  EXPECT_TRUE(has(confirm({4}, 4), "answers 1: done"));
}

TEST_F(RaftMembers, ALeaderThatIsRemovedLeadsUntilThatIsCommittedAndDoesNotCountItself) {
  lead(3);
  node_->change(0, 1);
  node_->durable_all();
  EXPECT_TRUE(lacks(confirm({2}, 2), "commits")) << "two of three, but one of two";
  EXPECT_TRUE(has(confirm({3}, 2), "append 3@1 members 2 3"));
  node_->durable_all();
  EXPECT_TRUE(lacks(confirm({2}, 3), "commits"));
  EXPECT_EQ(node_->role(), "leader");
  const auto lines = confirm({3}, 3);
  EXPECT_TRUE(has(lines, "answers 1: done"));
  EXPECT_EQ(node_->role(), "outsider");
  EXPECT_TRUE(lacks(node_->time_out(), "vote_request"));
}

// §4.2.2: nobody else may have its removal, and then nobody else can be elected.
TEST_F(RaftMembers, ALeaderWhoseRemovalIsNotCommittedStandsWithoutItsOwnVote) {
  lead(2);
  node_->change(0, 1);
  confirm({2}, 2);
  node_->durable_all();
  EXPECT_EQ(node_->members(), "2");
  node_->append_reply(2, 7, 0);
  EXPECT_EQ(node_->role(), "outsider");
  EXPECT_TRUE(has(node_->time_out(), "sends 2 when durable vote_request term 8"));
  node_->durable_all();
  EXPECT_EQ(node_->role(), "candidate");
  node_->vote_reply(2, 8, true);
  EXPECT_EQ(node_->role(), "leader");
  node_->durable_all();
  node_->append_reply(2, 8, 4);
  EXPECT_EQ(node_->role(), "outsider") << "that is committed now";
  EXPECT_TRUE(lacks(node_->time_out(), "vote_request"));
}

TEST_F(RaftMembers, WhatANodeConfirmedWithAnotherDiskDoesNotCount) {
  lead(3);
  node_->change(4, 0, DiskId{8});
  node_->durable_all();
  node_->append_reply(2, 1, 2);
  node_->speak(DiskId{7}, {});
  EXPECT_TRUE(is(node_->append_reply(4, 1, 2), {})) << "as it was before it lost its disk";
  EXPECT_TRUE(is(node_->append_reply(4, 9, 2), {}));
  node_->speak(DiskId{8}, {});
  EXPECT_TRUE(has(node_->append_reply(4, 1, 2), "members 1 2 3 4, from 1 2 3"));
}

// Who was a voter and has lost its disk must not stand by what it promised: neither to a leader of
// that time nor to a candidate, nor by what its own new log says of that time.
TEST_F(RaftMembers, WhatIsMeantForANodeWithAnotherDiskIsNotHeard) {
  TestNode node(3, {}, {}, 1, /*joins=*/true);
  node.speak({}, {});
  EXPECT_TRUE(is(node.append(2, 4, 0, 0, {4}), {}));
  EXPECT_TRUE(is(node.vote_request(2, 4, 9, 3), {}));
  EXPECT_TRUE(is(node.timeout_now(2, 0, 0), {}));
  EXPECT_EQ(node.status().last, LogIndex{0});
  EXPECT_EQ(node.status().epoch, Epoch{0});
}

TEST_F(RaftMembers, AnEarlierLifeInTheLogMakesNoMember) {
  TestNode node(3, {}, {}, 1, /*joins=*/true);
  node.append_members(2, 1, 0, 0, members({k1, k2, k3}));
  EXPECT_EQ(node.role(), "outsider");
  EXPECT_TRUE(lacks(node.time_out(), "vote_request"));
  node.append_members(2, 4, 1, 1, with_disk(members({k2, k3}, {}, {k1}), k1, DiskId{9}));
  EXPECT_EQ(node.role(), "outsider") << "that is another disk";
  node.append_members(2, 4, 2, 4, with_disk(members({k2, k3}, {}, {k1}), k1, DiskId{1}));
  EXPECT_EQ(node.role(), "learner");
}

TEST_F(RaftMembers, EachIsSpokenToAsWhoItIs) {
  lead(3);
  node_->change(4, 0, DiskId{8});
  for (const Message& message : node_->effects().send_now) {
    const DiskId to{decode(message.header).to_disk()};
    EXPECT_EQ(to, message.to == k4 ? DiskId{8} : DiskId{}) << message.to.value;
  }
}

TEST_F(RaftMembers, ALearnerThatLagsGetsAnotherRound) {
  lead(3);
  node_->change(4, 0);
  node_->durable_all();
  confirm({2}, 2);
  node_->wait(Ms(200));
  node_->submit("a");
  node_->durable_all();
  confirm({2, 3}, 3);
  EXPECT_TRUE(lacks(confirm({4}, 2), "from")) << "that took longer than an election timeout";
  EXPECT_TRUE(has(confirm({4}, 3), "members 1 2 3 4, from 1 2 3"));
}

TEST_F(RaftMembers, ALearnerThatDoesNotCatchUpIsLeftOutAgain) {
  lead(3, {{"catch_up_timeout_ms", 100}});
  node_->change(4, 0);
  node_->durable_all();
  confirm({2}, 2);
  const auto lines = node_->wait(Ms(100));
  EXPECT_TRUE(has(lines, "answers 1: refused, node 4 did not catch up within catch_up_timeout_ms"));
  EXPECT_TRUE(has(lines, "append 3@1 members 1 2 3"));
  EXPECT_EQ(node_->members(), "1 2 3");
}

TEST_F(RaftMembers, ALearnerCanBeGivenUp) {
  lead(3);
  node_->change(4, 0);
  node_->durable_all();
  confirm({2}, 2);
  EXPECT_TRUE(has(node_->change(0, 4), "answers 1: refused, given up for another change"));
  EXPECT_EQ(node_->members(), "1 2 3");
  node_->durable_all();
  EXPECT_TRUE(has(confirm({2}, 3), "answers 2: done"));
}

// --- what is refused ---

TEST_F(RaftMembers, OneChangeAtATime) {
  lead(3);
  node_->change(0, 3);
  EXPECT_TRUE(has(node_->change(4, 0), "answers 2: refused, another change goes on"));
}

TEST_F(RaftMembers, OneNodeIsAddedAtATime) {
  lead(3);
  node_->change(4, 0);
  node_->durable_all();
  confirm({2}, 2);
  EXPECT_TRUE(has(node_->change(5, 0),
                  "answers 2: refused, another change goes on: node 4 is being added"));
  EXPECT_TRUE(has(node_->change(4, 0), "answers 3: refused, node 4 is being added already"));
}

TEST_F(RaftMembers, WhatMakesNoSenseIsRefusedWithTheReason) {
  lead(3);
  EXPECT_TRUE(has(node_->change(3, 0), "answers 1: refused, node 3 is a member already"));
  EXPECT_TRUE(has(node_->change(0, 4), "answers 2: refused, node 4 is not a member"));
  EXPECT_TRUE(has(node_->change(0, 0), "answers 3: refused, no node is named"));
  EXPECT_TRUE(has(node_->change(4, 5), "answers 4: refused, node 5 is not a member"));
  EXPECT_EQ(node_->members(), "1 2 3");
}

TEST_F(RaftMembers, TheOnlyMemberStays) {
  TestNode node(1);
  node.time_out();
  node.durable_all();
  node.durable_all();
  ASSERT_EQ(node.role(), "leader");
  EXPECT_TRUE(has(node.change(0, 1), "answers 1: refused, node 1 is the only member"));
}

TEST_F(RaftMembers, SixtyFourMembersAreTheMost) {
  Membership full;
  for (std::uint32_t id = 1; id <= 64; ++id) full.voters.push_back(NodeId{id});
  EXPECT_EQ(objection(full, {NodeId{65}, {}}),
            "there are 64 members already, and no more are allowed");
  EXPECT_EQ(objection(full, {{}, NodeId{64}}), "");
}

TEST_F(RaftMembers, OnlyALeaderChangesMembers) {
  TestNode node(3);
  EXPECT_TRUE(has(node.change(4, 0), "answers 1: refused, no leader is known"));
  node.append(2, 1, 0, 0, {});
  EXPECT_TRUE(has(node.change(4, 0), "answers 2: refused, node 2 leads, not this one"));
}

TEST_F(RaftMembers, ALeaderThatHasNotCommittedInItsTermWaits) {
  TestNode node(3);
  node.lead();
  EXPECT_TRUE(has(node.change(4, 0), "answers 1: refused, this leader has only just begun"));
}

TEST_F(RaftMembers, WhoLeadsNoMoreDoesNotKnowWhatBecameOfIt) {
  lead(3);
  node_->change(4, 0);
  EXPECT_TRUE(has(node_->append(2, 2, 0, 0, {}), "answers 1: unknown"));
}

// --- in force at append, until cut off ---

TEST_F(RaftMembers, AreInForceAtAppendNotAtCommit) {
  TestNode node(3);
  node.append_members(2, 1, 0, 0, members({k2, k3}));
  EXPECT_EQ(node.members(), "2 3");
  EXPECT_EQ(node.role(), "outsider");
  node.append(2, 1, 1, 1, {}, /*commit=*/1);
  EXPECT_TRUE(lacks(node.time_out(), "vote_request")) << "it is no member any more";
}

TEST_F(RaftMembers, AreRevertedByTruncation) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {1});
  node.append_members(2, 1, 1, 1, members({k1, k2, k3}, {}, {k4}));
  node.append_members(2, 1, 2, 1, members({k1, k2, k3, k4}, {k1, k2, k3}));
  EXPECT_EQ(node.members(), "1 2 3 4, from 1 2 3");
  node.append(3, 2, 2, 1, {2});
  EXPECT_EQ(node.members(), "1 2 3, learners 4");
  node.append(3, 3, 1, 1, {3});
  EXPECT_EQ(node.members(), "1 2 3");
}

TEST_F(RaftMembers, AreFoundAgainInTheLogAfterARestart) {
  Recovered disk = TestNode::disk(1, 0, {1});
  const CommandRun run{{k2, {1}, 0}, 0, encode_members(members({k1, k2, k4}))};
  disk.records.push_back({{2}, encode_record({1}, run), run.body});
  TestNode node(3, {}, disk);
  EXPECT_EQ(node.members(), "1 2 4");
  const auto lines = node.time_out();
  EXPECT_TRUE(has(lines, "sends 4 when durable vote_request"));
  EXPECT_TRUE(lacks(lines, "sends 3"));
}

TEST_F(RaftMembers, AreBroughtByASnapshot) {
  TestNode node(3);
  node.set_members(members({k1, k4, k5}));
  for (std::uint32_t part = 0; part < 3; ++part) node.install(2, 3, 9, 2, part);
  EXPECT_EQ(node.members(), "1 2 3");
  EXPECT_TRUE(has(node.loaded(9), "installs 9"));
  EXPECT_EQ(node.members(), "1 4 5");
  const Block& header = node.effects().writes.back().header;
  EXPECT_EQ(decode_base(header)->members, members({k1, k4, k5}));

  Recovered disk = TestNode::disk(3, 0, {});
  disk.snapshot = {TestNode::snapshot(9), header, {}};
  EXPECT_EQ(TestNode(3, {}, disk).members(), "1 4 5") << "after a restart";
}

TEST_F(RaftMembers, AreThoseOfTheSnapshotsEnd) {
  lead(3);
  node_->submit("a");
  node_->durable_all();
  confirm({2, 3}, 2);
  node_->change(0, 3);
  node_->durable_all();
  confirm({2}, 3);
  const auto lines = node_->saved(2);
  EXPECT_TRUE(has(lines, "snapshot 2@1"));
  EXPECT_EQ(text_of(decode_base(node_->effects().writes.back().header)->members), "1 2 3");
  node_->durable_all();
  confirm({2}, 4);
  node_->saved(4);
  EXPECT_EQ(text_of(decode_base(node_->effects().writes.back().header)->members), "1 2");
}

// --- elections ---

TEST_F(RaftMembers, LearnersAreNotAskedForVotesNorCounted) {
  TestNode node(3);
  node.append_members(2, 1, 0, 0, members({k1, k2, k3}, {}, {k4}));
  const auto lines = node.time_out();
  EXPECT_TRUE(has(lines, "sends 3 when durable vote_request"));
  EXPECT_TRUE(lacks(lines, "sends 4"));
  node.durable_all();
  node.vote_reply(4, 2, true);
  EXPECT_EQ(node.role(), "candidate");
  node.vote_reply(3, 2, true);
  EXPECT_EQ(node.role(), "leader");
}

TEST_F(RaftMembers, ALearnerDoesNotStand) {
  TestNode node(3, {}, {}, 1, /*joins=*/true);
  node.append_members(2, 1, 0, 0, with_disk(members({k2, k3}, {}, {k1}), k1, DiskId{1}));
  EXPECT_EQ(node.role(), "learner");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(lacks(node.time_out(), "vote_request"));
}

TEST_F(RaftMembers, WhoWaitsToBeAddedDoesNotStand) {
  TestNode node(3, {}, {}, 1, /*joins=*/true);
  EXPECT_EQ(node.members(), "none");
  EXPECT_EQ(node.role(), "outsider");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(lacks(node.time_out(), "vote_request"));
}

// §4.1: that it is a voter may be in the candidate's log only.
TEST_F(RaftMembers, WhoWaitsToBeAddedVotesForOneWhoTakesItForAVoter) {
  TestNode node(3, {}, {}, 1, /*joins=*/true);
  EXPECT_TRUE(has(node.vote_request(2, 5, 9, 3, /*pre=*/true), "granted"));
  EXPECT_TRUE(has(node.vote_request(2, 4, 9, 3), "vote_reply term 4 granted"));
}

// A candidate may know of a change that has not arrived here (§4.1).
TEST_F(RaftMembers, ALearnerVotesAndAMemberVotesForOneItDoesNotKnow) {
  TestNode learner(3, {}, {}, 1, /*joins=*/true);
  learner.append_members(2, 1, 0, 0, with_disk(members({k2, k3}, {}, {k1}), k1, DiskId{1}));
  learner.wait(Ms(400));
  EXPECT_TRUE(has(learner.vote_request(3, 2, 2, 1), "vote_reply term 2 granted"));
  TestNode member(3);
  EXPECT_TRUE(
      has(member.vote_request(7, 1, 2, 1), "sends 7 when durable vote_reply term 1 granted"));
}

TEST_F(RaftMembers, ALeaderThatIsNoMemberHereIsFollowed) {
  TestNode node(3);
  EXPECT_TRUE(
      has(node.append(7, 1, 0, 0, {1}), "sends 7 when durable append_reply term 1 agreed 1"));
  EXPECT_EQ(node.status().leader, NodeId{7});
}

TEST_F(RaftMembers, ARemovedNodeDoesNotDisturb) {
  TestNode node(3);
  node.append_members(2, 1, 0, 0, members({k1, k2}));
  EXPECT_TRUE(is(node.vote_request(3, 9, 9, 1), {})) << "node 2 was heard a moment ago (§4.2.3)";
  EXPECT_EQ(node.status().epoch, Epoch{1});
}

TEST_F(RaftMembers, WhatANodeThatIsNoMemberAnswersOrHandsOnIsIgnored) {
  lead(3);
  EXPECT_TRUE(is(node_->append_reply(7, 9, 1), {}));
  EXPECT_TRUE(is(node_->forward(7, 1, "a"), {}));
  EXPECT_EQ(node_->role(), "leader");
}

// --- bytes ---

TEST_F(RaftMembers, ComeBackFromBytesAsTheyWere) {
  Membership replace = members({k1, k2, k3}, {}, {k4});
  replace.leaving = {k3};
  const Membership disks =
      with_disk(with_disk(members({k1, k2}, {k1, k3}), k2, DiskId{7}), k3, DiskId{UINT64_MAX});
  for (const Membership& sample :
       {members({k1}), members({k1, k4}, {k1, k2, k3}), replace, disks}) {
    EXPECT_EQ(decode_members(encode_members(sample).bytes()), sample);
  }
}

TEST_F(RaftMembers, ImpossibleOnesAreNotReadFromBytes) {
  Membership leaving_alone = members({k1, k2});
  leaving_alone.leaving = {k2};
  Membership stranger = members({k1, k2}, {}, {k3});
  stranger.leaving = {k4};
  Membership many;
  for (std::uint32_t id = 1; id <= 65; ++id) many.voters.push_back(NodeId{id});
  for (const Membership& wrong :
       {members({}), members({k2, k1}), members({k1, k1}), members({NodeId{0}, k1}),
        members({k1}, {k2}, {k3}), members({k1, k2}, {}, {k2}), leaving_alone, stranger, many,
        with_disk(members({k1}), k2, DiskId{1}), with_disk(members({k1}), k1, DiskId{0}),
        with_disk(with_disk(members({k1, k2}), k2, DiskId{1}), k1, DiskId{1})}) {
    EXPECT_FALSE(decode_members(encode_members(wrong).bytes())) << text_of(wrong);
  }
  const Block whole = encode_members(with_disk(members({k1, k2, k3}), k3, DiskId{4}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_members(whole.bytes().first(size)));
  }
}

}  // namespace
}  // namespace parley::raft::test
