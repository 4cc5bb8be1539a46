#include "runtime/fault_schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace parley {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = ScheduledFault::Kind;

std::vector<std::string> text(const std::vector<DirectedLink>& links) {
  std::vector<std::string> words;
  for (const DirectedLink& link : links) {
    words.push_back(std::to_string(link.from.value) + ">" + std::to_string(link.to.value));
  }
  return words;
}

std::vector<NodeId> nodes(std::initializer_list<std::uint32_t> ids) {
  std::vector<NodeId> list;
  for (const std::uint32_t id : ids) list.push_back(NodeId{id});
  return list;
}

TEST(Groups, AreOfNodesThatThereAreEachOnce) {
  EXPECT_EQ(problem_of({nodes({1, 2}), nodes({2, 3})}, 3), "");
  EXPECT_EQ(problem_of({}, 3), "must be 1 to 64 lists of nodes such as [[1, 2], [3, 4, 5]]");
  EXPECT_EQ(problem_of(NodeGroups(65, nodes({1})), 3).substr(0, 20), "must be 1 to 64 list");
  EXPECT_EQ(problem_of({nodes({1}), {}}, 3), "must be lists of nodes such as [[1, 2], [3, 4, 5]]");
  EXPECT_EQ(problem_of({nodes({2, 1, 2})}, 3), "has node 2 twice in a group");
  EXPECT_EQ(problem_of({nodes({4, 1})}, 3), "names node 4 of 3");
  EXPECT_EQ(problem_of({nodes({1, 0})}, 3), "names node 0 of 3");
}

TEST(LinksOf, ANodeAloneLosesItsLinksInTheCutsDirection) {
  CutShape cut;
  EXPECT_THAT(text(links_of(cut, NodeId{2}, 3)), ElementsAre("1>2", "2>1", "2>3", "3>2"));
  cut.direction = CutShape::Direction::in;
  EXPECT_THAT(text(links_of(cut, NodeId{2}, 3)), ElementsAre("1>2", "3>2"));
  cut.direction = CutShape::Direction::out;
  EXPECT_THAT(text(links_of(cut, NodeId{2}, 3)), ElementsAre("2>1", "2>3"));
  EXPECT_THAT(links_of(cut, NodeId{1}, 1), IsEmpty());
}

TEST(LinksOf, AMinorityStaysTogether) {
  CutShape cut;
  cut.side = CutShape::Side::minority;
  cut.direction = CutShape::Direction::out;
  EXPECT_THAT(text(links_of(cut, NodeId{4}, 5)),
              ElementsAre("1>2", "1>3", "1>5", "4>2", "4>3", "4>5"));
  EXPECT_THAT(text(links_of(cut, NodeId{1}, 4)), ElementsAre("1>2", "1>3", "1>4"));
  EXPECT_THAT(links_of(cut, NodeId{1}, 2), IsEmpty()) << "one of two is no minority";
}

TEST(LinksOf, AMinorityIsOneOfTheMembers) {
  CutShape cut;
  cut.side = CutShape::Side::minority;
  EXPECT_THAT(text(links_of(cut, NodeId{1}, 5, 3)),
              ElementsAre("1>2", "1>3", "1>4", "1>5", "2>1", "3>1", "4>1", "5>1"))
      << "two of three would be a majority, whoever else waits";
}

TEST(LinksOf, GroupsConnectWhomSomeGroupHolds) {
  CutShape cut;
  cut.groups = {nodes({1, 2}), nodes({3, 4, 5})};
  EXPECT_EQ(links_of(cut, kNoNode, 5).size(), 12U);
  // 1-2-3 are connected, 4 reaches only 2, 5 only 3.
  cut.groups = {nodes({1, 2, 3}), nodes({2, 4}), nodes({3, 5})};
  EXPECT_THAT(text(links_of(cut, kNoNode, 5)),
              ElementsAre("1>4", "1>5", "2>5", "3>4", "4>1", "4>3", "4>5", "5>1", "5>2", "5>4"));
  cut.groups = {nodes({1, 2})};
  EXPECT_THAT(text(links_of(cut, kNoNode, 3)), ElementsAre("1>3", "2>3", "3>1", "3>2"));
}

TEST(ScheduledFault, HasANameForResults) {
  ScheduledFault fault;
  EXPECT_EQ(fault.name(), "kill-leader");
  fault.kind = Kind::restart;
  fault.target = {NodeTarget::Kind::node, NodeId{3}};
  EXPECT_EQ(fault.name(), "restart-3");
  fault.kind = Kind::pause;
  fault.target = {NodeTarget::Kind::follower, {}};
  EXPECT_EQ(fault.name(), "pause-follower");
  fault.kind = Kind::cut;
  EXPECT_EQ(fault.name(), "isolate-follower");
  fault.cut.direction = CutShape::Direction::out;
  EXPECT_EQ(fault.name(), "mute-follower");
  fault.cut.side = CutShape::Side::minority;
  fault.cut.direction = CutShape::Direction::both;
  EXPECT_EQ(fault.name(), "partition-follower");
  fault.cut.groups = {nodes({1}), nodes({2})};
  EXPECT_EQ(fault.name(), "cut-groups");
}

