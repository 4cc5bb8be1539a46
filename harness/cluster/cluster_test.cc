#include "harness/cluster/cluster.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "algorithms/registry/registry.h"
#include "harness/cluster/ports.h"
#include "harness/cluster/test_support.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr auto kLong = 60s;

ClusterSpec spec_of(const PrivateFolder& folder, std::vector<std::string> modes) {
  ClusterSpec spec;
  spec.executable = PARLEY_FAKE_NODE;
  spec.arguments = std::move(modes);
  spec.folder = folder.path() / "run";
  spec.algorithm = find_algorithm("raft");
  spec.options = default_options(spec.algorithm->options);
  return spec;
}

template <class Error>
std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Cluster, StartsAnswersAndStops) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"good"}));
  cluster.wait_ready(kLong);
  EXPECT_THAT(cluster.running(), ElementsAre(NodeId{1}, NodeId{2}, NodeId{3}));
  EXPECT_EQ(cluster.leader(kLong), NodeId{1});
  const auto reports = cluster.reports(kLong);
  ASSERT_THAT(reports, SizeIs(3));
  EXPECT_EQ(reports.at(NodeId{2}), R"({"node":2,"voters":[1,2,3]})");
  std::set<std::string> endpoints;
  for (const Member& member : cluster.members()) endpoints.insert(member.client_endpoint);
  EXPECT_THAT(endpoints, SizeIs(3));
  EXPECT_THAT(cluster.usage(), SizeIs(3));
  EXPECT_THAT(cluster.stop(kLong), IsEmpty());
  EXPECT_THAT(cluster.running(), IsEmpty());
}

TEST(Cluster, SparesWaitAndNameNoLeader) {
  const PrivateFolder folder;
  ClusterSpec spec = spec_of(folder, {"good"});
  spec.spares = 2;
  Cluster cluster(spec);
  cluster.wait_ready(kLong);
  EXPECT_THAT(cluster.running(), SizeIs(5));
  EXPECT_EQ(cluster.find({NodeTarget::Kind::follower, {}}), NodeId{3}) << "no spare";
  EXPECT_EQ(cluster.find({NodeTarget::Kind::node, NodeId{5}}), NodeId{5});

  spec.spares = 62;
  EXPECT_THAT(error_of<ConfigError>([&] { const Cluster many(spec); }),
              HasSubstr("spares: 62 and 3 nodes are more than 64"));
  spec.spares = 1;
  spec.algorithm = find_algorithm("bully_2pc");
  spec.options = default_options(spec.algorithm->options);
  EXPECT_THAT(error_of<ConfigError>([&] { const Cluster fixed(spec); }),
              HasSubstr("spares: the members of bully_2pc do not change"));
  spec.spares = 0;
  spec.rejoin = {NodeId{1}};
  EXPECT_THAT(error_of<ConfigError>([&] { const Cluster fixed(spec); }),
              HasSubstr("rejoin: the members of bully_2pc do not change"));
  spec.rejoin = {NodeId{4}};
  EXPECT_THAT(error_of<ConfigError>([&] { const Cluster fixed(spec); }),
              HasSubstr("rejoin: 4 is not one of the 3 nodes"));
}

TEST(Cluster, ANodeThatEndsAtTheStartIsAnErrorWithItsLog) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"failing"}));
  const std::string error = error_of<ClusterError>([&] { cluster.wait_ready(kLong); });
  EXPECT_THAT(error, HasSubstr("exit status 3"));
  EXPECT_THAT(error, HasSubstr("the disk is made of cheese"));
}

TEST(Cluster, ANodeThatDoesNotAnswerIsAnErrorAfterTheLimit) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"mute"}));
  const std::string error = error_of<ClusterError>([&] { cluster.wait_ready(1ms); });
  EXPECT_THAT(
      error,
      HasSubstr(
          "the cluster was not ready after 1 ms: node 1 does not answer at tcp://127.0.0.1:"));
}

