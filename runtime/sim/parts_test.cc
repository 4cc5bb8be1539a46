// The parts of an execution, one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/sim/disk.h"
#include "runtime/sim/network.h"

namespace parley::sim {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

Weather still() {
  Weather weather;
  weather.delay_min = weather.delay_max = milliseconds(1);
  weather.sync_min = weather.sync_max = milliseconds(2);
  return weather;
}

TEST(EventQueue, HandsOutByTimeAndThenInTheOrderOfScheduling) {
  EventQueue queue;
  const Instant early{milliseconds(1)};
  const Instant late{milliseconds(2)};
  queue.push(late, EventKind::step, 1, 0);
  for (std::uint32_t i = 2; i <= 6; ++i) {
    queue.push(early, i % 2 == 0 ? EventKind::step : EventKind::client, i, 0);
  }
  std::vector<std::uint32_t> order;
  Event event;
  while (queue.pop(early, event)) order.push_back(event.subject);
  EXPECT_THAT(order, ElementsAre(2, 3, 4, 5, 6));
  ASSERT_TRUE(queue.pop(late, event));
  EXPECT_EQ(event.subject, 1);
  EXPECT_FALSE(queue.pop(kNever, event));
}

TEST(EventQueue, HoldsTheNewestWishOfANodeOnly) {
  EventQueue queue;
  queue.push(Instant{milliseconds(3)}, EventKind::step, 1, 7);
  queue.push(Instant{milliseconds(2)}, EventKind::step, 1, 8);
  queue.push(Instant{milliseconds(4)}, EventKind::step, 2, 1);
  std::vector<std::uint32_t> wishes;
  Event event;
  while (queue.pop(kNever, event)) wishes.push_back(event.item);
  EXPECT_THAT(wishes, ElementsAre(8, 1));
}

TEST(Faults, AreReadByName) {
  FaultSet faults = FaultSet::none();
  EXPECT_EQ(parse_faults("loss,crash", faults), "");
  EXPECT_TRUE(faults.has(FaultKind::loss));
  EXPECT_TRUE(faults.has(FaultKind::crash));
  EXPECT_FALSE(faults.has(FaultKind::pause));
  EXPECT_EQ(parse_faults("all", faults), "");
  EXPECT_EQ(faults, FaultSet::all());
  EXPECT_THAT(parse_faults("loss,fire", faults), ::testing::HasSubstr("'fire' is none of all"));
  EXPECT_THAT(parse_faults("", faults), ::testing::HasSubstr("faults"));
  EXPECT_EQ(faults, FaultSet::all()) << "a mistake changes nothing";
}

TEST(Faults, EachSeedDrawsOnlyWhatIsAllowed) {
  FaultSet allowed = FaultSet::none();
  allowed.add(FaultKind::crash);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    const Weather weather = draw_weather(allowed, random);
    EXPECT_EQ(weather.loss_per_million, 0U);
    EXPECT_EQ(weather.slow_sync_per_million, 0U);
    EXPECT_FALSE(weather.faults.has(FaultKind::partition));
  }
}

class DiskTest : public ::testing::Test {
 protected:
  DiskTest() { engine_.weather = still(); }

  static Block block(std::uint8_t byte) {
    const std::byte bytes[] = {std::byte{byte}};
    return Block::copy_of(bytes);
  }
  void append(std::uint64_t ticket, std::uint64_t index, std::uint8_t byte) {
    const Write write{Write::Kind::append, Ticket{ticket}, LogIndex{index}, {}, block(byte)};
    disk_.write(std::span(&write, 1), 1);
  }
  void sync() {
    Event event;
    ASSERT_TRUE(engine_.queue.pop(kNever, event));
    engine_.now = event.when;
    disk_.sync_done(event.item);
  }
  std::vector<int> bodies() {
    std::vector<int> found;
    for (const Record& record : disk_.recover().records) {
      found.push_back(static_cast<int>(record.body.bytes()[0]));
    }
    return found;
  }

  Engine engine_{1, nullptr};
  Disk disk_{engine_, 1};
};

TEST_F(DiskTest, OneSyncCoversWhatWasPendingWhenItBegan) {
  append(1, 1, 11);
  append(2, 2, 12);
  append(3, 3, 13);
  EXPECT_EQ(disk_.durable(), Ticket{0});
  sync();
  EXPECT_EQ(disk_.durable(), Ticket{1});
  EXPECT_EQ(engine_.now, Instant{milliseconds(2)});
  sync();
  EXPECT_EQ(disk_.durable(), Ticket{3});
  Event event;
  EXPECT_FALSE(engine_.queue.pop(kNever, event));
  EXPECT_THAT(bodies(), ElementsAre(11, 12, 13));
}

