#include "harness/sweep/knee.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "algorithms/contract/random.h"
#include "algorithms/registry/registry.h"

namespace parley::harness {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

TEST(Objectives, AreAPercentileAndATime) {
  EXPECT_EQ(parse_objective("p99<=10ms").percentile, "p99");
  EXPECT_EQ(parse_objective("p99<=10ms").limit_us, 10'000);
  EXPECT_EQ(parse_objective("p50<=250us").limit_us, 250);
  EXPECT_EQ(parse_objective("p999<=1.5s").limit_us, 1.5e6);
  for (const char* wrong : {"", "p99", "p99<=", "p99<=10", "p98<=10ms", "p99<=-1ms", "p99<=0ms",
                            "p99<10ms", "p99<=10min", "p99<=infms"}) {
    EXPECT_THROW(parse_objective(wrong), ConfigError) << wrong;
  }
}

// Searches where rates up to `knee` are met, of which `wrong` in a thousand tries say otherwise.
struct Found {
  double low;
  double high;
  std::uint32_t tries;
};
Found search(double saturation, double knee, std::uint32_t wrong, std::uint64_t seed) {
  Random random(seed);
  KneeSearch search(saturation);
  std::uint32_t tries = 0;
  while (const auto rate = search.next()) {
    ++tries;
    search.tell((*rate <= knee) != (random.below(1000) < wrong));
  }
  return {search.low(), search.high(), tries};
}

TEST(KneeSearch, FindsTheKnee) {
  for (const double knee : {700.0, 12'000.0, 49'000.0, 51'000.0, 99'999.0}) {
    const Found found = search(100'000, knee, 0, 1);
    EXPECT_LE(found.low, knee);
    EXPECT_GE(found.high, knee);
    EXPECT_LE(found.high / found.low, kKneeGap);
    EXPECT_LE(found.tries, kMaxProbes);
  }
}

TEST(KneeSearch, EndsWhereNoRateIsMet) {
  const Found found = search(1024, 0.5, 0, 1);
  EXPECT_EQ(found.low, 0);
  EXPECT_EQ(found.high, 1);
  EXPECT_EQ(found.tries, 20U);
}

TEST(KneeSearch, OneDisturbedTryDoesNotDecide) {
  int right = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const Found found = search(100'000, 30'000, 30, seed);
    EXPECT_LE(found.tries, kMaxProbes);
    if (found.low <= 30'000 && found.high >= 30'000) ++right;
  }
  // Six or seven rates; each is decided wrongly with a probability of about 3 * 0.03^2.
  EXPECT_GT(right, 480);
}

// Stands for a cluster with a saturation, whose latency is that of a queue.
class SimulatedTarget {
 public:
  explicit SimulatedTarget(double saturation) : saturation_(saturation) {}

  RunFunction function() {
    return [this](const RunSpec& spec, const fs::path& folder, const PhaseCallback&) {
      ++runs;
      fs::remove_all(folder);
      fs::create_directories(folder);
      if (runs == fail_at) return RunOutcome{RunState::failed, "it broke", false};
      if (runs == stop_at) return RunOutcome{RunState::stopped, "", false};
      const double achieved = spec.closed_loop ? saturation_ : std::min(spec.rate, saturation_);
      const double free = 1 - achieved / saturation_;
      const double p99_us = spec.closed_loop ? 50'000 : 1000 / std::max(free, 1e-3);
      std::ofstream(folder / "summary.json")
          << json{{"offered_ops_per_s", spec.closed_loop ? achieved : spec.rate},
                  {"achieved_ops_per_s", achieved},
                  {"completed", achieved},
                  {"refused", refused},
                  {"unknown", 0},
                  {"unsent", 0},
                  {"latency_us", {{"p50", 100}, {"p99", p99_us}}},
                  {"generator", {{"limited", false}}}};
      return RunOutcome{};
    };
  }

  int runs = 0;
  int fail_at = 0;  // the how-manieth run
  int stop_at = 0;
  int refused = 0;

 private:
  double saturation_;
};

class Searches : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("parley-knee-") +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    spec_.algorithm = find_algorithm("unreplicated");
    spec_.rate = kSearchedRate;
    spec_.objective = "p99<=10ms";
  }
  void TearDown() override { fs::remove_all(folder_); }

  RunOutcome run(SimulatedTarget& target) {
    return with_search(target.function())(spec_, folder_ / "run", [](std::string_view) {});
  }
  [[nodiscard]] json summary() const {
    std::ifstream in(folder_ / "run/summary.json");
    return json::parse(in);
  }

  fs::path folder_;
  RunSpec spec_;
};

// p99 = 1 ms / (1 - rate / 50000): 10 ms at 45,000 a second.
TEST_F(Searches, EndWithARunAtTheHighestRateThatMeetsTheObjective) {
  SimulatedTarget target(50'000);
  EXPECT_EQ(run(target).state, RunState::done);
  const json found = summary()["search"];
  EXPECT_EQ(found["saturation_ops_per_s"], 50'000);
  EXPECT_LE(found["rate_low"], 45'000);
  EXPECT_GT(found["rate_low"], 45'000 / kKneeGap);
  EXPECT_GE(found["rate_high"], 45'000);
  EXPECT_EQ(found["confirmed"], true);
  EXPECT_EQ(summary()["offered_ops_per_s"], found["rate_low"]);
  EXPECT_EQ(found["probes"].size(), static_cast<std::size_t>(target.runs) - 2);
  for (const json& probe : found["probes"]) EXPECT_EQ(probe["met"], probe["rate"] <= 45'000);
}

TEST_F(Searches, KeepWhatTheyTried) {
  SimulatedTarget target(50'000);
  run(target);
  EXPECT_TRUE(fs::exists(folder_ / "run/probes/saturation/summary.json"));
  EXPECT_TRUE(fs::exists(folder_ / "run/probes/01-r25000/summary.json"));
  EXPECT_FALSE(fs::exists(folder_ / "run.probes"));
}

// However low its latency, a cluster that refuses does not meet the objective.
TEST_F(Searches, DoNotCountRatesWithErrors) {
  SimulatedTarget target(50'000);
  target.refused = 1000;
  const RunOutcome outcome = run(target);
  EXPECT_EQ(outcome.state, RunState::failed);
  EXPECT_EQ(outcome.reason, "no rate down to 49 a second meets p99<=10ms");
}

TEST_F(Searches, FailWithTheNameOfTheTryThatFailed) {
  SimulatedTarget target(50'000);
  target.fail_at = 3;
  const RunOutcome outcome = run(target);
  EXPECT_EQ(outcome.state, RunState::failed);
  EXPECT_EQ(outcome.reason, "02-r25000: it broke");
  EXPECT_TRUE(fs::exists(folder_ / "run/probes/01-r25000/summary.json"));
}

TEST_F(Searches, ThatAreStoppedLeaveNothing) {
  SimulatedTarget target(50'000);
  target.stop_at = 3;
  EXPECT_EQ(run(target).state, RunState::stopped);
  EXPECT_FALSE(fs::exists(folder_ / "run"));
  EXPECT_FALSE(fs::exists(folder_ / "run.probes"));
}

TEST_F(Searches, AreOnlyForSpecsThatAskForThem) {
  SimulatedTarget target(50'000);
  spec_.rate = 100;
  spec_.objective.clear();
  EXPECT_EQ(run(target).state, RunState::done);
  EXPECT_EQ(target.runs, 1);
  EXPECT_FALSE(summary().contains("search"));
}

}  // namespace
}  // namespace parley::harness
