#include "runtime/live/node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <nlohmann/json.hpp>
#include <zmq.hpp>

#include "algorithms/raft/replica.h"
#include "algorithms/unreplicated/replica.h"
#include "runtime/live/test_client.h"
#include "runtime/live/test_folder.h"
#include "runtime/live/test_journal.h"
#include "runtime/test_application.h"
#include "runtime/wire_frame.h"

namespace parley {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

const TestApplication kApplication;

// Keeps what nodes say of their ordinary business out of the tests' output.
class QuietLog final : public testing::Environment {
  void SetUp() override { spdlog::set_level(spdlog::level::err); }
};
const auto* const kQuietLog = testing::AddGlobalTestEnvironment(new QuietLog);

NodeConfig single(const Algorithm& algorithm = kUnreplicated) {
  NodeConfig config;
  config.algorithm = &algorithm;
  config.application = &kApplication;
  config.replica.group = GroupId{1};
  config.replica.self = NodeId{1};
  config.replica.incarnation = Incarnation{99};
  config.replica.members = {NodeId{1}};
  config.replica.options = default_options(algorithm.options);
  config.client_endpoints = {"tcp://127.0.0.1:0"};
  return config;
}

std::uint32_t open_session(TestClient& client, std::uint64_t nonce) {
  std::vector<std::byte> body;
  TestApplication::append_open(body, nonce);
  const std::vector<Result> results = client.submit(body);
  EXPECT_EQ(results.size(), 1u);
  EXPECT_EQ(results.at(0).outcome, Outcome::ok);
  return static_cast<std::uint32_t>(results.at(0).value);
}

std::vector<std::byte> set_commands(std::uint32_t session, std::uint32_t first_sequence,
                                    std::uint32_t count, std::uint32_t key = 0) {
  std::vector<std::byte> body;
  for (std::uint32_t i = 0; i < count; ++i) {
    TestApplication::append(body, session, first_sequence + i, key, 100 + i);
  }
  return body;
}

std::uint64_t read_value(TestClient& client, std::uint32_t key, ReadMode mode) {
  const ClientAnswer answer =
      client.ask(client::RequestKind::query, std::as_bytes(std::span(&key, 1)), mode);
  EXPECT_EQ(answer.error, "");
  std::uint64_t value = 0;
  EXPECT_EQ(answer.body.size(), sizeof(value));
  std::memcpy(&value, answer.body.data(), sizeof(value));
  return value;
}

TEST(Node, AnswersClientsFromEndToEnd) {
  RunningNode running(single());
  TestClient client(running.client_endpoint());
  const std::uint32_t session = open_session(client, 7);
  EXPECT_NE(session, 0u);

  const std::vector<Result> results = client.submit(set_commands(session, 1, 3, 5));
  ASSERT_EQ(results.size(), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(results[i].outcome, Outcome::ok);
    EXPECT_EQ(results[i].stamp, (Stamp{results[0].stamp.major, i}));
  }
  EXPECT_EQ(read_value(client, 5, ReadMode::local), 102u);
  EXPECT_EQ(read_value(client, 5, ReadMode::linearizable), 102u);
  EXPECT_EQ(running.stop(), 0);
}

TEST(Node, RecognisesARetry) {
  RunningNode running(single());
  TestClient client(running.client_endpoint());
  const std::uint32_t session = open_session(client, 7);
  EXPECT_EQ(open_session(client, 7), session);
  const auto first = client.submit(set_commands(session, 1, 1));
  const auto again = client.submit(set_commands(session, 1, 1));
  EXPECT_EQ(first.at(0).stamp, again.at(0).stamp);
}

TEST(Node, SaysWhoItIs) {
  RunningNode running(single());
  TestClient client(running.client_endpoint());
  const TestClient::Welcome welcome = client.hello();
  EXPECT_EQ(welcome.node, 1u);
  EXPECT_EQ(welcome.incarnation, 99u);
  EXPECT_EQ(welcome.leader, 1u);
  EXPECT_EQ(welcome.algorithm, "unreplicated");
  EXPECT_EQ(welcome.application, "test");
  EXPECT_EQ(welcome.max_request_bytes, ClientOptions{}.max_request_bytes);
  EXPECT_EQ(welcome.applied, 0u);
  open_session(client, 7);
  EXPECT_EQ(client.hello().applied, 1u);
}

TEST(Node, ReportsItsFiguresAsJson) {
  RunningNode running(single());
  TestClient client(running.client_endpoint());
  client.submit(set_commands(open_session(client, 7), 1, 10));
  client.hello();
  const auto report = nlohmann::json::parse(client.ask(client::RequestKind::report).body);
  EXPECT_EQ(report["node"], 1);
  EXPECT_EQ(report["role"], "standalone");
  EXPECT_EQ(report["applied"], 2);
  EXPECT_EQ(report["commands_applied"], 10);
  EXPECT_EQ(report["clients"]["commands"], 11);
  EXPECT_EQ(report["clients"]["connections"], 1);
  EXPECT_EQ(report["clients"]["hellos"], 1);
  EXPECT_EQ(report["clients"]["welcomes"], 1);
  EXPECT_GT(report["clients"]["hello_bytes"], 0);
  EXPECT_EQ(report["client_endpoint"], running.client_endpoint());
  EXPECT_GT(report["process"]["peak_rss_bytes"], 0);
  EXPECT_GT(report["process"]["rss_bytes"], 0);
  EXPECT_GT(report["loop"]["turns"], 0);
}

TEST(Node, RepliesOfOneTurnTravelTogether) {
  RunningNode running(single());
  TestClient client(running.client_endpoint());
  const std::uint32_t session = open_session(client, 7);
  constexpr std::uint32_t kRequests = 2000;
  const std::uint64_t replies_before = client.replies;
  for (std::uint32_t i = 1; i <= kRequests; ++i) {
    client.send(client::RequestKind::submit, set_commands(session, i, 1));
  }
  while (client.results.size() < kRequests + 1 && client.take_reply()) {
  }
  EXPECT_EQ(client.results.size(), kRequests + 1);
  EXPECT_EQ(client.answered_twice, 0u);
  EXPECT_LT(client.replies - replies_before, kRequests / 2);
}

TEST(Node, RefusesBadRequestsWithAReason) {
  RunningNode running(single());
  TestClient client(running.client_endpoint());
  const std::uint32_t session = open_session(client, 7);

  auto results = client.submit(set_commands(session, 1, 2, TestApplication::kKeys));
  EXPECT_TRUE(results.empty());  // the first command was at fault: none before it
  EXPECT_THAT(client.errors, testing::ElementsAre("command 0: key: must be below 64"));
  client.errors.clear();

  const std::uint32_t key = 1;
  const Bytes query = std::as_bytes(std::span(&key, 1));
  EXPECT_THAT(client.ask(static_cast<client::RequestKind>(9), query).error, HasSubstr("kind: 9"));
  EXPECT_THAT(client.ask(client::RequestKind::query, query, static_cast<ReadMode>(7)).error,
              HasSubstr("read_mode: 7"));
  EXPECT_THAT(client.ask(client::RequestKind::query, query.first(2)).error,
              HasSubstr("must have 4 bytes"));

  client.send_raw("");
  client.send_raw("garbage that is long enough to look like a table");
  client.send_raw(std::string(ClientOptions{}.max_request_bytes + 1, 'x'));
  // The node still serves, and has counted them.
  results = client.submit(set_commands(session, 1, 1));
  EXPECT_EQ(results.at(0).outcome, Outcome::ok);
  const auto report = nlohmann::json::parse(client.ask(client::RequestKind::report).body);
  EXPECT_EQ(report["clients"]["requests_refused"], 3);
  EXPECT_EQ(report["clients"]["commands"], 2);
  EXPECT_THAT(client.errors.back(), HasSubstr("allowed are"));
}

TEST(Node, RefusesWhatIsTooMuchAndLosesNothing) {
  NodeConfig config = single();
  config.limits.max_waiting_bytes = 2000;  // 100 commands of 20 bytes
  RunningNode running(std::move(config));
  TestClient client(running.client_endpoint());
  const std::uint32_t session = open_session(client, 7);
  // One request that never fits, and many that may not fit together.
  const auto too_large = client.send(client::RequestKind::submit, set_commands(session, 1, 101));
  constexpr std::uint32_t kRequests = 3000;
  for (std::uint32_t i = 0; i < kRequests; ++i) {
    client.send(client::RequestKind::submit, set_commands(session, i + 1, 1));
  }
  while (client.results.size() < kRequests + 2 && client.take_reply()) {
  }
  ASSERT_EQ(client.results.size(), kRequests + 2);  // with the opening of the session
  EXPECT_EQ(client.answered_twice, 0u);
  ASSERT_EQ(client.results[too_large].size(), 101u);
  for (const Result& result : client.results[too_large]) {
    EXPECT_EQ(result.outcome, Outcome::refused);
    EXPECT_EQ(result.reason, static_cast<std::uint8_t>(RefusedBecause::overloaded));
  }
  std::uint64_t ok = 0;
  for (const auto& [id, results] : client.results) {
    for (const Result& result : results) {
      if (result.outcome == Outcome::ok) ++ok;
      EXPECT_NE(result.outcome, Outcome::unknown);
    }
  }
  const auto report = nlohmann::json::parse(client.ask(client::RequestKind::report).body);
  EXPECT_EQ(report["commands_applied"], ok - 1);
}

TEST(Node, ClientsBeyondTheLimitTakeThePlaceOfIdleOnes) {
  NodeConfig config = single();
  config.clients.max_connections = 2;
  RunningNode running(std::move(config));
  TestClient one(running.client_endpoint());
  TestClient two(running.client_endpoint());
  TestClient three(running.client_endpoint());
  EXPECT_EQ(one.hello().node, 1u);
  EXPECT_EQ(two.hello().node, 1u);
  EXPECT_EQ(three.hello().node, 1u);
  EXPECT_EQ(one.hello().node, 1u);
  const auto report = nlohmann::json::parse(one.ask(client::RequestKind::report).body);
  EXPECT_EQ(report["clients"]["connections"], 2);
}

TEST(Node, AClientThatIsGoneIsForgotten) {
  RunningNode running(single());
  TestClient stays(running.client_endpoint());
  {
    TestClient goes(running.client_endpoint());
    const std::uint32_t session = open_session(goes, 7);
    for (std::uint32_t i = 0; i < 100; ++i) {
      goes.send(client::RequestKind::submit, set_commands(session, i + 1, 1));
    }
  }
  EXPECT_EQ(stays.hello().node, 1u);
  EXPECT_EQ(running.stop(), 0);
}

// --- the port of gateways ---

std::vector<Result> submit(NodePort& port, std::vector<std::byte> body) {
  std::promise<std::vector<Result>> promise;
  port.submit(std::move(body), [&promise](std::span<const Result> results) {
    promise.set_value({results.begin(), results.end()});
  });
  return promise.get_future().get();
}

TEST(NodePort, ServesGateways) {
  RunningNode running(single());
  NodePort& port = running.node.port();
  std::vector<std::byte> open;
  TestApplication::append_open(open, 3);
  const auto opened = submit(port, open);
  ASSERT_EQ(opened.size(), 1u);
  const auto session = static_cast<std::uint32_t>(opened[0].value);
  const auto results = submit(port, set_commands(session, 1, 2, 9));
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].outcome, Outcome::ok);

  const std::uint32_t key = 9;
  for (const ReadMode mode : {ReadMode::local, ReadMode::linearizable}) {
    const Bytes query = std::as_bytes(std::span(&key, 1));
    std::promise<std::uint64_t> promise;
    port.query({query.begin(), query.end()}, mode, {},
               [&promise](const std::string& error, RefusedBecause, Bytes answer) {
                 EXPECT_EQ(error, "");
                 std::uint64_t value = 0;
                 std::memcpy(&value, answer.data(), sizeof(value));
                 promise.set_value(value);
               });
    EXPECT_EQ(promise.get_future().get(), 101u);
  }

  std::promise<std::pair<FrozenStore, NodeReport>> frozen;
  port.freeze([&frozen](FrozenStore store, const NodeReport& report) {
    frozen.set_value({std::move(store), report});
  });
  const auto [store, report] = frozen.get_future().get();
  EXPECT_EQ(store.at(Key{9}).value, 101u);
  EXPECT_EQ(report.applied, LogIndex{2});
  EXPECT_EQ(report.client_endpoint, running.client_endpoint());

  std::promise<NodeReport> promise;
  port.report([&promise](const NodeReport& current) { promise.set_value(current); });
  EXPECT_EQ(promise.get_future().get().digest, store.digest());
}