TEST_F(DiskTest, ACrashKeepsAPrefixAndAllThatWasDurable) {
  bool lost_all = false;
  bool lost_none = false;
  for (std::uint32_t round = 0; round < 100; ++round) {
    Disk disk(engine_, round + 1);  // each draws for itself
    const auto write = [&](std::uint64_t number) {
      const Write append{Write::Kind::append, Ticket{number}, LogIndex{number}, {}, {}};
      disk.write(std::span(&append, 1), 1);
    };
    write(1);
    disk.sync_done(1);
    for (std::uint64_t number = 2; number <= 4; ++number) write(number);
    const std::size_t lost = disk.crash();
    ASSERT_LE(lost, 3U);
    EXPECT_EQ(disk.recover().records.size(), 4U - lost);
    lost_all |= lost == 3;
    lost_none |= lost == 0;
  }
  EXPECT_TRUE(lost_all && lost_none);
}

TEST_F(DiskTest, TruncatesAndReplacesTheHardState) {
  append(1, 1, 11);
  append(2, 2, 12);
  const Write writes[] = {
      {Write::Kind::state, Ticket{3}, {}, block(1), {}},
      {Write::Kind::truncate, Ticket{4}, LogIndex{2}, {}, {}},
      {Write::Kind::append, Ticket{5}, LogIndex{2}, {}, block(22)},
      {Write::Kind::state, Ticket{6}, {}, block(2), {}},
  };
  disk_.write(writes, 1);
  sync();
  sync();
  EXPECT_EQ(disk_.recover().state.bytes()[0], std::byte{2});
  EXPECT_THAT(bodies(), ElementsAre(11, 22));
}

TEST_F(DiskTest, BreachesOfTheContractAreViolations) {
  append(1, 1, 11);
  append(3, 2, 12);
  ASSERT_EQ(engine_.violations.size(), 1U);
  EXPECT_THAT(engine_.violations[0], ::testing::HasSubstr("issued ticket 3 after ticket 1"));
  append(4, 7, 13);
  sync();
  sync();
  EXPECT_THAT(engine_.violations.back(), ::testing::HasSubstr("appended index 7"));
}

TEST_F(DiskTest, AFailedSyncLeavesOpenWhatItWasFor) {
  engine_.weather.failed_sync_per_million = 1'000'000;
  bool lost = false;
  bool kept = false;
  for (std::uint32_t node = 1; node <= 100; ++node) {
    Disk disk(engine_, node);
    const Write append{Write::Kind::append, Ticket{1}, LogIndex{1}, {}, {}};
    disk.write(std::span(&append, 1), 1);
    ASSERT_FALSE(disk.sync_done(1));
    EXPECT_EQ(disk.durable(), Ticket{0});
    const std::size_t gone = disk.crash();
    EXPECT_EQ(disk.recover().records.size(), 1U - gone);
    lost |= gone == 1;
    kept |= gone == 0;
  }
  EXPECT_TRUE(lost && kept);
  EXPECT_EQ(engine_.faults[static_cast<std::size_t>(FaultKind::failed_sync)], 100U);
  EXPECT_THAT(engine_.violations, ElementsAre());
}

TEST_F(DiskTest, GoingOnAfterAFailedSyncIsAViolation) {
  append(1, 1, 11);
  engine_.weather.failed_sync_per_million = 1'000'000;
  sync();
  append(2, 2, 12);
  EXPECT_THAT(engine_.violations,
              ElementsAre(::testing::HasSubstr("goes on after its disk reported an error")));
  engine_.weather.failed_sync_per_million = 0;
  disk_.crash();
  disk_.recover();
  append(1, static_cast<std::uint64_t>(disk_.log().size()) + 1, 12);
  EXPECT_EQ(engine_.violations.size(), 1U) << "a new start may write again";
}

class NetworkTest : public ::testing::Test {
 protected:
  NetworkTest() { engine_.weather = still(); }

  void send(std::uint32_t from, std::uint32_t to, std::uint64_t mark = 0) {
    Frame frame;
    frame.from = NodeId{from};
    frame.incarnation = Incarnation{mark};
    network_.send(NodeId{to}, frame);
  }
  // What arrives from now on, as marks in the order of arrival.
  std::vector<std::uint64_t> arrivals() {
    std::vector<std::uint64_t> marks;
    Event event;
    while (engine_.queue.pop(kNever, event)) {
      engine_.now = event.when;
      if (const auto flight = network_.arrive(event.item)) {
        marks.push_back(flight->frame.incarnation.value);
      }
    }
    return marks;
  }
  std::size_t cuts() const {
    std::size_t count = 0;
    for (std::uint32_t from = 1; from <= 5; ++from) {
      for (std::uint32_t to = 1; to <= 5; ++to) count += network_.is_cut(NodeId{from}, NodeId{to});
    }
    return count;
  }

  Engine engine_{1, nullptr};
  Network network_{engine_, 5};
};

