#include "harness/maelstrom/workloads.h"

#include <gmock/gmock.h>

#include "algorithms/registry/registry.h"
#include "runtime/maelstrom/node.h"

namespace parley::maelstrom {
namespace {

using ::testing::HasSubstr;

// One node of a strategy, in virtual time.
class OneNode {
 public:
  explicit OneNode(const std::string& algorithm, const std::string& option = {},
                   const std::string& value = {}) {
    NodeConfig config;
    config.algorithm = find_algorithm(algorithm);
    config.options = default_options(config.algorithm->options);
    if (!option.empty()) {
      EXPECT_EQ(set_option(config.algorithm->options, option, value, config.options), "");
    }
    config.algorithm = &with_options(*config.algorithm, config.options);
    config.incarnation = Incarnation{1};
    workloads_.emplace(*config.algorithm);
    node_.emplace(config, *workloads_);
    EXPECT_EQ(call({{"type", "init"}, {"node_id", "n1"}, {"node_ids", {"n1"}}}).at("type"),
              "init_ok");
  }

  // The answer to a request, without what ties it to this.
  Json call(Json body) {
    body["msg_id"] = ++last_;
    const Json message{{"src", "c1"}, {"dest", "n1"}, {"body", std::move(body)}};
    node_->take(message.dump(), now_);
    std::string said;
    for (int ms = 0; ms < 10'000 && said.empty(); ++ms) {
      node_->turn(now_, WallTime(now_.time_since_epoch()));
      now_ += std::chrono::milliseconds(1);
      said = node_->take_output();
    }
    Json answer = Json::parse(said).at("body");
    EXPECT_EQ(answer.at("in_reply_to"), last_);
    answer.erase("in_reply_to");
    return answer;
  }
  int code(Json body) { return call(std::move(body)).value("code", -1); }
  std::string text(Json body) { return call(std::move(body)).value("text", ""); }

