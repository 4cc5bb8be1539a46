#include "harness/run/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "harness/cluster/private_folder.h"

namespace parley::harness {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using Kind = ScheduledFault::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

FaultSchedule load(const std::string& name_or_path, double duration_s = 10,
                   std::uint32_t nodes = 5) {
  RunSpec spec;
  spec.faults = name_or_path;
  spec.duration_s = duration_s;
  spec.nodes = nodes;
  return load_faults(spec);
}

FaultSchedule load_text(const std::string& text) {
  const PrivateFolder folder;
  const auto path = folder.path() / "faults.toml";
  std::ofstream(path) << text;
  return load(path.string());
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

std::string file_error(const std::string& text) {
  return error_of([&text] { load_text(text); });
}

TEST(Faults, NamedSchedulesStrikeInTheMiddle) {
  EXPECT_THAT(load("none"), IsEmpty());
  struct Expected {
    std::string schedule, fault;
    Duration lasts;
  };
  for (const auto& [schedule, fault, lasts] :
       {Expected{"kill-leader", "kill-leader", {}}, Expected{"kill-follower", "kill-follower", {}},
        Expected{"restart-leader", "restart-leader", seconds(1)},
        Expected{"restart-follower", "restart-follower", seconds(1)},
        Expected{"pause-leader", "pause-leader", seconds(2)},
        Expected{"isolate-leader", "isolate-leader", seconds(2)},
        Expected{"partition", "partition-leader", milliseconds(2500)},
        Expected{"one-way", "mute-leader", seconds(2)},
        Expected{"kill-majority", "kill-majority", {}},
        Expected{"slow-link-leader", "slow-link-leader", seconds(2)},
        Expected{"slow-disk-leader", "slow-disk-leader", seconds(2)},
        Expected{"full-disk-leader", "full-disk-leader", seconds(1)},
        Expected{"clock-step-leader", "clock-step-leader", seconds(2)}}) {
    const FaultSchedule loaded = load(schedule);
    ASSERT_EQ(loaded.size(), 1U);
    EXPECT_EQ(loaded[0].name(), fault);
    EXPECT_EQ(loaded[0].at, seconds(5));
    EXPECT_EQ(loaded[0].lasts, lasts) << schedule;
  }
  EXPECT_EQ(load("pause-leader", 4)[0].lasts, seconds(1)) << "a quarter of a short window";
  EXPECT_EQ(load("slow-link-leader")[0].slower, LinkShape{.delay_us = 100'000});
  EXPECT_EQ(load("slow-disk-leader")[0].write_delay, milliseconds(100));
  EXPECT_EQ(load("clock-step-leader")[0].clock_step, seconds(2));
}

TEST(Faults, ARollingRestartBeginsInTheFirstQuarterAndHasMostOfTheRest) {
  const FaultSchedule loaded = load("rolling-restart");
  ASSERT_EQ(loaded.size(), 1U);
  EXPECT_EQ(loaded[0].name(), "rolling-restart");
  EXPECT_EQ(loaded[0].at, milliseconds(2500));
  EXPECT_EQ(loaded[0].lasts, milliseconds(6750));
}

TEST(Faults, FlapIsARowOfShortCutsOfWhoeverLeads) {
  const FaultSchedule loaded = load("flap");
  ASSERT_EQ(loaded.size(), 4U);
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    EXPECT_EQ(loaded[i].name(), "isolate-leader");
    EXPECT_EQ(loaded[i].at, seconds(5) + i * milliseconds(800));
    EXPECT_EQ(loaded[i].lasts, milliseconds(400));
  }
  const FaultSchedule brief = load("flap", 2);
  EXPECT_EQ(brief.back().at + brief.back().lasts, milliseconds(1700)) << "it fits a short window";
}

TEST(Faults, SayWhatTheyNeedOfNodes) {
  EXPECT_TRUE(restarts(load("restart-leader")));
  EXPECT_FALSE(restarts(load("kill-leader")));
  EXPECT_TRUE(restarts(load("full-disk-leader")));
  EXPECT_TRUE(restarts(load("rolling-restart")));
  for (const char* schedule : {"one-way", "slow-link-leader", "slow-disk-leader",
                               "full-disk-leader", "clock-step-leader"}) {
    EXPECT_TRUE(needs_control(load(schedule))) << schedule;
  }
  EXPECT_FALSE(needs_control(load("pause-leader")));
  EXPECT_FALSE(needs_control(load("rolling-restart")));
  EXPECT_TRUE(needs_disks(load("slow-disk-leader")));
  EXPECT_FALSE(needs_disks(load("slow-link-leader")));
}

TEST(Faults, RandomOnesAreDrawnByTheSeedOfTheRun) {
  EXPECT_EQ(load("random"), random_faults(1, 5, seconds(10), 5));
  EXPECT_EQ(load("random:3"), random_faults(1, 5, seconds(10), 3));
  EXPECT_EQ(load("random-all"), random_faults(1, 5, seconds(10), 5, RandomKinds::all));
  EXPECT_EQ(load("random-all:7"), random_faults(1, 5, seconds(10), 7, RandomKinds::all));
  for (const char* bad :
       {"random:", "random:0", "random:21", "random:2x", "random:-1", "random-all:0"}) {
    EXPECT_THAT(error_of([bad] { load(bad); }),
                HasSubstr(std::string("faults: the count of \"") + bad +
                          "\" is not a whole number from 1 to 20, for which there is room in 10 s"))
        << bad;
  }
}

TEST(Faults, SomeAreImpossibleForACluster) {
  EXPECT_EQ(impossible_for(load("kill-leader"), 2), "");
  EXPECT_EQ(impossible_for(load("kill-leader"), 1), "would leave no node");
  EXPECT_EQ(impossible_for(load("restart-leader"), 1), "");
  EXPECT_EQ(impossible_for(load("kill-majority"), 3), "");
  EXPECT_EQ(impossible_for(load("kill-majority"), 1), "would leave no node");
  EXPECT_EQ(impossible_for(load("isolate-leader"), 1),
            "isolate-leader would cut no link of 1 node");
  EXPECT_EQ(impossible_for(load("slow-link-leader"), 1),
            "slow-link-leader would slow no link of 1 node");
  EXPECT_EQ(impossible_for(load("rolling-restart"), 1), "");
  EXPECT_EQ(impossible_for(load("partition"), 3), "");
  EXPECT_EQ(impossible_for(load("partition"), 2), "partition-leader would cut no link of 2 nodes");
  const FaultSchedule groups =
      load_text("[[fault]]\nat_s = 1\nkind = \"cut\"\ngroups = [[1, 2], [3, 4, 5]]\n");
  EXPECT_EQ(impossible_for(groups, 5), "");
  EXPECT_EQ(impossible_for(groups, 4), "names node 5 of 4");
}

TEST(Faults, AFileIsReadAndSortedByTime) {
  const FaultSchedule faults = load_text(R"(
[[fault]]
at_s = 7
kind = "kill"
node = 2
[[fault]]
at_s = 2.5
kind = "pause"
node = "leader"
for_s = 0.5
[[fault]]
at_s = 3
kind = "cut"
node = "follower"
side = "minority"
direction = "in"
[[fault]]
at_s = 3.5
kind = "cut"
groups = [[1, 2, 3], [2, 4], [3, 5]]
for_s = 1
[[fault]]
at_s = 1
kind = "restart"
node = 3
[[fault]]
at_s = 8
kind = "restart"
node = "majority"
)");
  ASSERT_EQ(faults.size(), 6U);
  EXPECT_EQ(faults[5].name(), "restart-majority");
  EXPECT_EQ(faults[0].name(), "restart-3");
  EXPECT_EQ(faults[0].lasts, seconds(1));
  EXPECT_EQ(faults[1].name(), "pause-leader");
  EXPECT_EQ(faults[1].at, milliseconds(2500));
  EXPECT_EQ(faults[1].lasts, milliseconds(500));
  EXPECT_EQ(faults[2].name(), "partition-deaf-follower");
  EXPECT_EQ(faults[2].lasts, seconds(2));
  EXPECT_EQ(
      faults[3].cut.groups,
      (std::vector<std::vector<NodeId>>{
          {NodeId{1}, NodeId{2}, NodeId{3}}, {NodeId{2}, NodeId{4}}, {NodeId{3}, NodeId{5}}}));
  EXPECT_EQ(faults[4].name(), "kill-2");
  EXPECT_EQ(faults[4].target.id, NodeId{2});
}

TEST(Faults, AFileSaysHowBadItIs) {
  const FaultSchedule faults = load_text(R"(
[[fault]]
at_s = 1
kind = "slow-link"
node = 2
direction = "out"
delay_ms = 50.5
jitter_ms = 10
loss = 0.01
[[fault]]
at_s = 2
kind = "slow-disk"
node = "majority"
delay_ms = 30
for_s = 1
[[fault]]
at_s = 3
kind = "full-disk"
node = "follower"
[[fault]]
at_s = 4
kind = "clock-step"
node = "leader"
step_s = -1.5
for_s = 3
[[fault]]
at_s = 5
kind = "rolling-restart"
down_s = 0.25
within_s = 4
[[fault]]
at_s = 6
kind = "slow-link"
groups = [[1, 2], [3]]
)");
  ASSERT_EQ(faults.size(), 6U);
  EXPECT_EQ(faults[0].name(), "slow-link-from-2");
  EXPECT_EQ(faults[0].slower,
            (LinkShape{.delay_us = 50'500, .jitter_us = 10'000, .loss_per_million = 10'000}));
  EXPECT_EQ(faults[0].lasts, seconds(2));
  EXPECT_EQ(faults[1].name(), "slow-disk-majority");
  EXPECT_EQ(faults[1].write_delay, milliseconds(30));
  EXPECT_EQ(faults[1].lasts, seconds(1));
  EXPECT_EQ(faults[2].name(), "full-disk-follower");
  EXPECT_EQ(faults[3].clock_step, milliseconds(-1500));
  EXPECT_EQ(faults[4].name(), "rolling-restart");
  EXPECT_EQ(faults[4].down, milliseconds(250));
  EXPECT_EQ(faults[4].lasts, seconds(4));
  EXPECT_EQ(faults[5].name(), "slow-groups");
  EXPECT_EQ(faults[5].slower.delay_us, 100'000U) << "where nothing is said";
}

TEST(Faults, ASeverityThatDoesNotFitIsRefusedByName) {
  const auto fault = [](const std::string& kind) {
    return "[[fault]]\nat_s = 1\nkind = \"" + kind + "\"\n";
  };
  const std::string one = "node = 1\n";
  EXPECT_THAT(file_error(fault("pause") + one + "delay_ms = 3\n"),
              HasSubstr("fault.delay_ms: belongs to kind = \"slow-link\" or \"slow-disk\" only"));
  EXPECT_THAT(file_error(fault("slow-disk") + one + "delay_ms = 60001\n"),
              HasSubstr("fault.delay_ms: 60001 is not a number from 0.001 to 60000"));
  EXPECT_THAT(file_error(fault("slow-disk") + one + "loss = 0.1\n"),
              HasSubstr("fault.loss: belongs to kind = \"slow-link\" only"));
  EXPECT_THAT(file_error(fault("slow-link") + one + "delay_ms = 0\n"),
              HasSubstr("nothing would be slower"));
  EXPECT_THAT(file_error(fault("slow-link") + "node = \"majority\"\n"),
              HasSubstr("fault.node: \"majority\" is not leader, follower, or a node's number"));
  EXPECT_THAT(file_error(fault("clock-step") + one + "step_s = 0\n"),
              HasSubstr("fault.step_s: 0 is no step"));
  EXPECT_THAT(file_error(fault("rolling-restart") + one), HasSubstr("unknown key \"fault.node\""));
  EXPECT_THAT(file_error(fault("rolling-restart") + "within_s = 9\n"),
              HasSubstr("the rolling-restart is over after 10 s, but the measured window ends"));
  EXPECT_THAT(file_error(fault("full-disk") + one + "down_s = 1\n"),
              HasSubstr("fault.down_s: belongs to kind = \"restart\" or \"rolling-restart\" only"));
}

TEST(Faults, BadFilesAreRefusedByName) {
  EXPECT_THAT(file_error("[[fault]]\nat_s = 10\nkind = \"kill\"\nnode = 1\n"),
              HasSubstr(":2: fault.at_s: 10 is not before the end of the measured window at 10 s"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = -1\nkind = \"kill\"\nnode = 1\n"),
              HasSubstr("fault.at_s: -1 is not a number from 0"));
  EXPECT_THAT(file_error("[[fault]]\nkind = \"kill\"\nnode = 1\n"),
              HasSubstr("fault.at_s: is missing"));
  EXPECT_THAT(
      file_error("[[fault]]\nat_s = 1\nkind = \"tickle\"\nnode = 1\n"),
      HasSubstr("fault.kind: \"tickle\" is not one of kill, restart, pause, cut, slow-link, "
                "slow-disk, full-disk, clock-step, rolling-restart"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 9\nkind = \"restart\"\nnode = 1\ndown_s = 2\n"),
              HasSubstr("the restart is over after 11 s, but the measured window ends at 10 s"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = 1\ndown_s = 2\n"),
              HasSubstr("fault.down_s: belongs to kind = \"restart\" or \"rolling-restart\" only"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = \"boss\"\n"),
              HasSubstr("fault.node: \"boss\" is not leader, follower, majority, or a node's"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = 99\n"),
              HasSubstr("fault.node: 99 is not leader"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = 1\nnoed = 2\n"),
              HasSubstr("unknown key \"fault.noed\"; the nearest known one is \"fault.node\""));
}

TEST(Faults, BadCutsAndPausesAreRefusedByName) {
  const std::string pause = "[[fault]]\nat_s = 1\nkind = \"pause\"\nnode = 1\n";
  EXPECT_THAT(file_error(pause + "down_s = 1\n"),
              HasSubstr("fault.down_s: belongs to kind = \"restart\" or \"rolling-restart\" only"));
  EXPECT_THAT(file_error(pause + "for_s = 0\n"), HasSubstr("fault.for_s: 0 is not a number from"));
  EXPECT_THAT(file_error(pause + "for_s = 9\n"),
              HasSubstr("the pause is over after 10 s, but the measured window ends at 10 s"));
  EXPECT_THAT(file_error(pause + "groups = [[1], [2]]\n"),
              HasSubstr("unknown key \"fault.groups\""));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = 1\nfor_s = 1\n"),
              HasSubstr("fault.for_s: belongs to kind = \"pause\", \"cut\", \"slow-link\", "
                        "\"slow-disk\", \"full-disk\" or \"clock-step\" only"));
  const std::string cut = "[[fault]]\nat_s = 1\nkind = \"cut\"\n";
  EXPECT_THAT(file_error(cut), HasSubstr("fault.node: is missing"));
  EXPECT_THAT(file_error(cut + "node = \"majority\"\n"),
              HasSubstr("fault.node: \"majority\" is not leader, follower, or a node's number"));
  EXPECT_THAT(file_error(cut + "node = 1\ndirection = \"up\"\n"),
              HasSubstr("fault.direction: \"up\" is not one of both, in, out"));
  EXPECT_THAT(file_error(cut + "node = 1\nside = \"majority\"\n"),
              HasSubstr("fault.side: \"majority\" is not one of alone, minority"));
  EXPECT_THAT(file_error(cut + "groups = [[1], [2]]\nnode = 1\n"),
              HasSubstr("fault.node: does not belong to a cut with groups"));
  EXPECT_THAT(file_error(cut + "groups = []\n"), HasSubstr("fault.groups: must be 1 to 64 lists"));
  EXPECT_THAT(file_error(cut + "groups = [1, 2]\n"), HasSubstr("fault.groups: must be lists of"));
  EXPECT_THAT(file_error(cut + "groups = [[1], []]\n"), HasSubstr("fault.groups: must be lists"));
  EXPECT_THAT(file_error(cut + "groups = [[1, 65]]\n"),
              HasSubstr("fault.groups: 65 is not a whole number from 1 to 64"));
  EXPECT_THAT(file_error(cut + "groups = [[1, 1]]\n"),
              HasSubstr("fault.groups: has node 1 twice in a group"));
}

TEST(Faults, UnknownSchedulesAreRefused) {
  EXPECT_THAT(
      error_of([] { load("isolate-leadre"); }),
      HasSubstr("pause-leader, isolate-leader, partition, one-way, flap, slow-link-leader, "
                "slow-disk-leader, full-disk-leader, clock-step-leader, rolling-restart, random, "
                "random:COUNT, random-all, random-all:COUNT, or the path of a TOML file with "
                "[[fault]]; the nearest is \"isolate-leader\""));
}

}  // namespace
}  // namespace parley::harness
