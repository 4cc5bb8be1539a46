#include "harness/cluster/node_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/cluster/live_config.h"
#include "harness/cluster/private_folder.h"

namespace parley::harness {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::chrono::seconds kLong(60);

// A member of two, whose loop runs, with its control.
class ControlledNode : public testing::Test {
 protected:
  ControlledNode()
      : settings_(parse_node_config_text(text(), "node.toml")),
        canvas_(settings_.canvas, settings_.cooldown),
        node_(live_config(settings_, canvas_)),
        control_(settings_, node_),
        loop_([this] { node_.run(); }) {}
  ~ControlledNode() override {
    node_.stop();
    if (loop_.joinable()) loop_.join();
  }

  [[nodiscard]] std::string endpoint() const {
    return "ipc://" + (folder_.path() / "control").string();
  }
  [[nodiscard]] std::string text() const {
    return "node = 1\nalgorithm = \"raft\"\nclient_endpoint = \"tcp://127.0.0.1:0\"\n"
           "control_endpoint = \"" +
           endpoint() + "\"\n[peers]\n1 = \"tcp://127.0.0.1:0\"\n2 = \"ipc:///nonexistent/2\"\n";
  }
  std::string ask(const std::string& links) {
    return ask_all({{NodeId{1}, {endpoint(), links}}}, kLong)[NodeId{1}];
  }

  PrivateFolder folder_;
  NodeSettings settings_;
  Canvas canvas_;
  Node node_;
  NodeControl control_;
  std::thread loop_;
};

TEST_F(ControlledNode, TakesLinksOver) {
  EXPECT_EQ(ask("[[link]]\nto = 2\ncut = true\n"), kControlDone);
  EXPECT_EQ(ask("[[link]]\nto = 0\ndelay_ms = 3\n"), kControlDone);
  EXPECT_EQ(ask(""), kControlDone) << "all links as they are without rules";
}

TEST_F(ControlledNode, TakesItsClockOver) {
  EXPECT_EQ(ask("[faults]\nclock_step_ms = -2000.5\n"), kControlDone);
  EXPECT_EQ(ask(""), kControlDone) << "the clock is right again";
}

TEST_F(ControlledNode, SaysWhatIsWrong) {
  EXPECT_THAT(ask("[faults]\nclock_step_ms = 2e9\n"),
              HasSubstr("request:2: faults.clock_step_ms: 2000000000 is not a number from"));
  EXPECT_THAT(ask("[faults]\ndisk_full = true\n"),
              HasSubstr("durability \"none\" has no disk that could be slow or full"));
  EXPECT_THAT(ask("[[link]]\nto = 2\nloss = 2\n"),
              HasSubstr("request:3: link.loss: 2 is not a number from 0 to 1"));
  EXPECT_THAT(ask("[[link]]\nto = 65\n"), HasSubstr("link.to: 65 is not a whole number from 0"));
  EXPECT_THAT(ask("node = 2\n"), HasSubstr("unknown key \"node\""));
  EXPECT_THAT(ask("\xff\x01["), HasSubstr("request:1:"));
  EXPECT_EQ(ask(""), kControlDone);
}

TEST_F(ControlledNode, OutlivesBrokenRequests) {
  zmq::context_t context;
  zmq::socket_t asker(context, zmq::socket_type::req);
  asker.connect(endpoint());
  asker.send(zmq::str_buffer("[[link]]"), zmq::send_flags::sndmore);
  asker.send(zmq::str_buffer("to = 2"));
  zmq::message_t answer;
  ASSERT_TRUE(asker.recv(answer));
  EXPECT_EQ(answer.to_string(), "a request has one part");
  zmq::socket_t careless(context, zmq::socket_type::dealer);
  careless.set(zmq::sockopt::linger, 0);
  careless.connect(endpoint());
  careless.send(zmq::str_buffer("no envelope"));
  careless.send(zmq::message_t(1 << 20),
                zmq::send_flags::none);  // too large: the connection breaks
  EXPECT_EQ(ask(""), kControlDone);
}

TEST_F(ControlledNode, SaysThatTheNodeHasStopped) {
  node_.stop();
  loop_.join();
  EXPECT_EQ(ask(""), "the node has stopped");
}

TEST(AskAll, LeavesOutWhoDoesNotAnswer) {
  const PrivateFolder folder;
  const std::string nobody = "ipc://" + (folder.path() / "nobody").string();
  EXPECT_THAT(ask_all({{NodeId{1}, {nobody, ""}}}, std::chrono::milliseconds(1)), IsEmpty());
}

TEST(LiveLinks, AreTheRulesOfEveryOtherMember) {
  NodeSettings settings = parse_node_config_text(
      "node = 2\nalgorithm = \"raft\"\nclient_endpoint = \"tcp://127.0.0.1:0\"\n"
      "[peers]\n1 = \"ipc:///1\"\n2 = \"ipc:///2\"\n3 = \"ipc:///3\"\n"
      "[[link]]\nto = 3\ndelay_ms = 2\ncut = true\n",
      "node.toml");
  const auto links = live_links(settings);
  ASSERT_EQ(links.size(), 2U);
  EXPECT_EQ(links.at(NodeId{1}), LinkProfile{});
  EXPECT_TRUE(links.at(NodeId{3}).cut);
  EXPECT_EQ(links.at(NodeId{3}).delay, std::chrono::milliseconds(2));
}

}  // namespace
}  // namespace parley::harness
