// One test for each clause of the paper and each guard: a replica between hand-made messages. The
// stories of testdata/ show the same rules at work in whole clusters.
#include <gtest/gtest.h>

#include <set>

#include "algorithms/raft/test_node.h"

namespace parley::raft::test {
namespace {

using Ms = std::chrono::milliseconds;

// --- elections (dissertation §3.4, §3.6.1, §3.8) ---

TEST(RaftVotes, TheVoteIsPersistedBeforeTheReply) {
  TestNode node(3);
  EXPECT_TRUE(is(node.vote_request(2, 1, 0, 0),
                 {"writes #1 state term 1 vote none", "writes #2 state term 1 vote 2",
                  "sends 2 when durable vote_reply term 1 granted"}));
}

TEST(RaftVotes, ARepeatedRequestIsAnsweredWhenTheFirstVoteIsDurable) {
  TestNode node(3);
  node.vote_request(2, 1, 0, 0);
  EXPECT_TRUE(
      is(node.vote_request(2, 1, 0, 0), {"sends 2 when durable vote_reply term 1 granted"}));
}

TEST(RaftVotes, TermAndOwnVoteArePersistedBeforeARequestLeaves) {
  TestNode node(3);
  EXPECT_TRUE(is(node.time_out(), {"writes #1 state term 1 vote 1",
                                   "sends 2 when durable vote_request term 1 log 0@0",
                                   "sends 3 when durable vote_request term 1 log 0@0"}));
}

TEST(RaftVotes, TheOwnVoteCountsOnceItIsDurable) {
  TestNode node(3);
  node.time_out();
  node.vote_reply(2, 1, true);
  EXPECT_EQ(node.role(), "candidate");
  node.durable_all();
  EXPECT_EQ(node.role(), "leader");
}

TEST(RaftVotes, ACandidateVotesForNoOneElseInItsTerm) {
  TestNode node(3);
  node.time_out();
  EXPECT_TRUE(
      is(node.vote_request(2, 1, 5, 5), {"sends 2 when durable vote_reply term 1 refused"}));
}

TEST(RaftVotes, OneVoteATerm) {
  TestNode node(3);
  node.vote_request(2, 1, 0, 0);
  EXPECT_TRUE(
      is(node.vote_request(3, 1, 9, 1), {"sends 3 when durable vote_reply term 1 refused"}));
}

TEST(RaftVotes, TheVoteIsRememberedAfterARestart) {
  TestNode node(3, {}, TestNode::disk(4, 2, {}));
  EXPECT_TRUE(
      is(node.vote_request(3, 4, 9, 3), {"sends 3 when durable vote_reply term 4 refused"}));
  EXPECT_TRUE(
      is(node.vote_request(2, 4, 0, 0), {"sends 2 when durable vote_reply term 4 granted"}));
}

TEST(RaftVotes, TheVoteIsKeptOnAStepDownWithinTheTerm) {
  TestNode node(3);
  node.time_out();
  EXPECT_TRUE(lacks(node.append(2, 1, 0, 0, {}), "state"));
  EXPECT_EQ(node.role(), "follower");
  EXPECT_TRUE(
      is(node.vote_request(3, 1, 9, 1), {"sends 3 when durable vote_reply term 1 refused"}));
}

TEST(RaftVotes, ADuplicateVoteIsCountedOnce) {
  TestNode node(5);
  node.time_out();
  node.durable_all();
  node.vote_reply(2, 1, true);
  node.vote_reply(2, 1, true);
  EXPECT_EQ(node.role(), "candidate");
  node.vote_reply(3, 1, true);
  EXPECT_EQ(node.role(), "leader");
}

TEST(RaftVotes, RefusalsAndVotesOfOtherTermsAreNotCounted) {
  TestNode node(3);
  node.time_out();
  node.time_out();
  node.durable_all();
  EXPECT_EQ(node.status().epoch, Epoch{2});
  node.vote_reply(2, 2, false);
  node.vote_reply(3, 1, true);
  EXPECT_EQ(node.role(), "candidate");
}

TEST(RaftVotes, AMajorityIsMoreThanHalf) {
  TestNode node(4);
  node.time_out();
  node.durable_all();
  node.vote_reply(2, 1, true);
  EXPECT_EQ(node.role(), "candidate");
  node.vote_reply(3, 1, true);
  EXPECT_EQ(node.role(), "leader");
}

TEST(RaftVotes, TheTermOfTheLastEntryComesBeforeTheLength) {
  TestNode node(3, {}, TestNode::disk(5, 0, {1, 1, 3}));
  EXPECT_TRUE(has(node.vote_request(2, 6, 9, 2), "refused"));
  EXPECT_TRUE(has(node.vote_request(2, 7, 2, 3), "refused"));
  EXPECT_TRUE(has(node.vote_request(2, 8, 3, 3), "granted"));
  EXPECT_TRUE(has(node.vote_request(2, 9, 1, 4), "granted"));
}

TEST(RaftVotes, TheTermNeverMovesBack) {
  TestNode node(3, {}, TestNode::disk(5, 0, {}));
  node.vote_request(2, 3, 0, 0);
  node.vote_reply(2, 4, true);
  node.append(2, 2, 0, 0, {});
  node.append_reply(2, 1, 0);
  EXPECT_EQ(node.status().epoch, Epoch{5});
}

TEST(RaftVotes, AVoterWaitsBeforeItStandsItself) {
  TestNode node(3);
  node.wait(Ms(140));
  node.vote_request(2, 1, 0, 0);
  node.wait(Ms(149));
  EXPECT_EQ(node.role(), "follower");
}

TEST(RaftVotes, ElectionTimeoutsAreRandomAndWithinTheirBounds) {
  TestNode node(3);
  std::set<std::int64_t> waits;
  for (int i = 0; i < 50; ++i) {
    node.time_out();
    int waited = 0;
    for (const Epoch term = node.status().epoch; node.status().epoch == term; ++waited) {
      node.wait(Ms(1));
    }
    EXPECT_GE(waited, 150);
    EXPECT_LE(waited, 301);
    waits.insert(waited);
  }
  EXPECT_GT(waits.size(), 20U);
}

TEST(RaftVotes, EveryRoleStepsDownForAHigherTerm) {
  TestNode candidate(3);
  candidate.time_out();
  candidate.vote_reply(2, 7, false);
  EXPECT_EQ(candidate.role(), "follower");
  EXPECT_EQ(candidate.status().epoch, Epoch{7});

  TestNode leader(3);
  leader.lead();
  leader.append_reply(2, 7, 0);
  EXPECT_EQ(leader.role(), "follower");
  EXPECT_EQ(leader.status().epoch, Epoch{7});

  TestNode follower(3);
  follower.append(2, 7, 0, 0, {});
  EXPECT_EQ(follower.status().epoch, Epoch{7});
  EXPECT_EQ(follower.status().leader, NodeId{2});
}

// --- pre-vote (§9.6) and check-quorum (§6.2) ---

TEST(RaftPreVote, ChangesNothingAtTheVoter) {
  TestNode node(3);
  EXPECT_TRUE(
      is(node.vote_request(2, 8, 0, 0, /*pre=*/true), {"sends 2 pre_vote_reply term 8 granted"}));
  EXPECT_EQ(node.status().epoch, Epoch{0});
}

TEST(RaftPreVote, IsRefusedByWhoeverHearsALeader) {
  TestNode node(3);
  node.append(3, 1, 0, 0, {});
  EXPECT_TRUE(is(node.vote_request(2, 2, 5, 1, true), {"sends 2 pre_vote_reply term 1 refused"}));
  TestNode leader(3);
  leader.lead();
  EXPECT_TRUE(has(leader.vote_request(2, 2, 5, 1, true), "sends 2 pre_vote_reply term 1 refused"));
}

TEST(RaftPreVote, IsRefusedToAStaleLogOrTerm) {
  TestNode node(3, {}, TestNode::disk(2, 0, {1, 2}));
  EXPECT_TRUE(has(node.vote_request(2, 3, 1, 1, true), "refused"));
  EXPECT_TRUE(has(node.vote_request(2, 2, 2, 2, true), "refused"));
}

TEST(RaftPreVote, OnlyAMajorityStartsAnElection) {
  TestNode node(5, {{"pre_vote", 1}});
  EXPECT_TRUE(has(node.time_out(), "sends 2 pre_vote_request term 1 log 0@0"));
  node.vote_reply(2, 1, true, true);
  node.vote_reply(2, 1, true, true);
  node.vote_reply(3, 5, true, true);  // of another election to come
  EXPECT_EQ(node.role(), "pre_candidate");
  EXPECT_EQ(node.status().epoch, Epoch{0});
  node.vote_reply(4, 1, true, true);
  EXPECT_EQ(node.role(), "candidate");
  EXPECT_EQ(node.status().epoch, Epoch{1});
}

TEST(RaftPreVote, APreVoteIsNoVote) {
  TestNode node(3);
  node.time_out();
  node.durable_all();
  node.vote_reply(2, 1, true, /*pre=*/true);
  EXPECT_EQ(node.role(), "candidate");
}

TEST(RaftCheckQuorum, ALeaderThatHearsNoMajorityStepsDown) {
  TestNode node(5);
  node.lead();
  node.wait(Ms(290));
  node.append_reply(2, 1, 0);
  node.wait(Ms(20));  // two of five were heard in time: itself and node 2
  EXPECT_EQ(node.role(), "follower");
  EXPECT_EQ(node.status().epoch, Epoch{1});
}

TEST(RaftCheckQuorum, AMajorityKeepsItLeading) {
  TestNode node(5);
  node.lead();
  for (int i = 0; i < 20; ++i) {
    node.wait(Ms(200));
    node.append_reply(2, 1, 0);
    node.append_reply(4, 1, 0);
  }
  EXPECT_EQ(node.role(), "leader");
}

TEST(RaftCheckQuorum, WhoeverHearsALeaderHelpsNoOneToReplaceIt) {
  TestNode node(3);
  node.append(3, 1, 0, 0, {});
  node.wait(Ms(100));
  EXPECT_TRUE(is(node.vote_request(2, 2, 5, 1), {}));
  EXPECT_EQ(node.status().epoch, Epoch{1});
  node.wait(Ms(50));
  EXPECT_TRUE(has(node.vote_request(2, 2, 5, 1), "granted"));
}

// --- the follower's log (§3.5, receiver's rules of Figure 3.1) ---

TEST(RaftFollower, AStaleTermIsRefusedWithTheNewerOne) {
  TestNode node(3, {}, TestNode::disk(5, 0, {1}));
  EXPECT_TRUE(
      is(node.append(2, 4, 1, 1, {4}), {"sends 2 when durable append_reply term 5 agreed 0"}));
  EXPECT_EQ(node.status().last, LogIndex{1});
  EXPECT_EQ(node.status().leader, kNoNode);
}

TEST(RaftFollower, AcknowledgesWhatIsDurable) {
  TestNode node(3);
  EXPECT_TRUE(
      is(node.append(2, 1, 0, 0, {1, 1}),
         {"writes #1 state term 1 vote none", "writes #2 append 1@1 \"1\"",
          "writes #3 append 2@1 \"1\"", "sends 2 when durable append_reply term 1 agreed 2"}));
}

TEST(RaftFollower, ADuplicateInATurnWithoutWritesWaitsForTheDiskToo) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {1});
  EXPECT_TRUE(
      is(node.append(2, 1, 0, 0, {1}), {"sends 2 when durable append_reply term 1 agreed 1"}));
}

