#include "harness/run/run_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "algorithms/registry/registry.h"
#include "harness/cluster/private_folder.h"

namespace parley::harness {
namespace {

using Json = nlohmann::json;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

RunFindings findings_of_a_run() {
  RunFindings findings;
  findings.started_at = "2026-01-31T12:00:00Z";
  findings.notes = {"a note with \"quotes\" and \xff"};
  findings.load.completed = 1000;
  findings.load.unknown = 20;
  findings.load.offered = 1020;
  findings.load.offered_ops_per_s = 102;
  findings.load.achieved_ops_per_s = 100;
  findings.load.measured_s = 10;
  findings.load.operation_timeout_us = 5e6;
  findings.load.latency.add(200'000, 1000);
  findings.load.latency.add_endless(20);
  findings.load.generator.cpu_seconds = 0.002;
  findings.cost.cpu_s = 0.005;
  findings.cost.user_s = 0.01;
  findings.cost.system_s = 0.03;
  findings.cost.voluntary_switches = 3000;
  findings.cost.written_bytes = 48'000;
  findings.user_bytes = 12'000;
  NodeCost& first = findings.cost.nodes[NodeId{1}];
  first.cpu_s = 0.004;
  first.user_s = 0.02;
  first.written_bytes = 40'000;
  first.messages = 1500;
  findings.cost.messages = 2500;
  findings.cost.bytes = 64'000;
  findings.cost.elections = 1;
  findings.cost.peak_rss_bytes = {{NodeId{1}, 111}, {NodeId{2}, 222}};
  findings.recovery.push_back(
      {{"kill-leader", NodeId{2}, 5000.25, ""}, {151.5, 200.0, std::nullopt}});
  findings.recovery.back().unavailable_ms = 210.5;
  findings.unavailable_ms = 210.5;
  findings.false_elections = 1;
  findings.consistency = R"({"verdict":"pass","lost":0,"lag_max":null,"converged_ms":null})";
  findings.converged_ms = 12.5;
  findings.load.timeline.resize(3);
  findings.load.timeline[0].lag = 3;
  findings.load.timeline[1].lag = 17;
  findings.events = {
      {std::chrono::seconds(5), RunEvent::Kind::fault, NodeId{2}, {}, "kill-leader"},
      {std::chrono::milliseconds(5151), RunEvent::Kind::leader, NodeId{1}, Epoch{3}, {}}};
  findings.as_simulated = {true, false, "yes, but"};
  return findings;
}

TEST(RunFiles, TheSummaryHasTheNamesOfTheInterface) {
  const PrivateFolder folder;
  write_summary(folder.path(), findings_of_a_run());
  const Json summary = Json::parse(content_of(folder.path() / "summary.json"));
  for (const char* key : {"offered_ops_per_s", "achieved_ops_per_s",
                          "completed",         "refused",
                          "unknown",           "unsent",
                          "latency_us",        "service_us",
                          "messages_per_op",   "bytes_per_op",
                          "cpu_s_per_mops",    "peak_rss_bytes",
                          "elections",         "false_elections",
                          "unavailable_ms",    "blockings",
                          "blocked_ms",        "generator",
                          "recovery",          "consistency"}) {
    EXPECT_TRUE(summary.contains(key)) << key;
  }
  EXPECT_EQ(summary["completed"], 1000);
  EXPECT_EQ(summary["latency_us"]["p999"], ">5000000");
  EXPECT_NEAR(summary["latency_us"]["p50"].get<double>(), 200, 2);
  EXPECT_DOUBLE_EQ(summary["messages_per_op"], 2.5);
  EXPECT_DOUBLE_EQ(summary["bytes_per_op"], 64);
  EXPECT_DOUBLE_EQ(summary["cpu_s_per_mops"]["nodes"], 5);
  EXPECT_DOUBLE_EQ(summary["cpu_s_per_mops"]["clients"], 2);
  EXPECT_DOUBLE_EQ(summary["cpu_s_per_mops"]["nodes_user"], 1.25) << "the sum as ticks share it";
  EXPECT_DOUBLE_EQ(summary["cpu_s_per_mops"]["nodes_system"], 3.75);
  EXPECT_DOUBLE_EQ(summary["context_switches"]["voluntary_per_op"], 3);
  EXPECT_DOUBLE_EQ(summary["disk"]["written_bytes_per_op"], 48);
  EXPECT_DOUBLE_EQ(summary["disk"]["write_amplification"], 4);
  ASSERT_EQ(summary["cost_by_node"].size(), 1U);
  const Json& first = summary["cost_by_node"][0];
  EXPECT_EQ(first["node"], 1);
  EXPECT_DOUBLE_EQ(first["cpu_s_per_mops"], 4);
  EXPECT_DOUBLE_EQ(first["user_s_per_mops"], 4);
  EXPECT_DOUBLE_EQ(first["system_s_per_mops"], 0);
  EXPECT_DOUBLE_EQ(first["messages_per_op"], 1.5);
  EXPECT_DOUBLE_EQ(first["written_bytes_per_op"], 40);
  EXPECT_EQ(summary["peak_rss_bytes"]["2"], 222);
  EXPECT_EQ(summary["recovery"][0]["fault"], "kill-leader");
  EXPECT_EQ(summary["recovery"][0]["node"], 2);
  EXPECT_DOUBLE_EQ(summary["recovery"][0]["noticed_ms"], 151.5);
  EXPECT_TRUE(summary["recovery"][0]["back_to_95_ms"].is_null());
  EXPECT_TRUE(summary["recovery"][0]["converged_ms"].is_null());
  EXPECT_EQ(summary["consistency"]["verdict"], "pass");
  EXPECT_DOUBLE_EQ(summary["consistency"]["converged_ms"], 12.5);
  EXPECT_EQ(summary["consistency"]["lag_max"], 17);
  EXPECT_EQ(summary["as_simulated"]["same_order"], true);
  EXPECT_EQ(summary["as_simulated"]["same_refusals"], false);
  EXPECT_EQ(summary["as_simulated"]["text"], "yes, but");
  for (const char* key : {"superseded", "older_wins", "stale_reads", "duplicates",
                          "divergent_cells_max", "lag_max"}) {
    EXPECT_TRUE(summary["consistency"].contains(key)) << key;
  }
}

TEST(RunFiles, ARunThatCompletedNothingHasNoCostPerOperation) {
  const PrivateFolder folder;
  write_summary(folder.path(), RunFindings{});
  const Json summary = Json::parse(content_of(folder.path() / "summary.json"));
  EXPECT_TRUE(summary["messages_per_op"].is_null());
  EXPECT_TRUE(summary["cpu_s_per_mops"]["nodes"].is_null());
  EXPECT_EQ(summary["consistency"]["verdict"], "not_checked");
  EXPECT_TRUE(summary["consistency"]["lag_max"].is_null());
  EXPECT_TRUE(summary["as_simulated"].is_null());
  EXPECT_TRUE(summary["disk"]["written_bytes"].is_null());
  EXPECT_TRUE(summary["disk"]["write_amplification"].is_null());
}

TEST(RunFiles, TheManifestSaysEverythingNeededToRepeatTheRun) {
  const PrivateFolder folder;
  RunSpec spec;
  spec.algorithm = find_algorithm("raft");
  spec.options = default_options(spec.algorithm->options);
  spec.options.set("election_timeout_min_ms", 111);
  spec.repetition = 2;
  RunEnvironment environment;
  environment.software = {"abc", "Release", "GNU 12.2", "0.1.0"};
  environment.host.cores = 2;
  write_manifest(folder.path(), spec, environment, findings_of_a_run());
  const Json manifest = Json::parse(content_of(folder.path() / "manifest.json"));
  for (const char* key :
       {"algorithm", "nodes",  "rate",       "durability", "read_share", "read_mode",
        "routing",   "batch",  "window",     "loop",       "workload",   "links",
        "faults",    "seed",   "repetition", "guarantee",  "transport",  "duration_s",
        "warmup_s",  "canvas", "clients",    "record",     "options",    "load",
        "software",  "host",   "started_at", "notes"}) {
    EXPECT_TRUE(manifest.contains(key)) << key;
  }
  EXPECT_EQ(manifest["options"]["election_timeout_min_ms"], 111);
  EXPECT_EQ(manifest["software"]["commit"], "abc");
  EXPECT_EQ(manifest["host"]["cores"], 2);
  EXPECT_TRUE(manifest["host"]["disk_sync_us_p50"].is_null());
  EXPECT_EQ(manifest["notes"].size(), 1U);
  EXPECT_EQ(manifest["repetition"], 2);
}

TEST(RunFiles, FaultsLeaveCellsEmptyThatNeverCame) {
  const PrivateFolder folder;
  write_faults(folder.path(), findings_of_a_run().recovery);
  EXPECT_EQ(content_of(folder.path() / "faults.csv"),
            "fault,node,injected_ms,noticed_ms,first_success_ms,back_to_95_ms,nodes,ended_ms,"
            "converged_ms,unavailable_ms,detail\n"
            "kill-leader,2,5000.2,151.5,200.0,,,,,210.5,\n");
}

TEST(RunFiles, ACutSaysWhomItCutOffAndHowLongTheyTookToAgreeAgain) {
  const PrivateFolder folder;
  RecoveryFigures cut = findings_of_a_run().recovery.front();
  cut.fault.nodes = {{1}, {2}};
  cut.fault.ended_ms = 7000;
  cut.converged_ms = 12.25;
  write_faults(folder.path(), {cut});
  EXPECT_THAT(content_of(folder.path() / "faults.csv"),
              testing::EndsWith("kill-leader,2,5000.2,151.5,200.0,,1 2,7000.0,12.2,210.5,\n"));
}

TEST(RunFiles, ARollingRestartSaysWhenEachNodeHadItsTurn) {
  const PrivateFolder folder;
  RunFindings findings = findings_of_a_run();
  InjectedFault rolling;
  rolling.fault = "rolling-restart";
  rolling.detail = "each node away for 0 ms";
  rolling.absences = {{NodeId{1}, 100, 350.5, 400.25}, {NodeId{2}, 401, 600, 640}};
  findings.recovery = {RecoveryFigures{rolling, {}}};
  findings.false_elections.reset();
  write_summary(folder.path(), findings);
  const Json summary = Json::parse(content_of(folder.path() / "summary.json"));
  EXPECT_TRUE(summary["false_elections"].is_null()) << "where nobody leads";
  const Json& fault = summary["recovery"][0];
  EXPECT_TRUE(fault["node"].is_null());
  EXPECT_EQ(fault["detail"], "each node away for 0 ms");
  ASSERT_EQ(fault["restarts"].size(), 2U);
  EXPECT_EQ(
      fault["restarts"][0],
      (Json{{"node", 1}, {"asked_ms", 100.0}, {"started_ms", 350.5}, {"caught_up_ms", 400.25}}));
  write_faults(folder.path(), findings.recovery);
  EXPECT_THAT(content_of(folder.path() / "faults.csv"),
              testing::EndsWith(",each node away for 0 ms\n"));
}

TEST(RunFiles, EventsAreWrittenWhereThereAreAny) {
  const PrivateFolder folder;
  write_events(folder.path(), findings_of_a_run());
  EXPECT_EQ(content_of(folder.path() / "events.csv"),
            "t_ms,event,node,epoch,fault\n5000.0,fault,2,,kill-leader\n5151.0,leader,1,3,\n");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "simulated.csv"));
}

}  // namespace
}  // namespace parley::harness
