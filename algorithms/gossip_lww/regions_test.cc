#include "algorithms/gossip_lww/regions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "algorithms/gossip_lww/replica.h"
#include "algorithms/gossip_lww/test_node.h"

namespace parley::gossip_lww::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

// --- who is where ---

TEST(Regions, HoldEachNodeOnceAndDifferInSizeByOneAtMost) {
  for (std::size_t members = 1; members <= 40; ++members) {
    for (std::size_t largest = 0; largest <= 12; ++largest) {
      const Regions regions(members, largest);
      std::set<std::size_t> seen;
      for (std::size_t region = 0; region < regions.count(); ++region) {
        const std::size_t size = regions.size(region);
        EXPECT_GE(size, members / regions.count());
        EXPECT_LE(size, (members + regions.count() - 1) / regions.count());
        EXPECT_TRUE(largest == 0 || size <= largest) << members << " by " << largest;
        for (std::size_t i = 0; i < size; ++i) {
          const std::size_t place = regions.member(region, i);
          EXPECT_EQ(regions.of(place), region);
          EXPECT_EQ(regions.index(place), i);
          EXPECT_TRUE(seen.insert(place).second);
        }
      }
      EXPECT_EQ(seen.size(), members);
      EXPECT_EQ(*seen.rbegin(), members - 1);
    }
  }
}

TEST(Regions, WithoutASizeOrWithALargeOneThereIsOne) {
  EXPECT_EQ(Regions(1000, 0).count(), 1U);
  EXPECT_EQ(Regions(32, 32).count(), 1U);
  EXPECT_EQ(Regions(33, 32).count(), 2U);
  EXPECT_EQ(Regions(1000, 32).count(), 32U);
}

TEST(Regions, TheFirstWhoAreNotGoneSpeak) {
  const Regions regions(11, 4);  // 0 3 6 9, 1 4 7 10, 2 5 8
  for (std::uint32_t gone_set = 0; gone_set < 1U << 11; gone_set += 7) {
    const auto gone = [gone_set](std::size_t place) { return (gone_set >> place & 1) != 0; };
    for (std::size_t region = 0; region < regions.count(); ++region) {
      std::set<std::size_t> relays;
      for (std::size_t number = 0; number < 2; ++number) {
        if (const auto relay = regions.relay(region, number, gone)) relays.insert(*relay);
      }
      std::size_t there = 0;
      for (std::size_t i = 0; i < regions.size(region); ++i) {
        const std::size_t place = regions.member(region, i);
        if (gone(place)) continue;
        ++there;
        EXPECT_EQ(regions.speaks(place, 2, gone), there <= 2);
        EXPECT_EQ(relays.contains(place), there <= 2);
      }
      EXPECT_EQ(relays.size(), std::min<std::size_t>(there, 2));
    }
  }
}

// --- options ---

OptionValues options_with(const std::vector<std::pair<std::string, std::string>>& options) {
  const auto specs = option_specs();
  OptionValues values = default_options(specs);
  for (const auto& [name, text] : options) EXPECT_EQ(set_option(specs, name, text, values), "");
  return values;
}

TEST(RegionOptions, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(check_options(options_with({})), "");
  EXPECT_EQ(check_options(options_with({{"relays", "5"}})), "") << "there are no regions";
  EXPECT_EQ(check_options(options_with({{"region_size", "2"}})), "");
  EXPECT_EQ(check_options(options_with({{"region_size", "5"}, {"relays", "5"}})), "");
  EXPECT_THAT(check_options(options_with({{"region_size", "1"}})),
              HasSubstr("region_size must be 0 (no regions) or at least 2"));
  EXPECT_THAT(check_options(options_with({{"region_size", "4"}, {"relays", "5"}})),
              HasSubstr("relays (5) must be at most region_size (4)"));
  const auto specs = option_specs();
  OptionValues values = default_options(specs);
  EXPECT_THAT(set_option(specs, "region_size", "-1", values), HasSubstr("from 0 to 1024"));
  EXPECT_THAT(set_option(specs, "relays", "0", values), HasSubstr("from 1 to 64"));
}

TEST(RegionOptions, RelaysShareTheRounds) {
  const auto far_rounds = [](std::string_view relays, std::size_t members) {
    return read_options(options_with({{"region_size", "8"}, {"relays", std::string(relays)}}),
                        members)
        .far_rounds;
  };
  EXPECT_EQ(far_rounds("1", 128), 1U) << "the fanout reaches the fifteen others";
  EXPECT_EQ(far_rounds("1", 136), 2U);
  EXPECT_EQ(far_rounds("2", 136), 1U);
  EXPECT_EQ(far_rounds("3", 136), 1U);
}

