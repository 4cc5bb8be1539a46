// What gossip_lww promises, rule by rule.
#include "algorithms/gossip_lww/core.h"

#include <gtest/gtest.h>

#include "algorithms/gossip_lww/test_node.h"

namespace parley::gossip_lww::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// --- writes ---

TEST_F(Cluster, AWriteIsThereAtOnceAndSpreadsInOneHop) {
  make(3);
  const std::uint64_t run = node(1).write(7, 100);
  EXPECT_EQ(node(1).value(7), 100U);
  node(1).step();
  EXPECT_TRUE(node(1).acknowledged(run));
  deliver();
  EXPECT_EQ(node(2).value(7), 100U);
  EXPECT_EQ(node(3).value(7), 100U);
}

TEST_F(Cluster, EveryNodeTakesWritesAlsoAlone) {
  make(3);
  cut(3);
  node(3).write(7, 100);
  node(1).write(8, 200);
  deliver();
  EXPECT_EQ(node(3).value(7), 100U);
  EXPECT_EQ(node(2).value(8), 200U);
  EXPECT_EQ(node(2).value(7), 0U);
  heal();
  run(seconds(2));
  expect_equal();
  EXPECT_EQ(node(2).value(7), 100U);
}

TEST_F(Cluster, WritesOfOneRunHaveStampsInARow) {
  make(3);
  node(1).write({{7, 1}, {7, 2}, {8, 3}});
  EXPECT_EQ(node(1).value(7), 2U);
  EXPECT_EQ(node(1).stamp(8).major, node(1).stamp(7).major + 1);
  deliver();
  expect_equal();
}

// Two writes of the same nanosecond: the node decides, the same way everywhere.
TEST_F(Cluster, TiesAreBrokenByTheNode) {
  make(3);
  cut(1);
  cut(2);
  node(1).write(7, 100);
  node(2).write(7, 200);
  ASSERT_EQ(node(1).stamp(7).major, node(2).stamp(7).major);
  heal();
  run(seconds(2));
  expect_equal();
  for (std::uint32_t id = 1; id <= 3; ++id) EXPECT_EQ(node(id).value(7), 200U);
}

TEST_F(Cluster, ACausallyLaterWriteNeverLoses) {
  make(3);
  node(2).skew = -milliseconds(300);
  node(1).write(7, 100);
  deliver();
  node(2).write(7, 200);  // its clock is behind, but it has seen the other write
  deliver();
  EXPECT_EQ(node(1).value(7), 200U);
  expect_equal();
}

TEST_F(Cluster, AClockThatStepsBackDoesNotMakeNewerWritesLose) {
  make(3);
  node(1).write(7, 100);
  node(1).skew = -hours(10);
  node(1).write(7, 200);
  EXPECT_EQ(node(1).value(7), 200U);
  node(1).start();  // and it crashes
  node(1).step();
  run(seconds(1));
  node(1).write(7, 300);
  deliver();
  EXPECT_EQ(node(3).value(7), 300U);
}

// --- acknowledgements ---

TEST_F(Cluster, AWriteIsAcknowledgedOnceItIsOnDisk) {
  make(3);
  node(1).synced = false;
  const std::uint64_t run = node(1).write(7, 100);
  node(1).step();
  EXPECT_FALSE(node(1).acknowledged(run));
  node(1).sync();
  node(1).step();
  EXPECT_TRUE(node(1).acknowledged(run));
}

TEST_F(Cluster, WithAckTwoItIsAcknowledgedOnceAnotherNodeHasItOnDisk) {
  make(3, {{"ack", "2"}});
  cut(3);
  node(2).synced = false;
  const std::uint64_t run = node(1).write(7, 100);
  deliver();
  node(1).step();
  EXPECT_EQ(node(2).value(7), 100U);
  EXPECT_FALSE(node(1).acknowledged(run)) << "in node 2's memory only";
  node(2).sync();
  deliver();
  node(1).step();
  EXPECT_TRUE(node(1).acknowledged(run));
}

