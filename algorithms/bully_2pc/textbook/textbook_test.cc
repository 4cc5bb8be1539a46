// The textbook variant, whose messages a test carries by hand: what it does while all is well, and
// what becomes of writes when two coordinators decide.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "algorithms/bully_2pc/replica.h"
#include "algorithms/bully_2pc/textbook/codec.h"
#include "algorithms/bully_2pc/textbook/replica.h"
#include "algorithms/contract/random.h"
#include "algorithms/contract/story/merge_node.h"

namespace parley::bully_2pc::textbook::test {
namespace {

using namespace std::chrono_literals;
using story::MergeCluster;
using story::MergeNode;

constexpr std::uint32_t kKeys = 3000;  // of three tiles

OptionValues values(const std::vector<std::pair<std::string, std::string>>& options = {}) {
  OptionValues all = default_options(kBully2pc.options);
  EXPECT_EQ(set_option(kBully2pc.options, "fencing", "none", all), "");
  for (const auto& [name, text] : options) {
    EXPECT_EQ(set_option(kBully2pc.options, name, text, all), "");
  }
  EXPECT_EQ(kBully2pc.check_options(all), "");
  return all;
}

// A cluster that has elected its coordinator.
MergeCluster elected(std::uint32_t count,
                     const std::vector<std::pair<std::string, std::string>>& options = {}) {
  MergeCluster cluster(kTextbook, values(options), count, kKeys);
  cluster.run(1s);
  return cluster;
}

TEST(Textbook, IsWhatTheOptionMakesOfBully2pc) {
  EXPECT_EQ(&with_options(kBully2pc, values()), &kTextbook);
  EXPECT_EQ(&with_options(kBully2pc, default_options(kBully2pc.options)), &kBully2pc);
  EXPECT_FALSE(kTextbook.guarantee.keeps_acknowledged);
  EXPECT_TRUE(kBully2pc.guarantee.keeps_acknowledged);
}

TEST(Textbook, TheHighestIdLeadsAndTheLowestIfToldSo) {
  for (const auto& [elect, leader] : {std::pair("highest", 3U), std::pair("lowest", 1U)}) {
    MergeCluster cluster = elected(3, {{"elect", elect}});
    for (const MergeNode& node : cluster.nodes) EXPECT_EQ(node.status().leader.value, leader);
    EXPECT_EQ(cluster.node(leader).status().role, "coordinator");
  }
}

TEST(Textbook, AWriteIsEverywhereAndAcknowledgedWhereItWasMade) {
  MergeCluster cluster = elected(3);
  for (std::uint32_t id = 1; id <= 3; ++id) {
    const std::uint64_t run = cluster.node(id).write(7, id);
    cluster.run(20ms);
    EXPECT_TRUE(cluster.node(id).acknowledged(run));
    EXPECT_EQ(cluster.node(id).replied.back().first, cluster.node(id).stamp(7));
    for (const MergeNode& node : cluster.nodes) EXPECT_EQ(node.value(7), id);
  }
  for (const MergeNode& node : cluster.nodes) {
    EXPECT_EQ(node.status().superseded + node.status().concurrent, 0U);
    EXPECT_EQ(node.status().held_runs, 0U);
  }
}

TEST(Textbook, WithoutACoordinatorWritesAreRefusedAndReadsThatNeedAnOrderAlways) {
  MergeCluster cluster(kTextbook, values(), 3, kKeys);
  cluster.node(1).write(1, 1);
  ASSERT_EQ(cluster.node(1).refused.size(), 1U);
  EXPECT_EQ(cluster.node(1).refused[0].reason, Refusal::Reason::no_leader);
  ReadRequest read;
  read.id = 5;
  cluster.node(1).step({}, {}, {read});
  ASSERT_EQ(cluster.node(1).refused.size(), 2U);
  EXPECT_EQ(cluster.node(1).refused[1].reason, Refusal::Reason::not_offered);
}

TEST(Textbook, BatchesLeaveByTheirInterval) {
  MergeCluster cluster = elected(3, {{"batch_interval_ms", "100"}, {"pipeline", "1"}});
  cluster.node(1).write(1, 1);
  cluster.run(50ms);  // the first one at once
  cluster.node(1).write(1, 2);
  cluster.run(20ms);
  EXPECT_EQ(cluster.node(1).value(1), 1U);
  cluster.run(100ms);
  EXPECT_EQ(cluster.node(1).value(1), 2U);
}

// --- two coordinators ---

TEST(TwoCoordinators, BothCommitAndTheLaterWriteWinsWhenTheyMeet) {
  MergeCluster cluster = elected(3);
  cluster.split({0, 1, 1});
  cluster.run(1s);
  EXPECT_EQ(cluster.node(1).status().role, "coordinator") << "of itself";
  EXPECT_EQ(cluster.node(3).status().role, "coordinator");
  const std::uint64_t alone = cluster.node(1).write(7, 100);
  cluster.run(20ms);
  const std::uint64_t others = cluster.node(2).write(7, 200);
  cluster.run(20ms);
  EXPECT_TRUE(cluster.node(1).acknowledged(alone));
  EXPECT_TRUE(cluster.node(2).acknowledged(others));
  EXPECT_EQ(cluster.node(1).value(7), 100U);
  EXPECT_EQ(cluster.node(3).value(7), 200U);
  cluster.heal();
  cluster.run(2s);
  cluster.expect_equal();
  EXPECT_EQ(cluster.node(1).value(7), 200U);
  EXPECT_EQ(cluster.node(1).status().superseded, 1U) << "it was told that it is done";
  EXPECT_EQ(cluster.node(3).status().superseded, 0U);
  EXPECT_EQ(cluster.node(1).status().leader.value, 3U);
}

TEST(TwoCoordinators, OfOneTimeTheHigherNodeWins) {
  MergeCluster cluster = elected(2);
  cluster.split({0, 1});
  cluster.run(1s);
  cluster.node(1).write(7, 100);
  cluster.node(2).write(7, 200);
  ASSERT_EQ(cluster.node(1).stamp(7).major, cluster.node(2).stamp(7).major);
  cluster.heal();
  cluster.run(2s);
  cluster.expect_equal();
  EXPECT_EQ(cluster.node(1).value(7), 200U);
}

TEST(TwoCoordinators, AWriteThatKnewTheOtherWinsWithTheOlderClock) {
  MergeCluster cluster = elected(3);
  cluster.node(3).write(7, 100);
  cluster.run(20ms);
  cluster.crash(3);
  for (MergeNode& node : cluster.nodes) node.skew = -10min;
  cluster.run(1s);
  EXPECT_EQ(cluster.node(2).status().role, "coordinator");
  const Stamp before = cluster.node(2).stamp(7);
  cluster.node(1).write(7, 200);
  cluster.run(20ms);
  EXPECT_EQ(cluster.node(2).value(7), 200U);
  EXPECT_GT(cluster.node(2).stamp(7), before);
  cluster.restart(3);
  cluster.run(2s);
  cluster.expect_equal();
  EXPECT_EQ(cluster.node(3).value(7), 200U);
  for (const MergeNode& node : cluster.nodes) EXPECT_EQ(node.status().superseded, 0U);
}

// --- two-phase commit ---

TEST(TextbookCommit, WaitsForTheVotesOfThoseThatSeemToLiveAndGoesOnWithoutTheDead) {
  MergeCluster cluster = elected(3);
  cluster.crash(1);
  cluster.crash(2);
  const std::uint64_t run = cluster.node(3).write(7, 1);
  cluster.run(50ms);
  EXPECT_FALSE(cluster.node(3).acknowledged(run));
  cluster.run(1s);  // then they are taken for dead
  EXPECT_TRUE(cluster.node(3).acknowledged(run));
  cluster.restart(1);
  cluster.restart(2);
  cluster.run(2s);
  cluster.expect_equal();
}

TEST(TextbookCommit, ADecisionIsOnDiskBeforeAnyoneHearsOfIt) {
  MergeCluster cluster = elected(3);
  cluster.node(3).synced = false;
  const std::uint64_t run = cluster.node(3).write(7, 1);
  cluster.run(20ms);
  EXPECT_FALSE(cluster.node(3).acknowledged(run));
  EXPECT_EQ(cluster.node(1).value(7), 0U);
  EXPECT_EQ(cluster.node(1).status().in_doubt, 1U);
  cluster.node(3).synced = true;
  cluster.run(20ms);
  EXPECT_TRUE(cluster.node(3).acknowledged(run));
  EXPECT_EQ(cluster.node(1).value(7), 1U);
}

TEST(TextbookCommit, AVoteIsOnDiskBeforeItLeaves) {
  MergeCluster cluster = elected(3);
  cluster.node(1).synced = false;
  cluster.node(2).synced = false;
  const std::uint64_t run = cluster.node(3).write(7, 1);
  cluster.run(20ms);
  EXPECT_FALSE(cluster.node(3).acknowledged(run));
  cluster.node(1).synced = true;
  cluster.run(20ms);
  EXPECT_TRUE(cluster.node(3).acknowledged(run));
}

// The coordinator dies with the votes: the others are in doubt, and visibly so, until it is back.
TEST(TextbookCommit, WhoIsInDoubtIsBlockedUntilItsCoordinatorReturns) {
  MergeCluster cluster = elected(3);
  cluster.node(3).synced = false;
  const std::uint64_t run = cluster.node(1).write(7, 1);
  cluster.run(20ms);
  cluster.crash(3);
  cluster.run(1s);
  EXPECT_TRUE(cluster.node(1).status().blocked);
  EXPECT_EQ(cluster.node(1).status().in_doubt, 1U);
  EXPECT_EQ(cluster.node(1).status().blockings, 1U);
  EXPECT_GE(cluster.node(1).status().blocked_time, 1s - 50ms);

  // Nobody waits for it.
  cluster.node(1).write(8, 1);
  cluster.run(20ms);
  EXPECT_EQ(cluster.node(2).value(8), 1U);

  // It survives a restart, and a snapshot that came between.
  cluster.node(1).snapshot();
  cluster.crash(1);
  cluster.restart(1);
  cluster.run(1s);
  EXPECT_EQ(cluster.node(1).status().in_doubt, 1U);
  EXPECT_EQ(cluster.node(1).value(8), 1U);

  cluster.node(3).synced = true;
  cluster.restart(3);  // its decision was not on disk: it knows nothing, so that was an abort
  cluster.run(2s);
  EXPECT_FALSE(cluster.node(1).status().blocked);
  EXPECT_EQ(cluster.node(1).status().in_doubt, 0U);
  EXPECT_EQ(cluster.node(1).value(7), 0U);
  EXPECT_FALSE(cluster.node(1).acknowledged(run));
  cluster.expect_equal();
}

TEST(TextbookCommit, ADecisionThatNobodyHeardOfIsToldToThoseThatAsk) {
  MergeCluster cluster = elected(3);
  cluster.node(3).write(7, 1);
  cluster.node(3).step();
  for (std::uint32_t id = 1; id <= 2; ++id) cluster.node(id).step();
  // PREPARE arrives and the votes are on their way; then the coordinator is cut off.
  const auto carry = [&cluster](std::uint32_t from) {
    auto sent = std::exchange(cluster.node(from).outbox, {});
    for (const auto& out : sent) cluster.node(out.to.value).step({out.frame});
  };
  carry(3);
  carry(1);
  carry(2);
  EXPECT_EQ(cluster.node(3).value(7), 1U) << "decided";
  cluster.node(3).outbox.clear();
  EXPECT_EQ(cluster.node(1).status().in_doubt, 1U);
  cluster.run(1s);
  EXPECT_EQ(cluster.node(1).status().in_doubt, 0U);
  EXPECT_EQ(cluster.node(1).value(7), 1U);
}

// --- states ---

TEST(TextbookStates, WhoReturnsTakesOverTheStateBeforeItLeads) {
  MergeCluster cluster = elected(3, {{"hash_interval_ms", "60000"}});
  cluster.crash(3);
  cluster.run(1s);
  for (std::uint32_t key = 0; key < kKeys; key += 100) cluster.node(1).write(key, key + 1);
  cluster.run(50ms);
  cluster.restart(3);
  EXPECT_EQ(cluster.node(3).status().role, "joining");
  cluster.run(1s);
  EXPECT_EQ(cluster.node(3).status().role, "coordinator");
  for (std::uint32_t key = 0; key < kKeys; key += 100) {
    EXPECT_EQ(cluster.node(3).value(key), key + 1);
  }
}

TEST(TextbookStates, WhatWasCommittedSurvivesARestartOfAll) {
  MergeCluster cluster = elected(3);
  for (std::uint32_t key = 0; key < 50; ++key) cluster.node(1).write(key, key + 1);
  cluster.run(100ms);
  cluster.node(2).snapshot();
  const std::uint64_t digest = cluster.node(1).store().digest();
  for (std::uint32_t id = 1; id <= 3; ++id) cluster.crash(id);
  for (std::uint32_t id = 1; id <= 3; ++id) cluster.restart(id);
  cluster.run(1s);
  cluster.expect_equal();
  EXPECT_EQ(cluster.node(1).store().digest(), digest);
}

// Whatever two or three sides decide, with whatever clocks, and in whatever order they meet: all
// come to hold the same, and no write loses to one that it knew.
RC_GTEST_PROP(TextbookMerging, ConvergesAndKeepsToCausality, ()) {
  Random random(*rc::gen::arbitrary<std::uint64_t>());
  const auto nodes = static_cast<std::uint32_t>(2 + random.below(3));
  MergeCluster cluster(kTextbook, values(), nodes, 4);
  cluster.run(1s);
  std::uint64_t value = 0;
  for (int round = 0; round < 6; ++round) {
    std::vector<int> sides;
    for (std::uint32_t i = 0; i < nodes; ++i) sides.push_back(static_cast<int>(random.below(3)));
    cluster.split(sides);
    for (MergeNode& node : cluster.nodes) {
      node.skew = random.between(-std::chrono::minutes(5), std::chrono::minutes(5));
    }
    cluster.run(random.between(Duration{}, 600ms));
    for (int i = 0; i < 6; ++i) {
      MergeNode& node = cluster.node(static_cast<std::uint32_t>(1 + random.below(nodes)));
      const auto key = static_cast<std::uint32_t>(random.below(4));
      const Stamp known = node.stamp(key);
      const std::uint64_t run = node.write(key, ++value);
      cluster.deliver();
      if (node.acknowledged(run)) {
        RC_ASSERT(node.replied.back().first > known);
        RC_ASSERT(node.value(key) == value);
      }
    }
  }
  cluster.heal();
  cluster.run(3s);
  for (const MergeNode& node : cluster.nodes) {
    RC_ASSERT(node.store().digest() == cluster.nodes.front().store().digest());
    RC_ASSERT(node.status().leader.value == nodes);
  }
}

// --- bytes ---

TEST(TextbookCodec, WithstandsCutAndChangedBytes) {
  Encoder encoder;
  const BatchId id{{2}, {7}, 3};
  const RunPart part{{{1}, {4}, 9}, 2};
  const std::vector<CellWrite> writes(2);
  const Block body = Block::copy_of(std::as_bytes(std::span(writes)));
  const VectorClock clock(std::vector<std::uint64_t>{5, 0, 9});
  const wire::Tile tile(99, 1, 0);
  std::vector<std::byte> cell;
  CellReader::append(cell, {{1}, 0, 2, {3, 4}, {5, 6}}, clock.view());
  const std::vector<std::pair<Block, Block>> messages{
      {encoder.heartbeat(true, false), {}},
      {encoder.plain(wire::Kind::election), {}},
      {encoder.forward({3}, std::span(&part, 1), clock.view()), body},
      {encoder.refuse(part), {}},
      {encoder.prepare(id, std::span(&part, 1)), body},
      {encoder.vote(id, true), {}},
      {encoder.committed(id, clock.view()), {}},
      {encoder.aborted(id), {}},
      {encoder.inquire(id), {}},
      {encoder.hash(12), {}},
      {encoder.tiles(wire::Kind::tiles, {}), {}},
      {encoder.tiles(wire::Kind::want, std::span(&tile, 1)), {}},
      {encoder.cells(1, 3), Block::copy_of(cell)}};
  Random random(1);
  for (const auto& [header, with] : messages) {
    EXPECT_TRUE(verify(header, with)) << describe(header, with);
    EXPECT_FALSE(describe(header, with).empty());
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_FALSE(verify(Block::copy_of(header.bytes().first(size)), with) &&
                   size + 8 < header.size());
    }
    for (int change = 0; change < 2000; ++change) {
      std::vector<std::byte> bytes(header.bytes().begin(), header.bytes().end());
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
      const Block changed = Block::copy_of(bytes);
      if (verify(changed, with)) describe(changed, with);  // sanitizers watch
    }
    EXPECT_FALSE(verify(header, Block::copy_of(std::vector<std::byte>(with.size() + 8))));
  }
}

TEST(TextbookCodec, RecordsComeBackAndOthersAreRefused) {
  const BatchId id{{2}, {7}, 3};
  const VectorClock clock(std::vector<std::uint64_t>{5, 0, 9});
  const std::vector<CellWrite> writes(2);
  const Block body = Block::copy_of(std::as_bytes(std::span(writes)));
  const Record record{{1}, encode_record(LogRecord::Kind::committed, id, clock.view()), body};
  const auto decoded = decode_record(record, 3);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->batch, id);
  EXPECT_EQ(decoded->clock, clock);
  EXPECT_EQ(decoded->body.size(), body.size());
  EXPECT_FALSE(decode_record(record, 4)) << "of a cluster with other members";
  EXPECT_FALSE(decode_record({{1}, record.header.part(0, 16), body}, 3));
  EXPECT_FALSE(decode_record({{1}, record.header, body.part(0, 8)}, 3));
  EXPECT_FALSE(decode_record({{1}, encode_record(LogRecord::Kind{9}, id, {}), body}, 3));
}

}  // namespace
}  // namespace parley::bully_2pc::textbook::test