TEST(RaftFollower, ThePreviousEntryMustBeThereWithItsTerm) {
  TestNode node(3, {}, TestNode::disk(3, 0, {1, 1, 2}));
  EXPECT_TRUE(has(node.append(2, 4, 3, 3, {4}), "rejected 3; last 3, terms 2 from 3 1 from 1"));
  EXPECT_TRUE(has(node.append(2, 4, 5, 2, {4}), "rejected 5"));
  EXPECT_EQ(node.status().last, LogIndex{3});
}

TEST(RaftFollower, AConflictCutsOffAllThatFollows) {
  TestNode node(3, {}, TestNode::disk(3, 0, {1, 2, 2, 3}));
  EXPECT_TRUE(
      is(node.append(2, 4, 1, 1, {4}),
         {"writes #1 state term 4 vote none", "writes #2 truncate 2", "writes #3 append 2@4 \"4\"",
          "sends 2 when durable append_reply term 4 agreed 2"}));
}

TEST(RaftFollower, WithoutAConflictNothingIsCutOff) {
  TestNode node(3, {}, TestNode::disk(3, 0, {1, 2, 2, 3}));
  EXPECT_TRUE(is(
      node.append(2, 4, 1, 1, {2}),
      {"writes #1 state term 4 vote none", "sends 2 when durable append_reply term 4 agreed 2"}));
  EXPECT_EQ(node.status().last, LogIndex{4});
}