TEST(RegionOptions, TwoLevelsArePromisedMoreRounds) {
  const auto rounds = [](const OptionValues& values, std::uint32_t members) {
    return kGossipLww.merge_promise(values, members).rounds;
  };
  EXPECT_EQ(rounds(options_with({}), 100), 12U);
  EXPECT_EQ(rounds(options_with({{"region_size", "100"}}), 100), 12U);
  EXPECT_GT(rounds(options_with({{"region_size", "10"}}), 100), 12U);
}

// --- what is said to whom ---

bool compares(const Frame& frame) {
  const wire::Message& message = decode(frame.header);
  if (message.kind() != wire::Kind::summary) return false;
  const Summary::Stage stage = decode(*message.summary()).stage;
  return stage == Summary::Stage::opening || stage == Summary::Stage::question;
}

// Nodes are in `regions_`, in turn, and what goes from one to another is counted.
class InRegions : public Cluster {
 protected:
  void make_regions(std::uint32_t count, std::uint32_t size,
                    std::vector<std::pair<std::string, std::string>> options = {}) {
    passes_ = [this](const TestNode::Outgoing& sent) { return pass(sent); };
    regions_ = (count + size - 1) / size;
    options.emplace_back("region_size", std::to_string(size));
    make(count, options);
    forget();
  }

  void forget() {
    writes_crossed_ = 0;
    compared_.clear();
  }

  [[nodiscard]] bool near(NodeId a, NodeId b) const {
    return a.value % regions_ == b.value % regions_;
  }
  // Of the lowest two of its region.
  [[nodiscard]] bool first(NodeId id) const { return id.value <= 2 * regions_; }

  // Until these hold what node `from` does, in steps of a round; how many it took.
  std::size_t rounds_until_equal(std::uint32_t from, std::size_t most) {
    std::size_t rounds = 0;
    const auto equal = [&] {
      for (std::uint32_t id = from; id <= nodes_.size(); ++id) {
        if (node(id).store().digest() != node(from).store().digest()) return false;
      }
      return true;
    };
    while (!equal() && rounds < most) {
      run(milliseconds(100));
      ++rounds;
    }
    return rounds;
  }

  std::uint32_t regions_ = 1;
  std::uint64_t writes_crossed_ = 0;  // messages that carried writes
  // Of comparisons begun: who, with whom, how often.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> compared_;
  bool first_are_cut_off_ = false;  // from the other regions

 private:
  bool pass(const TestNode::Outgoing& sent) {
    const NodeId from = sent.frame.from;
    const bool is_near = near(from, sent.to);
    if (first_are_cut_off_ && !is_near && (first(from) || first(sent.to))) return false;
    if (!is_near && !sent.frame.body.empty()) ++writes_crossed_;
    if (compares(sent.frame)) ++compared_[{from.value, sent.to.value}];
    return true;
  }
};

// Two relays tell four other regions, each once; five in a region tell their four mates.
TEST_F(InRegions, AWriteGoesToEachRegionAsOftenAsThereAreRelays) {
  make_regions(25, 5);
  node(24).write(7, 100);  // of the last in its region
  run(milliseconds(15));
  expect_equal();
  EXPECT_EQ(node(1).value(7), 100U);
  EXPECT_EQ(writes_crossed_, 2U * 4U);
}

TEST_F(InRegions, WhereOneFanoutDoesNotReachAllRegionsTheirRelaysHelp) {
  make_regions(96, 8, {{"fanout", "4"}});
  node(96).write(7, 100);
  run(milliseconds(300));
  expect_equal();
  EXPECT_GE(writes_crossed_, 11U);
  EXPECT_LE(writes_crossed_, 2U * 12U * 4U) << "relays, regions, fanout";
}

TEST_F(InRegions, WithoutRegionsMostMessagesCross) {
  make_regions(96, 96);
  regions_ = 12;  // for counting only
  node(96).write(7, 100);
  run(milliseconds(300));
  expect_equal();
  EXPECT_GT(writes_crossed_, 500U);
}

TEST_F(InRegions, OnlyRelaysCompareWithOtherRegionsAsARule) {
  make_regions(48, 12);
  run(seconds(20));
  std::map<bool, std::size_t> far;
  std::map<bool, std::size_t> all;
  for (const auto& [pair, times] : compared_) {
    const NodeId from{pair.first};
    all[first(from)] += times;
    if (!near(from, NodeId{pair.second})) far[first(from)] += times;
  }
  // Every second time, and besides each twelfth with anybody.
  EXPECT_NEAR(static_cast<double>(far[true]) / static_cast<double>(all[true]), 0.5 + 0.06, 0.05);
  EXPECT_NEAR(static_cast<double>(far[false]) / static_cast<double>(all[false]), 0.06, 0.02);
}

