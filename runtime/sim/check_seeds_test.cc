#include "runtime/sim/check_seeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "algorithms/bully_2pc/replica.h"
#include "algorithms/gossip_lww/replica.h"
#include "algorithms/raft/replica.h"
#include "algorithms/unreplicated/replica.h"
#include "runtime/sim/check_mutants.h"
#include "runtime/sim/flawed.h"
#include "runtime/sim/toy_gossip.h"

namespace parley::sim {
namespace {

using ::testing::HasSubstr;

SeedsOptions ten_short_seeds() {
  SeedsOptions options;
  options.each.duration = std::chrono::seconds(3);
  options.each.seed = 100;
  options.seeds = 10;
  return options;
}

TEST(CheckSeeds, TheReportDoesNotDependOnTheNumberOfThreads) {
  const OptionValues values = default_options(kToyGossip.options);
  SeedsOptions options = ten_short_seeds();
  options.threads = 1;
  const SeedsReport one = check_seeds(kToyGossip, values, options);
  options.threads = 4;
  const SeedsReport four = check_seeds(kToyGossip, values, options);
  EXPECT_EQ(one.trace_hash, four.trace_hash);
  EXPECT_EQ(one.events, four.events);
  EXPECT_EQ(one.faults, four.faults);
  EXPECT_EQ(four.seeds, 10U);
  options.each.seed = 101;
  EXPECT_NE(check_seeds(kToyGossip, values, options).trace_hash, one.trace_hash);
}

// Every compiler and build type must come to these. They change when the simulator is changed on
// purpose.
TEST(CheckSeeds, TheHashIsTheSameEverywhere) {
  SeedsOptions options;
  options.each.duration = std::chrono::seconds(10);
  options.seeds = 20;
  const auto hash = [&options](const Algorithm& algorithm) {
    return check_seeds(algorithm, default_options(algorithm.options), options).trace_hash;
  };
  EXPECT_EQ(hash(kToyGossip), 0x2a63ec24b1758b14U);
  EXPECT_EQ(hash(kUnreplicated), 0x6cc87bf6aebd227aU);
}

TEST(CheckSeeds, SaysHowManySeedsTookLongerThanPromised) {
  SeedsOptions options = ten_short_seeds();
  Algorithm algorithm = kToyGossip;
  const auto late = [&](auto promise) {
    algorithm.merge_promise = promise;
    const SeedsReport report = check_seeds(algorithm, default_options(algorithm.options), options);
    EXPECT_EQ(report.agreed_rounds.size(), 10U);
    EXPECT_GT(report.agreed_rounds.back(), 0);
    return report.agreed_late;
  };
  EXPECT_EQ(late([](const OptionValues&, std::uint32_t) {
              return MergePromise{1, {}, Duration(1), 1};
            }),
            10U);
  EXPECT_EQ(late([](const OptionValues&, std::uint32_t) {
              return MergePromise{1, {}, std::chrono::hours(1), 1};
            }),
            0U);
  EXPECT_EQ(late_allowed(500), 1U);
  EXPECT_EQ(late_allowed(10'000), 10U);
}

TEST(CheckSeeds, TellsProgressAndTheEnd) {
  SeedsOptions options = ten_short_seeds();
  std::vector<SeedsProgress> told;
  options.progress = [&told](const SeedsProgress& progress) { told.push_back(progress); };
  check_seeds(kToyGossip, default_options(kToyGossip.options), options);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().done, 10U);
  EXPECT_EQ(told.back().seeds, 10U);
}

TEST(CheckSeeds, StopsWhenAsked) {
  SeedsOptions options = ten_short_seeds();
  const std::atomic<bool> stop{true};
  options.stop = &stop;
  EXPECT_EQ(check_seeds(kToyGossip, default_options(kToyGossip.options), options).seeds, 0U);
}

TEST(CheckSeeds, EveryFailingSeedIsNamedAndFailsAgainAlone) {
  const Algorithm& algorithm = flawed_raft_algorithm();
  OptionValues values = default_options(algorithm.options);
  values.set("flaw", static_cast<std::int64_t>(Flaw::applies_twice));
  SeedsOptions options = ten_short_seeds();
  options.each.nodes = 3;
  options.seeds = 12;
  const SeedsReport report = check_seeds(algorithm, values, options);
  ASSERT_EQ(report.failing_seeds.size(), 12U);
  ASSERT_EQ(report.failures.size(), 10U) << "in full only the first ones";
  EXPECT_EQ(report.failures[0].seed, 100U);
  EXPECT_EQ(report.failures[0].replay,
            "./parley check --algorithm flawed_raft --seeds 1 --seed 100 --nodes 3 --seconds 3 "
            "--option flaw=8");
  EXPECT_THAT(describe(report.failures[0]), HasSubstr("seed 100 fails:"));
  EXPECT_GT(report.failures[0].story.size(), 5U);

  options.each.seed = report.failures[3].seed;
  options.seeds = 1;
  const SeedsReport alone = check_seeds(algorithm, values, options);
  ASSERT_EQ(alone.failures.size(), 1U);
  EXPECT_EQ(alone.failures[0].violations, report.failures[3].violations);
  EXPECT_EQ(alone.failures[0].story, report.failures[3].story);
}

TEST(ReplayCommand, NamesWhatIsNotUsual) {
  SimOptions options;
  options.seed = 9;
  const OptionValues usual = default_options(kToyGossip.options);
  EXPECT_EQ(replay_command(kToyGossip, usual, options),
            "./parley check --algorithm toy_gossip --seeds 1 --seed 9");
  EXPECT_EQ(parse_faults("crash,loss", options.faults), "");
  EXPECT_THAT(replay_command(kToyGossip, usual, options), HasSubstr("--faults loss,crash"));
  OptionValues raft = default_options(kRaft.options);
  EXPECT_EQ(set_option(kRaft.options, "pre_vote", "off", raft), "");
  EXPECT_THAT(replay_command(kRaft, raft, options), HasSubstr(" --option pre_vote=off"));
}

TEST(Mutants, SettingsOfGuardsAreOptionsThatGoTogether) {
  std::size_t with_setting_of_its_own = 0;
  for (const Algorithm* algorithm : {&kRaft, &kBully2pc, &kGossipLww}) {
    const OptionValues usual = default_options(algorithm->options);
    for (const Guard* guard : guards_of(*algorithm)) {
      const OptionValues values = with_setting(*algorithm, usual, *guard);
      EXPECT_EQ(values.all() == usual.all(), guard->setting.empty()) << guard->name;
      if (algorithm->check_options != nullptr) {
        EXPECT_EQ(algorithm->check_options(values), "") << guard->name;
      }
      if (!guard->setting.empty()) ++with_setting_of_its_own;
    }
  }
  EXPECT_GE(with_setting_of_its_own, 3U);

  const Guard guard{"wrong", "", "reads=lease no_option=1"};
  EXPECT_THROW(with_setting(kRaft, default_options(kRaft.options), guard), std::invalid_argument);
}

}  // namespace
}  // namespace parley::sim
