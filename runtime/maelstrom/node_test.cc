#include "runtime/maelstrom/node.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <deque>

#include "algorithms/gossip_lww/replica.h"
#include "algorithms/raft/replica.h"
#include "algorithms/unreplicated/replica.h"
#include "runtime/maelstrom/base64.h"
#include "runtime/test_application.h"

namespace parley::maelstrom {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Cells that are set and read: {"type":"set","key":1,"value":2}, {"type":"get","key":1}.
class TestService final : public Service {
 public:
  [[nodiscard]] const Application& application() const override { return application_; }
  void start(NodeId self) override { self_ = self; }
  Work take(const Json& body) override {
    ++taken_;
    const auto& type = body.at("type").get_ref<const std::string&>();
    if (type == "who") return Json{{"type", "who_ok"}, {"node", self_.value}};
    const TestPayload payload{body.at("key").get<std::uint32_t>(), body.value("value", 0U)};
    const Bytes bytes = std::as_bytes(std::span(&payload, 1));
    if (type == "set") {
      const auto count = body.value("times", std::size_t{1});
      const std::vector<std::byte> one(bytes.begin(), bytes.end());
      return Commands{std::vector(count, one),
                      [](std::span<const Result>) {
                        return Json{{"type", "set_ok"}};
                      },
                      [this] { ++undone_; }};
    }
    return Question{{bytes.begin(), bytes.begin() + 4},
                    body.value("local", false) ? ReadMode::local : ReadMode::linearizable,
                    [](Bytes answer) {
                      std::uint64_t value = 0;
                      std::memcpy(&value, answer.data(), sizeof(value));
                      return Json{{"type", "get_ok"}, {"value", value}};
                    }};
  }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  [[nodiscard]] std::uint64_t undone() const { return undone_; }

 private:
  TestApplication application_;
  NodeId self_;
  std::uint64_t taken_ = 0;
  std::uint64_t undone_ = 0;
};

// Nodes n0, n1, ... under virtual time, with lines that arrive a millisecond after they are said.
class Cluster {
 public:
  Cluster(const Algorithm& algorithm, std::size_t nodes) : services_(nodes) {
    for (std::size_t i = 0; i < nodes; ++i) {
      NodeConfig config;
      config.algorithm = &algorithm;
      config.options = default_options(algorithm.options);
      config.incarnation = Incarnation{7 + i};
      config.seed = 1;
      nodes_.push_back(std::make_unique<Node>(config, services_[i]));
      names_.push_back("n" + std::to_string(i));
    }
  }

  void init() {
    for (const std::string& name : names_) {
      ask(name, {{"type", "init"}, {"node_id", name}, {"node_ids", names_}});
    }
    run(milliseconds(2));
    for (const std::string& name : names_) {
      if (answers_of(name).empty()) throw std::runtime_error(name + " has not answered init");
    }
    answers_.clear();
  }

  // Sends a request of client c1; its msg_id.
  std::int64_t ask(const std::string& name, Json body) {
    body["msg_id"] = ++last_id_;
    line(name, Json{{"src", "c1"}, {"dest", name}, {"body", body}}.dump());
    return last_id_;
  }
  // Whatever it is.
  void line(const std::string& name, const std::string& text) { node(name).take(text, now_); }

  // Lets time go by.
  void run(Duration time) {
    for (const Instant end = now_ + time; now_ < end; now_ += milliseconds(1)) {
      std::deque<Json> arrived;
      arrived.swap(flying_);
      for (const Json& message : arrived) deliver(message);
      for (auto& node : nodes_) {
        node->turn(now_, WallTime(now_.time_since_epoch()));
        collect(node->take_output());
      }
    }
  }
  // The answer to a request; runs until it is there, for so long at most.
  Json answer(std::int64_t id, Duration patience = seconds(8)) {
    for (const Instant end = now_ + patience; now_ < end && !answers_.contains(id);) {
      run(milliseconds(1));
    }
    const auto found = answers_.find(id);
    return found == answers_.end() ? Json() : found->second;
  }
  Json call(const std::string& name, Json body) { return answer(ask(name, std::move(body))); }