TEST_F(InRegions, EveryoneComparesWithEveryoneInItsRegionAndIsComparedWithFromOutside) {
  make_regions(24, 8);
  run(seconds(30));
  for (std::uint32_t a = 1; a <= 24; ++a) {
    bool from_outside = false;
    for (std::uint32_t b = 1; b <= 24; ++b) {
      if (a == b) continue;
      const bool is_near = near(NodeId{a}, NodeId{b});
      if (is_near) EXPECT_GT((compared_[{a, b}]), 0U) << a << " with " << b;
      from_outside = from_outside || (!is_near && compared_[{b, a}] > 0);
    }
    EXPECT_TRUE(from_outside) << a;
  }
}

// The rumour is lost on its way to the relays, and they with it: others take their place when that
// is noticed, after a ping and the suspicion.
TEST_F(InRegions, WhereAllRelaysAreDeadOthersSpeak) {
  make_regions(24, 6);
  for (std::uint32_t id = 1; id <= 8; ++id) cut(id);
  node(24).write(7, 100);
  const std::size_t rounds = rounds_until_equal(9, 100);
  EXPECT_EQ(node(9).value(7), 100U);
  EXPECT_LE(rounds, 20U);
  run(seconds(15));  // by now they are known to be dead
  forget();
  node(23).write(8, 200);
  run(milliseconds(50));
  for (std::uint32_t id = 9; id <= 24; ++id) EXPECT_EQ(node(id).value(8), 200U) << id;
  EXPECT_LE(writes_crossed_, 2U * 3U);
  heal();
  EXPECT_LE(rounds_until_equal(1, 100), 20U);
}

// They are there for their regions, and so nobody takes their place, but reach no other one.
TEST_F(InRegions, WhereAllRelaysAreCutOffAnybodyHelps) {
  make_regions(24, 6);
  first_are_cut_off_ = true;
  run(seconds(5));
  for (std::uint32_t i = 1; i <= 4; ++i) node(20 + i).write(i, 100 + i);
  const std::size_t rounds = rounds_until_equal(1, 200);
  for (std::uint32_t i = 1; i <= 4; ++i) EXPECT_EQ(node(1).value(i), 100U + i);
  EXPECT_GT(rounds, 0U) << "nothing was in the way";
  EXPECT_LE(rounds, 40U);
}

TEST_F(InRegions, WhoIsAloneInItsRegionIsReached) {
  make_regions(7, 2);  // 1 5, 2 6, 3 7, 4
  for (std::uint32_t id = 1; id <= 7; ++id) node(id).outbox.clear();
  node(4).write(7, 100);
  node(5).write(8, 200);
  node(4).outbox.clear();
  node(5).outbox.clear();
  EXPECT_LE(rounds_until_equal(1, 100), 15U);
  EXPECT_EQ(node(1).value(7), 100U);
  EXPECT_EQ(node(4).value(8), 200U);
}

// What is told, and when, is the same as without regions.
TEST_F(InRegions, OneRegionIsNone) {
  const auto said = [this](const std::string& size) {
    nodes_.clear();
    std::vector<std::string> all;
    passes_ = [&all](const TestNode::Outgoing& sent) {
      const Bytes header = sent.frame.header.bytes();
      all.emplace_back(reinterpret_cast<const char*>(header.data()), header.size());
      return true;
    };
    make(9, {{"region_size", size}, {"fanout", "4"}});
    for (std::uint32_t i = 1; i <= 9; ++i) node(i).write(i, i);
    run(seconds(3));
    passes_ = nullptr;
    return all;
  };
  const auto without = said("0");
  EXPECT_GT(without.size(), 1000U);
  EXPECT_EQ(without, said("9"));
  EXPECT_NE(without, said("3"));
}

TEST_F(InRegions, NobodySendsWritesOnceAllAgree) {
  make_regions(20, 4, {{"fanout", "2"}});
  for (std::uint32_t i = 1; i <= 20; ++i) node(i).write(i, i);
  run(seconds(3));
  expect_equal();
  bodies_ = 0;
  run(seconds(5));
  EXPECT_EQ(bodies_, 0U);
}

}  // namespace
}  // namespace parley::gossip_lww::test
