#include "runtime/sim/scaling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "algorithms/gossip_lww/replica.h"
#include "algorithms/raft/replica.h"

namespace parley::sim {
namespace {

TEST(Scaling, GoesAsFarAsTheStrategyDoes) {
  EXPECT_THAT(scaling_sizes(kGossipLww), testing::ElementsAre(10, 32, 100, 316, 1000));
  EXPECT_THAT(scaling_sizes(kRaft), testing::ElementsAre(10, 32));
}

TEST(Scaling, ALargerClusterAgreesWithinWhatIsPromised) {
  const OptionValues values = default_options(kGossipLww.options);
  const ScalingPoint small = measure_scaling(kGossipLww, values, 5, 1);
  const ScalingPoint large = measure_scaling(kGossipLww, values, 40, 1);
  EXPECT_GT(small.rounds, 0);
  EXPECT_LE(small.rounds, 8);
  EXPECT_LE(large.rounds, 11);
  EXPECT_EQ(small.promised_rounds, 8U);
  EXPECT_EQ(large.promised_rounds, 11U);
  EXPECT_GT(large.bytes_to_agree, 0);
  EXPECT_EQ(small.crossings_per_write, 0) << "there is one region";
  EXPECT_EQ(small.idle_crossings_per_s, 0);
  // Ten comparisons and five pings a second, which do not grow with the cluster when all agree.
  EXPECT_GT(large.idle_bytes_per_s, 500);
  EXPECT_LT(large.idle_bytes_per_s, 5000);
  EXPECT_THAT(scaling_csv(kGossipLww, values, {small, large}),
              testing::ContainsRegex(
                  "\ngossip_lww,,40,1,[0-9.]+,[0-9.]+,11,[0-9]+,[0-9]+,[0-9.]+,[0-9]+\n$"));
}

// The same two regions are counted for both.
TEST(Scaling, FewMessagesLeaveARegion) {
  OptionValues values = default_options(kGossipLww.options);
  const ScalingPoint flat = measure_scaling(kGossipLww, values, 40, 1);
  values.set("region_size", kRegion);
  const ScalingPoint regions = measure_scaling(kGossipLww, values, 40, 1);
  EXPECT_LE(regions.rounds, regions.promised_rounds);
  EXPECT_LT(regions.crossings_per_write, flat.crossings_per_write / 5);
  EXPECT_GT(regions.crossings_per_write, 0);
  EXPECT_LT(regions.idle_crossings_per_s, flat.idle_crossings_per_s);
  EXPECT_THAT(scaling_csv(kGossipLww, values, {regions}),
              testing::HasSubstr("\ngossip_lww,region_size 32,40,1,"));
}

}  // namespace
}  // namespace parley::sim
