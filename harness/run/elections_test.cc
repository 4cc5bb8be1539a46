#include "harness/run/elections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "harness/cluster/log_merge.h"
#include "harness/cluster/private_folder.h"

namespace parley::harness {
namespace {

constexpr NodeId kOne{1};
constexpr NodeId kTwo{2};
constexpr double kWindow = 10'000;

// Node 1 leads from the beginning on; node 2 begins an election at that time.
std::vector<RoleTold> election_at(double at_ms) {
  return {{-500, kOne, kOne, 1}, {-490, kTwo, kOne, 0}, {at_ms, kTwo, kNoNode, 1}};
}

TEST(FalseElections, BeginAlthoughTheLeaderIsThere) {
  EXPECT_EQ(false_elections(election_at(2000), {}, kWindow), 1U);
  EXPECT_EQ(false_elections(election_at(10'000), {}, kWindow), 0U) << "after the window";
  EXPECT_EQ(false_elections(election_at(-100), {}, kWindow), 0U) << "before it";
  EXPECT_EQ(false_elections(election_at(400), {}, kWindow), 0U)
      << "it has led for 900 ms only: it may be one of several candidates";
}

TEST(FalseElections, AreNotThoseOfANodeThatCannotHearTheLeader) {
  const auto count = [](const Disturbance& disturbance) {
    return false_elections(election_at(5000), {disturbance}, kWindow);
  };
  EXPECT_EQ(count({4800, 6000, kOne, {}}), 0U) << "away or standing still";
  EXPECT_EQ(count({2000, 4100, kOne, {}}), 0U) << "back for less than a second";
  EXPECT_EQ(count({2000, 3900, kOne, {}}), 1U) << "back for longer";
  EXPECT_EQ(count({4800, 6000, NodeId{3}, {}}), 1U) << "another node is away";
  EXPECT_EQ(count({4800, 6000, kNoNode, {{kOne, kTwo}}}), 0U) << "cut off from it";
  EXPECT_EQ(count({4800, 6000, kNoNode, {{kTwo, kOne}}}), 0U) << "or the other way";
  EXPECT_EQ(count({4800, 6000, kNoNode, {{kOne, NodeId{3}}}}), 1U) << "another one is cut off";
}

TEST(FalseElections, AreNotThoseAfterALeaderHasSteppedDown) {
  std::vector<RoleTold> roles = election_at(5000);
  roles.insert(roles.begin() + 2, {4990, kOne, kNoNode, 0});
  EXPECT_EQ(false_elections(roles, {}, kWindow), 0U);
  roles = {{-500, kOne, kOne, 1}, {5000, kOne, kNoNode, 2}};
  EXPECT_EQ(false_elections(roles, {}, kWindow), 0U) << "nor its own";
}

TEST(FalseElections, OfSeveralInOneTurnAllCount) {
  std::vector<RoleTold> roles = election_at(5000);
  roles.back().elections = 3;
  EXPECT_EQ(false_elections(roles, {}, kWindow), 3U);
}

TEST(ReadRoles, FindsThemInTheLogs) {
  const PrivateFolder folder;
  const auto zero = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  std::ofstream(folder.path() / "1.log")
      << log_time(zero - std::chrono::milliseconds(250)) << " info node 1 of 3 runs raft\n"
      << log_time(zero + std::chrono::microseconds(1500))
      << " info node 1 is candidate in epoch 4, leader 0, commit 12, elections begun 2\n"
      << "no time, leader 3\n";
  std::ofstream(folder.path() / "2.log")
      << log_time(zero + std::chrono::milliseconds(1))
      << " info node 2 is follower in epoch 3, leader 1, commit 12\n";
  const std::vector<RoleTold> roles = read_roles(folder.path(), 3, zero);
  ASSERT_EQ(roles.size(), 2U);
  EXPECT_EQ(roles[0].at_ms, 1);
  EXPECT_EQ(roles[0].node, kTwo);
  EXPECT_EQ(roles[0].leader, kOne);
  EXPECT_EQ(roles[0].elections, 0U);
  EXPECT_EQ(roles[1].at_ms, 1.5);
  EXPECT_EQ(roles[1].node, kOne);
  EXPECT_EQ(roles[1].leader, kNoNode);
  EXPECT_EQ(roles[1].elections, 2U);
}

TEST(DisturbancesOf, AreAbsencesPausesAndCutsButNothingThatIsOnlySlow) {
  const auto fault_of = [](ScheduledFault::Kind kind) {
    ScheduledFault fault;
    fault.kind = kind;
    return fault;
  };
  using Kind = ScheduledFault::Kind;
  InjectedFault kill;
  kill.injected_ms = 10;
  kill.absences = {{kOne, 10, {}, {}}};
  InjectedFault pause;
  pause.injected_ms = 20;
  pause.ended_ms = 30;
  pause.nodes = {kTwo};
  InjectedFault cut;
  cut.injected_ms = 40;
  cut.ended_ms = 50;
  cut.links = {{kOne, kTwo}};
  const auto all = disturbances_of(
      {fault_of(Kind::kill), fault_of(Kind::pause), fault_of(Kind::cut), fault_of(Kind::slow_link)},
      {kill, pause, cut, cut});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].node, kOne);
  EXPECT_GT(all[0].until_ms, 1e9) << "it never returned";
  EXPECT_EQ(all[1].node, kTwo);
  EXPECT_EQ(all[1].until_ms, 30);
  EXPECT_EQ(all[2].links.size(), 1U);
}

}  // namespace
}  // namespace parley::harness