TEST(RaftFollower, TheCommitIndexStopsAtTheLastEntryKnownToAgree) {
  // Entries 3 and 4 are here, but they are not those of the leader, which has committed five.
  TestNode node(3, {}, TestNode::disk(3, 0, {1, 2, 2, 3}));
  node.append(2, 4, 1, 1, {2}, /*commit=*/5);
  EXPECT_EQ(node.status().commit, LogIndex{2});
  node.append(2, 4, 2, 2, {4}, /*commit=*/2);
  EXPECT_EQ(node.status().commit, LogIndex{3});  // the leader's five was not forgotten
}

TEST(RaftFollower, ARefusedMessageCommitsNothing) {
  TestNode node(3, {}, TestNode::disk(3, 0, {1, 1, 2}));
  node.append(2, 4, 3, 3, {}, /*commit=*/3);
  EXPECT_EQ(node.status().commit, LogIndex{0});
}

TEST(RaftFollower, WhatAgreedWithALeaderIsForgottenInTheNextTerm) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {1, 1, 1});
  EXPECT_TRUE(
      has(node.append(3, 2, 1, 1, {}), "sends 3 when durable append_reply term 2 agreed 1"));
}

TEST(RaftFollower, OneAcknowledgementATurn) {
  TestNode node(3);
  node.begin();
  node.append(2, 1, 0, 0, {1});
  node.append(2, 1, 1, 1, {1});
  node.append(2, 1, 2, 1, {1}, /*commit=*/1, /*round=*/7);
  EXPECT_TRUE(is(node.end(),
                 {"writes #1 state term 1 vote none", "writes #2 append 1@1 \"1\"",
                  "writes #3 append 2@1 \"1\"", "writes #4 append 3@1 \"1\"",
                  "sends 2 when durable append_reply term 1 agreed 3 round 7", "commits 1 \"1\""}));
}

