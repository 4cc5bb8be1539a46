#include "harness/run/run_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "algorithms/registry/registry.h"
#include "harness/cluster/private_folder.h"
#include "harness/run/host.h"

namespace parley::harness {
namespace {

using testing::HasSubstr;

RunSpec spec_of(const char* algorithm, std::uint32_t nodes) {
  RunSpec spec;
  spec.algorithm = find_algorithm(algorithm);
  spec.options = default_options(spec.algorithm->options);
  spec.nodes = nodes;
  return spec;
}

TEST(RunSpec, TheNameHasOnlyWhatIsUnusual) {
  RunSpec spec = spec_of("raft", 3);
  EXPECT_EQ(run_name(spec, 7), "007-raft-n3-r10000-rep1");
  spec.faults = "/some/where/two kills.toml";
  spec.workload = "zipf";
  spec.read_share = 0.25;
  spec.read_mode = "linearizable";
  spec.routing = "leader";
  spec.batch = 8;
  EXPECT_EQ(run_name(spec, 12),
            "012-raft-n3-r10000-two-kills-zipf-reads25-linearizable-to_leader-b8-rep1");
  RunSpec hot = spec_of("raft", 3);
  hot.workload = "hotspot:0.9@16";
  EXPECT_EQ(run_name(hot, 1), "001-raft-n3-r10000-hotspot-0-9-16-rep1");
  spec = spec_of("raft", 5);
  spec.closed_loop = true;
  EXPECT_EQ(run_name(spec, 1000), "1000-raft-n5-w1024-rep1");
  spec.closed_loop = false;
  spec.workload = "replay:/data/log.csv.gz";
  EXPECT_EQ(run_name(spec, 1), "001-raft-n5-replay-log-csv-gz-rep1");
}

TEST(RunSpec, RecordedShares) {
  EXPECT_EQ(recorded_share("none"), 0);
  EXPECT_EQ(recorded_share("all"), 1);
  EXPECT_DOUBLE_EQ(recorded_share("2.5%"), 0.025);
  for (const char* bad : {"", "1", "%", "-1%", "1%%", "1% ", "nan%", "ALL"}) {
    EXPECT_THROW(recorded_share(bad), ConfigError) << bad;
  }
}

TEST(RunSpec, ImpossibleOnesHaveAReason) {
  EXPECT_EQ(impossible_because(spec_of("raft", 3)), "");
  EXPECT_EQ(impossible_because(spec_of("unreplicated", 3)), "unreplicated runs on at most 1 node");
  RunSpec alone = spec_of("raft", 1);
  alone.faults = "kill-leader";
  EXPECT_EQ(impossible_because(alone), "kill-leader would leave no node");
  const PrivateFolder folder;
  const std::string path = (folder.path() / "f.toml").string();
  std::ofstream(path) << "[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = 4\n";
  RunSpec three = spec_of("raft", 3);
  three.faults = path;
  EXPECT_THAT(impossible_because(three), HasSubstr("f.toml names node 4 of 3"));
}

TEST(RunSpec, WorkloadsAreThoseOfTheLoad) {
  RunSpec spec = spec_of("raft", 3);
  for (const char* known : {"uniform", "zipf", "zipf:0.8", "hotspot", "hotspot:0.5",
                            "hotspot:0.5@4", "rplace", "replay:log.csv"}) {
    spec.workload = known;
    EXPECT_NO_THROW(check_run(spec)) << known;
  }
  spec.canvas = {3, 5};
  spec.workload = "hotspot:0.5@16";
  EXPECT_THROW(check_run(spec), ConfigError);
  spec.workload = "hotspot:0.5@15";
  EXPECT_NO_THROW(check_run(spec));
}

TEST(RunSpec, ARecordedRunIsExpectedToTakeLonger) {
  RunSpec spec = spec_of("raft", 3);
  const double plain = estimated_seconds(spec);
  spec.record = "all";
  EXPECT_GT(estimated_seconds(spec), plain);
}

TEST(Host, IsDescribed) {
  const PrivateFolder folder;
  const HostInfo host = inspect_host(folder.path());
  EXPECT_FALSE(host.cpu.empty());
  EXPECT_GE(host.cores, 1U);
  EXPECT_GT(host.memory_bytes, 1U << 20);
  EXPECT_FALSE(host.kernel.empty());
  ASSERT_TRUE(host.disk_sync_us_p50);
  EXPECT_GT(*host.disk_sync_us_p50, 0);
  EXPECT_FALSE(inspect_host("/nonexistent").disk_sync_us_p50);
  EXPECT_TRUE(std::filesystem::exists(folder.path()));
}

}  // namespace
}  // namespace parley::harness
