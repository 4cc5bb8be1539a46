// Faults on real nodes: that they do what they say, and whole runs with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>

#include "apps/canvas/canvas.h"
#include "harness/cluster/fault_desk.h"
#include "harness/cluster/private_folder.h"
#include "harness/run/fault_injector.h"
#include "harness/run/faults.h"
#include "harness/run/test_runs.h"
#include "runtime/live/test_client.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr auto kLong = 60s;
constexpr NodeTarget kLeader{NodeTarget::Kind::leader, {}};

void await(const std::function<bool()>& state) {
  const auto until = std::chrono::steady_clock::now() + kLong;
  while (!state()) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    std::this_thread::sleep_for(5ms);
  }
}

NodeId await_other_leader(Cluster& cluster, NodeId old) {
  std::optional<NodeId> leader;
  await([&] {
    leader = cluster.leader(kLong);
    return leader && *leader != old;
  });
  return leader.value_or(kNoNode);
}

ClusterSpec three_nodes(const PrivateFolder& folder, const std::string& reads = "read_index") {
  ClusterSpec spec = stored_nodes(folder);
  EXPECT_EQ(set_option(spec.algorithm->options, "reads", reads, spec.options), "");
  spec.canvas = {64, 64};
  spec.control = true;
  // Delays are not what a cut may take away.
  spec.links.rules = {{kNoNode, kNoNode, {.delay_us = 100}}};
  return spec;
}

// Three nodes that run, and what they say of each other.
class Live : public testing::Test {
 protected:
  Live() : cluster_(three_nodes(folder_)) { cluster_.wait_ready(kLong); }

  Json report(NodeId node) { return Json::parse(cluster_.reports(kLong).at(node)); }
  // The sum over the node's peers.
  std::uint64_t sum(NodeId node, const char* counter) {
    const Json told = report(node);
    std::uint64_t sum = 0;
    for (const Json& peer : told["peers"]) sum += peer[counter].get<std::uint64_t>();
    return sum;
  }
  void await_other_leader(NodeId old) { harness::await_other_leader(cluster_, old); }

  PrivateFolder folder_;
  Cluster cluster_;
};

TEST_F(Live, ACutTakesTheLeadershipAndHealingBringsAllTogether) {
  const NodeId old = cluster_.find(kLeader);
  for (const auto direction : {CutShape::Direction::both, CutShape::Direction::out}) {
    const NodeId leader = cluster_.find(kLeader);
    const auto links = links_of({.direction = direction, .groups = {}}, leader, 3);
    cluster_.cut(links);
    await_other_leader(leader);
    cluster_.heal(links);
    cluster_.wait_ready(kLong);
  }
  EXPECT_GT(sum(old, "shaped"), 0U);
}

TEST_F(Live, ALinkThatWasCutTwicePassesOnceItWasHealedTwice) {
  const NodeId node = cluster_.find({NodeTarget::Kind::follower, {}});
  const auto links = links_of({}, node, 3);
  cluster_.cut(links);
  cluster_.cut(links);
  cluster_.heal(links);
  // Nothing comes from it any more, not even what was under way.
  const std::uint64_t sent = sum(node, "sent");
  const std::uint64_t shaped = sum(node, "shaped");
  await([&] { return sum(node, "shaped") > shaped; });
  EXPECT_EQ(sum(node, "sent"), sent);
  cluster_.heal(links);
  await([&] { return sum(node, "sent") > sent; });
  cluster_.wait_ready(kLong);
}

TEST_F(Live, ACutHoldsForANodeThatIsStartedOrGoesOnMeanwhile) {
  const NodeId node = cluster_.find({NodeTarget::Kind::follower, {}});
  const auto links = links_of({}, node, 3);
  cluster_.kill({NodeTarget::Kind::node, node});
  cluster_.cut(links);
  cluster_.restart(node);
  await([&] { return sum(node, "shaped") > 0; });
  EXPECT_EQ(sum(node, "sent"), 0U);
  EXPECT_EQ(sum(node, "received"), 0U);
  cluster_.heal(links);
  cluster_.wait_ready(kLong);

  cluster_.pause({NodeTarget::Kind::node, node});
  cluster_.cut(links);
  cluster_.resume(node);
  const std::uint64_t sent = sum(node, "sent");
  const std::uint64_t shaped = sum(node, "shaped");
  await([&] { return sum(node, "shaped") > shaped; });
  EXPECT_EQ(sum(node, "sent"), sent);
  cluster_.heal(links);
  cluster_.wait_ready(kLong);
}