TEST(Cluster, NoLeaderIsAnErrorAfterTheLimit) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"leaderless"}));
  // The limit may pass before the nodes answer at all: then that is what the error says.
  const std::string error = error_of<ClusterError>([&] { cluster.wait_ready(2s); });
  EXPECT_THAT(error, HasSubstr("the cluster was not ready after 2000 ms: node 1 "));
}

TEST(Cluster, ReadinessStopsWhenToldTo) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"mute"}));
  const std::atomic<bool> stop{true};
  EXPECT_NO_THROW(cluster.wait_ready(kLong, &stop));
}

TEST(Cluster, KillsByRole) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"good"}));
  cluster.wait_ready(kLong);
  EXPECT_EQ(cluster.kill({NodeTarget::Kind::follower, {}}).node, NodeId{3});
  EXPECT_EQ(cluster.kill({NodeTarget::Kind::leader, {}}).node, NodeId{1});
  EXPECT_THAT(cluster.running(), ElementsAre(NodeId{2}));
  // Node 2 still names node 1, which is dead: nobody leads.
  EXPECT_THAT(error_of<ClusterError>([&] {
                cluster.kill({NodeTarget::Kind::leader, {}});
              }),
              HasSubstr("no running node is known as the leader"));
  EXPECT_THAT(error_of<ClusterError>([&] {
                cluster.kill({NodeTarget::Kind::node, NodeId{1}});
              }),
              HasSubstr("node 1 does not run"));
  EXPECT_EQ(cluster.kill({NodeTarget::Kind::node, NodeId{2}}).node, NodeId{2});
  EXPECT_THAT(error_of<ClusterError>([&] {
                cluster.kill({NodeTarget::Kind::follower, {}});
              }),
              HasSubstr("no follower runs"));
  EXPECT_THAT(error_of<ClusterError>([&] {
                cluster.kill({NodeTarget::Kind::node, NodeId{4}});
              }),
              HasSubstr("there is no node 4"));
  EXPECT_THAT(cluster.casualties(), IsEmpty());
  EXPECT_GT(cluster.usage().at(NodeId{1}).peak_rss_bytes, 0U);
}

// As proc(5) has it: R, S, T (stopped), ...
char state_of(pid_t pid) {
  const std::string stat = content_of("/proc/" + std::to_string(pid) + "/stat");
  return stat.at(stat.rfind(')') + 2);
}

TEST(Cluster, APausedNodeStandsStillUntilItGoesOn) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"good"}));
  cluster.wait_ready(kLong);
  EXPECT_EQ(cluster.pause({NodeTarget::Kind::follower, {}}).node, NodeId{3});
  const pid_t pid = cluster.members()[2].pid;
  EXPECT_EQ(state_of(pid), 'T');
  EXPECT_THAT(cluster.running(), SizeIs(3));
  EXPECT_THAT(cluster.casualties(), IsEmpty());
  EXPECT_THAT(cluster.reports(kLong), SizeIs(2)) << "and it is not waited for";
  EXPECT_THAT(error_of<ClusterError>([&] {
                cluster.pause({NodeTarget::Kind::node, NodeId{3}});
              }),
              HasSubstr("node 3 is paused"));
  EXPECT_EQ(cluster.find({NodeTarget::Kind::follower, {}}), NodeId{2});
  cluster.resume(NodeId{3});
  EXPECT_NE(state_of(pid), 'T');
  EXPECT_THAT(cluster.reports(kLong), SizeIs(3));
  cluster.resume(NodeId{3});
  EXPECT_EQ(cluster.find({NodeTarget::Kind::follower, {}}), NodeId{3});
}

