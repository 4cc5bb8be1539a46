#include "runtime/live/port_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "algorithms/raft/replica.h"
#include "algorithms/unreplicated/replica.h"
#include "runtime/test_application.h"

namespace parley {
namespace {

using testing::HasSubstr;

const TestApplication kApplication;

ReplicaConfig node_one(const Algorithm& algorithm, std::vector<NodeId> members) {
  ReplicaConfig config;
  config.self = NodeId{1};
  config.incarnation = Incarnation{1};
  config.members = std::move(members);
  config.options = default_options(algorithm.options);
  return config;
}

// A driver and its queue, without a loop.
class PortQueueTest : public testing::Test {
 protected:
  explicit PortQueueTest(const Algorithm& algorithm = kRaft,
                         std::vector<NodeId> members = {NodeId{1}, NodeId{2}, NodeId{3}})
      : driver_(algorithm, kApplication, node_one(algorithm, std::move(members)), {}, {}, nullptr) {
  }

  void ask(const MemberChange& change) {
    queue_.change_members(change, [this](ControlReply::Outcome outcome, const std::string& reason) {
      replies_.push_back({0, outcome, reason});
    });
  }
  void take() {
    queue_.take(driver_, [this] { return driver_.report(); });
  }
  void turn() {
    for (const ControlReply& reply :
         driver_.step(Instant(Duration(now_ += 1)), {}).control_replies) {
      queue_.settle(reply);
    }
  }

  Bell bell_;
  PortQueue queue_{kApplication, 20, bell_};
  Driver driver_;
  std::int64_t now_ = 0;
  std::vector<ControlReply> replies_;
};

TEST_F(PortQueueTest, AChangeOfMembersIsAnsweredByTheReplica) {
  ask({.add = NodeId{4}, .disk = DiskId{7}});
  EXPECT_TRUE(replies_.empty());
  take();
  turn();
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_EQ(replies_[0].outcome, ControlReply::Outcome::refused);
  EXPECT_EQ(replies_[0].reason, "no leader is known");
  turn();
  EXPECT_EQ(replies_.size(), 1u) << "once";
}

TEST_F(PortQueueTest, RepliesToWishesOfOthersDoNothing) {
  ask({.remove = NodeId{3}});
  take();
  queue_.settle(ControlReply{~std::uint64_t{0}, ControlReply::Outcome::done, {}});
  EXPECT_TRUE(replies_.empty());
}

TEST_F(PortQueueTest, ChangesUnderWayAreBounded) {
  for (std::size_t i = 0; i <= PortQueue::kMaxChanges; ++i) ask({.remove = NodeId{3}});
  take();
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_EQ(replies_[0].outcome, ControlReply::Outcome::refused);
  EXPECT_EQ(replies_[0].reason, "too many changes are under way");
  turn();
  EXPECT_EQ(replies_.size(), PortQueue::kMaxChanges + 1);
  ask({.remove = NodeId{3}});
  take();
  turn();
  EXPECT_EQ(replies_.back().reason, "no leader is known") << "there is room again";
}

TEST_F(PortQueueTest, MoreThanItsCapacityIsRefusedAtOnce) {
  for (int i = 0; i <= 20; ++i) ask({.remove = NodeId{3}});
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_EQ(replies_[0].outcome, ControlReply::Outcome::refused);
  EXPECT_THAT(replies_[0].reason, HasSubstr("too many requests"));
}

TEST_F(PortQueueTest, WhatIsUnderWayAtTheEndIsUnknownAndWhatWaitsIsRefused) {
  ask({.remove = NodeId{3}});
  take();
  ask({.remove = NodeId{2}});
  queue_.close();
  ASSERT_EQ(replies_.size(), 2u);
  EXPECT_EQ(replies_[0].outcome, ControlReply::Outcome::refused);
  EXPECT_EQ(replies_[1].outcome, ControlReply::Outcome::unknown);
  EXPECT_EQ(replies_[1].reason, "the node stops");
  ask({.remove = NodeId{2}});
  ASSERT_EQ(replies_.size(), 3u);
  EXPECT_EQ(replies_[2].outcome, ControlReply::Outcome::refused);
}

class FixedMembersTest : public PortQueueTest {
 protected:
  FixedMembersTest() : PortQueueTest(kUnreplicated, {NodeId{1}}) {}
};

TEST_F(FixedMembersTest, AStrategyWithoutChangesRefuses) {
  ask({.remove = NodeId{1}});
  take();
  turn();
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_EQ(replies_[0].outcome, ControlReply::Outcome::refused);
  EXPECT_THAT(replies_[0].reason, HasSubstr("the members of unreplicated do not change"));
  EXPECT_FALSE(driver_.report().changes_members);
  EXPECT_EQ(driver_.report().members.voters, std::vector{NodeId{1}});
}

}  // namespace
}  // namespace parley
