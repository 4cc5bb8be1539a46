// The contract, proven on whole clusters: Raft, a toy gossip, the control baseline; and the checks,
// proven on strategies with mistakes.
#include "runtime/sim/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <sstream>

#include "algorithms/raft/replica.h"
#include "algorithms/unreplicated/replica.h"
#include "runtime/sim/check_seeds.h"
#include "runtime/sim/flawed.h"
#include "runtime/sim/toy_gossip.h"
#include "runtime/sim/trace_formats.h"

namespace parley::sim {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Shorter than usual: these run under sanitizers too.
SimOptions twenty_seconds() {
  SimOptions options;
  options.duration = seconds(20);
  return options;
}

SeedsReport check(const Algorithm& algorithm, std::uint64_t seeds,
                  SimOptions each = twenty_seconds(), std::int64_t flaw = 0) {
  SeedsOptions options;
  options.each = each;
  options.seeds = seeds;
  OptionValues values = default_options(algorithm.options);
  if (flaw != 0) values.set("flaw", flaw);
  return check_seeds(algorithm, values, options);
}

void expect_sound(const SeedsReport& report) {
  for (const Failure& failure : report.failures) ADD_FAILURE() << describe(failure);
  EXPECT_EQ(report.violations, 0U);
}

SimOptions short_run(std::uint64_t seed = 1) {
  SimOptions options;
  options.seed = seed;
  options.duration = seconds(5);
  return options;
}

// --- strategies that are right ---

TEST(Simulation, RaftHoldsUnderEveryFault) {
  const SeedsReport report = check(kRaft, 40);
  expect_sound(report);
  EXPECT_GT(report.clients.acknowledged, 40U * 50U);
  EXPECT_GT(report.clients.reads, 40U * 20U);
  EXPECT_GT(report.clients.refused, 0U);
  EXPECT_GT(report.clients.unknown, 0U);
  EXPECT_GT(report.commits, 40U * 20U);
  EXPECT_GT(report.snapshots, 40U);
  EXPECT_GT(report.installs, 10U) << "followers that were away get a snapshot";
  EXPECT_GT(report.clients.expired, 0U);
  for (std::size_t kind = 0; kind < kFaultKinds; ++kind) {
    const auto fault = static_cast<FaultKind>(kind);
    EXPECT_GT(report.faults[kind], 0U) << fault_name(fault);
  }
}

TEST(Simulation, RaftWithoutFaultsServesEveryRequest) {
  SimOptions options = short_run();
  options.faults = FaultSet::none();
  options.nodes = 5;
  const SeedsReport report = check(kRaft, 20, options);
  expect_sound(report);
  // Only while there is no first leader yet.
  EXPECT_LT(report.clients.refused + report.clients.unknown, report.clients.acknowledged / 4);
}

TEST(Simulation, RaftOnOneNodeAndOnSeven) {
  for (const std::uint32_t nodes : {1U, 2U, 7U}) {
    SimOptions options = short_run();
    options.nodes = nodes;
    expect_sound(check(kRaft, 10, options));
  }
}

TEST(Simulation, CountersUnderRaftCountEachIncrementOnce) {
  SimOptions options = twenty_seconds();
  options.application = ApplicationChoice::counter;
  const SeedsReport report = check(kRaft, 20, options);
  expect_sound(report);
  EXPECT_GT(report.clients.acknowledged, 20U * 50U);
}

TEST(Simulation, TheControlBaselineKeepsWhatItAcknowledged) {
  const SeedsReport report = check(kUnreplicated, 40);
  expect_sound(report);
  EXPECT_GT(report.faults[static_cast<std::size_t>(FaultKind::crash)], 0U);
  EXPECT_GT(report.clients.acknowledged, 40U * 50U);
}

TEST(Simulation, ToyGossipConvergesAndLosesNothing) {
  const SeedsReport report = check(kToyGossip, 40);
  expect_sound(report);
  EXPECT_GT(report.clients.acknowledged, 40U * 50U);
  EXPECT_EQ(report.anomalies.lost, 0U);
  EXPECT_GT(report.anomalies.stale_reads, 0U) << "a weak guarantee shows as counts";
  EXPECT_GT(report.anomalies.superseded, 0U);
  EXPECT_GT(report.anomalies.duplicates, 0U);
  EXPECT_GT(report.anomalies.divergent, 0U);
  EXPECT_GT(report.anomalies.older_wins, 0U) << "its stamps are clocks, which are apart";
}

// --- determinism ---

TEST(Simulation, OneSeedIsOneExecution) {
  for (const Algorithm* algorithm : {&kRaft, &kToyGossip, &kUnreplicated}) {
    const OptionValues values = default_options(algorithm->options);
    const SimResult once = simulate(*algorithm, values, short_run(7));
    const SimResult again = simulate(*algorithm, values, short_run(7));
    const SimResult other = simulate(*algorithm, values, short_run(8));
    EXPECT_EQ(once.trace_hash, again.trace_hash) << algorithm->name;
    EXPECT_EQ(once.events, again.events) << algorithm->name;
    EXPECT_NE(once.trace_hash, other.trace_hash) << algorithm->name;
  }
}

TEST(Simulation, TheFullTraceIsTheSameTextTwice) {
  std::ostringstream once;
  std::ostringstream again;
  const OptionValues values = default_options(kRaft.options);
  SimOptions options = short_run(3);
  const auto first = make_text_trace(once);
  options.trace = first.get();
  const SimResult traced = simulate(kRaft, values, options);
  const auto second = make_text_trace(again);
  options.trace = second.get();
  simulate(kRaft, values, options);
  EXPECT_EQ(once.str(), again.str());
  EXPECT_THAT(once.str(), HasSubstr("is leader in epoch"));
  EXPECT_THAT(once.str(), HasSubstr("everything heals"));
  EXPECT_EQ(simulate(kRaft, values, short_run(3)).trace_hash, traced.trace_hash)
      << "looking on changes nothing";
}

// --- strategies with mistakes ---

struct Expected {
  Flaw flaw;
  const char* name;
  const char* violation;  // part of what must be said
};

class RaftMutant : public ::testing::TestWithParam<Expected> {};

TEST_P(RaftMutant, IsCaught) {
  SimOptions options = twenty_seconds();
  if (GetParam().flaw == Flaw::small_quorum) options.nodes = 4;
  std::uint64_t seed = 1;
  for (; seed <= 300; ++seed) {
    options.seed = seed;
    const SeedsReport report =
        check(flawed_raft_algorithm(), 1, options, static_cast<std::int64_t>(GetParam().flaw));
    if (report.violations == 0) continue;
    const std::string text = describe(report.failures.at(0));
    RecordProperty("seeds_until_caught", static_cast<int>(seed));
    EXPECT_THAT(text, HasSubstr(GetParam().violation));
    EXPECT_THAT(text,
                HasSubstr("--algorithm flawed_raft --seeds 1 --seed " + std::to_string(seed)));
    EXPECT_THAT(text, HasSubstr("VIOLATION"));
    return;
  }
  FAIL() << "not caught in 300 seeds";
}

INSTANTIATE_TEST_SUITE_P(
    Simulation, RaftMutant,
    ::testing::Values(
        Expected{Flaw::acknowledges_unsynced, "AcknowledgesUnsynced", ""},
        Expected{Flaw::forgets_votes, "ForgetsVotes", ""},
        Expected{Flaw::forgets_the_log, "ForgetsTheLog", ""},
        Expected{Flaw::small_quorum, "SmallQuorum", ""},
        Expected{Flaw::answers_reads_at_once, "AnswersReadsAtOnce", "linearizable read"},
        Expected{Flaw::skips_a_run, "SkipsARun", "committed there before"},
        Expected{Flaw::swaps_runs, "SwapsRuns", "commits at index"},
        Expected{Flaw::applies_twice, "AppliesTwice", "was committed after index"},
        Expected{Flaw::refuses_what_it_does, "RefusesWhatItDoes", "and yet carried out"},
        Expected{Flaw::falls_silent, "FallsSilent", "after everything healed"},
        Expected{Flaw::sends_garbage, "SendsGarbage", "malformed"},
        Expected{Flaw::skips_a_ticket, "SkipsATicket", "issued ticket"},
        Expected{Flaw::reports_an_old_epoch, "ReportsAnOldEpoch", "epoch"},
        Expected{Flaw::is_always_due, "IsAlwaysDue", "at a time that has passed"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(Mutants, TheWrapperItselfDoesNoHarm) {
  expect_sound(check(flawed_raft_algorithm(), 10));
}

TEST(Mutants, TheBaselineThatAcknowledgesTooEarlyIsCaught) {
  const SeedsReport report = check(flawed_unreplicated_algorithm(), 30, twenty_seconds(),
                                   static_cast<std::int64_t>(Flaw::acknowledges_unsynced));
  EXPECT_GT(report.failing_seeds.size(), 0U);
}

TEST(Mutants, GossipMistakesAreCaught) {
  const auto caught = [](GossipFlaw flaw, std::uint64_t seeds = 30) {
    const SeedsReport report =
        check(kToyGossip, seeds, twenty_seconds(), static_cast<std::int64_t>(flaw));
    return report.failures.empty() ? std::string() : report.failures[0].violations.at(0);
  };
  EXPECT_THAT(caught(GossipFlaw::acknowledges_unsynced, 100), HasSubstr("has lost it"));
  EXPECT_THAT(caught(GossipFlaw::ties_by_arrival), HasSubstr("have one stamp"));
  EXPECT_THAT(caught(GossipFlaw::forgets_half), HasSubstr("hold different cells"));
  EXPECT_THAT(caught(GossipFlaw::pushes_downwards), HasSubstr("hold different cells"));
}

// --- schedules ---

ScheduledFault at(Duration when, ScheduledFault::Kind kind, Duration lasts = {}) {
  ScheduledFault fault;
  fault.at = when;
  fault.kind = kind;
  fault.lasts = lasts;
  return fault;
}

SimResult follow(FaultSchedule schedule) {
  SimOptions options = short_run();
  options.faults = FaultSet::none();
  options.schedule = {"mine.toml", std::move(schedule)};
  EXPECT_THAT(replay_command(kRaft, default_options(kRaft.options), options),
              HasSubstr("--faults mine.toml"));
  return simulate(kRaft, default_options(kRaft.options), options);
}

std::uint64_t injected(const SimResult& result, FaultKind kind) {
  return result.faults[static_cast<std::size_t>(kind)];
}

TEST(Simulation, ASchedulesFaultsHappenAndNoOthers) {
  using Kind = ScheduledFault::Kind;
  ScheduledFault partial = at(seconds(3), Kind::cut, seconds(1));
  partial.cut.groups = {
      {NodeId{1}, NodeId{2}, NodeId{3}}, {NodeId{2}, NodeId{4}}, {NodeId{3}, NodeId{5}}};
  const SimResult result = follow({at(seconds(1), Kind::pause, seconds(1)), partial,
                                   at(seconds(4), Kind::restart, std::chrono::milliseconds(300)),
                                   at(seconds(5), Kind::kill)});
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_THAT(result.missed, IsEmpty());
  EXPECT_EQ(injected(result, FaultKind::pause), 1U);
  EXPECT_EQ(injected(result, FaultKind::partition), 1U);
  EXPECT_EQ(injected(result, FaultKind::crash), 2U);
  EXPECT_EQ(std::accumulate(result.faults.begin(), result.faults.end(), std::uint64_t{0}), 4U);
  EXPECT_GT(result.clients.acknowledged, 100U);
  ASSERT_EQ(result.struck.size(), 4U);
  EXPECT_EQ(result.struck[0].begun, Instant(seconds(1)));
  EXPECT_EQ(result.struck[0].ended, Instant(seconds(2)));
  EXPECT_NE(result.struck[0].node, kNoNode);
  EXPECT_EQ(result.struck[1].node, kNoNode) << "a cut by groups is for nobody";
  EXPECT_EQ(result.struck[2].ended, *result.struck[2].begun + std::chrono::milliseconds(300));
  EXPECT_EQ(result.struck[3].ended, std::nullopt);
}

TEST(Simulation, AMajorityIsHitAtOnceAndComesBackAtOnce) {
  using Kind = ScheduledFault::Kind;
  constexpr auto kHalf = std::chrono::milliseconds(500);
  FaultSchedule schedule = {at(seconds(1), Kind::restart, kHalf),
                            at(seconds(3), Kind::pause, kHalf), at(seconds(4), Kind::kill)};
  for (ScheduledFault& fault : schedule) fault.target.kind = NodeTarget::Kind::majority;
  const SimResult result = follow(schedule);
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_THAT(result.missed, IsEmpty());
  EXPECT_EQ(injected(result, FaultKind::crash), 6U) << "three of five, twice";
  EXPECT_EQ(injected(result, FaultKind::pause), 3U);
}

// Every kind that a file can have happens in a simulated cluster, is over when it says so, and
// harms nothing that was promised.
TEST(Simulation, WhatOnlyMakesThingsWorseHappensAndIsOver) {
  using Kind = ScheduledFault::Kind;
  using std::chrono::milliseconds;
  ScheduledFault slow_link = at(milliseconds(500), Kind::slow_link, seconds(1));
  slow_link.slower = {.delay_us = 100'000, .jitter_us = 20'000, .loss_per_million = 50'000};
  ScheduledFault slow_disk = at(milliseconds(1700), Kind::slow_disk, seconds(1));
  slow_disk.write_delay = milliseconds(200);
  ScheduledFault step = at(milliseconds(2900), Kind::clock_step, seconds(1));
  step.clock_step = milliseconds(-1500);
  const ScheduledFault full = at(milliseconds(4100), Kind::full_disk, milliseconds(700));
  const SimResult result = follow({slow_link, slow_disk, step, full});
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_THAT(result.missed, IsEmpty());
  EXPECT_EQ(injected(result, FaultKind::stall), 1U) << "the slow links";
  EXPECT_EQ(injected(result, FaultKind::slow_disk), 1U);
  EXPECT_EQ(injected(result, FaultKind::clock), 1U);
  EXPECT_EQ(injected(result, FaultKind::failed_sync), 1U) << "the full disk, which ends the node";
  ASSERT_EQ(result.struck.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NE(result.struck[i].node, kNoNode);
    EXPECT_EQ(result.struck[i].ended,
              *result.struck[i].begun + (i == 3 ? Duration(milliseconds(700)) : seconds(1)));
  }
}

TEST(Simulation, ARollingRestartReachesEveryNode) {
  ScheduledFault rolling = at(seconds(1), ScheduledFault::Kind::rolling_restart, seconds(8));
  rolling.down = std::chrono::milliseconds(200);
  const SimResult result = follow({rolling});
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_THAT(result.missed, IsEmpty());
  EXPECT_EQ(injected(result, FaultKind::crash), 5U) << "each of five, once";
  EXPECT_GE(injected(result, FaultKind::handover), 1U) << "its leader at least";
  ASSERT_EQ(result.struck.size(), 1U);
  ASSERT_TRUE(result.struck[0].ended.has_value());
  EXPECT_GT(*result.struck[0].ended, Instant(seconds(2)));
  rolling.lasts = std::chrono::milliseconds(300);
  EXPECT_THAT(follow({rolling}).missed,
              ::testing::ElementsAre("rolling-restart: not over in time"));
}

TEST(Simulation, WithoutAMajorityLeftNoneIsHit) {
  using Kind = ScheduledFault::Kind;
  FaultSchedule schedule = {at(seconds(1), Kind::kill), at(seconds(2), Kind::kill)};
  for (ScheduledFault& fault : schedule) fault.target.kind = NodeTarget::Kind::majority;
  EXPECT_THAT(follow(schedule).missed, ::testing::ElementsAre("kill-majority: nobody fits"));
}

TEST(Simulation, AFaultOfAScheduleThatHitsNobodyIsNamed) {
  ScheduledFault nobody = at(seconds(1), ScheduledFault::Kind::kill);
  nobody.target = {NodeTarget::Kind::node, NodeId{9}};
  EXPECT_THAT(follow({nobody}).missed, ::testing::ElementsAre("kill-9: nobody fits"));
}

TEST(Simulation, LinksOfAProfileTakeTheirTime) {
  SimOptions options = short_run();
  options.faults = FaultSet::none();
  options.nodes = 3;
  options.operations_per_s = 50;
  const auto acknowledged = [&options] {
    const SimResult result = simulate(kRaft, default_options(kRaft.options), options);
    EXPECT_THAT(result.violations, IsEmpty());
    return result.clients.acknowledged;
  };
  options.links.emplace();
  const std::uint64_t quick = acknowledged();
  options.links->name = "wan.toml";
  options.links->rules = {{kNoNode, kNoNode, {.delay_us = 40'000, .jitter_us = 10'000}}};
  EXPECT_LT(acknowledged(), quick);
  EXPECT_THAT(replay_command(kRaft, default_options(kRaft.options), options),
              HasSubstr("--faults none --links wan.toml"));
}

// --- what is refused ---

TEST(Simulation, OptionsThatDoNotFitAreNamed) {
  SimOptions options;
  EXPECT_THAT(check_sim_options(kRaft, options), IsEmpty());
  options.nodes = 2;
  EXPECT_THAT(check_sim_options(kUnreplicated, options), HasSubstr("nodes: must be 1 to 1"));
  options.nodes = 17;
  EXPECT_THAT(check_sim_options(kRaft, options), HasSubstr("nodes: must be 1 to 16"));
  options = {};
  options.duration = Duration{};
  EXPECT_THAT(check_sim_options(kRaft, options), HasSubstr("seconds"));
  options = {};
  options.application = ApplicationChoice::counter;
  EXPECT_THAT(check_sim_options(kToyGossip, options), HasSubstr("application"));
  EXPECT_THAT(check_sim_options(kRaft, options), IsEmpty());
}

}  // namespace
}  // namespace parley::sim