TEST(ScheduledFault, HasANameAlsoWhenItOnlyMakesThingsWorse) {
  ScheduledFault fault;
  fault.kind = Kind::slow_link;
  EXPECT_EQ(fault.name(), "slow-link-leader");
  fault.cut.direction = CutShape::Direction::in;
  EXPECT_EQ(fault.name(), "slow-link-to-leader");
  fault.cut.direction = CutShape::Direction::out;
  EXPECT_EQ(fault.name(), "slow-link-from-leader");
  fault.cut = {CutShape::Side::minority, CutShape::Direction::both, {}};
  EXPECT_EQ(fault.name(), "slow-partition-leader");
  fault.cut.groups = {nodes({1}), nodes({2})};
  EXPECT_EQ(fault.name(), "slow-groups");
  EXPECT_TRUE(fault.without_target());
  fault.kind = Kind::slow_disk;
  EXPECT_FALSE(fault.without_target()) << "groups are of links";
  EXPECT_EQ(fault.name(), "slow-disk-leader");
  fault.kind = Kind::full_disk;
  EXPECT_EQ(fault.name(), "full-disk-leader");
  EXPECT_TRUE(fault.restarts());
  fault.kind = Kind::clock_step;
  EXPECT_EQ(fault.name(), "clock-step-leader");
  EXPECT_FALSE(fault.restarts());
  fault.kind = Kind::rolling_restart;
  EXPECT_EQ(fault.name(), "rolling-restart");
  EXPECT_TRUE(fault.without_target() && fault.restarts());
}

TEST(RandomFaults, AreTheSameForTheSameSeed) {
  const auto schedule = random_faults(7, 5, seconds(20), 10);
  EXPECT_EQ(schedule.size(), 10U);
  EXPECT_EQ(schedule, random_faults(7, 5, seconds(20), 10));
  EXPECT_NE(schedule, random_faults(8, 5, seconds(20), 10));
  EXPECT_EQ(schedule[0].at.count(), 1'147'660'543) << "the same on every machine";
}

TEST(RandomFaults, AreOverBeforeTheNextButOneAndBeforeTheEnd) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    for (const std::uint32_t size : {1U, 2U, 3U, 5U, 7U}) {
      const auto schedule = random_faults(seed, size, seconds(20), 10);
      const std::size_t apart = size < 5 ? 1 : 2;
      for (std::size_t i = 0; i < schedule.size(); ++i) {
        const Duration over = schedule[i].at + schedule[i].lasts;
        EXPECT_GE(schedule[i].lasts, milliseconds(400));
        const bool last = i + apart >= schedule.size();
        EXPECT_LT(over, last ? Duration(seconds(20)) : schedule[i + apart].at);
      }
    }
  }
}

// Two faults never take the same node from the cluster at once, whoever leads.
TEST(RandomFaults, NeverNeedANodeThatAnotherOneMayHaveTaken) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto schedule = random_faults(seed, 5, seconds(20), 10);
    for (std::size_t i = 1; i < schedule.size(); ++i) {
      const ScheduledFault& before = schedule[i - 1];
      const ScheduledFault& fault = schedule[i];
      if (before.at + before.lasts < fault.at || fault.by_groups()) continue;
      if (fault.target.kind != NodeTarget::Kind::node) continue;
      EXPECT_EQ(before.target.kind, NodeTarget::Kind::node);
      EXPECT_NE(before.target.id, fault.target.id);
    }
  }
}

TEST(RandomFaults, CutsLeaveAMajorityTogether) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    for (const ScheduledFault& fault : random_faults(seed, 5, seconds(20), 10)) {
      if (fault.kind != Kind::cut) continue;
      // Some node has itself and two others both ways: whom it can lead.
      const auto cut = links_of(fault.cut, NodeId{3}, 5);
      EXPECT_FALSE(cut.empty());
      const std::set<DirectedLink> gone(cut.begin(), cut.end());
      std::size_t most = 0;
      for (std::uint32_t id = 1; id <= 5; ++id) {
        std::size_t reached = 1;
        for (std::uint32_t other = 1; other <= 5; ++other) {
          const bool both = !gone.contains({NodeId{id}, NodeId{other}}) &&
                            !gone.contains({NodeId{other}, NodeId{id}});
          reached += id != other && both;
        }
        most = std::max(most, reached);
      }
      EXPECT_GE(most, 3U) << fault.name();
    }
  }
}

TEST(RandomFaults, HaveEveryKind) {
  std::set<Kind> kinds;
  std::set<std::string> names;
  for (const ScheduledFault& fault : random_faults(1, 5, seconds(400), 200)) {
    kinds.insert(fault.kind);
    names.insert(fault.name());
  }
  EXPECT_EQ(kinds, (std::set{Kind::restart, Kind::pause, Kind::cut}));
  for (const char* name : {"restart-leader", "pause-leader", "isolate-leader", "deaf-leader",
                           "mute-leader", "partition-leader", "cut-groups", "pause-follower"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  for (const ScheduledFault& fault : random_faults(1, 2, seconds(400), 200)) {
    EXPECT_NE(fault.kind, Kind::cut) << "neither of two has a majority";
  }
}

TEST(RandomFaults, OfAllKindsHaveTheNewerOnesToo) {
  std::set<Kind> kinds;
  for (const ScheduledFault& fault : random_faults(1, 5, seconds(400), 200, RandomKinds::all)) {
    kinds.insert(fault.kind);
    EXPECT_EQ(fault.kind == Kind::slow_link, fault.slower != LinkShape{});
    EXPECT_EQ(fault.kind == Kind::slow_disk, fault.write_delay > Duration{});
    EXPECT_EQ(fault.kind == Kind::clock_step, fault.clock_step != Duration{});
  }
  EXPECT_EQ(kinds, (std::set{Kind::restart, Kind::pause, Kind::cut, Kind::slow_link,
                             Kind::slow_disk, Kind::full_disk, Kind::clock_step}));
  for (const ScheduledFault& fault : random_faults(1, 2, seconds(400), 200, RandomKinds::all)) {
    EXPECT_FALSE(fault.of_links()) << "neither of two has a majority";
  }
}

}  // namespace
}  // namespace parley
