#include "harness/run/simulated.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "algorithms/registry/registry.h"
#include "harness/cluster/private_folder.h"
#include "harness/run/faults.h"

namespace parley::harness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RunSpec five_nodes(const char* faults) {
  RunSpec spec;
  spec.algorithm = find_algorithm("raft");
  spec.options = default_options(spec.algorithm->options);
  spec.nodes = 5;
  spec.faults = faults;
  return spec;
}

Aftermath aftermath_of(const char* faults) {
  const RunSpec spec = five_nodes(faults);
  const SimulatedRun run = simulate_run(spec, load_faults(spec));
  EXPECT_EQ(run.problem, "") << faults;
  const std::vector<Aftermath> all = aftermaths_of(events_of(run.sightings));
  return all.size() == 1 ? all.front() : Aftermath{"not one fault", {}, false};
}

TEST(Simulated, TheLossOfALeaderHasItsUsualAftermath) {
  EXPECT_EQ(aftermath_of("kill-leader"),
            (Aftermath{"kill-leader", {"leader lost", "another leads", "success"}, false}));
  for (const auto& [schedule, fault] :
       {std::pair("pause-leader", "pause-leader"), std::pair("isolate-leader", "isolate-leader"),
        std::pair("partition", "partition-leader"), std::pair("one-way", "mute-leader"),
        std::pair("restart-leader", "restart-leader")}) {
    const Aftermath aftermath = aftermath_of(schedule);
    EXPECT_EQ(aftermath.fault, fault);
    EXPECT_THAT(aftermath.steps, ElementsAre("leader lost", "another leads", "success", "healed"))
        << schedule;
  }
  EXPECT_TRUE(aftermath_of("isolate-leader").refusals) << "who is cut off knows no leader in time";
}

// Three nodes, and each way between two takes exactly 10 ms. The leader needs one round trip; a
// follower's client one more to the leader and, for what is committed, back.
TEST(SimulatedLatency, IsThatOfTheWaysThatAPlacementTakes) {
  const PrivateFolder folder;
  RunSpec spec = five_nodes("none");
  spec.nodes = 3;
  spec.links = (folder.path() / "links.toml").string();
  std::ofstream(spec.links) << "delay_ms = 10\n";
  const SimulatedLatency predicted = simulate_latency(spec);
  EXPECT_EQ(predicted.problem, "");
  EXPECT_GT(predicted.placements, 1000U);
  EXPECT_GE(predicted.p50_us, 20'000);
  EXPECT_LT(predicted.p50_us, 46'000) << "two round trips, and what a disk and a turn take";
  spec.algorithm = find_algorithm("gossip_lww");
  spec.options = default_options(spec.algorithm->options);
  const SimulatedLatency merged = simulate_latency(spec);
  EXPECT_LT(merged.p50_us, 2000) << "it asks nobody";
}

TEST(SimulatedLatency, IsOfPlacementsOverLinksThatTakeTheirTime) {
  RunSpec spec = five_nodes("none");
  EXPECT_FALSE(predicts_latency(spec));
  spec.links = "metro";
  EXPECT_TRUE(predicts_latency(spec));
  spec.read_share = 0.1;
  EXPECT_FALSE(predicts_latency(spec));
  spec = five_nodes("kill-leader");
  spec.links = "metro";
  EXPECT_FALSE(predicts_latency(spec));
}

TEST(SimulatedLatency, OfTooManyNodesIsNot) {
  RunSpec spec = five_nodes("none");
  spec.links = "lan";
  spec.nodes = 17;
  EXPECT_THAT(simulate_latency(spec).problem, HasSubstr("16"));
}

TEST(Simulated, TheLossOfAFollowerIsNoEvent) {
  EXPECT_EQ(aftermath_of("kill-follower"), (Aftermath{"kill-follower", {"success"}, false}));
}

TEST(Simulated, WithoutAMajorityNobodyLeadsAndAllIsRefused) {
  EXPECT_EQ(aftermath_of("kill-majority"), (Aftermath{"kill-majority", {"leader lost"}, true}));
}

TEST(Simulated, AFlappingLeaderIsReplacedEachTime) {
  const RunSpec spec = five_nodes("flap");
  const SimulatedRun run = simulate_run(spec, load_faults(spec));
  EXPECT_EQ(run.problem, "");
  const std::vector<Aftermath> all = aftermaths_of(events_of(run.sightings));
  ASSERT_EQ(all.size(), 4U);
  for (const Aftermath& aftermath : all) {
    EXPECT_EQ(aftermath.fault, "isolate-leader");
    EXPECT_THAT(aftermath.steps,
                testing::IsSupersetOf({"leader lost", "another leads", "success"}));
  }
}

TEST(Simulated, RunsStrikeAtTheTimesOfTheWindowAndRepeatThemselves) {
  const RunSpec spec = five_nodes("isolate-leader");
  const FaultSchedule schedule = load_faults(spec);
  const std::vector<RunEvent> events = events_of(simulate_run(spec, schedule).sightings);
  ASSERT_GE(events.size(), 2U);
  EXPECT_EQ(events[0].kind, RunEvent::Kind::leader);
  EXPECT_LT(events[0].at, Duration{}) << "there is a leader before the window begins";
  EXPECT_EQ(events[1].kind, RunEvent::Kind::fault);
  EXPECT_EQ(events[1].at, schedule[0].at);
  EXPECT_EQ(events[1].node, events[0].node);
  EXPECT_EQ(events, events_of(simulate_run(spec, schedule).sightings));
}

TEST(Simulated, WhatCannotBeSimulatedSaysWhy) {
  RunSpec spec = five_nodes("kill-leader");
  spec.nodes = 17;
  EXPECT_THAT(simulate_run(spec, load_faults(spec)).problem, HasSubstr("nodes: must be 1 to 16"));
  spec = five_nodes("kill-leader");
  spec.duration_s = 601;
  EXPECT_EQ(simulate_run(spec, load_faults(spec)).problem,
            "a window of 601 s is longer than 600 s");
}

}  // namespace
}  // namespace parley::harness
