// Thirty times kill -9 and start again, under load, on real storage.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "algorithms/contract/random.h"
#include "harness/cluster/private_folder.h"
#include "harness/run/test_runs.h"

namespace parley::harness {
namespace {

constexpr int kRestarts = 30;

// Every other one hits the leader; some nodes are away for longer than the pause until the next.
void write_schedule(const std::filesystem::path& path) {
  std::ofstream file(path);
  Random random(20);
  double at = 1;
  for (int i = 0; i < kRestarts; ++i) {
    const double down = 0.2 + static_cast<double>(random.below(2300)) / 1000;
    file << "[[fault]]\nkind = \"restart\"\nat_s = " << at << "\nnode = \""
         << (i % 2 == 0 ? "leader" : "follower") << "\"\ndown_s = " << down << "\n";
    at += 2.3;
  }
}

TEST(Restarts, ThirtyUnderLoadLoseNothingAndTheLeadersAreReplacedSoon) {
  const PrivateFolder folder;
  const auto schedule = folder.path() / "restarts.toml";
  write_schedule(schedule);
  RunSpec spec;
  spec.algorithm = find_algorithm("raft");
  spec.options = default_options(spec.algorithm->options);
  spec.options.set("log_keep_bytes", 100'000);
  spec.nodes = 5;
  spec.rate = 2000;
  spec.clients = 64;
  spec.canvas = {200, 200};
  spec.record = "all";
  spec.durability = "async";
  spec.snapshot_bytes = 1'000'000;
  spec.faults = schedule.string();
  spec.duration_s = 75;
  const auto out = folder.path() / "run";
  const RunOutcome outcome = execute_run(spec, out, with_real_nodes());
  ASSERT_EQ(outcome.state, RunState::done) << outcome.reason;
  const Json summary = json_of(out / "summary.json");
  EXPECT_EQ(summary["consistency"]["verdict"], "pass") << json_of(out / "manifest.json")["notes"];
  EXPECT_FALSE(summary["consistency"]["converged_ms"].is_null()) << "all five agree in the end";
  ASSERT_EQ(summary["recovery"].size(), static_cast<std::size_t>(kRestarts));

  std::vector<double> first_success_ms;
  for (const Json& recovery : summary["recovery"]) {
    if (recovery["fault"] != "restart-leader") continue;
    ASSERT_FALSE(recovery["first_success_ms"].is_null());
    first_success_ms.push_back(recovery["first_success_ms"]);
  }
  std::sort(first_success_ms.begin(), first_success_ms.end());
  const double median = first_success_ms[first_success_ms.size() / 2];
  std::printf("first success after a killed leader: p50 %.0f ms, max %.0f ms, of %zu\n", median,
              first_success_ms.back(), first_success_ms.size());
  EXPECT_LT(median, 500);
  EXPECT_LT(first_success_ms.back(), 2000);
}

}  // namespace
}  // namespace parley::harness
