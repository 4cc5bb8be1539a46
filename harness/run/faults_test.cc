#include "harness/run/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "harness/cluster/private_folder.h"

namespace parley::harness {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string file_error(const std::string& text) {
  const PrivateFolder folder;
  const auto path = folder.path() / "faults.toml";
  std::ofstream(path) << text;
  try {
    load_faults(path.string(), 10);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Faults, NamedSchedulesStrikeInTheMiddle) {
  EXPECT_THAT(load_faults("none", 10).events, IsEmpty());
  const FaultPlan plan = load_faults("kill-leader", 10);
  ASSERT_EQ(plan.events.size(), 1U);
  EXPECT_EQ(plan.events[0].at_s, 5);
  EXPECT_EQ(plan.events[0].name, "kill-leader");
  EXPECT_EQ(plan.events[0].node.kind, NodeTarget::Kind::leader);
  EXPECT_EQ(load_faults("kill-follower", 4).events[0].node.kind, NodeTarget::Kind::follower);
}

TEST(Faults, ARestartSaysHowLongTheNodeIsAway) {
  const FaultPlan plan = load_faults("restart-leader", 10);
  ASSERT_EQ(plan.events.size(), 1U);
  EXPECT_EQ(plan.events[0].name, "restart-leader");
  EXPECT_EQ(plan.events[0].down_s, 1);
  EXPECT_TRUE(plan.restarts());
  EXPECT_FALSE(load_faults("kill-leader", 10).restarts());
}

TEST(Faults, CountsTheNodesThatStayAway) {
  FaultPlan plan;
  plan.events = {{1, {}, 1.0, "a"}, {1.5, {}, 1.0, "b"}, {3, {}, std::nullopt, "c"}};
  EXPECT_EQ(plan.never_return(), 1U);
  EXPECT_EQ(load_faults("restart-leader", 10).never_return(), 0U);
}

TEST(Faults, AFileIsReadAndSortedByTime) {
  const PrivateFolder folder;
  const auto path = folder.path() / "f.toml";
  std::ofstream(path) << "[[fault]]\nat_s = 7\nkind = \"kill\"\nnode = 2\n[[fault]]\nat_s = "
                         "2.5\nkind = \"kill\"\nnode = \"leader\"\n";
  const FaultPlan plan = load_faults(path.string(), 10);
  ASSERT_EQ(plan.events.size(), 2U);
  EXPECT_EQ(plan.events[0].at_s, 2.5);
  EXPECT_EQ(plan.events[0].name, "kill-leader");
  EXPECT_EQ(plan.events[1].name, "kill-2");
  EXPECT_EQ(plan.events[1].node.id, NodeId{2});
}

TEST(Faults, BadFilesAreRefusedByName) {
  EXPECT_THAT(file_error("[[fault]]\nat_s = 10\nkind = \"kill\"\nnode = 1\n"),
              HasSubstr(":2: fault.at_s: 10 is not before the end of the measured window at 10 s"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = -1\nkind = \"kill\"\nnode = 1\n"),
              HasSubstr("fault.at_s: -1 is not a number from 0"));
  EXPECT_THAT(file_error("[[fault]]\nkind = \"kill\"\nnode = 1\n"),
              HasSubstr("fault.at_s: is missing"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 1\nkind = \"tickle\"\nnode = 1\n"),
              HasSubstr("fault.kind: \"tickle\" is not one of kill"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 9\nkind = \"restart\"\nnode = 1\ndown_s = 2\n"),
              HasSubstr("the node is back after 11 s, but the measured window ends at 10 s"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = 1\ndown_s = 2\n"),
              HasSubstr("fault.down_s: belongs to kind = \"restart\" only"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = \"boss\"\n"),
              HasSubstr("fault.node: \"boss\" is not leader, follower, or a node's number"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = 99\n"),
              HasSubstr("fault.node: 99 is not leader"));
  EXPECT_THAT(file_error("[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = 1\nnoed = 2\n"),
              HasSubstr("unknown key \"fault.noed\"; the nearest known one is \"fault.node\""));
}

TEST(Faults, UnknownSchedulesAreRefused) {
  EXPECT_THROW(load_faults("partition", 10), ConfigError);
  EXPECT_THROW(load_faults("nonsense", 10), ConfigError);
}

}  // namespace
}  // namespace parley::harness
