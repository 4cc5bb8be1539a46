// Chapter 5 of the dissertation, and what real systems got wrong about it, clause by clause.
#include <gtest/gtest.h>

#include "algorithms/raft/test_node.h"

namespace parley::raft::test {
namespace {

using std::chrono::milliseconds;
using Options = std::vector<std::pair<std::string, std::int64_t>>;

const Options kKeepNothing = {{"log_keep_bytes", 0}};

// A follower in term 3 that has committed entries 1 to 3, of term 1.
class FollowerTest : public testing::Test {
 protected:
  FollowerTest() {
    node_.append(2, 3, 0, 0, {1, 1, 1}, /*commit=*/3);
    node_.durable_all();
  }
  void receive_all(std::uint64_t index, std::uint64_t term) {
    for (std::uint32_t part = 0; part < 3; ++part) node_.install(2, 3, index, term, part);
  }
  TestNode node_{3};
};

// A leader of three with entries 1 (empty), 2 and 3, all committed, and a snapshot of index 3.
class LeaderTest : public testing::Test {
 protected:
  LeaderTest() {
    node_.lead();
    node_.submit("a");
    node_.submit("b");
    node_.durable_all();
    node_.append_reply(2, 1, 3);
  }
  // Entry 4 is committed by the others, while node 3 gets the snapshot of 3, and a snapshot of it
  // waits.
  void save_another(const std::string& text) {
    node_.submit(text);
    node_.durable_all();
    node_.append_reply(2, 1, 4);
    EXPECT_TRUE(lacks(node_.saved(4), "snapshot 4"));
  }
  TestNode node_{3, kKeepNothing};
};

TEST_F(LeaderTest, TheLogUpToTheSnapshotIsForgottenOnceItIsInUse) {
  EXPECT_TRUE(has(node_.saved(3), "writes #5 snapshot 3@1"));
  EXPECT_EQ(node_.status().log_bytes, 0U);
  EXPECT_EQ(node_.status().last, LogIndex{3});
  EXPECT_EQ(node_.status().snapshot, LogIndex{3});
}

TEST_F(LeaderTest, AFollowerWithoutTheEntriesGetsTheSnapshot) {
  const auto first = node_.saved(3);
  EXPECT_TRUE(has(first, "sends 3 install term 1 snapshot 3@1 part 0 of 3"));
  EXPECT_TRUE(lacks(first, "part 1 of 3")) << "it may be gone, or have some of them";
  EXPECT_TRUE(lacks(first, "sends 2 install")) << "which has all entries";
  const auto lines = node_.install_reply(3, 1, 3, 1);
  EXPECT_TRUE(has(lines, "sends 3 install term 1 snapshot 3@1 part 1 of 3"));
  EXPECT_TRUE(has(lines, "sends 3 install term 1 snapshot 3@1 part 2 of 3"));
  for (const Message& message : node_.effects().send_now) {
    if (message.part == kNoPart) continue;
    EXPECT_EQ(message.snapshot, LogIndex{3});
  }
}

TEST_F(LeaderTest, OnceItIsInPlaceEntriesFollow) {
  node_.saved(3);
  node_.install_reply(3, 1, 3, 3);
  EXPECT_TRUE(lacks(node_.submit("c"), "sends 3")) << "it has no place to put it yet";
  EXPECT_TRUE(has(node_.append_reply(3, 1, 3), "sends 3 append term 1 after 3@1: 4@1 \"c\""));
}

TEST_F(LeaderTest, LostPartsAreSentAgainFromTheFirstThatIsMissing) {
  node_.saved(3);
  node_.install_reply(3, 1, 3, 1);
  const auto lines = node_.wait(milliseconds(200));
  EXPECT_TRUE(has(lines, "sends 3 install term 1 snapshot 3@1 part 1 of 3"));
  EXPECT_TRUE(lacks(lines, "part 0 of 3"));
}

// It may have lost all in a crash, although it had confirmed them.
TEST_F(LeaderTest, AFollowerThatBeganAnewGetsAllPartsAgain) {
  node_.saved(3);
  node_.install_reply(3, 1, 3, 3);
  node_.append_reply(2, 1, 3);
  node_.wait(milliseconds(100));
  node_.append_reply(2, 1, 3);
  EXPECT_TRUE(has(node_.wait(milliseconds(100)), "part 2 of 3")) << "asks where it is";
  const auto lines = node_.install_reply(3, 1, 3, 0);
  EXPECT_TRUE(has(lines, "part 0 of 3"));
  EXPECT_TRUE(has(lines, "part 2 of 3"));
}

TEST_F(LeaderTest, ALateReplyDoesNotSendTheTransferBack) {
  node_.saved(3);
  node_.install_reply(3, 1, 3, 2);
  EXPECT_TRUE(lacks(node_.install_reply(3, 1, 3, 1), "install"));
}

TEST_F(LeaderTest, ASnapshotOnItsWayIsNotReplacedByANewerOne) {
  node_.saved(3);
  node_.install_reply(3, 1, 3, 1);
  save_another("cccc");
  node_.append_reply(3, 1, 3);
  EXPECT_TRUE(has(node_.append_reply(3, 1, 4), "writes #7 snapshot 4@1")) << "it is done";
}

TEST_F(LeaderTest, WhoHasJustGotASnapshotGoesOnWithTheLog) {
  node_.saved(3);
  node_.install_reply(3, 1, 3, 3);
  save_another("cccc");
  const auto lines = node_.append_reply(3, 1, 3);
  EXPECT_TRUE(has(lines, "sends 3 append term 1 after 3@1: 4@1 \"cccc\""))
      << "and needs no newer one";
  EXPECT_TRUE(lacks(lines, "snapshot 4"));
  EXPECT_TRUE(has(node_.append_reply(3, 1, 4), "snapshot 4@1"));
}

TEST_F(LeaderTest, TheLogIsBoundedThoughATransferGoesOn) {
  node_.saved(3);
  node_.install_reply(3, 1, 3, 1);
  save_another("c");
  node_.submit(std::string(1000, 'd'));
  EXPECT_TRUE(has(node_.step(), "snapshot 4@1")) << "the log has doubled since";
}

// However many are made meanwhile, each at twice the log of the one before or less.
TEST_F(LeaderTest, SnapshotsThatFollowEachOtherDoNotPutOffTheBound) {
  node_.saved(3);
  node_.install_reply(3, 1, 3, 1);
  save_another(std::string(1000, 'c'));
  node_.submit(std::string(800, 'd'));
  node_.durable_all();
  node_.append_reply(2, 1, 5);
  EXPECT_TRUE(lacks(node_.saved(5), "snapshot 5@1")) << "it waits as the one before did";
  node_.submit(std::string(800, 'e'));
  EXPECT_TRUE(has(node_.step(), "snapshot 5@1"));
}

TEST_F(LeaderTest, NothingIsKeptForAFollowerThatIsGone) {
  node_.saved(3);
  node_.install_reply(3, 1, 3, 1);
  save_another("cccc");
  node_.wait(milliseconds(200));
  EXPECT_TRUE(lacks(node_.append_reply(2, 1, 4), "snapshot 4@1")) << "it may come back";
  EXPECT_TRUE(has(node_.wait(milliseconds(100)), "snapshot 4@1"));
}

TEST_F(LeaderTest, AnOlderSnapshotIsNotPutInUse) {
  node_.saved(3);
  EXPECT_TRUE(lacks(node_.saved(2), "snapshot"));
  EXPECT_EQ(node_.status().snapshot, LogIndex{3});
}

TEST(Snapshots, EntriesBeforeTheEndAreKeptForThoseALittleBehind) {
  TestNode node(3);
  node.lead();
  node.submit("a");
  node.submit("b");
  node.durable_all();
  node.append_reply(2, 1, 3);
  EXPECT_TRUE(lacks(node.saved(3), "install"));
  EXPECT_GT(node.status().log_bytes, 0U);
  EXPECT_EQ(node.status().snapshot, LogIndex{3});
}

TEST_F(FollowerTest, PartsAreTakenInTheirOrder) {
  EXPECT_TRUE(lacks(node_.install(2, 3, 9, 2, 1), "takes part"));
  const auto first = node_.install(2, 3, 9, 2, 0);
  EXPECT_TRUE(has(first, "takes part 0 of snapshot 9"));
  EXPECT_TRUE(has(first, "install_reply term 3 snapshot 9 wants part 1"));
  EXPECT_TRUE(lacks(node_.install(2, 3, 9, 2, 0), "takes part")) << "twice";
  EXPECT_TRUE(has(node_.install(2, 3, 9, 2, 1), "takes part 1 of snapshot 9"));
}

TEST_F(FollowerTest, AnotherLeaderGoesOnWithTheSameSnapshot) {
  node_.install(2, 3, 9, 2, 0);
  const auto lines = node_.install(3, 4, 9, 2, 1);
  EXPECT_TRUE(has(lines, "takes part 1 of snapshot 9"));
  EXPECT_TRUE(has(lines, "sends 3 when durable install_reply term 4 snapshot 9 wants part 2"));
}

TEST_F(FollowerTest, TheStateIsReplacedOnceItIsReadyAndTheLogWithIt) {
  receive_all(9, 2);
  const auto lines = node_.loaded(9);
  EXPECT_TRUE(lacks(lines, "truncate")) << "what the snapshot holds stays until it is there";
  EXPECT_TRUE(has(lines, "snapshot 9@2"));
  EXPECT_TRUE(has(lines, "installs 9"));
  EXPECT_TRUE(has(lines, "sends 2 when durable append_reply term 3 agreed 9"));
  EXPECT_EQ(node_.status().commit, LogIndex{9});
  EXPECT_EQ(node_.status().last, LogIndex{9});
  EXPECT_TRUE(has(node_.append(2, 3, 9, 2, {3}, 10), "commits 10"));
}

// A crash may come between the two writes: entries up to the snapshot's end may be committed
// because they are here, those behind it cannot be.
TEST_F(FollowerTest, OnlyWhatLiesBehindTheSnapshotIsCutOff) {
  node_.append(2, 3, 3, 1, {2, 2, 2, 2}, 3);
  node_.durable_all();
  receive_all(5, 3);
  const auto lines = node_.loaded(5);
  EXPECT_TRUE(has(lines, "truncate 6"));
  EXPECT_TRUE(has(lines, "snapshot 5@3"));
  EXPECT_EQ(node_.status().last, LogIndex{5});
}

// They are counted by the places of the members, which the snapshot may change.
TEST_F(FollowerTest, AnElectionEndsWhereASnapshotIsInstalled) {
  receive_all(9, 2);
  node_.time_out();
  node_.durable_all();
  ASSERT_EQ(node_.role(), "candidate");
  EXPECT_TRUE(has(node_.loaded(9), "installs 9"));
  EXPECT_EQ(node_.role(), "follower");
  node_.vote_reply(2, 4, true);
  EXPECT_EQ(node_.role(), "follower");
}

TEST_F(FollowerTest, AnOlderSnapshotNeverReplacesANewerState) {
  const auto lines = node_.install(2, 3, 2, 1, 0);
  EXPECT_TRUE(lacks(lines, "takes part"));
  EXPECT_TRUE(has(lines, "append_reply term 3 agreed 3")) << "it needs none";
}

TEST_F(FollowerTest, WhenTheLogCaughtUpMeanwhileNothingIsInstalled) {
  receive_all(5, 1);
  node_.append(2, 3, 3, 1, {1, 1, 3}, 6);
  const auto lines = node_.loaded(5);
  EXPECT_TRUE(lacks(lines, "installs"));
  EXPECT_TRUE(lacks(lines, "snapshot"));
  EXPECT_EQ(node_.status().commit, LogIndex{6});
}

TEST_F(FollowerTest, EntriesBehindASnapshotThatTheLogHoldsAreKept) {
  node_.append(2, 3, 3, 1, {1, 1, 3}, 3);
  const auto lines = node_.install(2, 3, 5, 1, 0);
  EXPECT_TRUE(has(lines, "commits 5")) << "a snapshot's index is committed";
  EXPECT_EQ(node_.status().last, LogIndex{6});
}

TEST_F(FollowerTest, ASnapshotThatCouldNotBeReadIsReceivedAgain) {
  receive_all(9, 2);
  EXPECT_TRUE(lacks(node_.install(2, 3, 9, 2, 0), "takes part")) << "it is being read";
  node_.failed(9);
  EXPECT_TRUE(has(node_.install(2, 3, 9, 2, 0), "takes part 0 of snapshot 9"));
}

TEST_F(FollowerTest, OneOfAnEarlierTermIsRefused) {
  const auto lines = node_.install(3, 2, 9, 2, 0);
  EXPECT_TRUE(lacks(lines, "takes part"));
  EXPECT_TRUE(has(lines, "sends 3 when durable append_reply term 3"));
}

TEST_F(FollowerTest, AnOvertakenSnapshotDoesNotPushOutTheNewerOne) {
  node_.install(2, 3, 9, 2, 0);
  EXPECT_TRUE(lacks(node_.install(2, 3, 7, 2, 0), "takes part"));
  EXPECT_TRUE(has(node_.install(2, 3, 9, 2, 1), "takes part 1 of snapshot 9"));
}

TEST_F(FollowerTest, OneWhoStandsForElectionConfirmsNothing) {
  receive_all(9, 2);
  node_.begin();
  node_.loaded(9);
  const auto lines = node_.time_out();
  EXPECT_TRUE(has(lines, "installs 9"));
  EXPECT_TRUE(lacks(lines, "append_reply"));
  EXPECT_EQ(node_.role(), "candidate");
}

TEST(Snapshots, ARestartBeginsBehindTheSnapshot) {
  TestNode node(3, {}, TestNode::disk_behind(4, 7, 2, {3, 3}));
  EXPECT_EQ(node.status().commit, LogIndex{7}) << "what is in a snapshot is committed";
  EXPECT_EQ(node.status().last, LogIndex{9});
  EXPECT_EQ(node.status().snapshot, LogIndex{7});
  EXPECT_TRUE(has(node.append(2, 4, 9, 3, {4}, 9), "commits 8"));
}

TEST(Snapshots, AGapBetweenSnapshotAndLogIsBroken) {
  Recovered recovered = TestNode::disk_behind(4, 7, 2, {3, 3});
  recovered.records.erase(recovered.records.begin());
  TestNode node(3, {}, recovered);
  EXPECT_TRUE(has(node.step(), "broken"));
}

TEST(Snapshots, ATermBeyondTheHardStateIsBroken) {
  TestNode node(3, {}, TestNode::disk_behind(1, 7, 2, {}));
  EXPECT_TRUE(has(node.step(), "broken"));
}

TEST(Snapshots, EntriesFromBeforeTheSnapshotAreSkipped) {
  TestNode node(3, {}, TestNode::disk_behind(4, 7, 2, {3, 3}));
  const auto lines = node.append(2, 4, 5, 2, {2, 2, 3, 3, 4}, 8);
  EXPECT_TRUE(has(lines, "append_reply term 4 agreed 10"));
  EXPECT_TRUE(has(lines, "append 10@4"));
  EXPECT_TRUE(lacks(lines, "truncate"));
}

}  // namespace
}  // namespace parley::raft::test
