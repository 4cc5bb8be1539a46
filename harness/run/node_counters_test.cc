#include "harness/run/node_counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::harness {
namespace {

using testing::ElementsAre;

TEST(ParseReport, SumsOverPeersAndClients) {
  NodeCounters counters;
  ASSERT_TRUE(parse_report(
      R"({"elections":2,"blockings":1,"blocked_ms":340,"applied":77,"log_bytes":5,"peers":[{"id":2,"sent":10,"sent_bytes":100,"dropped":1},)"
      R"({"id":3,"sent":20,"sent_bytes":200,"dropped":0}],"clients":{"requests":5,"received_bytes":50,"replies":4,)"
      R"("sent_bytes":40,"replies_dropped":3,"hellos":2,"welcomes":1,"hello_bytes":30}})",
      counters));
  EXPECT_EQ(counters.elections, 2U);
  EXPECT_EQ(counters.blockings, 1U);
  EXPECT_EQ(counters.blocked_ms, 340U);
  EXPECT_EQ(counters.applied, 77U);
  EXPECT_EQ(counters.peer_messages, 30U);
  EXPECT_EQ(counters.peer_bytes, 300U);
  EXPECT_EQ(counters.client_requests, 5U);
  EXPECT_EQ(counters.client_request_bytes, 50U);
  EXPECT_EQ(counters.client_messages, 4U);
  EXPECT_EQ(counters.client_bytes, 40U);
  EXPECT_EQ(counters.dropped, 4U);
  EXPECT_EQ(counters.probes, 3U);
  EXPECT_EQ(counters.probe_bytes, 30U);
}

TEST(ParseReport, WhatIsAbsentIsZeroAndWhatIsNotJsonIsRefused) {
  NodeCounters counters;
  counters.applied = 9;
  EXPECT_TRUE(parse_report("{}", counters));
  EXPECT_EQ(counters.applied, 0U);
  EXPECT_TRUE(parse_report(R"({"elections":"many","peers":3})", counters));
  EXPECT_EQ(counters.elections, 0U);
  EXPECT_FALSE(parse_report("", counters));
  EXPECT_FALSE(parse_report("[1]", counters));
}

TEST(CostBetween, IsTheDifferenceOfTheSamples) {
  ClusterSample before;
  ClusterSample after;
  before.usage[NodeId{1}] = {1.0, 0.6, 0.4, 1000, 10, 1};
  after.usage[NodeId{1}] = {3.5, 2.0, 1.5, 2000, 30, 2};
  before.usage[NodeId{2}] = {1.0, 1.0, 0.0, 500, 0, 0};
  after.usage[NodeId{2}] = {2.0, 2.0, 0.0, 700, 0, 0};
  before.counters[NodeId{1}].peer_messages = 5;
  after.counters[NodeId{1}].peer_messages = 25;
  after.counters[NodeId{1}].client_bytes = 9;
  after.counters[NodeId{1}].elections = 1;
  before.counters[NodeId{1}].blocked_ms = 100;
  after.counters[NodeId{1}].blocked_ms = 350;
  const ClusterCost cost = cost_between(before, after);
  EXPECT_DOUBLE_EQ(cost.cpu_s, 3.5);
  EXPECT_DOUBLE_EQ(cost.user_s, 2.4);
  EXPECT_EQ(cost.voluntary_switches, 20U);
  EXPECT_EQ(cost.peak_rss_bytes.at(NodeId{1}), 2000U);
  EXPECT_EQ(cost.messages, 20U);
  EXPECT_EQ(cost.bytes, 9U);
  EXPECT_EQ(cost.elections, 1U);
  EXPECT_EQ(cost.blocked_ms, 250U);
  EXPECT_THAT(cost.without_counters, ElementsAre(NodeId{2}));
}

TEST(CostBetween, IsToldOfEachNodeAsWell) {
  ClusterSample before;
  ClusterSample after;
  before.usage[NodeId{1}] = {1.0, 0.6, 0.4, 1000, 10, 1, 4096};
  after.usage[NodeId{1}] = {3.5, 2.0, 1.5, 2000, 30, 2, 12288};
  before.usage[NodeId{2}] = {1.0, 1.0, 0.0, 500, 0, 0, 100};
  after.usage[NodeId{2}] = {2.0, 2.0, 0.0, 700, 5, 0, 300};
  before.counters[NodeId{1}].peer_messages = 5;
  NodeCounters& now = after.counters[NodeId{1}];
  now.peer_messages = 25;
  now.peer_received = 7;
  now.client_requests = 6;
  now.client_messages = 4;
  now.probes = 4;
  const ClusterCost cost = cost_between(before, after);
  ASSERT_EQ(cost.nodes.size(), 2U);
  const NodeCost& first = cost.nodes.at(NodeId{1});
  EXPECT_DOUBLE_EQ(first.cpu_s, 2.5);
  EXPECT_DOUBLE_EQ(first.system_s, 1.1);
  EXPECT_EQ(first.voluntary_switches, 20U);
  EXPECT_EQ(first.written_bytes, 8192U);
  EXPECT_EQ(first.messages, 33U) << "sent and received, without what is no operation's";
  EXPECT_EQ(cost.nodes.at(NodeId{2}).messages, std::nullopt) << "it told nothing";
  EXPECT_EQ(cost.messages, 26U) << "each once, by its sender or by the node that a client asked";
  EXPECT_EQ(cost.written_bytes, 8392U);
}

TEST(CostBetween, OfANodeThatDidNotAnswerInTimeNothingIsKnown) {
  ClusterSample before;
  before.usage[NodeId{1}] = before.usage[NodeId{2}] = {1.0, 0.6, 0.4, 1000, 10, 1};
  before.counters[NodeId{1}].peer_messages = before.counters[NodeId{2}].peer_messages = 5;
  ClusterSample after = before;  // the older counters, which would look like no work at all
  after.counters[NodeId{1}].peer_messages = 25;
  const auto without = [](ClusterSample from, ClusterSample to, bool first, bool last) {
    if (first) from.silent.insert(NodeId{2});
    if (last) to.silent.insert(NodeId{2});
    const ClusterCost cost = cost_between(from, to);
    EXPECT_EQ(cost.messages, 20U);
    EXPECT_EQ(cost.nodes.at(NodeId{2}).messages.has_value(), !first && !last);
    return cost.without_counters;
  };
  EXPECT_THAT(without(before, after, false, true), ElementsAre(NodeId{2}));
  EXPECT_THAT(without(before, after, true, false), ElementsAre(NodeId{2}));
  EXPECT_THAT(without(before, after, false, false), ElementsAre());
}

TEST(CostBetween, HasNoWrittenBytesWhereTheKernelDoesNotCountThem) {
  ClusterSample before;
  ClusterSample after;
  before.usage[NodeId{1}] = {1.0, 0.6, 0.4, 1000, 10, 1};
  after.usage[NodeId{1}] = {3.5, 2.0, 1.5, 2000, 30, 2};
  EXPECT_EQ(cost_between(before, after).written_bytes, std::nullopt);
}

}  // namespace
}  // namespace parley::harness