TEST_F(Live, SlowLinksDelayWhatTheyCarryUntilTheyAreQuickAgain) {
  const NodeId node = cluster_.find({NodeTarget::Kind::follower, {}});
  const auto links = links_of({}, node, 3);
  // Longer than any election timeout: it hears of its leader too late, time and again.
  cluster_.slow(links, {.delay_us = 700'000});
  await([&] { return report(node)["role"] != "follower"; });
  cluster_.speed_up(links, {.delay_us = 700'000});
  cluster_.wait_ready(kLong);
}

TEST_F(Live, ASlowDiskHoldsUpWhatWaitsForIt) {
  const NodeFaults slow{{}, {.write_delay = 60s}};
  const NodeId leader = cluster_.find(kLeader);
  for (const Member& member : cluster_.members())
    cluster_.inject({NodeTarget::Kind::node, member.id}, slow);
  // No vote is on disk, and so nobody is elected.
  cluster_.kill({NodeTarget::Kind::node, leader});
  const auto until = std::chrono::steady_clock::now() + 1s;
  while (std::chrono::steady_clock::now() < until) {
    const auto other = cluster_.leader(kLong);
    EXPECT_TRUE(!other || *other == leader) << "elected without a durable vote";
  }
  cluster_.withdraw_all();
  await_other_leader(leader);
  cluster_.restart(leader);
  cluster_.wait_ready(kLong);
}

TEST_F(Live, AFullDiskEndsTheNodeAndRoomBringsItBack) {
  const NodeId leader = cluster_.find(kLeader);
  const NodeFaults full{{}, {.write_delay = {}, .full = true}};
  const NodeTarget target{NodeTarget::Kind::node, leader};
  EXPECT_EQ(cluster_.inject(target, full).node, leader);
  // A leader that writes nothing stays: an election makes all of them write.
  cluster_.cut(links_of({}, leader, 3));
  await_other_leader(leader);
  cluster_.heal(links_of({}, leader, 3));
  await([&] { return cluster_.running().size() == 2; });
  EXPECT_THAT(cluster_.casualties(), IsEmpty()) << "it was to be expected";
  EXPECT_THAT(content_of(folder_.path() / "nodes" / (std::to_string(leader.value) + ".log")),
              HasSubstr("No space left on device"));
  cluster_.withdraw(leader, full);
  EXPECT_THAT(cluster_.running(), SizeIs(3));
  cluster_.wait_ready(kLong);
}

TEST_F(Live, AFullDiskIsTakenAwayFromANodeThatHasNotWrittenMeanwhile) {
  const NodeId node = cluster_.find({NodeTarget::Kind::follower, {}});
  const NodeFaults full{{}, {.write_delay = {}, .full = true}};
  cluster_.inject({NodeTarget::Kind::node, node}, full);
  const pid_t pid = cluster_.members()[node.value - 1].pid;
  cluster_.withdraw(node, full);
  EXPECT_EQ(cluster_.members()[node.value - 1].pid, pid);
  cluster_.wait_ready(kLong);
}

TEST_F(Live, ARollingRestartTakesEachNodeInTurn) {
  std::vector<pid_t> before;
  for (const Member& member : cluster_.members()) before.push_back(member.pid);
  std::vector<NodeId> asked;
  RollingRestart rolling(cluster_, {.before_stop = [&asked](NodeId node) { asked.push_back(node); },
                                    .before_start = nullptr});
  await([&] { return rolling.over(); });
  rolling.cut_short();
  EXPECT_EQ(rolling.problem(), "");
  EXPECT_THAT(asked, testing::ElementsAre(NodeId{1}, NodeId{2}, NodeId{3}));
  ASSERT_THAT(rolling.restarts(), SizeIs(3));
  for (std::size_t i = 0; i < 3; ++i) {
    const NodeRestart& restart = rolling.restarts()[i];
    EXPECT_LT(restart.asked, restart.started);
    EXPECT_LT(restart.started, restart.caught_up);
    if (i > 0) EXPECT_LE(rolling.restarts()[i - 1].caught_up, restart.asked);
    EXPECT_NE(cluster_.members()[i].pid, before[i]);
  }
  EXPECT_THAT(cluster_.casualties(), IsEmpty());
  cluster_.wait_ready(kLong);
}

TEST_F(Live, APausedLeaderIsReplaced) {
  const NodeId old = cluster_.pause(kLeader).node;
  await_other_leader(old);
  cluster_.resume(old);
  cluster_.wait_ready(kLong);
  EXPECT_THAT(cluster_.stop(kLong), IsEmpty());
}

// One who paints a cell anew and anew, by itself, at whatever node.
class Painter {
 public:
  explicit Painter(TestClient& client) {
    std::vector<std::byte> body;
    append_open_session(1, body);
    session_ = static_cast<std::uint32_t>(done(client, body).value);
  }
  void paint(TestClient& client, std::uint32_t color) {
    const canvas::Place place(3, 4, color, 1);
    std::vector<std::byte> body;
    append_command({session_, ++sequence_, sizeof(place), 0}, std::as_bytes(std::span(&place, 1)),
                   body);
    done(client, body);
  }

 private:
  // Refusals are tried again.
  static Result done(TestClient& client, const std::vector<std::byte>& body) {
    Result result;
    await([&] {
      result = client.submit(body).at(0);
      return result.outcome == Outcome::ok;
    });
    return result;
  }

  std::uint32_t session_ = 0;
  std::uint32_t sequence_ = 0;
};

// A question waits at the door of a leader that stands still, while the others go on without it.
// When it goes on it must not answer what they have overwritten, neither by its lease nor by its
// votes.
class StoppedLeader : public testing::TestWithParam<const char*> {};

TEST_P(StoppedLeader, AnswersNothingThatIsOverwritten) {
  const PrivateFolder folder;
  Cluster cluster(three_nodes(folder, GetParam()));
  cluster.wait_ready(kLong);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (const Member& member : cluster.members()) {
    clients.push_back(std::make_unique<TestClient>(member.client_endpoint));
  }
  const auto client = [&](NodeId node) -> TestClient& { return *clients[node.value - 1]; };
  Painter painter(client(await_other_leader(cluster, kNoNode)));
  std::size_t answered = 0;
  for (std::uint32_t round = 1; round <= 5; ++round) {
    const NodeId old = await_other_leader(cluster, kNoNode);
    painter.paint(client(old), 2 * round);
    cluster.pause({NodeTarget::Kind::node, old});
    const canvas::CellRef cell(3, 4);
    const std::uint64_t asked = client(old).send(
        client::RequestKind::query, std::as_bytes(std::span(&cell, 1)), ReadMode::linearizable);
    painter.paint(client(await_other_leader(cluster, old)), 2 * round + 1);
    cluster.resume(old);
    while (!client(old).answers.contains(asked)) ASSERT_TRUE(client(old).take_reply());
    cluster.wait_ready(kLong);
    const ClientAnswer& answer = client(old).answers[asked];
    if (answer.reason != RefusedBecause::none) continue;  // nobody is misled by that
    ASSERT_EQ(answer.error, "");
    ASSERT_EQ(answer.body.size(), sizeof(canvas::CellState));
    canvas::CellState state;
    std::memcpy(&state, answer.body.data(), sizeof(state));
    EXPECT_EQ(state.color(), 2 * round + 1) << "node " << old.value;
    ++answered;
  }
  EXPECT_GT(answered, 0U);
}

INSTANTIATE_TEST_SUITE_P(Reads, StoppedLeader, testing::Values("read_index", "lease"),
                         [](const auto& reads) { return std::string(reads.param); });

TEST_F(Live, TheInjectorKeepsAccountOfWhatWasDoneAndWhatWasNot) {
  const ScheduledFault pause{.kind = ScheduledFault::Kind::pause, .target = kLeader, .cut = {}};
  ScheduledFault again = pause;
  again.target = {NodeTarget::Kind::node, cluster_.find(kLeader)};
  const ScheduledFault cut{.kind = ScheduledFault::Kind::cut, .target = kLeader, .cut = {}};
  FaultInjector injector(cluster_, {pause, again, cut, pause});
  injector.start(std::chrono::steady_clock::now());
  injector.begin(0);
  injector.begin(1);
  injector.begin(2);  // waits for a new leader
  injector.end(1);
  injector.end(2);
  EXPECT_THAT(injector.finish(),
              testing::ElementsAre("pause-leader outlasted the measured window"));
  const auto& faults = injector.faults();
  ASSERT_THAT(faults, SizeIs(4));
  EXPECT_EQ(faults[0].node, again.target.id);
  EXPECT_EQ(faults[0].problem, "");
  EXPECT_THAT(faults[1].problem, HasSubstr("is paused"));
  EXPECT_EQ(faults[1].node, kNoNode);
  EXPECT_EQ(faults[2].fault, "isolate-leader");
  EXPECT_NE(faults[2].node, faults[0].node);
  EXPECT_EQ(faults[2].problem, "");
  EXPECT_GE(faults[2].injected_ms, faults[0].injected_ms);
  EXPECT_EQ(faults[3].problem, "the measured window ended before");
  cluster_.wait_ready(kLong);
}

TEST_F(Live, TheDeskCutsDelaysAndHeals) {
  FaultDesk desk("ipc://" + (folder_.path() / "desk").string(), cluster_);
  const NodeId old = cluster_.find(kLeader);
  EXPECT_EQ(desk.answer(R"({"fault":"cut","node":"leader","direction":"out"})"),
            "200 {\"done\":\"cut\",\"node\":" + std::to_string(old.value) + ",\"links\":2}");
  await_other_leader(old);
  EXPECT_EQ(desk.answer(R"({"fault":"heal"})"), "200 {\"done\":\"heal\",\"dead\":[]}");
  cluster_.wait_ready(kLong);
  EXPECT_EQ(desk.answer(R"({"fault":"cut","groups":[[1,2],[2,3]]})"),
            R"(200 {"done":"cut","links":2})");
  EXPECT_EQ(desk.answer(R"({"fault":"delay","delay_ms":5,"jitter_ms":0.5})"),
            "200 {\"done\":\"delay\"}");
  EXPECT_THAT(desk.answer(R"({"fault":"kill","node":3})"), HasSubstr("\"node\":3"));
  EXPECT_THAT(desk.answer(R"({"fault":"pause","node":2})"), HasSubstr("\"node\":2"));
  EXPECT_EQ(desk.answer(R"({"fault":"heal"})"), "200 {\"done\":\"heal\",\"dead\":[]}");
  cluster_.wait_ready(kLong);
}

TEST_F(Live, TheDeskMakesThingsWorseAndHealsThem) {
  FaultDesk desk("ipc://" + (folder_.path() / "desk").string(), cluster_);
  EXPECT_EQ(desk.answer(R"({"fault":"slow-link","node":2,"delay_ms":5,"loss":0.01})"),
            R"(200 {"done":"slow-link","node":2,"links":4})");
  EXPECT_EQ(desk.answer(R"({"fault":"slow-disk","node":1,"delay_ms":5})"),
            R"(200 {"done":"slow-disk","node":1})");
  EXPECT_EQ(desk.answer(R"({"fault":"clock-step","node":3,"step_ms":-2000})"),
            R"(200 {"done":"clock-step","node":3})");
  EXPECT_EQ(desk.answer(R"({"fault":"rolling-restart","down_ms":60000})"),
            R"(200 {"done":"rolling-restart","nodes":3})");
  EXPECT_THAT(desk.answer(R"({"fault":"rolling-restart"})"),
              HasSubstr("a rolling restart is under way"));
  await([&] { return cluster_.running().size() == 2; });
  EXPECT_EQ(desk.answer(R"({"fault":"heal"})"), "200 {\"done\":\"heal\",\"dead\":[]}");
  EXPECT_THAT(cluster_.running(), SizeIs(3)) << "also the one that was to be away for long";
  cluster_.wait_ready(kLong);
}

TEST_F(Live, FaultsThatAddUpToTooMuchAreTheMostThereIs) {
  FaultDesk desk("ipc://" + (folder_.path() / "desk").string(), cluster_);
  for (int time = 0; time < 3; ++time) {
    EXPECT_EQ(desk.answer(R"({"fault":"clock-step","node":3,"step_ms":600000000})"),
              R"(200 {"done":"clock-step","node":3})");
  }
  EXPECT_THAT(desk.answer(R"({"fault":"cut","node":3})"), HasSubstr("200 "))
      << "its control takes what it is told";
  EXPECT_EQ(desk.answer(R"({"fault":"heal"})"), "200 {\"done\":\"heal\",\"dead\":[]}");
}

TEST_F(Live, ARollingRestartThatCannotGoOnIsTold) {
  std::mutex mutex;
  std::string told;
  FaultDesk desk("ipc://" + (folder_.path() / "desk").string(), cluster_,
                 [&](const std::string& problem) {
                   const std::lock_guard lock(mutex);
                   told = problem;
                 });
  cluster_.kill({NodeTarget::Kind::node, NodeId{3}});
  EXPECT_THAT(desk.answer(R"({"fault":"rolling-restart"})"),
              HasSubstr("node 3 does not run: heal first"));
  EXPECT_FALSE(desk.restarts_nodes());
  cluster_.restart(NodeId{3});
  cluster_.wait_ready(kLong);
  EXPECT_THAT(desk.answer(R"({"fault":"rolling-restart","down_ms":500})"), HasSubstr("200 "));
  await([&] { return cluster_.running().size() == 2; });
  EXPECT_TRUE(desk.restarts_nodes());
  cluster_.kill({NodeTarget::Kind::node, NodeId{3}});
  await([&] { return !desk.restarts_nodes(); });
  const std::lock_guard lock(mutex);
  EXPECT_THAT(told, HasSubstr("the rolling restart has ended early: node 3 does not run"));
}

// The leader is away for a second: the others take over, and all agree in the end.
class LeaderAway : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(LeaderAway, IsNoticedGotOverAndPassesTheCheck) {
  const auto [schedule, fault] = GetParam();
  RunSpec spec = small("raft", 3);
  spec.record = "all";
  spec.faults = schedule;
  spec.duration_s = 4;
  const TestRun run(spec);
  run.expect_sound();
  const Json summary = run.summary();
  ASSERT_EQ(summary["recovery"].size(), 1U);
  const Json& recovery = summary["recovery"][0];
  EXPECT_EQ(recovery["fault"], fault);
  // No one stands for election before it has heard nothing for a while, whatever the machine.
  EXPECT_GT(recovery["noticed_ms"], 50) << recovery;
  EXPECT_GT(recovery["first_success_ms"], 50) << recovery;
  EXPECT_THAT(run.content("faults.csv"), HasSubstr(std::string(fault) + ","));
  EXPECT_THAT(run.content("events.csv"), HasSubstr(",success,"));
  EXPECT_THAT(run.content("simulated.csv"), HasSubstr(",success,"));
  EXPECT_FALSE(summary["as_simulated"]["text"].get<std::string>().empty());
}

// Reads that say that they are linearizable are checked as such, while their leader is away.
class LinearizableReads : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(LinearizableReads, AreSo) {
  const auto [reads, schedule] = GetParam();
  RunSpec spec = small("raft", 3);
  ASSERT_EQ(set_option(spec.algorithm->options, "reads", reads, spec.options), "");
  spec.record = "all";
  spec.read_mode = "linearizable";
  spec.read_share = 0.5;
  spec.rate = 1000;
  spec.canvas = {4, 4};
  spec.faults = schedule;
  spec.duration_s = 4;
  const TestRun run(spec);
  run.expect_sound();
  std::size_t read = 0;
  std::istringstream history(run.content("history.jsonl"));
  for (std::string line; std::getline(history, line);) {
    const bool answered = line.find("\"outcome\":\"ok\"") != std::string::npos;
    if (answered && line.find("\"linearizable\"") != std::string::npos) ++read;
  }
  EXPECT_GT(read, 500U) << "what was checked";
  const Json summary = run.summary();
  ASSERT_EQ(summary["recovery"].size(), 1U);
  EXPECT_EQ(summary["recovery"][0]["fault"], schedule);
}

INSTANTIATE_TEST_SUITE_P(Faults, LinearizableReads,
                         testing::Values(std::tuple("lease", "pause-leader"),
                                         std::tuple("lease", "isolate-leader"),
                                         std::tuple("read_index", "pause-leader")));

// What is merely slow, full, or wrong about the time for a while costs nobody what was
// acknowledged.
class Degraded : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(Degraded, LosesNothingAndAllAgreeInTheEnd) {
  const auto [algorithm, schedule] = GetParam();
  RunSpec spec = small(algorithm, 3);
  spec.record = "all";
  spec.durability = "async";
  spec.faults = schedule;
  spec.duration_s = 4;
  const TestRun run(spec);
  run.expect_sound();
  const Json summary = run.summary();
  ASSERT_EQ(summary["recovery"].size(), 1U);
  EXPECT_EQ(summary["recovery"][0]["fault"], schedule);
  EXPECT_NEAR(summary["recovery"][0]["ended_ms"].get<double>(), 3000, 900);
  EXPECT_GT(summary["unavailable_ms"], 0);
  EXPECT_FALSE(run.content("simulated.csv").empty())
      << "the same schedule drives the simulator: "
      << json_of(run.out() / "manifest.json")["notes"];
}

INSTANTIATE_TEST_SUITE_P(Faults, Degraded,
                         testing::Values(std::tuple("raft", "slow-link-leader"),
                                         std::tuple("raft", "slow-disk-leader"),
                                         std::tuple("raft", "full-disk-leader"),
                                         std::tuple("raft", "clock-step-leader"),
                                         std::tuple("bully_2pc", "full-disk-leader"),
                                         std::tuple("gossip_lww", "full-disk-leader"),
                                         std::tuple("gossip_lww", "clock-step-leader")));

// Each node in turn is asked to stop, started again and waited for, under load.
class RollingRestarts : public testing::TestWithParam<const char*> {};

TEST_P(RollingRestarts, LoseAndDoubleNothing) {
  RunSpec spec = small(GetParam(), 3);
  spec.record = "all";
  spec.durability = "async";
  spec.faults = "rolling-restart";
  spec.duration_s = 20;
  const TestRun run(spec);
  run.expect_sound();
  expect_rolled(run, spec.nodes);
}

INSTANTIATE_TEST_SUITE_P(Strategies, RollingRestarts,
                         testing::Values("raft", "bully_2pc", "gossip_lww"),
                         [](const auto& strategy) { return std::string(strategy.param); });

TEST(FaultRuns, ASlowLeaderIsNoReasonForAnElectionAndOnesThatBeginAreCounted) {
  RunSpec spec = small("raft", 3);
  spec.duration_s = 5;
  // What the leader sends comes late by more than any election timeout, but it is there.
  const TestRun slow(spec,
                     "[[fault]]\nat_s = 1.5\nkind = \"slow-link\"\nnode = \"leader\"\n"
                     "direction = \"out\"\ndelay_ms = 1500\nfor_s = 2\n");
  slow.expect_done();
  EXPECT_GE(slow.summary()["false_elections"], 1) << slow.content("cluster.log");
  spec.faults = "kill-leader";
  const TestRun killed(spec);
  killed.expect_done();
  EXPECT_GE(killed.summary()["elections"], 1);
  EXPECT_LT(killed.summary()["false_elections"], killed.summary()["elections"])
      << "the one after the kill is none: " << killed.content("cluster.log");
}

INSTANTIATE_TEST_SUITE_P(Faults, LeaderAway,
                         testing::Values(std::pair("pause-leader", "pause-leader"),
                                         std::pair("isolate-leader", "isolate-leader"),
                                         std::pair("partition", "partition-leader"),
                                         std::pair("one-way", "mute-leader")));

TEST(FaultRuns, GroupsHaveNoNodeInTheResults) {
  const TestRun run(small("raft", 3),
                    "[[fault]]\nat_s = 0.5\nkind = \"cut\"\ngroups = [[1, 2], [2, 3]]\n"
                    "for_s = 0.2\n");
  run.expect_done();
  EXPECT_THAT(run.content("faults.csv"), HasSubstr("\ncut-groups,,"));
  EXPECT_TRUE(run.summary()["recovery"][0]["node"].is_null());
  EXPECT_THAT(run.content("cluster.log"), HasSubstr("cut of the links 1>3 3>1"));
}

TEST(FaultRuns, AFaultThatIsNeverInjectedFailsTheRun) {
  const TestRun run(small("raft", 3),
                    "[[fault]]\nat_s = 0.2\nkind = \"kill\"\nnode = 2\n"
                    "[[fault]]\nat_s = 0.4\nkind = \"pause\"\nnode = 2\nfor_s = 0.1\n");
  EXPECT_EQ(run.outcome.state, RunState::failed);
  EXPECT_EQ(run.outcome.reason, "pause-2 was not done as planned: node 2 does not run");
  EXPECT_THAT(run.content("faults.csv"), Not(HasSubstr("pause-2")));
}

// The survivors may lack what the majority had acknowledged last, which no strategy promises to
// keep.
TEST(FaultRuns, WithoutAMajorityNothingSucceeds) {
  RunSpec spec = small("raft", 5);
  spec.record = "all";
  spec.faults = "kill-majority";
  spec.duration_s = 4;
  const TestRun run(spec);
  run.expect_done();
  const Json summary = run.summary();
  EXPECT_EQ(summary["consistency"]["verdict"], "not_checked");
  ASSERT_EQ(summary["recovery"].size(), 1U);
  EXPECT_EQ(summary["recovery"][0]["fault"], "kill-majority");
  EXPECT_TRUE(summary["recovery"][0]["first_success_ms"].is_null());
  const std::string log = run.content("cluster.log");
  std::size_t kills = 0;
  for (std::size_t at = 0; (at = log.find("(majority)", at)) != std::string::npos; ++at) ++kills;
  EXPECT_EQ(kills, 3U);
}

TEST(FaultRuns, AFlappingLeaderIsCutOffFourTimesAndAllAgreeInTheEnd) {
  RunSpec spec = small("raft", 3);
  spec.record = "all";
  spec.faults = "flap";
  spec.duration_s = 6;
  const TestRun run(spec);
  run.expect_sound();
  EXPECT_EQ(run.summary()["recovery"].size(), 4U);
}

// Kills, pauses and cuts by a seed, some at the same time, under load on real storage.
class TenRandomFaults : public testing::TestWithParam<const char*> {};

TEST_P(TenRandomFaults, LoseNothingAndAllAgreeInTheEnd) {
  RunSpec spec = small(GetParam(), 5);
  spec.record = "all";
  spec.durability = "group_commit";
  spec.faults = "random:10";
  spec.seed = 4;
  spec.duration_s = 20;
  const TestRun run(spec);
  run.expect_sound();
  EXPECT_EQ(run.summary()["recovery"].size(), 10U);
}

INSTANTIATE_TEST_SUITE_P(Strategies, TenRandomFaults, testing::Values("raft", "bully_2pc"),
                         [](const auto& strategy) { return std::string(strategy.param); });

// Nothing keeps two coordinators from deciding: what that cost is counted, and no run fails for it.
TEST(FaultRuns, TheTextbookIsCountedAndNotHeldToAnything) {
  RunSpec spec = small("bully_2pc", 3);
  ASSERT_EQ(set_option(spec.algorithm->options, "fencing", "none", spec.options), "");
  spec.algorithm = &with_options(*spec.algorithm, spec.options);
  spec.record = "all";
  spec.durability = "async";
  spec.faults = "partition";
  spec.canvas = {4, 4};
  spec.duration_s = 4;
  const TestRun run(spec);
  run.expect_done();
  const Json consistency = run.summary()["consistency"];
  EXPECT_EQ(consistency["verdict"], "not_promised");
  EXPECT_EQ(consistency["lost"], 0) << "every disk came back";
  EXPECT_GT(consistency["superseded"], 0) << "both sides wrote into the same sixteen cells";
  EXPECT_FALSE(consistency["converged_ms"].is_null()) << "all agree in the end";
  EXPECT_THAT(run.content("manifest.json"), HasSubstr("two coordinators may both commit"));
}

}  // namespace
}  // namespace parley::harness
