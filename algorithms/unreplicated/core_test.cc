#include "algorithms/unreplicated/core.h"

#include <gtest/gtest.h>

#include "algorithms/unreplicated/codec.h"
#include "algorithms/unreplicated/replica.h"

namespace parley {
namespace {

ReplicaConfig config() {
  ReplicaConfig config;
  config.self = NodeId{1};
  config.members = {NodeId{1}};
  return config;
}

CommandRun run(std::uint64_t number) {
  const std::vector<std::byte> body(12, static_cast<std::byte>(number));
  return {{NodeId{1}, Incarnation{1}, number}, 1, Block::copy_of(body)};
}

class Unreplicated : public ::testing::Test {
 protected:
  const Effects& step(std::vector<CommandRun> runs, Ticket durable, std::size_t reads = 0) {
    std::vector<ReadRequest> requests;
    for (std::size_t i = 0; i < reads; ++i) requests.push_back({i + 1});
    Turn turn;
    turn.durable_through = durable;
    turn.commands = runs;
    turn.reads = requests;
    effects_.clear();
    replica_->step(turn, store_, effects_);
    return effects_;
  }

  std::unique_ptr<Replica> replica_ = kUnreplicated.make(config(), {});
  Store store_{1};
  Effects effects_;
};

TEST_F(Unreplicated, CommitsInOrderAndOnlyWhatIsDurable) {
  EXPECT_TRUE(step({run(1), run(2)}, Ticket{0}).commit.empty());
  ASSERT_EQ(effects_.writes.size(), 2U);
  EXPECT_EQ(effects_.writes[1].ticket, Ticket{2});
  EXPECT_EQ(effects_.writes[1].index, LogIndex{2});

  ASSERT_EQ(step({}, Ticket{1}).commit.size(), 1U);
  EXPECT_EQ(effects_.commit[0].run.id.number, 1U);
  ASSERT_EQ(step({run(3)}, Ticket{2}).commit.size(), 1U);
  EXPECT_EQ(effects_.commit[0].index, LogIndex{2});
}

TEST_F(Unreplicated, AReadWaitsForWhatIsCommitted) {
  step({run(1)}, Ticket{0});
  EXPECT_EQ(step({}, Ticket{0}, 1).reads_ready[0].index, LogIndex{0});
  EXPECT_EQ(step({}, Ticket{1}, 1).reads_ready[0].index, LogIndex{1});
}

TEST_F(Unreplicated, HandsOverWhatStorageHeldBeforeAnythingNew) {
  Recovered recovered;
  for (std::uint64_t i = 1; i <= 2; ++i) {
    recovered.records.push_back({LogIndex{i}, unreplicated::encode_record(run(i)), run(i).body});
  }
  replica_ = kUnreplicated.make(config(), std::move(recovered));
  EXPECT_LT(replica_->deadline(), kNever);
  step({run(3)}, Ticket{0});
  ASSERT_EQ(effects_.commit.size(), 2U);
  EXPECT_EQ(effects_.commit[1].run.id, run(2).id);
  EXPECT_EQ(effects_.writes[0].index, LogIndex{3});
  EXPECT_EQ(replica_->deadline(), kNever);
}

TEST_F(Unreplicated, AGapInStorageIsABrokenInvariant) {
  Recovered recovered;
  recovered.records.push_back({LogIndex{2}, unreplicated::encode_record(run(1)), run(1).body});
  replica_ = kUnreplicated.make(config(), std::move(recovered));
  EXPECT_EQ(step({}, Ticket{0}).broken_invariant, "record 2 of storage is not readable");
}

TEST_F(Unreplicated, AcceptsNoFrame) {
  EXPECT_FALSE(kUnreplicated.verify(Block{}, Block{}));
}

}  // namespace
}  // namespace parley