TEST(RaftFollower, AContradictionOfWhatIsCommittedIsAnInvariantBroken) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {1, 1}, /*commit=*/2);
  EXPECT_TRUE(has(node.append(3, 2, 1, 1, {2}), "broken: "));
  EXPECT_TRUE(has(node.step(), "contradicts the committed entry 2"));
}

TEST(RaftFollower, TwoLeadersOfOneTermAreAnInvariantBroken) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {});
  EXPECT_TRUE(has(node.append(3, 1, 0, 0, {}), "broken: "));
}

// --- the leader's log (§3.5, §3.6.2, §10.2.1) ---

TEST(RaftLeader, StartsItsTermWithAnEmptyEntry) {
  TestNode node(3, {}, TestNode::disk(1, 0, {1}));
  node.time_out();
  node.durable_all();
  EXPECT_TRUE(is(node.vote_reply(2, 2, true),
                 {"writes #2 append 2@2 -", "sends 2 append term 2 after 1@1: 2@2 -; commit 0",
                  "sends 3 append term 2 after 1@1: 2@2 -; commit 0"}));
}

TEST(RaftLeader, SendsBeforeItsOwnWriteIsDurable) {
  TestNode node(3);
  node.lead();
  node.append_reply(2, 1, 1);
  EXPECT_TRUE(is(node.submit("a"), {"writes #3 append 2@1 \"a\"",
                                    "sends 2 append term 1 after 1@1: 2@1 \"a\"; commit 1"}));
}

