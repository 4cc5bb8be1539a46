// Whole runs with real nodes, small ones.
#include "harness/run/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "harness/cluster/private_folder.h"
#include "harness/run/bare_path.h"
#include "harness/run/test_runs.h"

namespace parley::harness {
namespace {

using testing::HasSubstr;

TEST(Run, OfOneNodeLeavesAllFiles) {
  const PrivateFolder folder;
  const auto out = folder.path() / "run";
  RunSpec spec = small("unreplicated", 1);
  spec.record = "all";
  spec.read_share = 0.2;
  std::vector<std::string> phases;
  RunEnvironment environment = with_real_nodes();
  environment.on_phase = [&phases](std::string_view phase) { phases.emplace_back(phase); };
  const RunOutcome outcome = execute_run(spec, out, environment);
  EXPECT_EQ(outcome.state, RunState::done) << outcome.reason << content_of(out / "cluster.log");
  EXPECT_FALSE(outcome.check_failed);
  EXPECT_THAT(phases,
              testing::ElementsAre("starting", "measuring", "settling", "stopping", "checking"));
  for (const char* file :
       {"manifest.json", "summary.json", "timeline.csv", "faults.csv", "histogram.csv",
        "history.jsonl", "nodes/1.applied.csv", "nodes/1.log", "cluster.log"}) {
    EXPECT_TRUE(std::filesystem::exists(out / file)) << file;
  }
  const Json summary = json_of(out / "summary.json");
  EXPECT_GT(summary["completed"], 0);
  EXPECT_EQ(summary["consistency"]["verdict"], "pass") << json_of(out / "manifest.json")["notes"];
  EXPECT_FALSE(summary["consistency"]["converged_ms"].is_null());
  EXPECT_GT(summary["messages_per_op"], 0);
  EXPECT_GT(summary["cpu_s_per_mops"]["nodes"], 0);
  EXPECT_GT(summary["peak_rss_bytes"]["1"], 0);
}

TEST(Run, SaysHowItsWarmUpEnded) {
  RunSpec spec = small("raft", 3);
  spec.rate = 2000;
  const TestRun run(spec);
  run.expect_done();
  const Json warmup = run.summary()["warmup"];
  EXPECT_EQ(warmup["asked_s"], 0.2);
  EXPECT_GE(warmup["took_s"], 0.2);
  EXPECT_LE(warmup["took_s"], 0.4);
  ASSERT_TRUE(warmup["steady"].is_boolean()) << warmup;
  const Json manifest = json_of(run.out() / "manifest.json");
  EXPECT_EQ(manifest["warmup_max_s"], 0.4);
  const bool noted = manifest["notes"].dump().find("did not end steady") != std::string::npos;
  EXPECT_NE(warmup["steady"].get<bool>(), noted);
}

TEST(Run, OfTheBarePathHasItsFiguresAndSaysWhatItIs) {
  const PrivateFolder folder;
  const auto out = folder.path() / "run";
  RunSpec spec = small("unreplicated", 3);
  spec.algorithm = &bare_path();
  spec.options = {};
  spec.closed_loop = true;
  spec.window = 16;
  RunEnvironment environment;
  environment.bare_path = PARLEY_BARE_PATH;
  const RunOutcome outcome = execute_run(spec, out, environment);
  EXPECT_EQ(outcome.state, RunState::done) << outcome.reason << content_of(out / "bare_path.log");
  const Json summary = json_of(out / "summary.json");
  EXPECT_GT(summary["completed"], 0);
  EXPECT_GT(summary["latency_us"]["p99"], 0);
  EXPECT_GT(summary["cpu_s_per_mops"]["nodes"], 0);
  EXPECT_THAT(json_of(out / "manifest.json")["guarantee"], HasSubstr("not a strategy"));

  environment.bare_path = "/bin/false";
  const RunOutcome failed = execute_run(spec, out, environment);
  EXPECT_EQ(failed.state, RunState::failed);
  EXPECT_THAT(failed.reason, HasSubstr("exit status 1"));
}

TEST(Run, WithAKilledLeaderRecoversAndPassesTheCheck) {
  RunSpec spec = small("raft", 3);
  spec.record = "all";
  spec.faults = "kill-leader";
  spec.duration_s = 4;
  const TestRun run(spec);
  run.expect_sound();
  const Json summary = run.summary();
  ASSERT_EQ(summary["recovery"].size(), 1U);
  EXPECT_EQ(summary["recovery"][0]["fault"], "kill-leader");
  EXPECT_FALSE(summary["consistency"]["lag_max"].is_null()) << "nodes say what they have applied";
  EXPECT_THAT(run.content("faults.csv"), HasSubstr("kill-leader,"));
  EXPECT_THAT(run.content("cluster.log"), HasSubstr("kill -9 of node"));
}

// What each side of the cut was asked to place while it lasted, by the node.
std::map<std::uint32_t, std::uint64_t> placed_between(const TestRun& run, double from_ms,
                                                      double until_ms) {
  std::map<std::uint32_t, std::uint64_t> placed;
  std::istringstream lines(run.content("nodes.csv"));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "t_ms,node,placed,read,refused");
  double t_ms = 0;
  unsigned node = 0;
  unsigned count = 0;
  while (std::getline(lines, line)) {
    EXPECT_EQ(std::sscanf(line.c_str(), "%lf,%u,%u,", &t_ms, &node, &count), 3) << line;
    if (t_ms >= from_ms && t_ms < until_ms) placed[node] += count;
  }
  return placed;
}

// The most of a column of the timeline; nothing if it is empty in all rows.
std::optional<std::uint64_t> most_divergent(const TestRun& run) {
  std::optional<std::uint64_t> most;
  std::istringstream lines(run.content("timeline.csv"));
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t lag = line.rfind(',');
    const std::size_t divergent = line.rfind(',', lag - 1) + 1;
    unsigned count = 0;
    if (std::sscanf(line.c_str() + divergent, "%u", &count) != 1) continue;
    most = std::max<std::uint64_t>(most.value_or(0), count);
  }
  return most;
}