  // Waits until somebody serves writes, and returns whom the nodes take for their leader.
  std::string leader() {
    for (int i = 0; i < 100; ++i) {
      if (call("n0", {{"type", "set"}, {"key", 0}, {"value", 0}}).at("type") == "set_ok") break;
    }
    return names_.at(node("n0").driver()->replica().status().leader.value - 1);
  }

  // Nothing goes to or from that node any more, but for its clients'.
  void cut_off(const std::string& name) { cut_ = name; }
  void heal() { cut_.clear(); }

  Node& node(const std::string& name) {
    return *nodes_.at(static_cast<std::size_t>(std::ranges::find(names_, name) - names_.begin()));
  }
  TestService& service(std::size_t i) { return services_[i]; }
  std::vector<Json> answers_of(const std::string& name) const {
    std::vector<Json> found;
    for (const auto& [id, from] : sources_) {
      if (from == name) found.push_back(answers_.at(id));
    }
    return found;
  }
  // Answered more than once.
  [[nodiscard]] int repeated() const { return repeated_; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  void collect(const std::string& lines) {
    std::istringstream input(lines);
    for (std::string text; std::getline(input, text);) flying_.push_back(Json::parse(text));
  }
  void deliver(const Json& message) {
    const auto src = message.at("src").get<std::string>();
    const auto dest = message.at("dest").get<std::string>();
    if (dest.starts_with("c")) {
      const auto id = message.at("body").at("in_reply_to").get<std::int64_t>();
      if (answers_.contains(id)) ++repeated_;
      answers_[id] = message.at("body");
      sources_[id] = src;
    } else if (src != cut_ && dest != cut_) {
      node(dest).take(message.dump(), now_);
    }
  }

  std::vector<TestService> services_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::string> names_;
  std::deque<Json> flying_;
  std::map<std::int64_t, Json> answers_;
  std::map<std::int64_t, std::string> sources_;
  std::string cut_;
  std::int64_t last_id_ = 0;
  int repeated_ = 0;
  Instant now_{seconds(1)};
};

const Json kSet{{"type", "set"}, {"key", 1}, {"value", 5}};
const Json kGet{{"type", "get"}, {"key", 1}};

TEST(Node, ServesAfterInit) {
  Cluster cluster(kUnreplicated, 1);
  EXPECT_EQ(cluster.call("n0", kSet).at("code"), 11);
  cluster.init();
  EXPECT_EQ(cluster.call("n0", {{"type", "who"}}).at("node"), 1);
  EXPECT_EQ(cluster.call("n0", kSet).at("type"), "set_ok");
  EXPECT_EQ(cluster.call("n0", kGet).at("value"), 5);
  EXPECT_EQ(
      cluster.call("n0", {{"type", "init"}, {"node_id", "n0"}, {"node_ids", {"n0"}}}).at("code"),
      22);
}

TEST(Node, RefusesAnInitThatIsWrong) {
  Cluster cluster(kUnreplicated, 1);
  const auto refused = [&cluster](const Json& id, const Json& ids) {
    const Json answer = cluster.call("n0", {{"type", "init"}, {"node_id", id}, {"node_ids", ids}});
    return answer.at("code").dump() + " " + answer.at("text").get<std::string>();
  };
  EXPECT_THAT(refused("n0", "n0"), HasSubstr("12 node_ids: must be an array"));
  EXPECT_THAT(refused("n0", Json::array()), HasSubstr("12 node_ids: must be an array"));
  EXPECT_THAT(refused("n0", {"n0", 1}), HasSubstr("12 node_ids: must be strings"));
  EXPECT_THAT(refused("n0", {"n0", std::string(257, 'n')}), HasSubstr("12 node_ids: must be"));
  EXPECT_THAT(refused("n0", {"n0", "n0"}), HasSubstr("12 node_ids: a name stands there twice"));
  EXPECT_THAT(refused("n1", {"n0"}), HasSubstr("12 node_id: must be one of node_ids"));
  EXPECT_THAT(refused(0, {"n0"}), HasSubstr("12 node_id: must be one of node_ids"));
  EXPECT_THAT(refused("n0", {"n0", "n1"}),
              HasSubstr("10 node_ids: unreplicated runs on at most 1"));
  cluster.init();
}

TEST(Node, NamesAreNumberedByTheirOrder) {
  Cluster cluster(kRaft, 3);
  cluster.init();
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(cluster.call("n" + std::to_string(i), {{"type", "who"}}).at("node"), i + 1);
  }
}

TEST(Node, TellsWhoSentSomethingWrongIfItCan) {
  Cluster cluster(kUnreplicated, 1);
  cluster.init();
  EXPECT_EQ(cluster.call("n0", {{"key", 1}}).at("code"), 12) << "there is no type";
  cluster.line("n0", R"({"src":"c1","dest":"n7","body":{"type":"who","msg_id":99}})");
  EXPECT_EQ(cluster.answer(99).at("code"), 1);
  EXPECT_EQ(cluster.node("n0").dropped().lines, 0U);
}

TEST(Node, DropsAndCountsWhatItCannotAnswer) {
  Cluster cluster(kUnreplicated, 1);
  cluster.init();
  const std::vector<std::string> lines = {
      "",
      "not json",
      R"({"src":"c1","dest":"n0","body":{"type":"who"}})",
      R"({"dest":"n0","body":{"type":"who","msg_id":1}})",
      R"({"src":"c1","dest":"n0","body":{"type":"who_ok","msg_id":1,"in_reply_to":1}})",
      R"({"src":"c1","dest":"n0","body":{"msg_id":1,"in_reply_to":1}})",
      R"({"src":"c1","dest":"n0","body":{"type":"error","code":1,"msg_id":1}})"};
  for (const std::string& line : lines) cluster.line("n0", line);
  cluster.node("n0").turn(Instant(seconds(2)), WallTime{});
  EXPECT_EQ(cluster.node("n0").take_output(), "");
  EXPECT_EQ(cluster.node("n0").dropped().lines, lines.size());
}

TEST(Node, EveryNodeServesEveryClient) {
  Cluster cluster(kRaft, 3);
  cluster.init();
  cluster.leader();
  std::uint32_t value = 0;
  for (const std::string& name : cluster.names()) {
    EXPECT_EQ(cluster.call(name, {{"type", "set"}, {"key", 1}, {"value", ++value}}).at("type"),
              "set_ok");
    for (const std::string& other : cluster.names()) {
      EXPECT_EQ(cluster.call(other, kGet).at("value"), value);
    }
  }
  EXPECT_EQ(cluster.repeated(), 0);
  for (const std::string& name : cluster.names()) {
    EXPECT_EQ(cluster.node(name).dropped().frames, 0U);
  }
}

TEST(Node, MoreThanASessionRemembersWaits) {
  Cluster cluster(kRaft, 3);
  cluster.init();
  cluster.leader();
  std::vector<std::int64_t> asked;
  for (std::uint32_t i = 0; i < 40; ++i) {
    asked.push_back(
        cluster.ask("n1", {{"type", "set"}, {"key", i}, {"value", i}, {"times", 1 + i % 60}}));
  }
  for (const std::int64_t id : asked) EXPECT_EQ(cluster.answer(id).at("type"), "set_ok");
  EXPECT_EQ(cluster.repeated(), 0);
}

TEST(Node, RefusesWhatIsTooMuch) {
  Cluster cluster(kRaft, 3);
  cluster.init();
  cluster.cut_off("n0");
  std::int64_t last = 0;
  for (std::size_t i = 0; i <= kMaxPending; ++i) last = cluster.ask("n0", kSet);
  EXPECT_EQ(cluster.answer(last, milliseconds(5)).at("code"), 11);
  EXPECT_EQ(cluster.service(0).taken(), kMaxPending);
}

// Without a leader there is no session, so nothing was submitted: definite.
TEST(Node, WhatWasNeverSubmittedIsDefinitelyNotDone) {
  Cluster cluster(kRaft, 3);
  cluster.init();
  cluster.cut_off("n2");
  EXPECT_EQ(cluster.call("n2", kSet).at("code"), 11);
  EXPECT_EQ(cluster.service(2).undone(), 1U);
  EXPECT_EQ(cluster.call("n2", kGet).at("code"), 11);
  cluster.heal();
  cluster.leader();
  cluster.run(seconds(1));
  EXPECT_EQ(cluster.call("n2", kGet).at("value"), 0);
}

// What a leader has in its log may be done without it.
TEST(Node, AnOutcomeThatIsNotKnownIsNoDefiniteError) {
  Cluster cluster(kRaft, 3);
  cluster.init();
  const std::string leader = cluster.leader();
  cluster.cut_off(leader);
  const Json answer = cluster.call(leader, kSet);
  EXPECT_EQ(answer.at("code"), 0);
  EXPECT_THAT(answer.at("text").get<std::string>(), HasSubstr("may have been done"));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(cluster.service(i).undone(), 0U);
}

TEST(Node, ALeaderThatIsCutOffServesNoStaleReads) {
  Cluster cluster(kRaft, 3);
  cluster.init();
  const std::string leader = cluster.leader();
  const std::string other = leader == "n0" ? "n1" : "n0";
  EXPECT_EQ(cluster.call(leader, kSet).at("type"), "set_ok");
  cluster.cut_off(leader);
  cluster.run(seconds(2));
  ASSERT_EQ(cluster.call(other, {{"type", "set"}, {"key", 1}, {"value", 6}}).at("type"), "set_ok");
  const Json answer = cluster.call(leader, kGet);
  EXPECT_EQ(answer.at("type"), "error") << answer;
  cluster.heal();
  cluster.run(seconds(1));
  EXPECT_EQ(cluster.call(leader, kGet).at("value"), 6);
}

TEST(Node, NodesThatMergeServeAlone) {
  Cluster cluster(kGossipLww, 3);
  cluster.init();
  cluster.run(seconds(2));
  cluster.cut_off("n2");
  EXPECT_EQ(cluster.call("n2", kSet).at("type"), "set_ok");
  const Json get{{"type", "get"}, {"key", 1}, {"local", true}};
  EXPECT_EQ(cluster.call("n2", get).at("value"), 5);
  EXPECT_EQ(cluster.call("n0", get).at("value"), 0);
  EXPECT_EQ(cluster.call("n0", kGet).at("code"), 10) << "linearizable";
  cluster.heal();
  cluster.run(seconds(10));
  EXPECT_EQ(cluster.call("n0", get).at("value"), 5);
}

// --- frames ---

class Frames : public ::testing::Test {
 protected:
  Frames() {
    config_.self = NodeId{1};
    config_.incarnation = Incarnation{3};
    config_.members = {NodeId{1}, NodeId{2}, NodeId{3}};
    peers_.emplace(kGossipLww, config_, std::vector<std::string>{"a", "b", "c"}, outbox_);
    outbox_.set_name("a");
  }

