#include "harness/sweep/sweep_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "algorithms/registry/registry.h"
#include "harness/cluster/private_folder.h"

namespace parley::harness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kGood = "algorithms = [\"raft\"]\nnodes = [3]\nrate = [1000]\n";

std::string error_of(const std::string& text) {
  try {
    plan_sweep(parse_sweep_spec_text(text, "s.toml"));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(SweepSpec, TheDefaultsAreThoseOfTheInterface) {
  const SweepSpec spec = parse_sweep_spec_text(kGood, "s.toml");
  EXPECT_THAT(spec.durability, ElementsAre("none"));
  EXPECT_THAT(spec.links, ElementsAre("loopback"));
  EXPECT_THAT(spec.faults, ElementsAre("none"));
  EXPECT_THAT(spec.workload, ElementsAre("uniform"));
  EXPECT_THAT(spec.read_share, ElementsAre(0.0));
  EXPECT_THAT(spec.read_mode, ElementsAre("local"));
  EXPECT_THAT(spec.routing, ElementsAre("any"));
  EXPECT_THAT(spec.window, ElementsAre(1024));
  EXPECT_THAT(spec.batch, ElementsAre(1));
  EXPECT_FALSE(spec.closed_loop);
  EXPECT_EQ(spec.canvas, (CanvasSize{1000, 1000}));
  EXPECT_EQ(spec.clients, 1024U);
  EXPECT_EQ(spec.warmup_s, 2);
  EXPECT_EQ(spec.duration_s, 10);
  EXPECT_EQ(spec.repetitions, 3U);
  EXPECT_EQ(spec.record, "none");
  EXPECT_EQ(spec.seed, 1U);
}

TEST(SweepSpec, AWarmUpMayLastTwiceAsLongUnlessTheSpecSaysOtherwise) {
  EXPECT_EQ(most_warmup_s(plan_sweep(parse_sweep_spec_text(kGood, "s")).runs[0].spec), 4);
  const std::string bounded = kGood + "warmup_s = 1\nwarmup_max_s = 1\n";
  EXPECT_EQ(most_warmup_s(plan_sweep(parse_sweep_spec_text(bounded, "s")).runs[0].spec), 1);
}

TEST(SweepSpec, AScalarIsAListOfOne) {
  const SweepSpec spec =
      parse_sweep_spec_text("algorithms = \"raft\"\nnodes = 5\nrate = 2000.5\nbatch = 4\n", "s");
  EXPECT_THAT(spec.nodes, ElementsAre(5));
  EXPECT_THAT(spec.rate, ElementsAre(2000.5));
  EXPECT_THAT(spec.batch, ElementsAre(4));
}

struct BadSpec {
  std::string text;
  std::string message;
};

class BadSpecs : public testing::TestWithParam<BadSpec> {};

TEST_P(BadSpecs, AreRefusedByName) {
  EXPECT_THAT(error_of(GetParam().text), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Missing, BadSpecs,
    testing::Values(BadSpec{"nodes = 3\nrate = 1\n",
                            "s.toml:1: algorithms: is missing; it must be names of algorithms"},
                    BadSpec{"algorithms = \"raft\"\nrate = 1\n",
                            "nodes: is missing; it must be whole numbers from 1 to 64"},
                    BadSpec{"algorithms = \"raft\"\nnodes = 3\n",
                            "rate: is missing; it must be operations per second"},
                    BadSpec{"algorithms = []\nnodes = 3\nrate = 1\n",
                            "s.toml:1: algorithms: is an empty list"}));

INSTANTIATE_TEST_SUITE_P(
    Types, BadSpecs,
    testing::Values(
        BadSpec{"algorithms = 3\n", "s.toml:1: algorithms: 3 is not text in quotes"},
        BadSpec{"algorithms = \"paxos\"\n",
                "s.toml:1: algorithm: \"paxos\" is not one of this version: unreplicated, raft"},
        BadSpec{"algorithms = \"raft\"\nnodes = [3, 0]\nrate = 1\n",
                "s.toml:2: nodes: 0 is not a whole number from 1 to 64"},
        BadSpec{"algorithms = \"raft\"\nnodes = \"3\"\nrate = 1\n",
                "s.toml:2: nodes: \"3\" is not a whole number"},
        BadSpec{"algorithms = \"raft\"\nnodes = 3\nrate = -1\n",
                "s.toml:3: rate: -1 is not a number from 0.001 to"},
        BadSpec{"algorithms = \"raft\"\nnodes = 3\nrate = \"fast\"\n",
                "s.toml:3: rate: \"fast\" is not a number"},
        BadSpec{kGood + "read_share = 1.5\n",
                "s.toml:4: read_share: 1.5 is not a number from 0 to 1"},
        BadSpec{kGood + "read_mode = \"maybe\"\n",
                "s.toml:4: read_mode: \"maybe\" is not one of local, linearizable"},
        BadSpec{kGood + "routing = \"all\"\n",
                "s.toml:4: routing: \"all\" is not one of any, leader"},
        BadSpec{kGood + "batch = 0\n", "s.toml:4: batch: 0 is not a whole number from 1 to 64"},
        BadSpec{kGood + "batch = 65\n", "s.toml:4: batch: 65 is not a whole number from 1 to 64"},
        BadSpec{kGood + "loop = \"half\"\n", "s.toml:4: loop: \"half\" is not one of open, closed"},
        BadSpec{kGood + "canvas = \"big\"\n", "s.toml:4: canvas: \"big\" is not \"WIDTHxHEIGHT\""},
        BadSpec{kGood + "clients = 0\n",
                "s.toml:4: clients: 0 is not a whole number from 1 to 65536"},
        BadSpec{kGood + "warmup_max_s = 1.5\n",
                "s.toml:4: warmup_max_s: 1.5 is not a number from 2 to"},
        BadSpec{kGood + "warmup_s = -1\n", "s.toml:4: warmup_s: -1 is not a number from 0 to"},
        BadSpec{kGood + "duration_s = 0\n", "s.toml:4: duration_s: 0 is not a number from 0.1 to"},
        BadSpec{kGood + "repetitions = 0\n",
                "s.toml:4: repetitions: 0 is not a whole number from 1 to 1000"},
        BadSpec{kGood + "record = \"some\"\n",
                "s.toml:4: record: \"some\" is not one of none, all, or a share of the cells"},
        BadSpec{kGood + "record = \"0%\"\n", "s.toml:4: record: \"0%\" is not one of"},
        BadSpec{kGood + "record = \"101%\"\n", "s.toml:4: record: \"101%\" is not one of"},
        BadSpec{kGood + "seed = -1\n", "s.toml:4: seed: -1 is not a whole number from 0 to"},
        BadSpec{kGood + "speed = 0\n", "s.toml:4: speed: 0 is not a number from 0.001 to"}));

INSTANTIATE_TEST_SUITE_P(
    Unknown, BadSpecs,
    testing::Values(
        BadSpec{kGood + "repetition = 3\n",
                "s.toml:4: unknown key \"repetition\"; the nearest known one is \"repetitions\""},
        BadSpec{
            kGood + "[options.raft]\nelection_timeout_min = 3\n",
            "s.toml:5: unknown key \"options.raft.election_timeout_min\"; the nearest known one is "
            "\"options.raft.election_timeout_min_ms\""},
        BadSpec{kGood + "[options.rift]\n",
                "options: algorithm: \"rift\" is not one of this version: unreplicated, raft, "
                "bully_2pc, "
                "gossip_lww; the "
                "nearest is \"raft\""},
        BadSpec{
            kGood + "[options.raft]\nelection_timeout_min_ms = 1\n",
            "s.toml:5: options.raft.election_timeout_min_ms: \"1\" is not a whole number from 10"},
        BadSpec{kGood + "faults = \"kill-leadre\"\n",
                "faults: \"kill-leadre\" is not one of none, kill-leader, kill-follower"},
        BadSpec{kGood + "workload = \"unifrom\"\n",
                "workload: \"unifrom\" is not one of uniform, zipf, zipf:EXPONENT, hotspot"},
        BadSpec{kGood + "workload = \"zipf:0\"\n",
                "workload: the exponent of \"zipf:0\" must be above 0 and at most 10"},
        BadSpec{kGood + "workload = \"hotspot:2\"\n",
                "workload: the share of \"hotspot:2\" must be above 0 and at most 1"},
        BadSpec{kGood + "canvas = \"4x4\"\nworkload = \"hotspot:0.9@17\"\n",
                "workload: the hot cells of \"hotspot:0.9@17\" must be at most the 16 cells"}));

INSTANTIATE_TEST_SUITE_P(
    LaterVersions, BadSpecs,
    testing::Values(
        BadSpec{kGood + "objective = \"p99<=10ms\"\n",
                "objective: is of use only with rate = \"search\""},
        BadSpec{"algorithms = \"raft\"\nnodes = 3\nrate = \"search\"\nobjective = \"p98<=1ms\"\n",
                "s.toml:4: objective: \"p98<=1ms\" is not a percentile and a time"},
        BadSpec{kGood + "durability = [\"async\", \"none\"]\nfaults = \"restart-leader\"\n",
                "faults: \"restart-leader\" starts nodes again, which is refused with "
                "durability \"none\""},
        BadSpec{kGood + "links = \"geo-4\"\n", "links: \"geo-4\" is not a profile"}));

INSTANTIATE_TEST_SUITE_P(
    DoNotFit, BadSpecs,
    testing::Values(
        BadSpec{"algorithms = \"raft\"\nnodes = 3\nloop = \"closed\"\nrate = [1, 2]\n",
                "rate: has several values, but loop = \"closed\" has no rate"},
        BadSpec{kGood + "window = [1, 2]\n",
                "window: has several values, but only loop = \"closed\" has a window"},
        BadSpec{"algorithms = \"raft\"\nnodes = 3\nloop = \"closed\"\nclients = 2\nwindow = 129\n",
                "window: 129 is more than the 64 operations that each of the 2 clients may have in "
                "flight"},
        BadSpec{"algorithms = \"raft\"\nnodes = 3\nloop = \"closed\"\nwindow = 4\nbatch = 8\n",
                "batch: 8 commands a message do not fit a window of 4"},
        BadSpec{"algorithms = \"unreplicated\"\nnodes = 3\nrate = 1\n",
                "nothing to run: unreplicated runs on at most 1 node"}));

// By their numbers.
std::vector<std::string> names_of(const SweepPlan& plan) {
  std::vector<std::string> names(plan.runs.size());
  for (const PlannedRun& run : plan.runs) names.at(run.number - 1) = run.name;
  return names;
}

TEST(SweepPlan, IsTheCrossProductTimesTheRepetitions) {
  const SweepSpec spec = parse_sweep_spec_text(
      "algorithms = [\"unreplicated\", \"raft\"]\nnodes = [1, 3]\nrate = [100, 200]\nbatch = [1, "
      "8]\nrepetitions = 2\n",
      "s");
  const SweepPlan plan = plan_sweep(spec);
  // unreplicated at 1 node and raft at 1 and 3: three pairs, two rates, two batches, twice.
  ASSERT_EQ(plan.runs.size(), 3U * 2 * 2 * 2);
  const std::vector<std::string> in_order = names_of(plan);
  EXPECT_EQ(in_order[0], "001-unreplicated-n1-r100-rep1");
  EXPECT_EQ(in_order[1], "002-unreplicated-n1-r100-b8-rep1");
  EXPECT_EQ(in_order[23], "024-raft-n3-r200-b8-rep2");
  EXPECT_EQ(plan.runs.front().spec.seed, 1U);
  EXPECT_EQ(plan.runs.back().spec.seed, 2U);
  std::set<std::string> names;
  for (const PlannedRun& run : plan.runs) names.insert(run.name);
  EXPECT_EQ(names.size(), plan.runs.size());
  ASSERT_EQ(plan.skipped.size(), 1U);  // once for all rates and batches
  EXPECT_EQ(plan.skipped[0].reason, "unreplicated runs on at most 1 node");
}

// What one run leaves behind must not always meet the same other one.
TEST(SweepPlan, GoesThroughAllPointsInAnOrderOfChanceBeforeItRepeatsOne) {
  const std::string text =
      "algorithms = [\"raft\", \"bully_2pc\"]\nnodes = [1, 3]\nrate = [100, 200, 300]\n"
      "repetitions = 3\n";
  const auto numbers = [](const SweepPlan& plan) {
    std::vector<std::uint32_t> all;
    for (const PlannedRun& run : plan.runs) all.push_back(run.number);
    return all;
  };
  const std::vector<std::uint32_t> order = numbers(plan_sweep(parse_sweep_spec_text(text, "s")));
  ASSERT_EQ(order.size(), 36U);
  std::set<std::vector<std::uint32_t>> orders;  // of the points within the repetitions
  for (std::uint32_t repetition = 0; repetition < 3; ++repetition) {
    std::vector<std::uint32_t> points;
    for (std::uint32_t i = 0; i < 12; ++i)
      points.push_back(order[repetition * 12 + i] - repetition * 12);
    orders.insert(points);
    EXPECT_FALSE(std::ranges::is_sorted(points));
    std::ranges::sort(points);
    for (std::uint32_t i = 0; i < 12; ++i) EXPECT_EQ(points[i], i + 1) << repetition;
  }
  EXPECT_EQ(orders.size(), 3U) << "each repetition has an order of its own";
  EXPECT_EQ(numbers(plan_sweep(parse_sweep_spec_text(text, "s"))), order);
  EXPECT_NE(numbers(plan_sweep(parse_sweep_spec_text(text + "seed = 2\n", "s"))), order);
}

TEST(SweepPlan, OptionsGoToTheirAlgorithm) {
  const SweepPlan plan = plan_sweep(parse_sweep_spec_text(
      kGood + "[options.raft]\nelection_timeout_min_ms = 200\nelection_timeout_max_ms = 400\n",
      "s"));
  EXPECT_EQ(plan.runs[0].spec.options.at("election_timeout_min_ms"), 200);
}

TEST(SweepPlan, AnOptionWithSeveralValuesIsAnAxisAndDecidesWhatIsPromised) {
  const SweepPlan plan = plan_sweep(parse_sweep_spec_text(
      "algorithms = \"bully_2pc\"\nnodes = 3\nrate = 1\nrepetitions = 1\n[options.bully_2pc]\n"
      "batch_interval_ms = [0, 100]\nfencing = [\"epoch\", \"none\"]\n",
      "s"));
  ASSERT_EQ(plan.runs.size(), 4U);
  std::set<std::pair<std::int64_t, bool>> seen;
  for (const PlannedRun& run : plan.runs) {
    seen.emplace(run.spec.options.at("batch_interval_ms"),
                 run.spec.algorithm->guarantee.keeps_acknowledged);
  }
  EXPECT_EQ(seen, (std::set<std::pair<std::int64_t, bool>>{
                      {0, false}, {0, true}, {100, false}, {100, true}}));
}

TEST(SweepPlan, FaultsThatWouldLeaveNobodyAreLeftOut) {
  const SweepPlan plan = plan_sweep(parse_sweep_spec_text(
      "algorithms = \"raft\"\nnodes = [1, 3]\nrate = 1\nfaults = \"kill-leader\"\n", "s"));
  EXPECT_EQ(plan.runs.size(), 3U);
  ASSERT_EQ(plan.skipped.size(), 1U);
  EXPECT_EQ(plan.skipped[0].reason, "kill-leader would leave no node");
  EXPECT_THAT(plan.runs[0].name, HasSubstr("-kill-leader-"));
}

TEST(SweepPlan, PathsAreTakenFromTheFolderOfTheSpec) {
  const PrivateFolder folder;
  std::ofstream(folder.path() / "f.toml") << "[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = 3\n";
  std::ofstream(folder.path() / "my.toml") << kGood << "faults = \"f.toml\"\n";
  const SweepSpec spec = parse_sweep_spec(folder.path() / "my.toml");
  EXPECT_EQ(spec.name, "my");
  EXPECT_THAT(spec.faults, ElementsAre((folder.path() / "f.toml").string()));
  EXPECT_THAT(plan_sweep(spec).runs[0].name, HasSubstr("001-raft-n3-r1000-f-rep1"));
}

TEST(SweepSpec, TheBarePathRunsBesideTheStrategiesWhereItCan) {
  const SweepSpec closed = parse_sweep_spec_text(
      "algorithms = [\"raft\", \"bare_path\"]\nnodes = [3]\nloop = \"closed\"\nrepetitions = 1",
      "s");
  const SweepPlan plan = plan_sweep(closed);
  ASSERT_EQ(plan.runs.size(), 2U);
  EXPECT_THAT(names_of(plan)[1], HasSubstr("bare_path"));
  EXPECT_TRUE(plan.skipped.empty());

  const SweepSpec faulty = parse_sweep_spec_text(
      "algorithms = [\"raft\", \"bare_path\"]\nnodes = [3]\nrate = 1000\n"
      "faults = \"kill-leader\"",
      "s");
  ASSERT_EQ(plan_sweep(faulty).skipped.size(), 1U);
  EXPECT_EQ(plan_sweep(faulty).skipped[0].reason, "bare_path runs only with loop = \"closed\"");
}

TEST(CompareSpecs, EveryRegisteredStrategyIsInIt) {
  std::set<std::string_view> measured;
  for (const SweepSpec& spec : compare_specs(true)) {
    for (const Algorithm* algorithm : spec.algorithms) measured.insert(algorithm->name);
  }
  for (const Algorithm* algorithm : algorithms()) {
    EXPECT_TRUE(measured.contains(algorithm->name)) << algorithm->name;
  }
  EXPECT_TRUE(measured.contains("bare_path"));
}

TEST(CompareSpecs, TheQuickOneMeasuresForAboutFourMinutes) {
  double measured = 0;
  bool kills = false;
  std::set<std::uint32_t> raft_sizes;
  std::set<double> rates_at_three;
  for (const SweepSpec& spec : compare_specs(true)) {
    for (const PlannedRun& run : plan_sweep(spec).runs) {
      measured += run.spec.warmup_s + run.spec.duration_s;
      const bool raft = run.spec.algorithm->name == "raft";
      if (raft) raft_sizes.insert(run.spec.nodes);
      if (raft && run.spec.nodes == 3 && !run.spec.closed_loop && run.spec.faults == "none")
        rates_at_three.insert(run.spec.rate);
      kills = kills || (run.spec.faults == "kill-leader" && run.spec.record == "all");
    }
  }
  EXPECT_GT(measured, 120);
  EXPECT_LT(measured, 240);
  EXPECT_TRUE(kills);
  EXPECT_TRUE(raft_sizes.contains(3) && raft_sizes.contains(5));
  EXPECT_EQ(rates_at_three.size(), 3U);
}

TEST(CompareSpecs, BothShowWhatEachStrategyDoesToData) {
  for (const bool quick : {true, false}) {
    std::set<std::string_view> stale;
    std::set<std::string_view> split;
    for (const SweepSpec& spec : compare_specs(quick)) {
      for (const PlannedRun& run : plan_sweep(spec).runs) {
        if (run.spec.record != "all" || run.spec.read_share == 0) continue;
        if (run.spec.faults == "none") stale.insert(run.spec.algorithm->name);
        if (run.spec.faults == "partition") split.insert(run.spec.algorithm->name);
      }
    }
    for (const Algorithm* algorithm : algorithms()) {
      EXPECT_TRUE(stale.contains(algorithm->name)) << algorithm->name;
      if (algorithm->max_nodes > 1) EXPECT_TRUE(split.contains(algorithm->name)) << algorithm->name;
    }
  }
}

TEST(CompareSpecs, TheFullOneHasOneAndSevenNodesAndRepetitions) {
  std::set<std::uint32_t> raft_sizes;
  std::uint32_t repetitions = 0;
  for (const SweepSpec& spec : compare_specs(false)) {
    for (const PlannedRun& run : plan_sweep(spec).runs) {
      if (run.spec.algorithm->name == "raft") raft_sizes.insert(run.spec.nodes);
      repetitions = std::max(repetitions, run.spec.repetition);
    }
  }
  EXPECT_THAT(raft_sizes, ElementsAre(1, 3, 5, 7));
  EXPECT_EQ(repetitions, 3U);
}

}  // namespace
}  // namespace parley::harness
