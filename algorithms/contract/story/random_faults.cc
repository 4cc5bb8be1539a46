#include "algorithms/contract/story/random_faults.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "algorithms/contract/story/cluster.h"

namespace parley::story {
namespace {

// Crashes, cuts, slow disks and lossy links for a while.
void break_things(Cluster& cluster, Random& random, std::vector<std::string>& submitted) {
  for (int round = 0; round < 60; ++round) {
    const std::uint64_t action = random.below(10);
    const std::uint32_t node = 1 + static_cast<std::uint32_t>(random.below(cluster.size()));
    const std::uint32_t other = 1 + static_cast<std::uint32_t>(random.below(cluster.size()));
    if (action == 0 && cluster.is_up(node)) {
      cluster.crash(node);
    } else if (action == 1 && !cluster.is_up(node)) {
      cluster.restart(node);
    } else if (action == 2) {
      cluster.cut(node, other);
    } else if (action == 3) {
      cluster.heal();
    } else if (action == 4) {
      cluster.set_manual_disk(node, true);
    } else if (action == 5 && cluster.is_up(node)) {
      cluster.sync(node, {random.below(400)});
    } else if (action == 6) {
      cluster.set_manual_disk(node, false);
    } else if (cluster.is_up(node)) {
      submitted.push_back("r" + std::to_string(submitted.size()));
      cluster.submit(node, {submitted.back()});
      cluster.read(node);
    }
    cluster.run(random.between({}, std::chrono::milliseconds(200)));
  }
}

}  // namespace

void survive_random_faults(const Strategy& strategy, const OptionValues& options,
                           std::uint64_t seed, std::uint32_t size) {
  Random random(seed);
  Cluster cluster(strategy, size, options, seed, false);
  cluster.set_faults({.lose = 100'000, .duplicate = 100'000, .delay = 200'000});
  std::vector<std::string> submitted;
  break_things(cluster, random, submitted);
  ASSERT_EQ(cluster.violation(), "") << "seed " << seed;

  cluster.set_faults({});
  cluster.heal();
  for (std::uint32_t id = 1; id <= size; ++id) {
    cluster.set_manual_disk(id, false);
    if (!cluster.is_up(id)) cluster.restart(id);
    cluster.sync(id);
  }
  cluster.run(std::chrono::seconds(10));
  const std::uint32_t last = 1 + static_cast<std::uint32_t>(random.below(size));
  cluster.submit(last, {"last"});
  cluster.run(std::chrono::seconds(2));
  ASSERT_EQ(cluster.violation(), "") << "seed " << seed;
  const std::vector<std::string> committed = cluster.committed(1);
  EXPECT_EQ(std::count(committed.begin(), committed.end(), "\"last\""), 1) << "seed " << seed;
  for (std::uint32_t id = 1; id <= size; ++id) {
    EXPECT_EQ(cluster.committed(id), committed) << "seed " << seed << " node " << id;
    EXPECT_EQ(cluster.status(id).held_runs, 0U) << "seed " << seed << " node " << id;
  }
}

}  // namespace parley::story