  // What node `from` says to a, as a message of `src`.
  Message frame(NodeId from, const std::string& src, const Block& body = {}) {
    ReplicaConfig config = config_;
    config.self = from;
    Outbox outbox;
    outbox.set_name(src);
    Peers sender(kRaft, config, {"a", "b", "c"}, outbox);
    parley::Message message;
    message.to = NodeId{1};
    message.header = Block::copy_of(std::as_bytes(std::span("header", 6)));
    message.body = {0, 1};
    sender.send(std::span(&message, 1), std::span(&body, 1));
    const std::string line = outbox.take();
    Message decoded;
    EXPECT_EQ(decode(std::string_view(line).substr(0, line.size() - 1), decoded), "");
    return decoded;
  }
  FrameFault receive(const Message& message) {
    Frame taken;
    return peers_->receive(message, taken);
  }

  ReplicaConfig config_;
  Outbox outbox_;
  std::optional<Peers> peers_;
};

TEST_F(Frames, AreRefusedByKind) {
  EXPECT_EQ(receive(frame(NodeId{2}, "b")), FrameFault::invalid) << "no frame of the strategy";
  EXPECT_EQ(receive(frame(NodeId{3}, "b")), FrameFault::foreign) << "in another's name";
  EXPECT_EQ(receive(frame(NodeId{1}, "a")), FrameFault::foreign) << "in our own";
  EXPECT_EQ(receive(frame(NodeId{2}, "c1")), FrameFault::foreign) << "of a client";
  config_.group = GroupId{9};
  EXPECT_EQ(receive(frame(NodeId{2}, "b")), FrameFault::group);
  Message message = frame(NodeId{2}, "b");
  message.body["head"] = "====";
  EXPECT_EQ(receive(message), FrameFault::malformed);
  message.body["head"] = 5;
  EXPECT_EQ(receive(message), FrameFault::malformed);
  message.body.erase("head");
  EXPECT_EQ(receive(message), FrameFault::malformed);
  EXPECT_EQ(peers_->refused()[static_cast<std::size_t>(FrameFault::foreign)], 3U);
  EXPECT_EQ(peers_->refused()[static_cast<std::size_t>(FrameFault::malformed)], 3U);
}

TEST_F(Frames, ThatAreTooLongForALineAreNotSent) {
  Peers sender(kRaft, config_, {"a", "b", "c"}, outbox_);
  parley::Message message;
  message.to = NodeId{2};
  message.body = {0, 1};
  const Block large = Block::make(kMaxLineBytes / 4 * 3,
                                  [](std::byte* to) { std::memset(to, 0, kMaxLineBytes / 4 * 3); });
  sender.send(std::span(&message, 1), std::span(&large, 1));
  EXPECT_EQ(sender.oversized(), 1U);
  EXPECT_EQ(outbox_.take(), "");
  const Block small = large.part(0, large.size() - (1U << 16));
  sender.send(std::span(&message, 1), std::span(&small, 1));
  EXPECT_LE(outbox_.take().size(), kMaxLineBytes);
  EXPECT_EQ(sender.oversized(), 1U);
}

// --- the loop ---

TEST(Run, EndsWithItsInputAndAnswersWhatCameBefore) {
  int input[2];
  int output[2];
  ASSERT_EQ(pipe(input), 0);
  ASSERT_EQ(pipe(output), 0);
  const std::string lines =
      R"({"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}})"
      "\n"
      R"({"src":"c0","dest":"n1","body":{"type":"who","msg_id":2}})"
      "\n";
  ASSERT_EQ(write(input[1], lines.data(), lines.size()), static_cast<ssize_t>(lines.size()));
  close(input[1]);
  TestService service;
  NodeConfig config;
  config.algorithm = &kUnreplicated;
  config.options = default_options(kUnreplicated.options);
  config.incarnation = Incarnation{1};
  Node node(config, service);
  EXPECT_EQ(run(node, input[0], output[1]), 0);
  close(output[1]);
  std::string said(4096, '\0');
  said.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read(output[0], said.data(), 4096))));
  EXPECT_THAT(said, HasSubstr("init_ok"));
  EXPECT_THAT(said, HasSubstr("who_ok"));
  close(input[0]);
  close(output[0]);
}

}  // namespace
}  // namespace parley::maelstrom
