#include "algorithms/bully_2pc/vector_clock.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace parley::bully_2pc {
namespace {

constexpr std::size_t kNodes = 3;

VectorClock any_clock() {
  // Few different numbers, so that every relation comes up.
  return VectorClock(ClockView(*rc::gen::container<std::vector<std::uint64_t>>(
      kNodes, rc::gen::inRange<std::uint64_t>(0, 4))));
}

VectorClock merged(VectorClock a, const VectorClock& b) {
  a.merge(b.view());
  return a;
}

RC_GTEST_PROP(VectorClocks, MergingIsCommutative, ()) {
  const VectorClock a = any_clock();
  const VectorClock b = any_clock();
  RC_ASSERT(merged(a, b) == merged(b, a));
}

RC_GTEST_PROP(VectorClocks, MergingIsAssociative, ()) {
  const VectorClock a = any_clock();
  const VectorClock b = any_clock();
  const VectorClock c = any_clock();
  RC_ASSERT(merged(merged(a, b), c) == merged(a, merged(b, c)));
}

RC_GTEST_PROP(VectorClocks, MergingIsIdempotentAndLosesNothing, ()) {
  const VectorClock a = any_clock();
  const VectorClock b = any_clock();
  const VectorClock both = merged(a, b);
  RC_ASSERT(merged(a, a) == a);
  RC_ASSERT(merged(both, b) == both);
  for (const VectorClock* one : {&a, &b}) {
    const Relation relation = compare(one->view(), both.view());
    RC_ASSERT(relation == Relation::before || relation == Relation::equal);
  }
}

RC_GTEST_PROP(VectorClocks, TheRelationTurnsAroundWithTheClocks, ()) {
  const VectorClock a = any_clock();
  const VectorClock b = any_clock();
  const Relation back = compare(b.view(), a.view());
  switch (compare(a.view(), b.view())) {
    case Relation::before:
      RC_ASSERT(back == Relation::after);
      break;
    case Relation::after:
      RC_ASSERT(back == Relation::before);
      break;
    case Relation::equal:
      RC_ASSERT(back == Relation::equal && a == b);
      break;
    case Relation::concurrent:
      RC_ASSERT(back == Relation::concurrent);
      break;
  }
}

// An execution: at each event a node does something, having received what some earlier event sent
// (or nothing). The oracle follows all chains of "was known to".
struct Event {
  std::size_t node = 0;
  VectorClock clock;
  std::vector<bool> knows;  // of the events before it
};

std::vector<Event> any_execution() {
  const std::size_t count = *rc::gen::inRange<std::size_t>(1, 24);
  std::vector<VectorClock> clocks(kNodes, VectorClock(kNodes));
  std::vector<std::vector<bool>> known(kNodes, std::vector<bool>(count));
  std::vector<Event> events;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t node = *rc::gen::inRange<std::size_t>(0, kNodes);
    if (i > 0 && *rc::gen::arbitrary<bool>()) {
      const Event& from = events[*rc::gen::inRange<std::size_t>(0, i)];
      clocks[node].merge(from.clock.view());
      const auto sent = static_cast<std::size_t>(&from - events.data());
      known[node][sent] = true;
      for (std::size_t k = 0; k < count; ++k) {
        if (from.knows[k]) known[node][k] = true;
      }
    }
    clocks[node].increment(node);
    events.push_back({node, clocks[node], known[node]});
    known[node][i] = true;
  }
  return events;
}

RC_GTEST_PROP(VectorClocks, TellWhatHappenedBeforeWhat, ()) {
  const std::vector<Event> events = any_execution();
  for (std::size_t a = 0; a < events.size(); ++a) {
    for (std::size_t b = a + 1; b < events.size(); ++b) {
      const Relation relation = compare(events[a].clock.view(), events[b].clock.view());
      RC_ASSERT(relation == (events[b].knows[a] ? Relation::before : Relation::concurrent));
    }
  }
}

TEST(VectorClock, ConcurrentIsNotOrdered) {
  const std::vector<std::uint64_t> a{2, 0, 1};
  const std::vector<std::uint64_t> b{1, 1, 1};
  EXPECT_EQ(compare(a, b), Relation::concurrent);
  EXPECT_EQ(compare(b, a), Relation::concurrent);
}

}  // namespace
}  // namespace parley::bully_2pc