TEST_F(Cluster, WithAckThreeACutOffNodeHoldsUpAcknowledgements) {
  make(3, {{"ack", "3"}});
  cut(3);
  const std::uint64_t first = node(1).write(7, 100);
  run(milliseconds(500));
  EXPECT_FALSE(node(1).acknowledged(first));
  heal();
  run(seconds(3));
  EXPECT_TRUE(node(1).acknowledged(first));
}

TEST_F(Cluster, NothingAcknowledgedIsLostInACrash) {
  make(3);
  cut(1);
  const std::uint64_t run_number = node(1).write(7, 100);
  node(1).step();
  ASSERT_TRUE(node(1).acknowledged(run_number));
  node(1).start();
  node(1).step();
  EXPECT_EQ(node(1).value(7), 100U);
  heal();
  run(seconds(2));
  EXPECT_EQ(node(3).value(7), 100U);
}

// --- clocks ---

TEST_F(Cluster, ANodeWhoseClockIsFarAheadTakesNoWrites) {
  make(3);
  node(1).skew = hours(1);
  node(1).write(7, 100);
  ASSERT_EQ(node(1).refused.size(), 1U);
  EXPECT_EQ(node(1).refused[0].reason, Refusal::Reason::clock);
  EXPECT_EQ(node(1).value(7), 0U);
  node(1).skew = {};
  node(1).write(7, 100);
  EXPECT_EQ(node(1).value(7), 100U);
}

TEST_F(Cluster, ANodeThatKnowsNoOtherClockYetTakesNoWrites) {
  make(3);
  cut(1);
  node(1).start();
  node(1).write(7, 100);
  ASSERT_EQ(node(1).refused.size(), 1U);
  EXPECT_EQ(node(1).refused[0].reason, Refusal::Reason::clock);
  heal();
  run(seconds(3));
  node(1).write(7, 100);
  EXPECT_EQ(node(1).refused.size(), 1U);
}

// What a turn brings first must not decide by which clocks the rest of it is judged.
TEST_F(Cluster, AClockHeardInATurnCountsForTheWritesOfThatTurn) {
  make(3);
  node(2).write(7, 100);
  const Frame rumour = node(2).outbox.front().frame;
  node(1).start();
  node(1).skew = hours(1);
  Encoder encoder({{1}, {2}, {3}});
  const WallTime right(node(1).now.time_since_epoch() + hours(1));
  const Block ping = encoder.probe(wire::Kind::ping, {1, right, kNoNode}, {});
  const CellWrite write{{8}, 0, 200, {1, 1}};
  const CommandRun run{{{1}, {2}, 1}, 1, Block::copy_of(std::as_bytes(std::span(&write, 1)))};
  node(1).step({rumour, {{}, {2}, {1}, ping, {}}}, {run});
  ASSERT_EQ(node(1).refused.size(), 1U);
  EXPECT_EQ(node(1).refused[0].reason, Refusal::Reason::clock);
}

// From node 1 of three: at that time it wrote 100 into cell 7.
Frame rumour_of_then(Instant then) {
  Encoder encoder({{1}, {2}, {3}});
  const WireCell cell{{7}, 0, 100, {1, 1}, {}};
  Delta delta;
  delta.origin = {1};
  delta.incarnation = 1;
  delta.first = {static_cast<std::uint64_t>((then.time_since_epoch() + hours(1)).count())};
  delta.count = 1;
  delta.cells = Block::copy_of(std::as_bytes(std::span(&cell, 1)));
  const Delta* deltas[] = {&delta};
  return {{}, {1}, {1}, encoder.rumors(deltas, false), delta.cells};
}

// A node with another bound, or a mistake, lets such a write out: it waits at the others until its
// time has come, and is not lost.
TEST_F(Cluster, AWriteFromTheFutureIsSetAsideAndTakenInItsTime) {
  make(3);
  node(2).step({rumour_of_then(node(2).now + seconds(10))});
  EXPECT_EQ(node(2).value(7), 0U);
  node(2).write(7, 55);
  EXPECT_EQ(node(2).value(7), 55U) << "the cell is not poisoned";
  run(seconds(5));
  EXPECT_EQ(node(2).value(7), 55U);
  run(seconds(6));
  EXPECT_EQ(node(2).value(7), 100U);
  run(seconds(1));
  expect_equal();
}