TEST(Cluster, APausedLeaderDoesNotLead) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"good"}));
  cluster.wait_ready(kLong);
  EXPECT_EQ(cluster.pause({NodeTarget::Kind::leader, {}}).node, NodeId{1});
  EXPECT_THROW(cluster.kill({NodeTarget::Kind::leader, {}}), NoLeaderError);
  cluster.resume(NodeId{1});
  EXPECT_EQ(cluster.kill({NodeTarget::Kind::leader, {}}).node, NodeId{1});
}

TEST(Cluster, PausedNodesEndInGoodOrderOrByForce) {
  const PrivateFolder folder;
  const NodeTarget first{NodeTarget::Kind::node, NodeId{1}};
  {
    Cluster cluster(spec_of(folder, {"good"}));
    cluster.wait_ready(kLong);
    cluster.pause(first);
    EXPECT_THAT(cluster.stop(kLong), IsEmpty());
  }
  Cluster cluster(spec_of(folder, {"stubborn", "good"}));
  cluster.wait_ready(kLong);
  cluster.pause(first);
  EXPECT_THAT(cluster.stop(1ms), SizeIs(3));
  EXPECT_THAT(cluster.running(), IsEmpty());
}

TEST(Cluster, CutsNeedControl) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"good"}));
  EXPECT_THAT(error_of<ClusterError>([&] {
                cluster.cut({{NodeId{1}, NodeId{2}}});
              }),
              HasSubstr("the nodes were not told where to be controlled"));
}

TEST(Cluster, RestartsAreRefusedWithoutDurableState) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"good"}));
  const std::string error = error_of<ConfigError>([&] { cluster.restart(NodeId{2}); });
  EXPECT_THAT(error, HasSubstr("restart of node 2: refused with durability \"none\""));
  EXPECT_THAT(error, HasSubstr("forgotten its votes"));
}

TEST(Cluster, AnUnexpectedDeathIsTold) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"good"}));
  cluster.wait_ready(kLong);
  ::kill(cluster.members()[1].pid, SIGABRT);
  while (cluster.running().size() == 3) std::this_thread::yield();
  const auto stories = cluster.casualties();
  ASSERT_THAT(stories, SizeIs(1));
  EXPECT_THAT(stories[0], HasSubstr("node 2 ended by itself: killed by signal 6"));
  EXPECT_THAT(cluster.casualties(), IsEmpty());
}

TEST(Cluster, WhoDoesNotEndIsKilledAndTold) {
  const PrivateFolder folder;
  Cluster cluster(spec_of(folder, {"good", "stubborn"}));
  cluster.wait_ready(kLong);
  const auto notes = cluster.stop(1ms);
  ASSERT_THAT(notes, SizeIs(3));
  EXPECT_THAT(notes[0], HasSubstr("node 1 did not end within 1 ms of SIGTERM and was killed"));
  EXPECT_THAT(cluster.running(), IsEmpty());
}

TEST(Cluster, MergesLogsInTheOrderOfTime) {
  const PrivateFolder folder;
  const ClusterSpec spec = spec_of(folder, {"good"});
  Cluster cluster(spec);
  cluster.wait_ready(kLong);
  cluster.note("something of the harness");
  cluster.stop(kLong);
  cluster.merge_logs();
  EXPECT_THAT(content_of(spec.folder / "cluster.log"),
              testing::MatchesRegex("2026-01-01T00:00:00.000001Z .node 1. info node 1 starts\n"
                                    "2026-01-01T00:00:00.000002Z .node 2. info node 2 starts\n"
                                    "2026-01-01T00:00:00.000003Z .node 3. info node 3 starts\n"
                                    "20[-0-9T:.]*Z .harness. something of the harness\n"));
}

