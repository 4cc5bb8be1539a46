// Three nodes of Raft on real sockets in one process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <zmq.hpp>

#include "algorithms/raft/replica.h"
#include "runtime/live/node.h"
#include "runtime/live/test_client.h"
#include "runtime/live/test_folder.h"
#include "runtime/test_application.h"

namespace parley {
namespace {

using Json = nlohmann::json;

const TestApplication kApplication;

enum class Links { tcp, ipc, inproc };

class Cluster {
 public:
  explicit Cluster(Links links, LinkProfile profile = {},
                   const std::vector<std::pair<std::string, std::int64_t>>& set = {},
                   std::uint32_t spares = 0)
      : nodes_(3 + spares) {
    const auto context = std::make_shared<zmq::context_t>(1);
    std::vector<std::unique_ptr<Node>> nodes;
    for (std::uint32_t id = 1; id <= nodes_; ++id) {
      NodeConfig config;
      config.algorithm = &kRaft;
      config.application = &kApplication;
      config.replica.group = GroupId{1};
      config.replica.self = NodeId{id};
      config.replica.incarnation = Incarnation{1000 + id};
      config.replica.members = {NodeId{1}, NodeId{2}, NodeId{3}};
      config.replica.options = default_options(kRaft.options);
      for (const auto& [name, value] : set) config.replica.options.set(name, value);
      config.replica.seed = id;
      config.client_endpoints = {"tcp://127.0.0.1:0"};
      for (std::uint32_t peer = 1; peer <= nodes_; ++peer) {
        // A port that is picked is not known before.
        if (peer == id || links != Links::tcp) config.peers[NodeId{peer}] = endpoint(links, peer);
      }
      config.link = profile;
      if (links == Links::inproc) config.context = context;
      members_.push_back(std::make_unique<Member>(std::move(config)));
    }
    for (auto& from : members_) {
      for (std::uint32_t to = 1; links == Links::tcp && to <= nodes_; ++to) {
        Node& other = members_[to - 1]->node;
        if (&other != &from->node) from->node.connect_peer(NodeId{to}, other.peer_endpoint());
      }
    }
    for (auto& member : members_) member->start();
  }

  Node& node(std::uint32_t id) { return members_[id - 1]->node; }
  TestClient& client(std::uint32_t id) { return *members_[id - 1]->client; }
  int stop(std::uint32_t id) { return members_[id - 1]->stop(); }

  Json report(std::uint32_t id) {
    return Json::parse(client(id).ask(client::RequestKind::report).body);
  }

  // Waits until a node other than `except` leads, as itself says; returns its id.
  std::uint32_t await_leader(std::uint32_t except = 0) {
    const Instant give_up = monotonic_now() + kPatience;
    while (monotonic_now() < give_up) {
      for (std::uint32_t id = 1; id <= nodes_; ++id) {
        if (id != except && members_[id - 1]->running() && report(id)["role"] == "leader") {
          return id;
        }
      }
    }
    ADD_FAILURE() << "no leader";
    return 1;
  }

  // Waits until the nodes have the same state.
  void await_agreement(std::vector<std::uint32_t> ids) {
    const Instant give_up = monotonic_now() + kPatience;
    while (monotonic_now() < give_up) {
      std::vector<std::pair<Json, Json>> states;
      for (const std::uint32_t id : ids) {
        const Json state = report(id);
        states.emplace_back(state["applied"], state["digest"]);
      }
      if (std::count(states.begin(), states.end(), states.front()) ==
          static_cast<std::ptrdiff_t>(states.size())) {
        return;
      }
    }
    ADD_FAILURE() << "they never agreed";
  }

  // Submits until it is done; refusals are tried again.
  std::vector<Result> submit(std::uint32_t id, Bytes body) {
    const Instant give_up = monotonic_now() + kPatience;
    std::vector<Result> results;
    while (monotonic_now() < give_up) {
      results = client(id).submit(body);
      if (!results.empty() && results[0].outcome == Outcome::ok) return results;
    }
    ADD_FAILURE() << "never done";
    return results;
  }

  std::uint32_t open_session(std::uint32_t id, std::uint64_t nonce) {
    std::vector<std::byte> body;
    TestApplication::append_open(body, nonce);
    return static_cast<std::uint32_t>(submit(id, body).at(0).value);
  }

 private:
  // A node whose peers can be named before it runs.
  struct Member {
    explicit Member(NodeConfig config) : node(std::move(config)) {}
    ~Member() { stop(); }
    void start() {
      thread = std::thread([this] { status = node.run(); });
      client = std::make_unique<TestClient>(node.client_endpoints().front());
    }
    int stop() {
      node.stop();
      if (thread.joinable()) thread.join();
      return status;
    }
    [[nodiscard]] bool running() const { return thread.joinable(); }
    Node node;
    std::thread thread;
    std::unique_ptr<TestClient> client;
    int status = -1;
  };