// Its author's fanout reached everyone, also those who had to wait with it.
TEST_F(Cluster, WhatWasSetAsideIsNotPassedOnWhereAFanoutReachesEveryone) {
  make(3);
  node(2).step({rumour_of_then(node(2).now + seconds(5))});
  node(2).outbox.clear();
  ASSERT_EQ(node(2).value(7), 0U);
  for (int i = 0; i < 1000; ++i) {
    node(2).now += milliseconds(5);
    node(2).step();
    for (const TestNode::Outgoing& sent : node(2).outbox) EXPECT_TRUE(sent.frame.body.empty());
    node(2).outbox.clear();
  }
  EXPECT_EQ(node(2).value(7), 100U);
}

// Where clocks are right within half a second of the time, those by which two nodes judge them are
// a second apart at most.
TEST_F(Cluster, AWriteThatItsAuthorMayMakeIsNotSetAsideByOthers) {
  make(3);
  node(1).skew = milliseconds(500);
  node(2).skew = node(3).skew = -milliseconds(500);
  run(seconds(1));
  node(1).skew = milliseconds(-20);
  node(1).write(7, 100);
  deliver();
  node(3).skew = -milliseconds(1500);
  run(seconds(1));
  EXPECT_EQ(node(3).value(7), 100U);
  node(3).write(7, 200);
  EXPECT_TRUE(node(3).refused.empty()) << "its own clock is not ahead of any";
  EXPECT_EQ(node(3).value(7), 200U);
}

// --- spreading ---

TEST_F(Cluster, LostRumoursAreFoundByComparing) {
  make(3);
  node(1).write(7, 100);
  node(1).outbox.clear();
  run(seconds(1));
  EXPECT_EQ(node(2).value(7), 100U);
  expect_equal();
}

TEST_F(Cluster, DuplicatesAreHarmless) {
  make(3);
  node(1).write(7, 100);
  const auto sent = node(1).outbox;
  for (int i = 0; i < 3; ++i) {
    node(1).outbox = sent;
    deliver();
  }
  expect_equal();
  EXPECT_EQ(node(2).value(7), 100U);
}

// No one keeps what was missed as deltas any more: digests find it.
TEST_F(Cluster, WhoWasAwayForLongCatchesUpByDigests) {
  make(3, {{"recent_bytes", "4096"}});
  cut(3);
  for (std::uint32_t i = 0; i < 500; ++i) {
    node(1 + i % 2).write(i * 7 % kKeys, i + 1);
    deliver();
  }
  heal();
  bodies_ = 0;
  run(seconds(3));
  expect_equal();
  EXPECT_EQ(node(3).value(0), 1U);
  EXPECT_LT(bodies_, 60U) << "in a few messages, not one by one";
}

TEST_F(Cluster, OnlyWhatDiffersTravels) {
  make(3, {{"recent_bytes", "0"}});
  for (std::uint32_t key = 0; key < 3000; ++key) node(1).write(key, key + 1);
  run(seconds(2));
  expect_equal();
  cut(3);
  node(1).write(5, 1);
  deliver();
  heal();
  body_bytes_ = 0;
  run(seconds(2));
  expect_equal();
  EXPECT_GT(body_bytes_, 0U);
  EXPECT_LE(body_bytes_, 4 * kCellsPerBlock * sizeof(WireCell))
      << "blocks of 32 cells, not the store";
}

TEST_F(Cluster, WhoWasTakenForDeadIsFoundAndComparedWithSoon) {
  make(5);
  cut(3);
  run(seconds(4));
  node(1).outbox.clear();
  node(1).write(7, 100);
  node(3).write(8, 200);
  deliver();
  heal();
  run(milliseconds(700));
  expect_equal();
  EXPECT_EQ(node(3).value(7), 100U);
  EXPECT_EQ(node(5).value(8), 200U);
}