TEST(RaftLeader, CountsItselfForWhatIsDurable) {
  TestNode node(3);
  node.lead();
  node.append_reply(2, 1, 1);
  node.submit("a");
  EXPECT_TRUE(is(node.append_reply(2, 1, 2), {}));
  EXPECT_TRUE(has(node.durable_all(), "commits 2 \"a\""));
}

TEST(RaftLeader, OthersAreAMajorityWithoutIt) {
  TestNode node(3);
  node.lead();
  node.append_reply(2, 1, 1);
  node.append_reply(3, 1, 1);
  node.submit("a");
  node.append_reply(2, 1, 2);
  EXPECT_TRUE(has(node.append_reply(3, 1, 2), "commits 2 \"a\""));
}

TEST(RaftLeader, CommitsWhatAMajorityHasAndNotWhatTheForemostHas) {
  TestNode node(5);
  node.lead();
  node.append_reply(2, 1, 1);
  node.submit("a");
  node.submit("b");
  node.durable_all();
  node.append_reply(2, 1, 3);
  EXPECT_EQ(node.status().commit, LogIndex{0});
  node.append_reply(3, 1, 2);
  EXPECT_EQ(node.status().commit, LogIndex{2});
}

TEST(RaftLeader, EntriesOfEarlierTermsAreNotCommittedByCounting) {  // Figure 3.7
  TestNode node(3, {}, TestNode::disk(2, 0, {1, 2}));
  node.lead();
  node.append_reply(2, 3, 2);
  node.append_reply(3, 3, 2);
  EXPECT_EQ(node.status().commit, LogIndex{0});
  EXPECT_TRUE(has(node.append_reply(2, 3, 3), "commits 1 \"1\""));
  EXPECT_EQ(node.status().commit, LogIndex{3});
}

TEST(RaftLeader, LateRepliesLowerNothingAndOfOtherTermsCountNothing) {
  TestNode node(5, {}, TestNode::disk(3, 0, {1, 1}));
  node.lead();
  node.append_reply(2, 3, 3);  // of an earlier term
  node.append_reply(3, 3, 3);
  EXPECT_EQ(node.status().commit, LogIndex{0});
  node.append_reply(2, 4, 3);
  node.append_reply(2, 4, 1);  // overtaken by the one before
  node.append_reply(3, 4, 3);
  EXPECT_EQ(node.status().commit, LogIndex{3});
}

TEST(RaftLeader, AReplyBeyondTheLogIsNotBelieved) {
  TestNode node(3);
  node.lead();
  node.append_reply(2, 1, 99);
  EXPECT_EQ(node.status().commit, LogIndex{0});
  EXPECT_EQ(node.role(), "leader");
}

TEST(RaftLeader, EachEntryIsSentOnceWithoutWaitingForAnswers) {
  TestNode node(3);
  node.lead();
  node.append_reply(2, 1, 1);
  node.submit("a");
  EXPECT_TRUE(has(node.submit("b"), "sends 2 append term 1 after 2@1: 3@1 \"b\"; commit 1"));
  EXPECT_TRUE(is(node.step(), {}));
}

TEST(RaftLeader, PeersAtTheSamePlaceShareTheSameBytes) {
  TestNode node(3);
  node.lead();
  node.append_reply(2, 1, 1);
  node.append_reply(3, 1, 1);
  node.submit("a");
  const Effects& effects = node.effects();
  ASSERT_EQ(effects.send_now.size(), 2U);
  EXPECT_EQ(effects.send_now[0].header.data(), effects.send_now[1].header.data());
  EXPECT_EQ(effects.send_now[0].body, effects.send_now[1].body);
}

