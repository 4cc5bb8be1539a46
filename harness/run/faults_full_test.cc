// Fifty kills, pauses and cuts by a seed, some at the same time, under load on real storage.
#include <gtest/gtest.h>

#include "harness/cluster/private_folder.h"
#include "harness/run/test_runs.h"

namespace parley::harness {
namespace {

TEST(RandomFaults, FiftyLoseNothingAndAllAgreeInTheEnd) {
  const PrivateFolder folder;
  const auto out = folder.path() / "run";
  RunSpec spec = small("raft", 5);
  spec.options.set("log_keep_bytes", 100'000);
  spec.snapshot_bytes = 1'000'000;
  spec.rate = 1000;
  spec.clients = 64;
  spec.canvas = {200, 200};
  spec.record = "all";
  spec.durability = "async";
  spec.faults = "random:50";
  spec.seed = 50;
  spec.duration_s = 100;
  const RunOutcome outcome = execute_run(spec, out, with_real_nodes());
  ASSERT_EQ(outcome.state, RunState::done) << outcome.reason << content_of(out / "cluster.log");
  const Json summary = json_of(out / "summary.json");
  EXPECT_EQ(summary["consistency"]["verdict"], "pass") << json_of(out / "manifest.json")["notes"];
  EXPECT_EQ(summary["consistency"]["lost"], 0);
  EXPECT_EQ(summary["consistency"]["duplicates"], 0);
  EXPECT_FALSE(summary["consistency"]["converged_ms"].is_null()) << "all five agree in the end";
  EXPECT_EQ(summary["recovery"].size(), 50U);
}

}  // namespace
}  // namespace parley::harness