// What waits for an answer that was lost does not keep others from helping.
TEST_F(Cluster, AWalkThatGetsNoAnswerIsGivenUp) {
  make(3, {{"recent_bytes", "0"}});
  cut(3);
  node(1).write(7, 100);
  deliver();
  heal();
  // All requests of node 3 are lost for a while.
  for (int i = 0; i < 40; ++i) {
    run(milliseconds(5));
    node(3).outbox.clear();
  }
  run(milliseconds(600));
  EXPECT_EQ(node(3).value(7), 100U);
}

// A message holds one run here; they are not asked for one by one.
TEST_F(Cluster, ManyRunsComeInFewRoundTrips) {
  make(3, {{"max_message_bytes", "64"}});
  cut(3);
  for (std::uint32_t i = 0; i < 64; ++i) node(1).write(i, i + 1);
  deliver();
  heal();
  std::size_t questions = 0;
  for (int i = 0; i < 100 && node(3).value(63) == 0; ++i) {
    node(1).now += milliseconds(5);
    node(3).now += milliseconds(5);
    node(1).step();
    node(3).step();
    questions += node(3).outbox.size();
    deliver();
  }
  EXPECT_EQ(node(3).value(63), 64U);
  EXPECT_LT(questions, 12U);
}

// Nobody who is there can fill the gap, and the vectors are equal: only digests show the
// difference.
TEST_F(Cluster, WhatArrivedBehindAGapThatStaysIsFoundByDigests) {
  make(3);
  passes_ = [](const TestNode::Outgoing& sent) { return sent.frame.from != NodeId{1}; };
  node(1).write(7, 100);
  deliver();
  passes_ = [](const TestNode::Outgoing& sent) {
    return sent.frame.from != NodeId{1} || sent.to == NodeId{2};
  };
  node(1).write(8, 200);
  deliver();
  passes_ = nullptr;
  cut(1);
  ASSERT_EQ(node(2).value(8), 200U);
  ASSERT_EQ(node(3).value(8), 0U);
  run(seconds(2));
  EXPECT_EQ(node(3).value(8), 200U);
  heal();
  run(seconds(2));
  expect_equal();
  EXPECT_EQ(node(3).value(7), 100U);
}

// Of a larger cluster equal stores are told of by their digests only, which do not say who has what
// on its disk.
TEST_F(Cluster, AnAcknowledgementThatWasLostComesAgainInALargeCluster) {
  make(33, {{"ack", "33"}});
  bool lost = false;
  passes_ = [&lost](const TestNode::Outgoing& sent) {
    const bool drop = !lost && sent.frame.from == NodeId{2} && sent.to == NodeId{1};
    lost = lost || drop;
    return !drop;
  };
  const std::uint64_t run_number = node(1).write(7, 100);
  for (int i = 0; i < 4; ++i) {
    for (std::uint32_t id = 1; id <= 33; ++id) node(id).step();
    deliver();
  }
  passes_ = nullptr;
  ASSERT_TRUE(lost);
  run(seconds(8));
  EXPECT_TRUE(node(1).acknowledged(run_number));
}

// Also when some are dead, and there are fewer than the fanout.
TEST_F(Cluster, ARumourReachesAllWhoAreThereAtOnce) {
  make(9);
  cut(4);
  cut(8);
  run(seconds(5));  // by now they are known to be dead
  bodies_ = 0;
  for (std::uint64_t i = 1; i <= 50; ++i) {
    node(1).write(7, i);
    deliver();
    for (const std::uint32_t id : {2, 3, 5, 6, 7, 9}) ASSERT_EQ(node(id).value(7), i) << id;
  }
  EXPECT_EQ(bodies_, 50U * 6U);
}

// Once all agree, nobody sends writes any more.
TEST_F(Cluster, NoEndlessExchange) {
  make(7, {{"fanout", "2"}});
  for (std::uint32_t i = 1; i <= 7; ++i) node(i).write(i, i);
  run(seconds(3));
  expect_equal();
  bodies_ = 0;
  run(seconds(5));
  EXPECT_EQ(bodies_, 0U);
}