TEST(RaftReads, ARoundSendsNoEntriesAnewToWhoHasNotAnsweredYet) {
  TestNode node(3);
  node.lead();
  node.append_reply(2, 1, 1);
  node.submit("x");
  const auto lines = node.read(1);
  EXPECT_TRUE(has(lines, "sends 3 append term 1 after 0@0: nothing"));
  EXPECT_TRUE(has(node.append_reply(3, 1, 0, 1), "sends 3 append term 1 after 0@0: 1@1 - 2@1"))
      << "that it is there is as good an answer as any";
}

TEST(RaftLeader, AStaleRejectionChangesNothing) {
  TestNode node(3);
  node.lead();
  node.append_reply(2, 1, 1);
  node.submit("a");
  node.append_reply(2, 1, 2);
  EXPECT_TRUE(is(node.rejection(2, 1, 0, 1, 0, {}), {}));
}

TEST(RaftLeader, AppendTruncateAppendIsNotAcknowledgedByTheFirstTicket) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {1, 1, 1});  // tickets 2, 3, 4
  node.append(3, 2, 1, 1, {2});        // ticket 6 cuts off 2 and 3, 7 appends another 2
  node.wait(Ms(400));                  // leads the next term, votes by others
  node.durable(4);                     // of the first writes only
  const std::uint64_t term = node.status().epoch.value;
  ASSERT_EQ(node.role(), "candidate");
  node.vote_reply(2, term, true);
  ASSERT_EQ(node.role(), "candidate");  // its own vote has a later ticket
  node.durable(8);
  ASSERT_EQ(node.role(), "leader");
  EXPECT_TRUE(lacks(node.append_reply(2, term, 3), "commits"));
  EXPECT_TRUE(has(node.durable_all(), "commits 3 -"));
}

TEST(RaftLeader, RefusesNothingOfASingleRunLargerThanTheBounds) {
  TestNode node(1, {{"max_held_bytes", 65536}, {"max_uncommitted_bytes", 65536}});
  node.time_out();
  node.durable_all();
  node.durable_all();
  node.submit(std::string(100'000, 'x'));
  EXPECT_EQ(node.effects().accept_max_bytes, 0U);
  EXPECT_TRUE(has(node.submit("y"), "refuses run 2"));
  EXPECT_TRUE(has(node.durable_all(), "commits 2"));
  EXPECT_EQ(node.effects().accept_max_bytes, 65536U);
}

// --- reads (§6.4) ---

TEST(RaftReads, WaitForAnEntryOfTheLeadersOwnTerm) {
  TestNode node(3, {}, TestNode::disk(1, 0, {1}));
  node.lead();
  EXPECT_TRUE(is(node.read(7), {}));
  EXPECT_TRUE(has(node.append_reply(2, 2, 2),
                  "sends 2 append term 2 after 2@2: nothing; commit 2; round 1"));
  EXPECT_TRUE(has(node.append_reply(2, 2, 2, /*round=*/1), "read 7 at 2"));
}

TEST(RaftReads, AreConfirmedByARoundThatBeganAfterThem) {
  TestNode node(3);
  node.lead();
  node.append_reply(2, 1, 1);
  node.append_reply(3, 1, 1);
  node.read(1);  // round 1
  node.read(2);  // round 2
  EXPECT_TRUE(is(node.append_reply(2, 1, 1, 0), {}));
  EXPECT_TRUE(is(node.append_reply(2, 1, 1, 1), {"read 1 at 1"}));
  EXPECT_TRUE(is(node.append_reply(3, 1, 1, 2), {"read 2 at 1"}));
}

TEST(RaftReads, AreNotConfirmedByAMinority) {
  TestNode node(5);
  node.lead();
  node.append_reply(2, 1, 1);
  node.append_reply(3, 1, 1);
  node.read(1);
  EXPECT_TRUE(is(node.append_reply(2, 1, 1, 1), {}));
  EXPECT_TRUE(is(node.append_reply(2, 1, 1, 1), {}));
  EXPECT_TRUE(has(node.append_reply(4, 1, 0, 1), "read 1 at 1"));
}

TEST(RaftReads, ALeaderAloneNeedsNoRound) {
  TestNode node(1);
  node.time_out();
  node.durable_all();
  node.durable_all();
  EXPECT_TRUE(is(node.read(1), {"read 1 at 1"}));
}

TEST(RaftReads, AFollowerAsksTheLeaderAndNeverReusesANumber) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {});
  EXPECT_TRUE(is(node.read(1), {"sends 2 read_request #1"}));
  for (int i = 0; i < 10; ++i) {
    node.wait(Ms(99));
    node.append(2, 1, 0, 0, {});
  }
  EXPECT_TRUE(is(node.wait(Ms(10)), {"sends 2 read_request #2"}));
  EXPECT_TRUE(is(node.read_reply(2, 1, 2, 5), {"read 1 at 5"}));
}