// A schedule: that node is cut off from all others for a while.
std::string cut_off(const std::string& node) {
  return "[[fault]]\nat_s = 1\nkind = \"cut\"\nside = \"alone\"\nfor_s = 1.5\nnode = " + node +
         "\n";
}

TEST(Run, UnderGossipBothSidesOfACutServeAndDivergeUntilItHeals) {
  RunSpec spec = small("gossip_lww", 3);
  spec.record = "all";
  spec.read_share = 0.3;
  spec.duration_s = 4;
  spec.canvas = {16, 8};  // few cells, so that reads meet what the other side placed
  const TestRun run(spec, cut_off("1"));
  run.expect_done();
  const Json summary = run.summary();
  ASSERT_EQ(summary["recovery"].size(), 1U);
  const Json& cut = summary["recovery"][0];
  EXPECT_THAT(run.content("faults.csv"), HasSubstr(",1,"));
  EXPECT_FALSE(cut["converged_ms"].is_null()) << json_of(run.out() / "manifest.json")["notes"];
  const auto placed = placed_between(run, 1200, cut["ended_ms"].get<double>() - 100);
  for (const std::uint32_t node : {1U, 2U, 3U}) EXPECT_GT(placed.at(node), 0U) << node;
  const Json& consistency = summary["consistency"];
  EXPECT_GT(consistency["divergent_cells_max"], 20) << "what a side placed in the cut";
  EXPECT_EQ(consistency["divergent_cells_max"], most_divergent(run));
  EXPECT_TRUE(consistency["lag_max"].is_null());
  EXPECT_FALSE(consistency["converged_ms"].is_null());
  EXPECT_GT(consistency["stale_reads"], 0);
  EXPECT_GT(consistency["stale_ms_max"], 100);
  EXPECT_THAT(run.content("staleness.csv"), HasSubstr("\nversions,1,"));
  EXPECT_THAT(run.content("visibility.csv"), HasSubstr("t_ms_low,t_ms_high,reads,seen,predicted"));
}