TEST(NodePort, RefusesBadCommandsAtOnce) {
  Node node(single());
  const auto results = submit(node.port(), set_commands(1, 1, 1, TestApplication::kKeys));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].outcome, Outcome::refused);
  EXPECT_EQ(results[0].reason, static_cast<std::uint8_t>(RefusedBecause::invalid));
}

TEST(NodePort, RefusesBeyondItsCapacityAndAfterTheStop) {
  NodeConfig config = single();
  config.port_capacity = 2;
  Node node(std::move(config));
  std::vector<Result> answers;
  const auto collect = [&answers](std::span<const Result> results) {
    answers.insert(answers.end(), results.begin(), results.end());
  };
  for (int i = 0; i < 3; ++i) node.port().submit(set_commands(1, 1, 1), collect);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].reason, static_cast<std::uint8_t>(RefusedBecause::overloaded));

  node.stop();
  EXPECT_EQ(node.run(), 0);  // it was stopped before it ran
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[2].outcome, Outcome::refused);
  EXPECT_EQ(answers[2].reason, static_cast<std::uint8_t>(RefusedBecause::stopping));
  node.port().submit(set_commands(1, 1, 1), collect);
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_EQ(answers[3].reason, static_cast<std::uint8_t>(RefusedBecause::stopping));
}