TEST(RaftReads, AReplyAnswersOnlyReadsThatCameBeforeItsRequest) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {});
  node.read(1);
  node.read(2);
  EXPECT_TRUE(is(node.read_reply(2, 1, 1, 5), {"read 1 at 5"}));
  EXPECT_TRUE(is(node.read_reply(2, 1, 1, 5), {}));
  EXPECT_TRUE(is(node.read_reply(2, 1, 2, 6), {"read 2 at 6"}));
}

TEST(RaftReads, AReplyToAnEarlierIncarnationAnswersNothing) {
  TestNode node(3, {}, {}, /*incarnation=*/2);
  node.append(2, 1, 0, 0, {});
  node.read(1);
  EXPECT_TRUE(is(node.read_reply(2, 1, 1, 5), {}));
  EXPECT_TRUE(is(node.read_reply(2, 2, 1, 5), {"read 1 at 5"}));
}

TEST(RaftReads, ALeaderAnswersFollowersUnderTheirOwnNumbers) {
  TestNode node(3);
  node.lead();
  node.append_reply(2, 1, 1);
  node.read_request(3, 4, 17);
  EXPECT_TRUE(is(node.append_reply(2, 1, 1, 1), {"sends 3 read_reply #17 index 1"}));
}

// As many as a leader takes wait for a round: its own reads wait until there is room.
TEST(RaftReads, ALeaderThatHasTooManyAnswersItsOwnLater) {
  constexpr std::uint64_t kMost = 65536;
  TestNode node(3);
  node.lead();
  node.append_reply(2, 1, 1);
  node.begin();
  for (std::uint64_t number = 1; number <= kMost; ++number) node.read_request(3, 4, number);
  node.end();
  EXPECT_TRUE(lacks(node.read(1), "round 2")) << "it does not fit";
  EXPECT_TRUE(has(node.append_reply(2, 1, 1, 1), "sends 3 read_reply #65536 index 1"));
  node.step();
  EXPECT_TRUE(has(node.append_reply(2, 1, 1, 2), "read 1 at 1"));
}

TEST(RaftReads, AreRefusedWhereThereIsNoLeader) {
  TestNode node(3);
  EXPECT_TRUE(is(node.read(1), {}));
  node.wait(Ms(200));
  EXPECT_TRUE(has(node.wait(Ms(101)), "refuses read 1"));
  EXPECT_TRUE(has(node.read(2), "refuses read 2"));
}

// --- runs submitted here ---

TEST(RaftForwarding, AFollowerHoldsARunUntilItIsCommittedHere) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {});
  EXPECT_TRUE(is(node.submit("a"), {"sends 2 forward #1 \"a\""}));
  EXPECT_EQ(node.status().held_runs, 1U);
  node.append(3, 2, 0, 0, {});
  EXPECT_EQ(node.effects().send_now.size(), 1U) << "the next leader gets it too";
  EXPECT_EQ(node.status().held_runs, 1U);
}

TEST(RaftForwarding, ANewLeaderSendsItsHeldRunsToItsOwnLogOnce) {
  TestNode node(3);
  node.submit("a");
  node.lead();
  EXPECT_EQ(node.status().last, LogIndex{2});
  EXPECT_TRUE(has(node.append_reply(2, 1, 2), "commits 2 \"a\""));
  EXPECT_EQ(node.status().held_runs, 0U);
}