TEST_F(Cluster, RumoursReachALargerClusterHopByHop) {
  make(20);
  node(1).write(7, 100);
  run(seconds(1));
  expect_equal();
  EXPECT_EQ(node(20).value(7), 100U);
}

TEST_F(Cluster, ARestartFromOldRecordsBringsNothingBackToLife) {
  make(3);
  node(1).write(7, 100);
  deliver();
  cut(1);
  node(2).write(7, 200);
  deliver();
  node(1).start();
  node(1).step();
  EXPECT_EQ(node(1).value(7), 100U);
  heal();
  run(seconds(2));
  for (std::uint32_t id = 1; id <= 3; ++id) EXPECT_EQ(node(id).value(7), 200U);
}

// --- concurrency ---

TEST_F(Cluster, AnOverwriteByOneWhoKnewIsNotCounted) {
  make(3);
  node(1).write(7, 100);
  deliver();
  node(2).write(7, 200);
  deliver();
  for (std::uint32_t id = 1; id <= 3; ++id) EXPECT_EQ(node(id).core().status().superseded, 0U);
}

TEST_F(Cluster, AConcurrentOverwriteIsCountedOnce) {
  make(3);
  node(1).write(7, 100);
  node(2).now += milliseconds(1);
  node(2).write(7, 200);
  deliver();
  EXPECT_EQ(node(1).value(7), 200U);
  std::uint64_t counted = 0;
  for (std::uint32_t id = 1; id <= 3; ++id) counted += node(id).core().status().superseded;
  EXPECT_EQ(counted, 1U);
}

// --- bounds ---

TEST_F(Cluster, BeyondItsBoundANodeRefuses) {
  make(3, {{"max_held_bytes", "65536"}});
  node(1).synced = false;
  for (std::uint32_t i = 0; i < 4000; ++i) node(1).write(i, i);
  ASSERT_FALSE(node(1).refused.empty());
  EXPECT_EQ(node(1).refused[0].reason, Refusal::Reason::overloaded);
  EXPECT_EQ(node(1).effects.accept_max_bytes, 65536U - 65536U / 24 * 24);
}

TEST_F(Cluster, CellsOutsideOfTheStoreAreRefused) {
  make(3);
  Encoder encoder({{1}, {2}, {3}});
  const WireCell cell{{kKeys}, 0, 100, {1, 1}, {}};
  Delta delta;
  delta.origin = {1};
  delta.first = {5};
  delta.count = 1;
  delta.cells = Block::copy_of(std::as_bytes(std::span(&cell, 1)));
  const Delta* deltas[] = {&delta};
  const std::uint64_t before = node(2).store().digest();
  node(2).step({{{}, {1}, {1}, encoder.rumors(deltas, false), delta.cells}});
  EXPECT_TRUE(node(2).effects.broken_invariant.empty());
  EXPECT_EQ(node(2).store().digest(), before);
}

TEST_F(Cluster, LinearizableReadsAreNotOffered) {
  make(3);
  const ReadRequest read{9};
  Turn turn;
  turn.now = node(1).now;
  turn.reads = std::span(&read, 1);
  Effects effects;
  ReplicaConfig config;
  config.self = {1};
  config.members = {{1}};
  config.options = default_options(option_specs());
  Core core(config, {});
  core.step(turn, node(1).store(), effects);
  ASSERT_EQ(effects.refused.size(), 1U);
  EXPECT_EQ(effects.refused[0].reason, Refusal::Reason::not_offered);
}

TEST_F(Cluster, ForeignStorageIsRefusedWithAStory) {
  Recovered recovered;
  recovered.records.push_back({{1}, Block::copy_of(std::as_bytes(std::span("?"))), {}});
  ReplicaConfig config;
  config.self = {1};
  config.members = {{1}};
  config.options = default_options(option_specs());
  Core core(config, recovered);
  const Store store(kKeys);
  Effects effects;
  core.step({}, store, effects);
  EXPECT_EQ(effects.broken_invariant, "record 1 of storage is not readable");
}

}  // namespace
}  // namespace parley::gossip_lww::test