TEST(Cluster, RefusesWhatCannotRun) {
  const PrivateFolder folder;
  const auto refused = [&folder](const std::function<void(ClusterSpec&)>& change) {
    ClusterSpec spec = spec_of(folder, {"good"});
    change(spec);
    return error_of<ConfigError>([&spec] { const Cluster cluster(spec); });
  };
  EXPECT_THAT(refused([](ClusterSpec& s) { s.nodes = 0; }),
              HasSubstr("nodes: 0 is not a whole number from 1 to"));
  EXPECT_THAT(refused([](ClusterSpec& s) { s.algorithm = find_algorithm("unreplicated"); }),
              HasSubstr("which is what unreplicated runs on"));
  EXPECT_THAT(refused([](ClusterSpec& s) { s.durability = "async"; }),
              HasSubstr("data: durability \"async\" needs a folder"));
  EXPECT_THAT(refused([](ClusterSpec& s) { s.http_port = 65535; }),
              HasSubstr("http_port: 65535 leaves no port for node 3"));
}

TEST(NodeTarget, IsParsed) {
  EXPECT_EQ(parse_target("leader")->kind, NodeTarget::Kind::leader);
  EXPECT_EQ(parse_target("follower")->kind, NodeTarget::Kind::follower);
  EXPECT_EQ(parse_target("7")->id, NodeId{7});
  for (const char* bad : {"", "0", "65", "boss", "1x", "-1"})
    EXPECT_FALSE(parse_target(bad)) << bad;
}

TEST(Ports, AreDistinctAndCanBeBoundByZeroMq) {
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 50; ++i) ports.insert(reserve_tcp_port());
  EXPECT_THAT(ports, SizeIs(50));
}

// A harness of its own, which ends in some way; its nodes become children of this process, so that
// their ends can be awaited.
class HarnessEnds : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); }
  void TearDown() override { prctl(PR_SET_CHILD_SUBREAPER, 0); }

  void start(const std::string& mode) {
    host_.emplace(ChildProcess::Command{PARLEY_CLUSTER_HOST,
                                        {mode, PARLEY_FAKE_NODE, (folder_.path() / "run").string()},
                                        output()});
    while (nodes_.size() < 3) {
      // Asked first: what a host that has ended wrote is there.
      const bool running = host_->running();
      std::istringstream text(content_of(output()));
      std::string line;
      // The line is complete once its end is there.
      if (std::getline(text, line) && !text.eof()) {
        std::istringstream pids(line);
        for (pid_t pid = 0; pids >> pid;) nodes_.push_back(pid);
      }
      ASSERT_TRUE(nodes_.size() == 3 || running) << content_of(output());
    }
  }

  void expect_all_gone() {
    ASSERT_TRUE(host_->wait(kLong));
    for (const pid_t pid : nodes_) {
      // Blocks until it has ended; an error means that its own parent has collected it already.
      int status = 0;
      const pid_t ended = waitpid(pid, &status, 0);
      EXPECT_TRUE(ended == pid || errno == ECHILD);
    }
  }

  [[nodiscard]] std::filesystem::path output() const { return folder_.path() / "out"; }

  PrivateFolder folder_;
  std::optional<ChildProcess> host_;
  std::vector<pid_t> nodes_;
};

TEST_F(HarnessEnds, NoNodeOutlivesAKillMinusNine) {
  start("wait");
  ::kill(host_->pid(), SIGKILL);
  expect_all_gone();
}

TEST_F(HarnessEnds, NoNodeOutlivesACtrlCThatNobodyHandles) {
  start("wait");
  ::kill(host_->pid(), SIGINT);
  expect_all_gone();
}

TEST_F(HarnessEnds, NoNodeOutlivesACrash) {
  start("abort");
  expect_all_gone();
}

TEST_F(HarnessEnds, NoNodeOutlivesAnException) {
  start("throw");
  expect_all_gone();
}

TEST_F(HarnessEnds, CtrlCEndsInGoodOrder) {
  start("wait-for-stop");
  ::kill(host_->pid(), SIGINT);
  expect_all_gone();
  EXPECT_EQ(host_->ending(), "exit status 0");
  EXPECT_THAT(content_of(output()), HasSubstr("stopped in good order"));
}

}  // namespace
}  // namespace parley::harness