 private:
  std::optional<Workloads> workloads_;
  std::optional<Node> node_;
  Instant now_{std::chrono::seconds(1)};
  int last_ = 0;
};

Json get(const Json& key) {
  return {{"type", "read"}, {"key", key}};
}
Json put(const Json& key, const Json& value) {
  return {{"type", "write"}, {"key", key}, {"value", value}};
}
Json cas(const Json& key, const Json& from, const Json& to) {
  return {{"type", "cas"}, {"key", key}, {"from", from}, {"to", to}};
}

class StrongStrategy : public ::testing::TestWithParam<const char*> {};

TEST_P(StrongStrategy, ServesLinKv) {
  OneNode node(GetParam());
  EXPECT_EQ(node.code(get(1)), 20);
  EXPECT_EQ(node.code(cas(1, 2, 3)), 20);
  EXPECT_EQ(node.call(put(1, 2)), (Json{{"type", "write_ok"}}));
  EXPECT_EQ(node.call(get(1)), (Json{{"type", "read_ok"}, {"value", 2}}));
  EXPECT_EQ(node.code(cas(1, 5, 3)), 22);
  EXPECT_EQ(node.call(cas(1, 2, 3)), (Json{{"type", "cas_ok"}}));
  EXPECT_EQ(node.call(get(1)).at("value"), 3);
  EXPECT_EQ(node.code(get("1")), 20) << "another key than the number";
  Json create = cas("new", 0, {{"a", nullptr}});
  create["create_if_not_exists"] = true;
  EXPECT_EQ(node.call(create), (Json{{"type", "cas_ok"}}));
  EXPECT_EQ(node.call(get("new")).at("value"), (Json{{"a", nullptr}}));
  EXPECT_EQ(node.code(create), 22);
}

TEST_P(StrongStrategy, ServesTheSet) {
  OneNode node(GetParam());
  EXPECT_EQ(node.call({{"type", "add"}, {"element", 1}}), (Json{{"type", "add_ok"}}));
  EXPECT_EQ(node.call({{"type", "read"}}), (Json{{"type", "read_ok"}, {"value", {1}}}));
}

INSTANTIATE_TEST_SUITE_P(Workloads, StrongStrategy,
                         ::testing::Values("unreplicated", "raft", "bully_2pc"));

TEST(Workloads, ValuesAreAnyJson) {
  OneNode node("unreplicated");
  const Json values = Json::parse(R"([null,true,-1,1.5,"é \" \n","",[],[1,[2]],{"b":1,"a":{}}])");
  for (const Json& value : values) {
    EXPECT_EQ(node.call(put(value, value)).at("type"), "write_ok");
    EXPECT_EQ(node.call(get(value)).at("value"), value);
    EXPECT_EQ(node.call({{"type", "add"}, {"element", value}}).at("type"), "add_ok");
  }
  const Json all = node.call({{"type", "read"}}).at("value");
  EXPECT_THAT(std::vector<Json>(all), ::testing::UnorderedElementsAreArray(values));
}

TEST(Workloads, NameTheFieldAtFault) {
  OneNode node("unreplicated");
  EXPECT_EQ(node.text({{"type", "write"}, {"value", 1}}), "key: is missing");
  EXPECT_EQ(node.text({{"type", "write"}, {"key", 1}}), "value: is missing");
  EXPECT_EQ(node.text({{"type", "cas"}, {"key", 1}, {"to", 1}}), "from: is missing");
  EXPECT_EQ(node.text({{"type", "cas"}, {"key", 1}, {"from", 1}}), "to: is missing");
  Json create = cas(1, 2, 3);
  create["create_if_not_exists"] = 1;
  EXPECT_THAT(node.text(create), HasSubstr("create_if_not_exists: must be"));
  EXPECT_EQ(node.text({{"type", "add"}}), "element: is missing");
  EXPECT_EQ(node.text({{"type", "broadcast"}}), "message: is missing");
  EXPECT_THAT(node.text(get(std::string(119, 'k'))), HasSubstr("key: has 121 bytes as JSON"));
  EXPECT_THAT(node.text(put(1, std::string(895, 'v'))), HasSubstr("value: has 897 bytes as JSON"));
  EXPECT_EQ(node.code({{"type", "add"}, {"element", std::string(419, 'e')}}), 12);
  EXPECT_EQ(node.code({{"type", "add"}, {"element", std::string(418, 'e')}}), -1);
}

TEST(Workloads, WhatIsNotServedSaysWhatIs) {
  OneNode node("unreplicated");
  for (const char* type : {"txn", "send", "generate"}) {
    EXPECT_EQ(node.code({{"type", type}}), 10) << type;
  }
  EXPECT_EQ(node.code({{"type", "add"}, {"delta", 1}}), 10) << "a counter";
  EXPECT_EQ(node.code({{"type", std::string(39, 'x') + "é"}}), 10) << "cut within a letter";
  EXPECT_THAT(node.text({{"type", "txn"}}), HasSubstr("lin-kv (read, write, cas)"));
}

// The workloads' reads are the same, and their replies are checked to the letter.
TEST(Workloads, ReadsAnswerAsTheirWorkloadWants) {
  OneNode set("gossip_lww");
  EXPECT_EQ(set.call({{"type", "read"}}), (Json{{"type", "read_ok"}, {"value", Json::array()}}));
  EXPECT_EQ(set.call({{"type", "add"}, {"element", 2}}), (Json{{"type", "add_ok"}}));
  EXPECT_EQ(set.call({{"type", "add"}, {"element", 2}}), (Json{{"type", "add_ok"}}));
  EXPECT_EQ(set.call({{"type", "read"}}), (Json{{"type", "read_ok"}, {"value", {2}}}));
  OneNode broadcast("gossip_lww");
  EXPECT_EQ(broadcast.call({{"type", "topology"}, {"topology", {{"n1", Json::array()}}}}),
            (Json{{"type", "topology_ok"}}));
  EXPECT_EQ(broadcast.call({{"type", "read"}}),
            (Json{{"type", "read_ok"}, {"messages", Json::array()}}));
  EXPECT_EQ(broadcast.call({{"type", "broadcast"}, {"message", "a longer one"}}),
            (Json{{"type", "broadcast_ok"}}));
  EXPECT_EQ(broadcast.call({{"type", "read"}}),
            (Json{{"type", "read_ok"}, {"messages", {"a longer one"}}}));
}

TEST(Workloads, AStrategyThatPromisesNoOrderHasNoMap) {
  OneNode gossip("gossip_lww");
  OneNode textbook("bully_2pc", "fencing", "none");
  for (OneNode* node : {&gossip, &textbook}) {
    for (const Json& body : {get(1), put(1, 2), cas(1, 2, 3)}) {
      EXPECT_EQ(node->code(body), 10);
      EXPECT_THAT(node->text(body), HasSubstr("lin-kv needs linearizable writes and reads"));
    }
    EXPECT_EQ(node->call({{"type", "add"}, {"element", 1}}).at("type"), "add_ok");
  }
}

TEST(Workloads, AFullListTakesNoMore) {
  OneNode node("unreplicated");
  const std::string large(kv::kMaxElementBytes - 2, 'x');
  int taken = 0;
  while (node.code({{"type", "add"}, {"element", large}}) == -1) ++taken;
  EXPECT_EQ(taken, kv::kListCells / kv::cells_of(std::string(kv::kMaxElementBytes, 'x')));
  EXPECT_EQ(node.code({{"type", "add"}, {"element", large}}), 11);
}

// As a node does that is cut off for long.
TEST(Workloads, WhatIsRefusedTakesNoRoom) {
  Workloads workloads(*find_algorithm("raft"));
  workloads.start(NodeId{1});
  const Json large{{"type", "add"}, {"element", std::string(kv::kMaxElementBytes - 2, 'x')}};
  const Json small{{"type", "add"}, {"element", 1}};
  std::vector<Work> refused;
  for (std::uint32_t i = 0; i < kv::kListCells; ++i) refused.push_back(workloads.take(small));
  EXPECT_TRUE(std::holds_alternative<Json>(workloads.take(small))) << "each cell is promised";
  for (const Work& work : refused) {
    ASSERT_TRUE(std::holds_alternative<Commands>(work));
    std::get<Commands>(work).undone();
  }
  std::vector<Work> taken;
  do taken.push_back(workloads.take(large));
  while (std::holds_alternative<Commands>(taken.back()));
  EXPECT_EQ(taken.size(), 1 + kv::kListCells / 60);
  const auto& again = std::get<Commands>(taken[7]);
  again.undone();
  const Work work = workloads.take(large);
  ASSERT_TRUE(std::holds_alternative<Commands>(work));
  EXPECT_EQ(std::get<Commands>(work).payloads, again.payloads) << "in the same cells";
}

TEST(Workloads, ASetTakesNothingFromMoreNodesThanItHasListsFor) {
  Workloads workloads(*find_algorithm("gossip_lww"));
  workloads.start(NodeId{64});
  const Json add{{"type", "add"}, {"element", 1}};
  EXPECT_TRUE(std::holds_alternative<Commands>(workloads.take(add)));
  workloads.start(NodeId{65});
  const Work refused = workloads.take(add);
  ASSERT_TRUE(std::holds_alternative<Json>(refused));
  EXPECT_EQ(std::get<Json>(refused).value("code", -1), 10);
}

}  // namespace
}  // namespace parley::maelstrom
