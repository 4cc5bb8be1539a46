#include "harness/cluster/fault_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "algorithms/registry/registry.h"
#include "harness/cluster/private_folder.h"

namespace parley::harness {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Three nodes that answer and do nothing else, node 1 being the leader.
class Desk : public testing::Test {
 protected:
  Desk() : cluster_(spec()), desk_(endpoint(), cluster_) {
    cluster_.wait_ready(std::chrono::seconds(60));
  }

  [[nodiscard]] std::string endpoint() const {
    return "ipc://" + (folder_.path() / "faults").string();
  }
  ClusterSpec spec() {
    ClusterSpec spec;
    spec.executable = PARLEY_FAKE_NODE;
    spec.arguments = {"good"};
    spec.folder = folder_.path() / "run";
    spec.algorithm = find_algorithm("raft");
    spec.options = default_options(spec.algorithm->options);
    return spec;
  }

  PrivateFolder folder_;
  Cluster cluster_;
  FaultDesk desk_;
};

TEST_F(Desk, NamesTheFieldAtFault) {
  struct Case {
    const char* request;
    const char* answer;
  };
  for (
      const auto& [request, answer] :
      {Case{"", R"(400 {"error":"body: is not a JSON object)"},
       Case{"[]", "400 {\"error\":\"body:"},
       Case{"{}",
            R"(400 {"error":"fault: is missing; allowed: cut, delay, pause, kill, slow-link, )"
            R"(slow-disk, full-disk, clock-step, rolling-restart, heal")"},
       Case{R"({"fault":3})", R"(400 {"error":"fault: is not known)"},
       Case{
           R"({"fault":"kill"})",
           R"(400 {"error":"node: names no node; allowed: leader, follower, majority, or a number)"},
       Case{R"({"fault":"kill","node":0})", R"(400 {"error":"node: names no node)"},
       Case{R"({"fault":"kill","node":-1})", R"(400 {"error":"node: names no node)"},
       Case{R"({"fault":"kill","node":"boss"})", R"(400 {"error":"node: names no node)"},
       Case{R"({"fault":"kill","node":1,"side":"alone"})",
            R"(400 {"error":"side: is not a field of this fault; allowed: fault, node")"},
       Case{R"({"fault":"cut","node":1,"direction":"up"})",
            R"(400 {"error":"direction: is not known; allowed: both, in, out")"},
       Case{R"({"fault":"cut","node":1,"side":7})",
            R"(400 {"error":"side: is not known; allowed: alone, minority")"},
       Case{R"({"fault":"cut","node":"majority"})",
            R"(400 {"error":"node: names no node; allowed: leader, follower, or a number from 1)"},
       Case{R"({"fault":"cut","groups":3})",
            R"(400 {"error":"groups: is not a list; allowed: 1 to 64)"},
       Case{R"({"fault":"cut","groups":[]})", R"(400 {"error":"groups: must be 1 to 64 lists)"},
       Case{R"({"fault":"cut","groups":[1,2]})",
            R"(400 {"error":"groups: has an entry that is not a list)"},
       Case{R"({"fault":"cut","groups":[[1],[]]})", R"(400 {"error":"groups: must be lists)"},
       Case{R"({"fault":"cut","groups":[["1"]]})",
            R"(400 {"error":"groups: names a node that there is not)"},
       Case{R"({"fault":"cut","groups":[[4294967297]]})",
            R"(400 {"error":"groups: names a node that there is not)"},
       Case{R"({"fault":"cut","groups":[[0,1]]})", R"(400 {"error":"groups: names node 0 of 3)"},
       Case{R"({"fault":"cut","groups":[[1,4]]})", R"(400 {"error":"groups: names node 4 of 3)"},
       Case{R"({"fault":"cut","groups":[[1,1]]})",
            R"(400 {"error":"groups: has node 1 twice in a group)"},
       Case{R"({"fault":"cut","groups":[[1]],"node":1})",
            R"(400 {"error":"node: is not a field of this fault; allowed: fault, groups")"},
       Case{R"({"fault":"delay"})", R"(400 {"error":"delay_ms: is missing; allowed: 0 to 60000")"},
       Case{R"({"fault":"delay","delay_ms":-1})", R"(400 {"error":"delay_ms: is out of range)"},
       Case{R"({"fault":"delay","delay_ms":1,"jitter_ms":1e9})",
            R"(400 {"error":"jitter_ms: is out of range)"},
       Case{R"({"fault":"slow-link","node":1})", R"(400 {"error":"delay_ms: is missing)"},
       Case{R"({"fault":"slow-link","node":1,"delay_ms":1,"loss":1.5})",
            R"(400 {"error":"loss: is out of range; allowed: 0 to 1")"},
       Case{R"({"fault":"slow-disk","node":1,"delay_ms":60001})",
            R"(400 {"error":"delay_ms: is out of range; allowed: 0 to 60000")"},
       Case{R"({"fault":"full-disk","node":1,"delay_ms":1})",
            R"(400 {"error":"delay_ms: is not a field of this fault; allowed: fault, node")"},
       Case{R"({"fault":"clock-step","node":1,"step_ms":"2s"})",
            R"(400 {"error":"step_ms: is out of range; allowed: -1000000000 to 1000000000")"},
       Case{R"({"fault":"rolling-restart","node":1})",
            R"(400 {"error":"node: is not a field of this fault; allowed: fault, down_ms")"},
       Case{R"({"fault":"heal","node":1})", R"(400 {"error":"node: is not a field)"}}) {
    EXPECT_THAT(desk_.answer(request), StartsWith(answer)) << request;
  }
  EXPECT_EQ(cluster_.running().size(), 3U);
}

TEST_F(Desk, SaysWhenTheClusterIsNotInAStateForIt) {
  EXPECT_THAT(desk_.answer(R"({"fault":"kill","node":4})"),
              StartsWith(R"(409 {"error":"there is no node 4","reason":"not_possible"})"));
  EXPECT_THAT(desk_.answer(R"({"fault":"kill","node":"leader"})"),
              StartsWith(R"(200 {"done":"kill","node":1})"));
  EXPECT_THAT(desk_.answer(R"({"fault":"pause","node":"leader"})"),
              HasSubstr("no running node is known as the leader"));
}

TEST_F(Desk, RefusesWhatNeedsStorageWithoutIt) {
  EXPECT_THAT(desk_.answer(R"({"fault":"full-disk","node":1})"),
              StartsWith("409 {\"error\":\"with durability \\\"none\\\" nodes have no disk"));
  EXPECT_THAT(desk_.answer(R"({"fault":"rolling-restart"})"),
              StartsWith("409 {\"error\":\"with durability \\\"none\\\" no node can be started"));
  EXPECT_EQ(cluster_.running().size(), 3U);
}

TEST_F(Desk, StrikesAMajorityAtOnce) {
  EXPECT_EQ(desk_.answer(R"({"fault":"cut","groups":[[1,2,3]]})"),
            "409 {\"error\":\"a cluster of 3 has no such link\",\"reason\":\"not_possible\"}\n");
  EXPECT_EQ(desk_.answer(R"({"fault":"kill","node":"majority"})"),
            R"(200 {"done":"kill","node":1,"others":[3]})");
  EXPECT_THAT(cluster_.running(), testing::ElementsAre(NodeId{2}));
}

TEST_F(Desk, HealsWhatCanBeHealed) {
  desk_.answer(R"({"fault":"pause","node":2})");
  desk_.answer(R"({"fault":"kill","node":3})");
  EXPECT_TRUE(cluster_.members()[1].paused);
  // Without links that could be shaped the desk of these nodes has one thing that it cannot do.
  desk_.answer(R"({"fault":"heal"})");
  EXPECT_FALSE(cluster_.members()[1].paused);
  EXPECT_FALSE(cluster_.members()[2].running) << "it kept nothing: durability none";
}

TEST_F(Desk, IsReachedThroughTheRelayOfANode) {
  FaultRelay relay(endpoint());
  std::promise<std::pair<int, std::string>> answered;
  relay.ask(R"({"fault":"pause","node":3})", [&answered](int status, std::string json) {
    answered.set_value({status, std::move(json)});
  });
  const auto [status, json] = answered.get_future().get();
  EXPECT_EQ(status, 200);
  EXPECT_EQ(json, R"({"done":"pause","node":3})");
}

TEST(Relay, AnswersEveryRequestWithoutADesk) {
  const PrivateFolder folder;
  int stopping = 0;
  int too_many = 0;
  int under_way = 0;
  {
    FaultRelay relay("ipc://" + (folder.path() / "nobody").string());
    for (int i = 0; i < 20; ++i) {
      relay.ask("{}", [&](int status, const std::string& json) {
        EXPECT_TRUE(status == 503 || status == 504) << json;
        under_way += status == 504 ? 1 : 0;
        stopping += json.find("stopping") != std::string::npos ? 1 : 0;
        too_many += json.find("overloaded") != std::string::npos ? 1 : 0;
      });
    }
    EXPECT_GE(too_many, 11) << "eight wait, and one is under way";
  }
  EXPECT_EQ(stopping + too_many + under_way, 20);
  EXPECT_LE(under_way, 1) << "what was never sent was definitely not done";
}

}  // namespace
}  // namespace parley::harness