// --- starting and stopping ---

// By that the others know whether to hear it after another start.
TEST(Node, SaysInItsFramesWhetherItKeepsItsState) {
  for (const bool keeps : {false, true}) {
    const TestFolder folder;
    zmq::context_t context;
    zmq::socket_t other(context, zmq::socket_type::pull);
    other.set(zmq::sockopt::rcvtimeo, 10'000);
    other.bind("tcp://127.0.0.1:0");
    NodeConfig config = single(kRaft);
    config.replica.members.push_back(NodeId{2});
    config.peers = {{NodeId{1}, "tcp://127.0.0.1:0"},
                    {NodeId{2}, other.get(zmq::sockopt::last_endpoint)}};
    if (keeps) {
      config.durability = Durability::async;
      config.data = folder.path() / "node";
    }
    const RunningNode running(std::move(config));
    zmq::message_t frame;
    ASSERT_TRUE(other.recv(frame)) << "it stands for election";
    WireHeader header;
    ASSERT_GE(frame.size(), sizeof(header));
    std::memcpy(&header, frame.data(), sizeof(header));
    EXPECT_EQ(header.forgets, keeps ? 0 : 1);
    EXPECT_EQ(header.incarnation, keeps ? 1U : 99U);
  }
}

TEST(Node, StopsWhileClientsAreBusy) {
  for (int round = 0; round < 5; ++round) {
    RunningNode running(single());
    TestClient client(running.client_endpoint());
    const std::uint32_t session = open_session(client, 7);
    for (std::uint32_t i = 0; i < 500; ++i) {
      client.send(client::RequestKind::submit, set_commands(session, i + 1, 1));
    }
    EXPECT_EQ(running.stop(), 0);
  }
}

TEST(Node, SaysWhatIsWrongWithItsConfiguration) {
  const auto error_of = [](NodeConfig config) {
    try {
      const Node node(std::move(config));
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  NodeConfig config = single();
  config.replica.self = NodeId{4};
  EXPECT_THAT(
      error_of(config),
      HasSubstr("node 4 is not among the members, and those of unreplicated do not change"));
  config = single();
  config.replica.incarnation = {};
  EXPECT_THAT(error_of(config), HasSubstr("incarnation"));
  config = single();
  config.client_endpoints = {"tcp://127.0.0.1:notaport"};
  EXPECT_THAT(error_of(config), HasSubstr("tcp://127.0.0.1:notaport"));
  config = single();
  config.peers[NodeId{2}] = "tcp://127.0.0.1:4000";
  EXPECT_THAT(error_of(config), HasSubstr("node 2 is not another member"));
  config = single();
  config.journal = "/nowhere/journal";
  EXPECT_THAT(error_of(config), HasSubstr("/nowhere/journal"));
  config = single();
  Algorithm merging = kUnreplicated;
  merging.guarantee.ordered = false;
  const TestApplication counters(TestApplication::Kind::add);
  config.algorithm = &merging;
  config.application = &counters;
  EXPECT_THAT(error_of(config), HasSubstr("depend on the state"));
}

// A replica that finds its own state impossible at the first command.
// Has all that nodes wrote up to their own number, and nothing later.
class ReadingReplica final : public Replica {
 public:
  void step(const Turn& turn, const Store&, Effects& effects) noexcept override {
    for (const ReadRequest& read : turn.reads) {
      const bool here = std::ranges::all_of(
          read.seen, [](const Seen& seen) { return seen.time <= seen.node.value; });
      if (here) {
        effects.reads_ready.push_back({read.id, {}});
      } else {
        effects.refused.push_back({Refusal::Kind::read, Refusal::Reason::behind, read.id});
      }
    }
  }
  [[nodiscard]] Instant deadline() const noexcept override { return kNever; }
  [[nodiscard]] Status status() const noexcept override { return {}; }
};

TEST(Node, AQueryNamesWhatItsClientHasSeen) {
  Algorithm reading = kUnreplicated;
  reading.make = [](const ReplicaConfig&, const Recovered&) -> std::unique_ptr<Replica> {
    return std::make_unique<ReadingReplica>();
  };
  RunningNode running(single(reading));
  TestClient client(running.client_endpoint());
  const auto ask = [&client](const std::vector<client::Seen>& seen) {
    const std::uint32_t key = 5;
    return client.ask(client::RequestKind::query, std::as_bytes(std::span(&key, 1)),
                      ReadMode::local, seen);
  };
  EXPECT_EQ(ask({{/*time=*/2, /*node=*/2, 0}, {7, 7, 0}}).reason, RefusedBecause::none);
  const ClientAnswer late = ask({{2, 2, 0}, {8, 7, 0}});
  EXPECT_EQ(late.reason, RefusedBecause::behind);
  EXPECT_EQ(late.body, "");
  EXPECT_EQ(ask(std::vector<client::Seen>(1024, {1, 1, 0})).reason, RefusedBecause::none);
  const ClientAnswer many = ask(std::vector<client::Seen>(1025, {1, 1, 0}));
  EXPECT_EQ(many.reason, RefusedBecause::invalid);
  EXPECT_EQ(many.error, "seen: 1025 nodes; allowed are 1024");
}

class BrokenReplica final : public Replica {
 public:
  void step(const Turn& turn, const Store&, Effects& effects) noexcept override {
    if (!turn.commands.empty()) effects.broken_invariant = "two and two are five";
  }
  [[nodiscard]] Instant deadline() const noexcept override { return kNever; }
  [[nodiscard]] Status status() const noexcept override { return {}; }
};

TEST(Node, ABrokenInvariantStopsItWithTheStory) {
  Algorithm broken = kUnreplicated;
  broken.make = [](const ReplicaConfig&, const Recovered&) -> std::unique_ptr<Replica> {
    return std::make_unique<BrokenReplica>();
  };
  RunningNode running(single(broken));
  TestClient client(running.client_endpoint());
  client.send(client::RequestKind::submit, set_commands(1, 1, 1));
  EXPECT_EQ(running.join(), 1);
  EXPECT_EQ(running.node.story(), "two and two are five");
}

TEST(Node, KeepsAJournalOfWhatItApplied) {
  const TestFolder folder;
  NodeConfig config = single();
  config.journal = folder.path() / "1.applied.csv";
  RunningNode running(std::move(config));
  TestClient client(running.client_endpoint());
  const std::uint32_t session = open_session(client, 7);
  client.submit(set_commands(session, 1, 2, 5));
  // It is written while the node lives, without further requests.
  const std::string expected =
      "stamp,client,seq,cell,t_ns,known\n"
      "00000000000000020000000000000000,1,1,5,T,1\n"
      "00000000000000020000000000000001,1,2,5,T,1\n";
  std::string text;
  const Instant give_up = monotonic_now() + kPatience;
  while (text != expected && monotonic_now() < give_up) {
    std::this_thread::yield();
    text = without_times(folder.path() / "1.applied.csv");
  }
  EXPECT_EQ(text, expected);
}

}  // namespace
}  // namespace parley
