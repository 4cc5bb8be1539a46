#include <gtest/gtest.h>

#include "algorithms/contract/story/random_faults.h"
#include "algorithms/raft/replica.h"
#include "algorithms/raft/test_text.h"

namespace parley::raft::test {
namespace {

void run_seed(std::uint64_t seed, std::uint32_t size, bool guarded) {
  OptionValues options = default_options(kRaft.options);
  options.set("pre_vote", guarded ? 1 : 0);
  options.set("check_quorum", guarded ? 1 : 0);
  options.set("max_inflight_messages", 3);
  options.set("max_append_bytes", 1024);
  story::survive_random_faults(kStrategy, options, seed, size);
}

TEST(RaftUnderRandomFaults, ThreeNodesStaySafeAndRecover) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) run_seed(seed, 3, true);
}

TEST(RaftUnderRandomFaults, FiveNodesStaySafeAndRecover) {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) run_seed(seed, 5, true);
}

TEST(RaftUnderRandomFaults, WithoutPreVoteAndCheckQuorumItIsStillSafe) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) run_seed(seed, 3, false);
}

}  // namespace
}  // namespace parley::raft::test