TEST_F(NetworkTest, ALinkKeepsTheOrderUnlessItIsReordered) {
  engine_.weather.delay_min = milliseconds(0);
  engine_.weather.delay_max = milliseconds(10);
  std::vector<std::uint64_t> sent;
  for (std::uint64_t mark = 1; mark <= 50; ++mark) {
    send(1, 2, mark);
    sent.push_back(mark);
  }
  EXPECT_EQ(arrivals(), sent);
  engine_.weather.reordering_per_million = 300'000;
  for (const std::uint64_t mark : sent) send(1, 2, mark);
  const auto reordered = arrivals();
  EXPECT_NE(reordered, sent);
  EXPECT_THAT(reordered, ::testing::UnorderedElementsAreArray(sent));
}

TEST_F(NetworkTest, LosesAndDuplicates) {
  engine_.weather.loss_per_million = 500'000;
  for (int i = 0; i < 100; ++i) send(1, 2);
  const std::size_t left = arrivals().size();
  EXPECT_GT(left, 20U);
  EXPECT_LT(left, 80U);
  engine_.weather.loss_per_million = 0;
  engine_.weather.duplication_per_million = 1'000'000;
  send(1, 2, 9);
  EXPECT_THAT(arrivals(), ElementsAre(9, 9));
}

TEST_F(NetworkTest, ACutSwallowsWhatIsUnderWayUntilItIsRepaired) {
  Random random(1);
  send(1, 2, 1);
  std::uint32_t pattern = 0;
  do pattern = network_.cut_at_random(false, NodeId{1}, random);
  while (!network_.is_cut(NodeId{1}, NodeId{2}));
  EXPECT_TRUE(network_.is_cut(NodeId{2}, NodeId{1})) << "a partition cuts both ways";
  send(1, 2, 2);
  EXPECT_THAT(arrivals(), ElementsAre());
  network_.repair(pattern - 1);
  EXPECT_GT(cuts(), 0U) << "only the pattern in force can end";
  network_.repair(pattern);
  EXPECT_EQ(cuts(), 0U);
  send(1, 2, 3);
  EXPECT_THAT(arrivals(), ElementsAre(3));
}

TEST_F(NetworkTest, SomeCutsAreOneWay) {
  Random random(1);
  bool one_way = false;
  for (int i = 0; i < 20 && !one_way; ++i) {
    network_.cut_at_random(true, NodeId{3}, random);
    for (std::uint32_t other = 1; other <= 5; ++other) {
      one_way |=
          network_.is_cut(NodeId{3}, NodeId{other}) && !network_.is_cut(NodeId{other}, NodeId{3});
    }
  }
  EXPECT_TRUE(one_way);
}

TEST_F(NetworkTest, AStalledLinkReleasesEverythingAtOnce) {
  network_.stall(NodeId{1}, NodeId{2}, milliseconds(100));
  send(1, 2, 1);
  send(1, 2, 2);
  send(2, 1, 3);
  EXPECT_THAT(arrivals(), ElementsAre(3, 1, 2));
  EXPECT_EQ(engine_.now, Instant{milliseconds(100)});
}

TEST_F(NetworkTest, LinksHaveThePropertiesOfTheirRules) {
  const std::vector<LinkRule> rules{{kNoNode, kNoNode, {.delay_us = 20'000}},
                                    {NodeId{1}, NodeId{2}, {.delay_us = 80'000}},
                                    {NodeId{3}, kNoNode, {.cut = true}}};
  network_.shape(rules);
  send(1, 2, 1);
  send(2, 1, 2);
  send(3, 1, 3);
  EXPECT_THAT(arrivals(), ElementsAre(2, 1));
  EXPECT_EQ(engine_.now, Instant{milliseconds(81)}) << "the weather adds its millisecond";
  network_.heal();
  send(3, 1, 4);
  send(1, 2, 5);
  EXPECT_THAT(arrivals(), ElementsAre(4, 5));
  EXPECT_EQ(engine_.now, Instant{milliseconds(162)}) << "delays stay";
  network_.shape(rules);
  send(3, 1, 6);
  EXPECT_THAT(arrivals(), ElementsAre());
}

TEST_F(NetworkTest, ALinkThatReordersByItselfLosesNothing) {
  network_.shape({{kNoNode, kNoNode, {.delay_us = 5000, .jitter_us = 5000, .reorder = true}}});
  std::vector<std::uint64_t> sent;
  for (std::uint64_t mark = 1; mark <= 50; ++mark) {
    send(1, 2, mark);
    sent.push_back(mark);
  }
  const auto reordered = arrivals();
  EXPECT_NE(reordered, sent);
  EXPECT_THAT(reordered, ::testing::UnorderedElementsAreArray(sent));
  network_.shape({{kNoNode, kNoNode, {.loss_per_million = 500'000}}});
  for (const std::uint64_t mark : sent) send(1, 2, mark);
  const std::size_t left = arrivals().size();
  EXPECT_GT(left, 10U);
  EXPECT_LT(left, 40U);
}

}  // namespace
}  // namespace parley::sim
