#include "runtime/sim/reduce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "algorithms/raft/replica.h"
#include "runtime/sim/check_seeds.h"
#include "runtime/sim/flawed.h"

namespace parley::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::SizeIs;

// --- the text ---

TEST(Reduction, IsReadAsItIsWritten) {
  Reduction all;
  all.from = milliseconds(112'500);
  all.until = milliseconds(117'703);
  all.strikes = {{203, 207}};
  all.clients = 1;
  all.operations = 61;
  const std::string text = "from=112.5;until=117.703;strikes=203,207;clients=1;operations=61";
  EXPECT_EQ(to_text(all), text);
  Reduction read;
  EXPECT_EQ(parse_reduction(text, read), "");
  EXPECT_EQ(read, all);
  EXPECT_EQ(parse_reduction("until=0.05;strikes=none", read), "");
  EXPECT_EQ(to_text(read), "until=0.05;strikes=none");
  EXPECT_THAT(*read.strikes, IsEmpty());
  EXPECT_EQ(parse_reduction("until=3", read), "");
  EXPECT_FALSE(read.strikes.has_value());
}

TEST(Reduction, WhatIsWrongIsNamedWithWhatIsAllowed) {
  const auto problem = [](std::string_view text) {
    Reduction untouched;
    std::string what = parse_reduction(text, untouched);
    EXPECT_EQ(untouched, Reduction{}) << text;
    return what;
  };
  EXPECT_THAT(problem("until=3;strike=1"), HasSubstr("\"strike\" is not one of from, until"));
  EXPECT_THAT(problem(""), HasSubstr("until must be there"));
  EXPECT_THAT(problem("from=3;until=3"), HasSubstr("after from"));
  EXPECT_THAT(problem("until=soon"), HasSubstr("until=\"soon\" must be seconds, 0 to 86400"));
  EXPECT_THAT(problem("until=-1"), HasSubstr("seconds"));
  EXPECT_THAT(problem("until=nan"), HasSubstr("seconds"));
  EXPECT_THAT(problem("until=3;until=4"), HasSubstr("until is there twice"));
  EXPECT_THAT(problem("until=3;strikes=2,1"), HasSubstr("rising order"));
  EXPECT_THAT(problem("until=3;strikes="), HasSubstr("strikes=\"\" must be none, or numbers"));
  EXPECT_THAT(problem("until=3;strikes=0"), HasSubstr("from 1"));
  EXPECT_THAT(problem("until=3;clients=0"), HasSubstr("1 to 1000"));
  EXPECT_THAT(problem("until=3;operations=1.5"), HasSubstr("a number of operations"));
}

// --- delta debugging ---

TEST(LeaveOut, KeepsWhatIsNeededTogether) {
  Numbers all(100);
  std::iota(all.begin(), all.end(), 1U);
  int tests = 0;
  const auto needs_three = [&tests](const Numbers& some) {
    ++tests;
    const auto has = [&](std::uint32_t number) { return std::ranges::count(some, number) == 1; };
    return has(7) && has(42) && has(99);
  };
  EXPECT_THAT(leave_out(all, needs_three), ElementsAre(7, 42, 99));
  EXPECT_LT(tests, 150);
  EXPECT_THAT(leave_out({4}, [](const Numbers&) { return true; }), ElementsAre(4));
  EXPECT_THAT(leave_out(all, [](const Numbers&) { return false; }), SizeIs(100));
}

// --- executions ---

std::uint64_t faults_of(const SimResult& result) {
  return std::accumulate(result.faults.begin(), result.faults.end(), std::uint64_t{0});
}

OptionValues with_flaw(Flaw flaw) {
  OptionValues values = default_options(flawed_raft_algorithm().options);
  values.set("flaw", static_cast<std::int64_t>(flaw));
  return values;
}

// The first seed of this flaw, from `first` on, that fails after some faults.
SimOptions failing_seed(const OptionValues& values, std::uint64_t first = 1) {
  SimOptions options;
  options.duration = seconds(20);
  for (options.seed = first; options.seed < 200; ++options.seed) {
    const SimResult result = simulate(flawed_raft_algorithm(), values, options);
    if (!result.violations.empty() && result.strikes.size() > 3) return options;
  }
  ADD_FAILURE() << "none fails";
  return options;
}

class ReducedFlaw : public ::testing::TestWithParam<Flaw> {};

TEST_P(ReducedFlaw, FailsTheSameCheckWithLess) {
  const OptionValues values = with_flaw(GetParam());
  SimOptions whole = failing_seed(values);
  auto reduced = reduce(flawed_raft_algorithm(), values, whole, nullptr);
  // Not every failure shows again once the rests between bouts are shorter.
  for (int tries = 1; !reduced && tries < 3; ++tries) {
    whole = failing_seed(values, whole.seed + 1);
    reduced = reduce(flawed_raft_algorithm(), values, whole, nullptr);
  }
  ASSERT_TRUE(reduced.has_value());
  EXPECT_LE(reduced->executions, kMaxReductions);
  ASSERT_FALSE(reduced->after.violations.empty());
  EXPECT_EQ(check_of(reduced->after.violations[0]), check_of(reduced->before.violations[0]));
  EXPECT_LT(faults_of(reduced->after), faults_of(reduced->before));
  EXPECT_LT(reduced->after.strikes.size(), reduced->before.strikes.size());
  EXPECT_LE(reduced->after.clients.operations, reduced->before.clients.operations);
  // Fewer faults and commands come first: the same failure may then come a little later.
  EXPECT_LE(reduced->after.virtual_time, reduced->before.virtual_time * 11 / 10);

  SimOptions replayed = whole;  // as the command line has it
  replayed.nodes = reduced->options.nodes;
  replayed.faults = reduced->options.faults;
  ASSERT_EQ(parse_reduction(to_text(*reduced->options.reduction), replayed.reduction.emplace()),
            "");
  EXPECT_EQ(check_sim_options(flawed_raft_algorithm(), replayed), "");
  const SimResult again = simulate(flawed_raft_algorithm(), values, replayed);
  EXPECT_EQ(again.trace_hash, reduced->after.trace_hash);
  EXPECT_EQ(again.violations, reduced->after.violations);
}

INSTANTIATE_TEST_SUITE_P(Reduce, ReducedFlaw,
                         ::testing::Values(Flaw::forgets_votes, Flaw::acknowledges_unsynced,
                                           Flaw::answers_reads_at_once));

TEST(Reduce, ASoundExecutionHasNothingToReduce) {
  SimOptions options;
  options.duration = seconds(3);
  EXPECT_FALSE(reduce(kRaft, default_options(kRaft.options), options, nullptr).has_value());
}

TEST(Reduce, TheReportTellsTheSmallerStoryAndBothCommands) {
  const OptionValues values = with_flaw(Flaw::forgets_votes);
  SeedsOptions options;
  options.each = failing_seed(values);
  options.reduce = true;
  const SeedsReport report = check_seeds(flawed_raft_algorithm(), values, options);
  ASSERT_THAT(report.failures, SizeIs(1));
  const Failure& failure = report.failures[0];
  ASSERT_TRUE(failure.reduced.has_value());
  const std::string text = describe(failure);
  EXPECT_THAT(text, HasSubstr("reduced from " + std::to_string(failure.reduced->before.nodes)));
  EXPECT_THAT(text, HasSubstr("to see it again: " + failure.replay_reduced));
  EXPECT_THAT(failure.replay_reduced,
              HasSubstr(" --reduced \"" + to_text(*failure.reduced->options.reduction) + "\""));
  EXPECT_THAT(text, HasSubstr("without the reduction: " + failure.replay));
  EXPECT_THAT(failure.story.back() + failure.story[failure.story.size() - 2],
              HasSubstr("VIOLATION"));
}

// --- strikes ---

TEST(Strikes, ThoseThatAreLeftKeepTheirTimesAndDraws) {
  SimOptions options;
  options.seed = 7;
  options.duration = seconds(10);
  const OptionValues values = default_options(kRaft.options);
  const SimResult whole = simulate(kRaft, values, options);
  ASSERT_GT(whole.strikes.size(), 3U);
  Reduction& reduction = options.reduction.emplace();
  reduction.until = options.duration;
  EXPECT_EQ(simulate(kRaft, values, options).trace_hash, whole.trace_hash)
      << "all of an execution of one bout is the execution";
  reduction.strikes = {{whole.strikes[1], whole.strikes[3]}};
  EXPECT_THAT(simulate(kRaft, values, options).strikes,
              ElementsAre(whole.strikes[1], whole.strikes[3]));
  reduction.strikes.emplace();
  EXPECT_THAT(simulate(kRaft, values, options).strikes, IsEmpty());
  reduction.operations = 0;
  EXPECT_THAT(simulate(kRaft, values, options).clients.acknowledged, Lt(40U))
      << "only what each client does in the end";
}

TEST(Strikes, APartThatIsLongerThanTheWholeIsRefused) {
  SimOptions options;
  options.duration = seconds(10);
  options.reduction.emplace().until = seconds(11);
  EXPECT_THAT(check_sim_options(kRaft, options), HasSubstr("until must be at most 10 s"));
}

}  // namespace
}  // namespace parley::sim