  std::string endpoint(Links links, std::uint32_t id) const {
    const std::string number = std::to_string(id);
    switch (links) {
      case Links::tcp:
        return "tcp://127.0.0.1:0";
      case Links::ipc:
        return "ipc://" + (folder_.path() / number).string();
      case Links::inproc:
        return "inproc://node-" + number;
    }
    return {};
  }

  TestFolder folder_;
  std::uint32_t nodes_;
  std::vector<std::unique_ptr<Member>> members_;
};

std::vector<std::byte> set_command(std::uint32_t session, std::uint32_t sequence, std::uint32_t key,
                                   std::uint32_t value) {
  std::vector<std::byte> body;
  TestApplication::append(body, session, sequence, key, value);
  return body;
}

class OverEveryLink : public testing::TestWithParam<Links> {};

TEST_P(OverEveryLink, WritesAtAnyNodeReachAllNodes) {
  Cluster cluster(GetParam());
  cluster.await_leader();
  const std::uint32_t session = cluster.open_session(1, 5);
  for (std::uint32_t i = 1; i <= 30; ++i) {
    cluster.submit(1 + i % 3, set_command(session, i, i, 1000 + i));
  }
  cluster.await_agreement({1, 2, 3});
  const Json state = cluster.report(2);
  EXPECT_EQ(state["commands_applied"], 30);
  EXPECT_EQ(state["frames_refused"], 0);
  const std::uint32_t key = 30;
  for (std::uint32_t id = 1; id <= 3; ++id) {
    const ClientAnswer answer = cluster.client(id).ask(
        client::RequestKind::query, std::as_bytes(std::span(&key, 1)), ReadMode::linearizable);
    EXPECT_EQ(answer.error, "");
    std::uint64_t value = 0;
    ASSERT_EQ(answer.body.size(), sizeof(value));
    std::memcpy(&value, answer.body.data(), sizeof(value));
    EXPECT_EQ(value, 1030u);
  }
  for (std::uint32_t id = 1; id <= 3; ++id) EXPECT_EQ(cluster.stop(id), 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, OverEveryLink,
                         testing::Values(Links::tcp, Links::ipc, Links::inproc));

TEST(LiveCluster, ManyRequestsInFlightAreEachAnsweredOnce) {
  Cluster cluster(Links::tcp);
  const std::uint32_t leader = cluster.await_leader();
  const std::uint32_t follower = leader % 3 + 1;
  // 50 sessions with 40 commands each, half of them sent to a follower.
  std::uint64_t acknowledged = 0;
  for (const std::uint32_t id : {leader, follower}) {
    TestClient& client = cluster.client(id);
    std::vector<std::uint32_t> sessions;
    for (std::uint64_t i = 0; i < 25; ++i)
      sessions.push_back(cluster.open_session(id, id * 100 + i));
    client.results.clear();
    for (std::uint32_t sequence = 1; sequence <= 40; ++sequence) {
      for (const std::uint32_t session : sessions) {
        client.send(client::RequestKind::submit, set_command(session, sequence, sequence, session));
      }
    }
    while (client.results.size() < 1000 && client.take_reply()) {
    }
    EXPECT_EQ(client.results.size(), 1000u);
    EXPECT_EQ(client.answered_twice, 0u);
    for (const auto& [request, results] : client.results) {
      if (results.at(0).outcome == Outcome::ok) ++acknowledged;
    }
  }
  EXPECT_EQ(acknowledged, 2000u);
  cluster.await_agreement({1, 2, 3});
  EXPECT_EQ(cluster.report(follower)["commands_applied"], 2000);
}

TEST(LiveCluster, GoesOnWithoutItsLeader) {
  Cluster cluster(Links::ipc);
  const std::uint32_t first = cluster.await_leader();
  const std::uint32_t other = first % 3 + 1;
  const std::uint32_t session = cluster.open_session(other, 5);
  cluster.submit(other, set_command(session, 1, 1, 11));
  EXPECT_EQ(cluster.stop(first), 0);
  const std::uint32_t second = cluster.await_leader(first);
  EXPECT_NE(second, first);
  cluster.submit(other, set_command(session, 2, 1, 12));
  const std::uint32_t third = 6 - first - other;
  cluster.await_agreement({other, third});
  EXPECT_EQ(cluster.report(other)["commands_applied"], 2);
}

// The others would miss it after some seconds only.
TEST(LiveCluster, ALeaderThatIsToStopHandsOverFirst) {
  Cluster cluster(Links::tcp, {},
                  {{"election_timeout_min_ms", 3000}, {"election_timeout_max_ms", 6000}});
  const std::uint32_t leader = cluster.await_leader();
  const std::uint32_t session = cluster.open_session(leader, 1);
  ASSERT_GT(session, 0U);
  EXPECT_EQ(cluster.stop(leader), 0);
  std::uint32_t leads = 0;
  for (std::uint32_t id = 1; id <= 3; ++id) {
    if (id != leader && cluster.report(id)["role"] == "leader") leads = id;
  }
  EXPECT_NE(leads, 0U) << "when it is gone, another one leads already";
}

TEST(LiveCluster, AOneWayCutOfTheLeaderMovesTheLeadership) {
  Cluster cluster(Links::inproc);
  const std::uint32_t first = cluster.await_leader();
  // It still hears the others, who no longer hear it.
  for (std::uint32_t id = 1; id <= 3; ++id) {
    if (id != first) cluster.node(first).shape_link(NodeId{id}, {.cut = true});
  }
  const std::uint32_t second = cluster.await_leader(first);
  EXPECT_NE(second, first);
  const std::uint32_t session = cluster.open_session(second, 5);
  cluster.submit(second, set_command(session, 1, 1, 11));
  for (std::uint32_t id = 1; id <= 3; ++id) {
    if (id != first) cluster.node(first).shape_link(NodeId{id}, {});
  }
  cluster.await_agreement({1, 2, 3});
  EXPECT_EQ(cluster.report(first)["commands_applied"], 1);
}

using Changed = std::pair<ControlReply::Outcome, std::string>;

Changed change_members(Node& node, const MemberChange& change) {
  std::promise<Changed> promise;
  node.port().change_members(change,
                             [&promise](ControlReply::Outcome outcome, const std::string& reason) {
                               promise.set_value({outcome, reason});
                             });
  return promise.get_future().get();
}

DiskId disk_of(const Json& report) {
  return {std::stoull(report["disk"].get<std::string>())};
}

TEST(LiveCluster, ANodeThatWaitsTakesThePlaceOfADeadOne) {
  Cluster cluster(Links::ipc, {}, {}, 1);
  const std::uint32_t leader = cluster.await_leader();
  const std::uint32_t session = cluster.open_session(leader, 5);
  const Json waiting = cluster.report(4);
  EXPECT_EQ(waiting["part"], "outsider");
  EXPECT_NE(disk_of(waiting), DiskId{});
  const std::uint32_t dead = leader % 3 + 1;
  const std::uint32_t other = 6 - leader - dead;
  cluster.stop(dead);
  cluster.submit(leader, set_command(session, 1, 1, 11));

  const MemberChange change{NodeId{4}, NodeId{dead}, disk_of(waiting)};
  const Changed elsewhere = change_members(cluster.node(other), change);
  EXPECT_EQ(elsewhere.first, ControlReply::Outcome::refused);
  EXPECT_EQ(elsewhere.second, "node " + std::to_string(leader) + " leads, not this one");
  EXPECT_EQ(change_members(cluster.node(leader), change),
            (Changed{ControlReply::Outcome::done, ""}));
  cluster.await_agreement({leader, other, 4});
  EXPECT_EQ(cluster.report(4)["part"], "voter");
  EXPECT_EQ(cluster.report(leader)["voters"].size(), 3U);

  // With it there is a majority without the leader.
  cluster.stop(leader);
  cluster.await_leader(leader);
  cluster.submit(4, set_command(session, 2, 2, 22));
  cluster.await_agreement({other, 4});
  EXPECT_EQ(cluster.report(4)["commands_applied"], 2);
}

TEST(LiveCluster, ALeaderRemovesItself) {
  Cluster cluster(Links::inproc);
  const std::uint32_t leader = cluster.await_leader();
  const std::uint32_t session = cluster.open_session(leader, 5);
  EXPECT_EQ(change_members(cluster.node(leader), {.remove = NodeId{leader}}),
            (Changed{ControlReply::Outcome::done, ""}));
  const std::uint32_t next = cluster.await_leader(leader);
  cluster.submit(next, set_command(session, 1, 1, 11));
  EXPECT_EQ(cluster.report(leader)["part"], "outsider");
  EXPECT_EQ(cluster.report(next)["voters"].size(), 2U);
}

TEST(LiveCluster, WorksOverLinksThatDelayLoseAndReorder) {
  Cluster cluster(Links::inproc, {.delay = std::chrono::milliseconds(2),
                                  .jitter = std::chrono::milliseconds(2),
                                  .loss_per_million = 50'000,
                                  .allow_reorder = true});
  cluster.await_leader();
  const std::uint32_t session = cluster.open_session(1, 5);
  for (std::uint32_t i = 1; i <= 20; ++i) cluster.submit(1, set_command(session, i, i, i));
  cluster.await_agreement({1, 2, 3});
  EXPECT_EQ(cluster.report(3)["commands_applied"], 20);
}

}  // namespace
}  // namespace parley