TEST(Run, UnderAnOrderReplicasLagInsteadOfDiverging) {
  RunSpec spec = small("raft", 3);
  spec.record = "all";
  spec.read_share = 0.3;
  spec.duration_s = 4;
  const TestRun run(spec, cut_off("\"follower\""));
  run.expect_sound();
  const Json summary = run.summary();
  EXPECT_EQ(summary["consistency"]["divergent_cells_max"], 0) << "at equal indices";
  EXPECT_EQ(most_divergent(run), std::nullopt);
  EXPECT_GT(summary["consistency"]["lag_max"], 20) << "the follower got nothing";
  EXPECT_FALSE(summary["recovery"][0]["converged_ms"].is_null());
}

TEST(Run, WithARestartedLeaderKeepsEveryAcknowledgedPlacement) {
  for (const char* durability : {"async", "group_commit"}) {
    RunSpec spec = small("raft", 3);
    spec.record = "all";
    spec.durability = durability;
    spec.faults = "restart-leader";
    spec.duration_s = 4;
    const TestRun run(spec);
    run.expect_sound();
    EXPECT_THAT(run.content("cluster.log"), HasSubstr("start of node"));
    for (const char* journal :
         {"nodes/1.applied.csv", "nodes/2.applied.csv", "nodes/3.applied.csv"})
      EXPECT_GT(run.content(journal).size(), 1000U) << journal;
    EXPECT_FALSE(std::filesystem::exists(run.out() / "data")) << "results are figures, not states";
  }
}

// Kill -9 and start again, of the leader and of others, also before the last one is back. The log
// is kept so short that whoever was away needs a snapshot.
TEST(Run, FiveNodesOnRealStorageOutliveRestartAfterRestart) {
  const std::string schedule = R"(
[[fault]]
at_s = 1.0
kind = "restart"
node = "leader"
down_s = 0.5
[[fault]]
at_s = 2.2
kind = "restart"
node = "follower"
down_s = 1.5
[[fault]]
at_s = 3.0
kind = "restart"
node = "leader"
down_s = 0.2
[[fault]]
at_s = 4.5
kind = "restart"
node = 3
down_s = 0.3
[[fault]]
at_s = 6.0
kind = "restart"
node = "leader"
down_s = 1.0
)";
  RunSpec spec = small("raft", 5);
  spec.record = "all";
  spec.durability = "async";
  spec.snapshot_bytes = 20'000;
  spec.options.set("log_keep_bytes", 0);
  spec.rate = 500;
  spec.duration_s = 9;
  const TestRun run(spec, schedule);
  run.expect_sound();
  EXPECT_EQ(run.summary()["recovery"].size(), 5U);
  EXPECT_THAT(run.content("cluster.log"), HasSubstr("has made a snapshot"));
  EXPECT_THAT(run.content("cluster.log"), HasSubstr("has received the snapshot"));
}

TEST(Run, WhoseNodesDoNotStartFailsWithItsReasonAndAManifest) {
  const PrivateFolder folder;
  const auto out = folder.path() / "run";
  RunEnvironment environment;
  environment.executable = "/bin/false";
  environment.arguments = {};
  const RunOutcome outcome = execute_run(small("raft", 3), out, environment);
  EXPECT_EQ(outcome.state, RunState::failed);
  EXPECT_THAT(outcome.reason, HasSubstr("ended by itself: exit status 1"));
  EXPECT_THAT(json_of(out / "manifest.json")["notes"].dump(), HasSubstr("failed: node "));
  EXPECT_FALSE(std::filesystem::exists(out / "summary.json"));
}

TEST(Run, StopsWhenToldTo) {
  const PrivateFolder folder;
  const std::atomic<bool> stop{true};
  RunEnvironment environment = with_real_nodes();
  environment.stop = &stop;
  EXPECT_EQ(execute_run(small("raft", 3), folder.path() / "run", environment).state,
            RunState::stopped);
}

TEST(Run, RefusesASpecThatCannotBe) {
  const PrivateFolder folder;
  RunSpec spec = small("raft", 3);
  spec.faults = "restart-leader";
  spec.durability = "none";
  EXPECT_THROW(execute_run(spec, folder.path() / "run", with_real_nodes()), ConfigError);
  spec = small("raft", 3);
  spec.rate = kSearchedRate;
  spec.objective = "p99<=10ms";
  check_run(spec);
  spec.clients = 8;
  EXPECT_THROW(check_run(spec), ConfigError) << "a search begins with a closed loop";
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "run"));
}

}  // namespace
}  // namespace parley::harness
