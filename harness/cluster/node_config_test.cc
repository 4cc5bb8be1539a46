#include "harness/cluster/node_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/cluster/live_config.h"

namespace parley::harness {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kGood =
    "node = 1\nalgorithm = \"raft\"\nclient_endpoint = \"tcp://127.0.0.1:7001\"\n";

std::string error_of(const std::string& text) {
  try {
    parse_node_config_text(text, "node.toml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(NodeConfig, TheLeastOneHasDefaults) {
  const NodeSettings settings = parse_node_config_text(kGood, "node.toml");
  EXPECT_EQ(settings.group, GroupId{1});
  EXPECT_EQ(settings.node, NodeId{1});
  EXPECT_EQ(settings.application, "canvas");
  EXPECT_EQ(settings.canvas, (CanvasSize{1000, 1000}));
  EXPECT_EQ(settings.durability, "none");
  EXPECT_EQ(settings.http_port, 0);
  EXPECT_THAT(settings.nodes(), ElementsAre(NodeId{1}));
  EXPECT_EQ(settings.options.all(), default_options(settings.algorithm->options).all());
}

// A start that has forgotten what it knew must not be taken for the one before.
TEST(NodeConfig, EveryStartHasAnIncarnationOfItsOwn) {
  const NodeSettings settings = parse_node_config_text(kGood, "f");
  const Canvas canvas(settings.canvas, settings.cooldown);
  const Incarnation one = live_config(settings, canvas).replica.incarnation;
  EXPECT_NE(one, Incarnation{});
  EXPECT_NE(one, live_config(settings, canvas).replica.incarnation);
}

TEST(NodeConfig, WhatIsWrittenIsReadBack) {
  NodeSettings settings = parse_node_config_text(kGood, "f");
  settings.node = NodeId{2};
  settings.group = GroupId{9};
  settings.seed = 77;
  settings.canvas = {64, 128};
  settings.peers = {
      {NodeId{1}, "ipc:///tmp/a b/1"}, {NodeId{2}, "tcp://127.0.0.1:9"}, {NodeId{3}, "tcp://h:1"}};
  settings.http_port = 8081;
  settings.cooldown = std::chrono::milliseconds(2500);
  settings.pages = {{NodeId{1}, "http://127.0.0.1:8080/"}, {NodeId{3}, "https://c.example/"}};
  settings.durability = "async";
  settings.data = "/tmp/\"quoted\"/1";
  settings.log = "x.log";
  settings.control_endpoint = "ipc:///tmp/a b/2.control";
  settings.fault_endpoint = "ipc:///tmp/a b/faults";
  settings.faults = {std::chrono::milliseconds(-1500), {std::chrono::milliseconds(20), true}};
  settings.links = {{NodeId{2}, kNoNode, {20500, 5000, 10000, false, true}},
                    {NodeId{2}, NodeId{3}, {0, 0, 0, true, false}}};
  settings.options.set("election_timeout_min_ms", 200);
  settings.members = {NodeId{1}, NodeId{2}};
  settings.rejoin = true;
  const NodeSettings back = parse_node_config_text(node_config_text(settings), "f");
  EXPECT_EQ(back.node, settings.node);
  EXPECT_EQ(back.group, settings.group);
  EXPECT_EQ(back.seed, settings.seed);
  EXPECT_EQ(back.algorithm, settings.algorithm);
  EXPECT_EQ(back.options.all(), settings.options.all());
  EXPECT_EQ(back.canvas, settings.canvas);
  EXPECT_EQ(back.peers, settings.peers);
  EXPECT_EQ(back.members, settings.members);
  EXPECT_TRUE(back.rejoin);
  EXPECT_EQ(back.client_endpoint, settings.client_endpoint);
  EXPECT_EQ(back.http_port, settings.http_port);
  EXPECT_EQ(back.pages, settings.pages);
  EXPECT_EQ(back.cooldown, settings.cooldown);
  EXPECT_EQ(back.data, settings.data);
  EXPECT_EQ(back.log, settings.log);
  EXPECT_EQ(back.control_endpoint, settings.control_endpoint);
  EXPECT_EQ(back.fault_endpoint, settings.fault_endpoint);
  EXPECT_EQ(back.links, settings.links);
  EXPECT_EQ(back.faults, settings.faults);
}

TEST(NodeConfig, MissingKeysAreNamedWithWhatIsAllowed) {
  EXPECT_THAT(error_of("algorithm = \"raft\""),
              HasSubstr("node: is missing; it must be a whole number from 1 to 64"));
  EXPECT_THAT(error_of("node = 1"), HasSubstr("algorithm: is missing"));
  EXPECT_THAT(error_of("node = 1\nalgoritm = \"raft\""),
              AllOf(HasSubstr("algorithm: is missing"), HasSubstr("; line 2 has \"algoritm\"")));
  EXPECT_THAT(error_of("node = 1\nalgorithm = \"raft\""),
              HasSubstr("client_endpoint: is missing; it must be a ZeroMQ endpoint"));
}

TEST(NodeConfig, ValuesOutOfRangeAreNamed) {
  EXPECT_EQ(error_of("node = 65\nalgorithm = \"raft\""),
            "node.toml:1: node: 65 is not a whole number from 1 to 64");
  EXPECT_THAT(error_of(kGood + "http_port = 70000"),
              HasSubstr("node.toml:4: http_port: 70000 is not a whole number from 0 to 65535"));
  EXPECT_THAT(error_of(kGood + "canvas = \"5000x10\""),
              HasSubstr("canvas: \"5000x10\" is not \"WIDTHxHEIGHT\" with each from 1 to 4096"));
  EXPECT_THAT(error_of(kGood + "application = \"chat\""),
              HasSubstr("application: \"chat\" is not one of canvas"));
  EXPECT_THAT(
      error_of(kGood + "http_address = \"localhost\""),
      HasSubstr("node.toml:4: http_address: \"localhost\" is not a numeric address such as"));
  EXPECT_THAT(error_of(kGood + "data = \"d\""),
              HasSubstr("node.toml:4: data: nothing is kept there with durability = \"none\""));
  EXPECT_THAT(error_of("node = 1\nalgorithm = \"raft\"\nclient_endpoint = \"udp://x\""),
              HasSubstr("client_endpoint: \"udp://x\" is not a ZeroMQ endpoint such as"));
}

TEST(NodeConfig, UnknownNamesPointToTheNearest) {
  EXPECT_EQ(error_of(kGood + "cavnas = \"10x10\""),
            "node.toml:4: unknown key \"cavnas\"; the nearest known one is \"canvas\"");
  EXPECT_THAT(error_of("node = 1\nalgorithm = \"rafft\""),
              HasSubstr("node.toml:2: algorithm: \"rafft\" is not one of this version: "
                        "unreplicated, raft, bully_2pc, gossip_lww; the nearest is \"raft\""));
  EXPECT_THAT(error_of(kGood + "[options]\nelection_timeout_mni_ms = 5"),
              HasSubstr("unknown key \"options.election_timeout_mni_ms\"; the nearest known one is "
                        "\"options.election_timeout_min_ms\""));
}

TEST(NodeConfig, OptionsAreCheckedByTheAlgorithm) {
  EXPECT_THAT(
      error_of(kGood + "[options]\nelection_timeout_min_ms = -5"),
      HasSubstr("node.toml:5: options.election_timeout_min_ms: \"-5\" is not a whole number from"));
  EXPECT_THAT(
      error_of(kGood + "[options]\nelection_timeout_min_ms = [1]"),
      HasSubstr("options.election_timeout_min_ms: a list is neither a whole number nor text"));
}

TEST(NodeConfig, DurableModesNeedAFolder) {
  EXPECT_THAT(error_of(kGood + "durability = \"async\""),
              HasSubstr("data: is missing; durability = \"async\" needs a folder"));
  const NodeSettings settings = parse_node_config_text(
      kGood + "durability = \"group_commit\"\ndata = \"here/node-1\"", "node.toml");
  EXPECT_EQ(settings.durability, "group_commit");
  EXPECT_EQ(settings.data, "here/node-1");
  EXPECT_THAT(error_of(kGood + "durability = \"maybe\""),
              HasSubstr("\"maybe\" is not one of none, async, group_commit"));
}

TEST(NodeConfig, PeersMustHoldThisNodeAndBeEndpoints) {
  EXPECT_THAT(error_of(kGood + "[peers]\n2 = \"tcp://h:1\""),
              HasSubstr("peers: has no endpoint for this node, 1"));
  EXPECT_THAT(error_of(kGood + "[peers]\none = \"tcp://h:1\""),
              HasSubstr("peers.one: the key is not a node from 1 to 64"));
  EXPECT_THAT(error_of(kGood + "[peers]\n1 = 5"), HasSubstr("peers.1: 5 is not a ZeroMQ endpoint"));
  EXPECT_THAT(
      error_of("node = 1\nalgorithm = \"unreplicated\"\nclient_endpoint = \"tcp://h:1\"\n[peers]\n"
               "1 = \"tcp://h:1\"\n2 = \"tcp://h:2\""),
      HasSubstr("peers: 2 nodes; unreplicated runs on at most 1"));
}

TEST(NodeConfig, MembersAreNodesOfPeersAndTheOthersWait) {
  const std::string peers = "\n[peers]\n1 = \"tcp://h:1\"\n2 = \"tcp://h:2\"\n3 = \"tcp://h:3\"";
  const NodeSettings all = parse_node_config_text(kGood + peers, "f");
  EXPECT_THAT(all.first_members(), ElementsAre(NodeId{1}, NodeId{2}, NodeId{3}));
  const NodeSettings waits = parse_node_config_text(kGood + "members = [3, 2]" + peers, "f");
  EXPECT_THAT(waits.nodes(), ElementsAre(NodeId{1}, NodeId{2}, NodeId{3}));
  EXPECT_THAT(waits.first_members(), ElementsAre(NodeId{2}, NodeId{3})) << "and not itself";
  const std::string kept = kGood + "durability = \"async\"\ndata = \"d\"\n";
  const NodeSettings again = parse_node_config_text(kept + "rejoin = true" + peers, "f");
  EXPECT_THAT(again.first_members(), ElementsAre(NodeId{2}, NodeId{3}));

  EXPECT_EQ(error_of(kGood + "members = [1, 4]" + peers),
            "node.toml:4: members: 4 is not a node of [peers]: 1, 2, 3");
  EXPECT_THAT(error_of(kGood + "members = [1, 65]" + peers), HasSubstr("65 is not a whole number"));
  EXPECT_THAT(error_of(kGood + "members = [1, 1]" + peers),
              HasSubstr("members: names a node twice"));
  EXPECT_THAT(error_of(kGood + "members = []" + peers),
              HasSubstr("node.toml:4: members: is an empty list"));
  EXPECT_THAT(error_of(kGood + "rejoin = 1"), HasSubstr("node.toml:4: rejoin: 1 is not"));
  EXPECT_THAT(error_of(kGood + "rejoin = true" + peers),
              HasSubstr("node.toml:4: rejoin: with durability = \"none\""));
}

TEST(NodeConfig, MembersThatStayAreAllNodes) {
  const std::string bully =
      "node = 1\nalgorithm = \"bully_2pc\"\nclient_endpoint = \"tcp://h:1\"\n";
  const std::string peers = "\n[peers]\n1 = \"tcp://h:1\"\n2 = \"tcp://h:2\"";
  EXPECT_EQ(error_of(bully + "members = [1]" + peers),
            "node.toml:4: members: the members of bully_2pc do not change while it runs; those of "
            "raft do");
  EXPECT_THAT(error_of(bully + "rejoin = true" + peers),
              HasSubstr("node.toml:4: rejoin: the members"));
  NodeSettings settings = parse_node_config_text(bully + "members = [1, 2]" + peers, "f");
  EXPECT_THROW(make_rejoin(settings), ConfigError);
}

TEST(NodeConfig, ACooldownIsARangeAndHasNoJournal) {
  EXPECT_EQ(parse_node_config_text(kGood + "cooldown_s = 0.5", "f").cooldown.count(), 500);
  EXPECT_THAT(error_of(kGood + "cooldown_s = 86401"),
              HasSubstr("cooldown_s: 86401 is not a number from 0 to 86400"));
  EXPECT_THAT(error_of(kGood + "cooldown_s = 1\njournal = \"x.csv\""),
              HasSubstr("cooldown_s: a journal would list the users' times"));
  NodeSettings settings = parse_node_config_text(kGood, "f");
  settings.journal = "/tmp/\"quoted\"/1.csv";
  settings.trace = "/tmp/\"quoted\"/1.jsonl";
  EXPECT_EQ(parse_node_config_text(node_config_text(settings), "f").journal, settings.journal);
  EXPECT_EQ(parse_node_config_text(node_config_text(settings), "f").trace, settings.trace);
}

TEST(NodeConfig, PagesAreAddressesOfMembers) {
  EXPECT_THAT(error_of(kGood + "[pages]\n2 = \"http://127.0.0.1:8080/\""),
              HasSubstr("node.toml:5: pages.2: the key is not a node of [peers]"));
  EXPECT_THAT(error_of(kGood + "[pages]\nx = \"http://127.0.0.1:8080/\""),
              HasSubstr("pages.x: the key is not a node from 1 to 64"));
  for (const char* bad : {"127.0.0.1:8080", "http://", "http:///", "ftp://host/", "http://host",
                          "http://host/path/", "http://host; script-src */"}) {
    EXPECT_THAT(error_of(kGood + "[pages]\n1 = \"" + bad + "\""),
                HasSubstr("is not the address of a node's page such as"))
        << bad;
  }
}

TEST(NodeConfig, TheControlIsForThisMachineOnly) {
  EXPECT_EQ(parse_node_config_text(kGood, "f").control_endpoint, "");
  EXPECT_THAT(error_of(kGood + "control_endpoint = \"tcp://127.0.0.1:7\""),
              HasSubstr("node.toml:4: control_endpoint: \"tcp://127.0.0.1:7\" is not an ipc "
                        "endpoint such as"));
  EXPECT_THAT(error_of(kGood + "control_endpoint = \"ipc://\""), HasSubstr("is not an ipc"));
}

TEST(NodeConfig, FaultsAreTakenOverLoopbackOnly) {
  EXPECT_THAT(error_of(kGood + "fault_endpoint = \"tcp://127.0.0.1:7\""),
              HasSubstr("fault_endpoint: \"tcp://127.0.0.1:7\" is not an ipc endpoint"));
  EXPECT_THAT(error_of(kGood + "fault_endpoint = \"ipc:///x\"\nhttp_address = \"0.0.0.0\""),
              HasSubstr("fault_endpoint: needs a loopback http_address, not \"0.0.0.0\""));
}

TEST(NodeConfig, LinksAreChecked) {
  EXPECT_THAT(error_of(kGood + "[[link]]\nloss = 1.5"),
              HasSubstr("link.loss: 1.5 is not a number from 0 to 1"));
  EXPECT_THAT(error_of(kGood + "[[link]]\ndelay = 1"),
              HasSubstr("unknown key \"link.delay\"; the nearest known one is \"link.delay_ms\""));
}

}  // namespace
}  // namespace parley::harness
