#include "harness/run/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::harness {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

using Kind = RunEvent::Kind;

constexpr NodeId kOld{1};
constexpr NodeId kNew{2};

// The leader is cut off after 1 s, another one leads 200 ms later, and the cut is over at 2 s.
Sightings isolated() {
  Sightings seen;
  seen.window = milliseconds(4000);
  seen.faults = {{"isolate-leader", kOld, milliseconds(1000), milliseconds(2000)}};
  seen.leaders = {{milliseconds(-500), kOld, kOld, kOld, Epoch{1}},
                  {milliseconds(1150), NodeId{3}, kNoNode, kOld, Epoch{1}},
                  {milliseconds(1200), kNew, kNew, kNew, Epoch{2}}};
  seen.successes = {{milliseconds(999), milliseconds(1001), kOld},
                    {milliseconds(1010), milliseconds(1260), NodeId{4}},
                    {milliseconds(1020), milliseconds(1250), NodeId{3}}};
  seen.refusals = {{milliseconds(400), kOld}, {milliseconds(1600), kOld}};
  return seen;
}

TEST(Events, AreWhatWasSeenInTheOrderOfTime) {
  EXPECT_EQ(events_csv(events_of(isolated())),
            "t_ms,event,node,epoch,fault\n"
            "-500.0,leader,1,1,\n"
            "1000.0,fault,1,,isolate-leader\n"
            "1200.0,leader_lost,1,,\n"
            "1200.0,leader,2,2,\n"
            "1250.0,success,3,,isolate-leader\n"
            "1600.0,refused,1,,isolate-leader\n"
            "2000.0,healed,1,,isolate-leader\n");
}

TEST(Events, AfterTheWindowDoNotCount) {
  Sightings seen = isolated();
  seen.window = milliseconds(1240);
  const std::vector<RunEvent> events = events_of(seen);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().kind, Kind::leader);
}

TEST(Events, ALeaderThatIsSeenLateWasThereWhenItsWorkWasSeen) {
  Sightings seen = isolated();
  seen.leaders.back().at = milliseconds(1280);
  EXPECT_THAT(aftermaths_of(events_of(seen)).at(0).steps,
              ElementsAre("success", "leader lost", "another leads", "healed"));
  seen.leaders_late = milliseconds(30);
  const std::vector<RunEvent> events = events_of(seen);
  EXPECT_THAT(aftermaths_of(events).at(0).steps,
              ElementsAre("leader lost", "another leads", "success", "healed"));
  EXPECT_EQ(events[3].kind, Kind::leader);
  EXPECT_EQ(events[3].at, milliseconds(1250));
  seen.leaders_late = milliseconds(29);
  EXPECT_EQ(aftermaths_of(events_of(seen)).at(0).steps.front(), "success") << "not so late";
}

TEST(Events, OfSeveralFaultsEachHasWhatCameBeforeTheNext) {
  Sightings seen = isolated();
  // It waited for a leader: planned before the other, done after it.
  seen.faults.insert(seen.faults.begin(), {"kill-leader", kNew, milliseconds(2500), {}});
  seen.leaders.push_back({milliseconds(2700), kOld, kOld, kNoNode, Epoch{2}});
  seen.leaders.push_back({milliseconds(2800), kOld, kNew, kNew, Epoch{3}});
  const std::vector<Aftermath> all = aftermaths_of(events_of(seen));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(
      all[0],
      (Aftermath{"isolate-leader", {"leader lost", "another leads", "success", "healed"}, true}));
  EXPECT_EQ(all[1], (Aftermath{"kill-leader", {"leader lost", "same leader again"}, false}))
      << "no success was sent after it";
}

TEST(Events, OfTwoRunsAreTheSameInOrderWhoeverLeadsAndWheneverItIs) {
  Sightings other = isolated();
  other.leaders.back() = {milliseconds(1100), NodeId{5}, NodeId{5}, NodeId{5}, Epoch{9}};
  const auto live = aftermaths_of(events_of(isolated()));
  const Comparison same = compare(live, aftermaths_of(events_of(other)));
  EXPECT_TRUE(same.same_order);
  EXPECT_TRUE(same.same_refusals);
  EXPECT_EQ(same.text,
            "yes: isolate-leader: leader lost, another leads, success, healed, with refusals");

  other.refusals.clear();
  const Comparison refused = compare(live, aftermaths_of(events_of(other)));
  EXPECT_TRUE(refused.same_order);
  EXPECT_FALSE(refused.same_refusals);
  EXPECT_THAT(refused.text, HasSubstr("yes, but not the same refusals: live isolate-leader:"));
}

TEST(Events, OfTwoRunsThatDifferAreToldApart) {
  Sightings other = isolated();
  other.leaders.pop_back();
  const auto live = aftermaths_of(events_of(isolated()));
  const Comparison differ = compare(live, aftermaths_of(events_of(other)));
  EXPECT_FALSE(differ.same_order);
  EXPECT_EQ(differ.text,
            "no: after isolate-leader (fault 1) live leader lost, another leads, success, healed, "
            "simulated success, healed");
  EXPECT_EQ(compare(live, {}).text, "no: 1 faults live, 0 simulated");
}

}  // namespace
}  // namespace parley::harness