TEST(RaftForwarding, OnlyALeaderTakesForwardedRuns) {
  TestNode node(3);
  EXPECT_TRUE(is(node.forward(2, 1, "a"), {}));
  node.lead();
  EXPECT_TRUE(has(node.forward(2, 1, "a"), "writes #3 append 2@1 \"a\""));
}

TEST(RaftForwarding, ALeaderWithTooMuchUncommittedLeavesRunsWhereTheyAre) {
  TestNode node(3, {{"max_uncommitted_bytes", 65536}});
  node.lead();
  node.forward(2, 1, std::string(70'000, 'x'));
  EXPECT_TRUE(is(node.forward(2, 2, "b"), {}));
  EXPECT_EQ(node.effects().accept_max_bytes, 0U);
}

TEST(RaftForwarding, ARunThatMayHaveBeenCarriedOutIsNeverRefused) {
  TestNode node(3);
  node.append(2, 1, 0, 0, {});
  node.submit("sent");
  node.wait(Ms(310));  // no leader from here on
  node.submit("not sent");
  EXPECT_TRUE(has(node.wait(Ms(310)), "refuses run 2"));
  EXPECT_EQ(node.status().held_runs, 1U);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(lacks(node.wait(Ms(100)), "refuses"));
  EXPECT_EQ(node.status().held_runs, 0U);
}

// --- recovery and inputs that cannot be ---

TEST(RaftRecovery, TermVoteAndLogAreBack) {
  TestNode node(3, {}, TestNode::disk(4, 2, {1, 3, 3}));
  EXPECT_EQ(node.status().epoch, Epoch{4});
  EXPECT_EQ(node.status().last, LogIndex{3});
  EXPECT_EQ(node.status().commit, LogIndex{0});
}

TEST(RaftRecovery, AGapInTheLogIsRefused) {
  Recovered disk = TestNode::disk(4, 2, {1, 3, 3});
  disk.records.erase(disk.records.begin() + 1);
  TestNode node(3, {}, std::move(disk));
  EXPECT_TRUE(has(node.step(), "does not follow"));
}

TEST(RaftRecovery, UnreadableStorageIsRefused) {
  Recovered state = TestNode::disk(4, 2, {});
  state.state = state.state.part(0, 8);
  TestNode bad_state(3, {}, std::move(state));
  EXPECT_TRUE(has(bad_state.step(), "hard state in storage is not readable"));

  Recovered record = TestNode::disk(4, 2, {1});
  record.records[0].body = {};
  TestNode bad_record(3, {}, std::move(record));
  EXPECT_TRUE(has(bad_record.step(), "record 1 of storage is not readable"));

  TestNode bad_term(3, {}, TestNode::disk(4, 2, {5}));
  EXPECT_TRUE(has(bad_term.step(), "impossible term"));
}

// Whoever asks for a vote, or leads, may be a member that this node has not heard of yet.
TEST(RaftInputs, WhatStrangersAnswerIsIgnored) {
  TestNode node(3);
  EXPECT_TRUE(is(node.vote_reply(9, 5, true), {}));
  EXPECT_TRUE(is(node.append_reply(9, 5, 5), {}));
  EXPECT_EQ(node.status().epoch, Epoch{0});
}

TEST(RaftOptions, SayWhichDoNotFitTogether) {
  OptionValues values = default_options(kRaft.options);
  EXPECT_EQ(kRaft.check_options(values), "");
  values.set("heartbeat_ms", 150);
  EXPECT_TRUE(has({kRaft.check_options(values)},
                  "heartbeat_ms (150) must be below election_timeout_min_ms (150)"));
  values.set("heartbeat_ms", 50);
  values.set("election_timeout_max_ms", 150);
  EXPECT_TRUE(has({kRaft.check_options(values)}, "election_timeout_max_ms"));
}

}  // namespace
}  // namespace parley::raft::test
