// Faults on real nodes that take long: fifty by a seed, and what followed a leader's loss held
// against the simulator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/run/test_runs.h"

namespace parley::harness {
namespace {

// Fifty faults by a seed, some at the same time, under load on real storage: kills, pauses and
// cuts, or all kinds.
class FiftyRandomFaults
    : public testing::TestWithParam<std::tuple<const char*, const char*, std::uint64_t>> {};

TEST_P(FiftyRandomFaults, LoseNothingAndAllAgreeInTheEnd) {
  const auto& [strategy, faults, seed] = GetParam();
  RunSpec spec = small(strategy, 5);
  spec.options.set("log_keep_bytes", 100'000);
  spec.snapshot_bytes = 1'000'000;
  spec.rate = 1000;
  spec.clients = 64;
  spec.canvas = {200, 200};
  spec.record = "all";
  spec.durability = "async";
  spec.faults = faults;
  spec.seed = seed;
  spec.duration_s = 100;
  const TestRun run(spec);
  run.expect_sound();
  EXPECT_EQ(run.summary()["recovery"].size(), 50U);
}

INSTANTIATE_TEST_SUITE_P(Strategies, FiftyRandomFaults,
                         testing::Values(std::tuple("raft", "random:50", 50),
                                         std::tuple("bully_2pc", "random:50", 50),
                                         std::tuple("raft", "random-all:50", 51),
                                         std::tuple("bully_2pc", "random-all:50", 51)),
                         [](const auto& told) {
                           const bool all =
                               std::string_view(std::get<1>(told.param)) != "random:50";
                           return std::string(std::get<0>(told.param)) + (all ? "_all_kinds" : "");
                         });

// Five nodes, one after the other, with more to catch up with.
class LongRollingRestarts : public testing::TestWithParam<const char*> {};

TEST_P(LongRollingRestarts, LoseAndDoubleNothing) {
  RunSpec spec = small(GetParam(), 5);
  spec.rate = 2000;
  spec.clients = 64;
  spec.canvas = {200, 200};
  spec.record = "all";
  spec.durability = "group_commit";
  spec.duration_s = 60;
  const TestRun run(spec, "[[fault]]\nat_s = 5\nkind = \"rolling-restart\"\ndown_s = 2\n");
  run.expect_sound();
  expect_rolled(run, spec.nodes);
}

INSTANTIATE_TEST_SUITE_P(Strategies, LongRollingRestarts,
                         testing::Values("raft", "bully_2pc", "gossip_lww"),
                         [](const auto& strategy) { return std::string(strategy.param); });

// Six seconds of silence make a failure, and until then nobody leads.
TEST(PaperProfile, AKilledCoordinatorIsMissedAfterSixSecondsAndNothingIsLost) {
  RunSpec spec = small("bully_2pc", 3);
  ASSERT_EQ(set_option(spec.algorithm->options, "profile", "paper", spec.options), "");
  spec.record = "all";
  spec.durability = "async";
  spec.faults = "kill-leader";
  spec.duration_s = 40;
  const TestRun run(spec);
  run.expect_sound();
  const Json recovery = run.summary()["recovery"][0];
  ASSERT_FALSE(recovery["first_success_ms"].is_null()) << recovery;
  // The last heartbeat was up to two seconds before.
  EXPECT_GT(recovery["first_success_ms"], 4000) << recovery;
}

class LeaderLost : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(LeaderLost, IsFollowedByTheSameEventsAsInTheSimulator) {
  const auto [schedule, story] = GetParam();
  RunSpec spec = small("raft", 5);
  spec.rate = 500;
  spec.durability = "async";
  spec.faults = schedule;
  spec.duration_s = 8;
  const TestRun run(spec);
  run.expect_done();
  const Json same = run.summary()["as_simulated"];
  EXPECT_EQ(same["same_order"], true) << run.content("events.csv") << run.content("simulated.csv");
  EXPECT_THAT(same["text"].get<std::string>(), testing::StartsWith("yes"));
  EXPECT_THAT(same["text"].get<std::string>(), testing::HasSubstr(story));
}

INSTANTIATE_TEST_SUITE_P(
    Faults, LeaderLost,
    testing::Values(
        std::pair("kill-leader", "kill-leader: leader lost, another leads, success"),
        std::pair("isolate-leader",
                  "isolate-leader: leader lost, another leads, success, healed, with refusals"),
        std::pair("partition", "partition-leader: leader lost, another leads, success, healed")));

}  // namespace
}  // namespace parley::harness
