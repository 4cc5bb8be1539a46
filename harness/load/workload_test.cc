#include "harness/load/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/load/operations.h"
#include "harness/load/router.h"

namespace parley::load {
namespace {

std::string problem_of(const std::string& workload) {
  try {
    parse_workload(workload);
  } catch (const LoadError& error) {
    return error.what();
  }
  return {};
}

// The probability of each rank, by definition.
std::vector<double> zipf_law(std::size_t count, double exponent) {
  std::vector<double> law(count);
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k) {
    sum += law[k] = std::pow(static_cast<double>(k + 1), -exponent);
  }
  for (double& p : law) p /= sum;
  return law;
}

class ZipfMarginals : public testing::TestWithParam<double> {};

TEST_P(ZipfMarginals, AreTheLaw) {
  constexpr std::size_t kRanks = 50;
  constexpr int kDraws = 400'000;
  const std::vector<double> law = zipf_law(kRanks, GetParam());
  const ZipfSampler sampler(kRanks, GetParam());
  Random random(11);
  std::vector<int> found(kRanks);
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t rank = sampler.draw(random);
    ASSERT_GE(rank, 1u);
    ASSERT_LE(rank, kRanks);
    ++found[rank - 1];
  }
  double chi_squared = 0;
  for (std::size_t k = 0; k < kRanks; ++k) {
    const double expected = law[k] * kDraws;
    chi_squared += (found[k] - expected) * (found[k] - expected) / expected;
  }
  // 49 degrees of freedom: 0.999 of all samples are below 85.4; the seed is fixed.
  EXPECT_LT(chi_squared, 85.4);
}

INSTANTIATE_TEST_SUITE_P(Exponents, ZipfMarginals, testing::Values(0.5, 0.99, 1.0, 1.01, 2.0));

TEST(ZipfSampler, HandlesOneRankAndManyRanks) {
  Random random(3);
  EXPECT_EQ(ZipfSampler(1, 1).draw(random), 1u);
  const ZipfSampler many(4096 * 4096, 1);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t rank = many.draw(random);
    ASSERT_GE(rank, 1u);
    ASSERT_LE(rank, 4096u * 4096u);
  }
}

TEST(Workload, IsParsedOrRefusedWithWhatIsAllowed) {
  EXPECT_EQ(parse_workload("uniform").kind, WorkloadSpec::Kind::uniform);
  EXPECT_EQ(parse_workload("zipf").exponent, 1);
  EXPECT_EQ(parse_workload("zipf:0.8").exponent, 0.8);
  EXPECT_EQ(parse_workload("replay:a:b.csv").file, "a:b.csv");
  EXPECT_EQ(parse_workload("rplace").kind, WorkloadSpec::Kind::rplace);
  EXPECT_THAT(problem_of("zipf:"), testing::HasSubstr("must be above 0"));
  EXPECT_THAT(problem_of("zipf:-1"), testing::HasSubstr("must be above 0"));
  EXPECT_THAT(problem_of("zipf:1x"), testing::HasSubstr("must be above 0"));
  EXPECT_THAT(problem_of("replay:"), testing::HasSubstr("replay:FILE"));
  for (const char* unknown : {"gauss", "uniform:1", "rplace:1", "hotspots", "replay", ""}) {
    EXPECT_THAT(problem_of(unknown), testing::HasSubstr("is not one of uniform, zipf, zipf:EXP"));
  }
}

TEST(Workload, AHotspotHasAShareAndANumberOfCells) {
  const auto expect = [](const char* text, double share, std::uint32_t cells) {
    const WorkloadSpec workload = parse_workload(text);
    EXPECT_EQ(workload.kind, WorkloadSpec::Kind::hotspot);
    EXPECT_EQ(workload.hot_share, share) << text;
    EXPECT_EQ(workload.hot_cells, cells) << text;
  };
  expect("hotspot", 0.9, 16);
  expect("hotspot:0.5", 0.5, 16);
  expect("hotspot:1@1", 1, 1);
  expect("hotspot:0.25@1000", 0.25, 1000);
  for (const char* bad : {"hotspot:", "hotspot:0", "hotspot:1.1", "hotspot:nan", "hotspot:x@3",
                          "hotspot:@3", "hotspot:90%"}) {
    EXPECT_THAT(problem_of(bad), testing::HasSubstr("must be above 0 and at most 1")) << bad;
  }
  for (const char* bad : {"hotspot:0.5@", "hotspot:0.5@0", "hotspot:0.5@-1", "hotspot:0.5@1.5",
                          "hotspot:0.5@99999999999"}) {
    EXPECT_THAT(problem_of(bad), testing::HasSubstr("must be a whole number from 1 on")) << bad;
  }
  EXPECT_NO_THROW(parse_workload("hotspot:0.5@9", 9));
  EXPECT_THROW(parse_workload("hotspot:0.5@10", 9), LoadError);
}

std::map<std::pair<int, int>, int> cells_drawn(const LoadSpec& spec, int count) {
  const auto source = make_source(spec);
  std::vector<canvas::Place> place(1);
  std::map<std::pair<int, int>, int> cells;
  for (int i = 0; i < count; ++i) {
    source->take(place);
    ++cells[{place[0].x(), place[0].y()}];
  }
  return cells;
}

TEST(Source, UniformReachesEveryCellAboutEquallyOften) {
  LoadSpec spec;
  spec.canvas_width = 8;
  spec.canvas_height = 5;
  const auto cells = cells_drawn(spec, 40'000);
  EXPECT_EQ(cells.size(), 40u);
  for (const auto& [cell, count] : cells) {
    EXPECT_LT(cell.first, 8);
    EXPECT_LT(cell.second, 5);
    EXPECT_NEAR(count, 1000, 160);
  }
}

TEST(Source, ZipfGivesEachCellOneRankAndTheSeedSaysWhich) {
  LoadSpec spec;
  spec.workload = "zipf:1";
  spec.canvas_width = 7;
  spec.canvas_height = 3;
  auto cells = cells_drawn(spec, 50'000);
  EXPECT_EQ(cells.size(), 21u);
  std::vector<int> counts;
  for (const auto& [cell, count] : cells) counts.push_back(count);
  std::sort(counts.rbegin(), counts.rend());
  const std::vector<double> law = zipf_law(21, 1);
  for (std::size_t k : {0, 1, 2, 5}) EXPECT_NEAR(counts[k] / (law[k] * 50'000), 1, 0.1);
  std::set<std::pair<int, int>> favourites;
  for (spec.seed = 1; spec.seed <= 20; ++spec.seed) {
    const auto other = cells_drawn(spec, 2000);
    favourites.insert(std::max_element(other.begin(), other.end(), [](auto& a, auto& b) {
                        return a.second < b.second;
                      })->first);
  }
  EXPECT_GT(favourites.size(), 5u);
}

TEST(Source, AHotspotTakesItsShareAndTheRestGoesElsewhere) {
  LoadSpec spec;
  spec.workload = "hotspot:0.8@3";
  spec.canvas_width = 10;
  spec.canvas_height = 4;
  std::vector<int> counts;
  for (const auto& [cell, count] : cells_drawn(spec, 100'000)) counts.push_back(count);
  ASSERT_EQ(counts.size(), 40u);
  std::sort(counts.rbegin(), counts.rend());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(counts[i], 80'000 / 3, 800);
  for (std::size_t i = 3; i < 40; ++i) EXPECT_NEAR(counts[i], 20'000 / 37, 120);
}

TEST(Source, AHotspotMayBeTheWholeCanvas) {
  LoadSpec spec;
  spec.workload = "hotspot:0.5@4";
  spec.canvas_width = 2;
  spec.canvas_height = 2;
  const auto cells = cells_drawn(spec, 8000);
  EXPECT_EQ(cells.size(), 4u);
  for (const auto& [cell, count] : cells) EXPECT_NEAR(count, 2000, 200);
  spec.workload = "hotspot:1@1";
  EXPECT_EQ(cells_drawn(spec, 1000).size(), 1u);
}

TEST(Source, TheSameSeedGivesTheSameLoad) {
  LoadSpec spec;
  spec.read_share = 0.5;
  const auto one = make_source(spec);
  const auto other = make_source(spec);
  std::vector<canvas::Place> a(3);
  std::vector<canvas::Place> b(3);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(one->due_ns(), other->due_ns());
    const Message left = one->take(a);
    const Message right = other->take(b);
    ASSERT_EQ(left.is_read, right.is_read);
    ASSERT_EQ(left.client, static_cast<std::uint32_t>(i) % spec.clients);
    for (std::size_t j = 0; j < a.size(); ++j) {
      ASSERT_EQ(a[j].x(), b[j].x());
      ASSERT_EQ(a[j].color(), b[j].color());
    }
  }
}

TEST(Source, ArrivalsHaveTheRateAskedFor) {
  for (const Arrivals arrivals : {Arrivals::poisson, Arrivals::constant}) {
    LoadSpec spec;
    spec.arrivals = arrivals;
    spec.rate = 20'000;
    spec.batch = 4;
    const auto source = make_source(spec);
    std::vector<canvas::Place> places(4);
    std::int64_t before = 0;
    double sum_of_squares = 0;
    constexpr int kMessages = 50'000;
    for (int i = 0; i < kMessages; ++i) {
      const std::int64_t due = source->due_ns();
      ASSERT_GE(due, before);
      sum_of_squares += std::pow(static_cast<double>(due - before) / 200'000 - 1, 2);
      before = source->take(places).due_ns;
    }
    // 5,000 messages a second: one every 200 us.
    EXPECT_NEAR(static_cast<double>(before) / 200'000 / kMessages, 1, 0.02);
    const double variance = sum_of_squares / kMessages;
    EXPECT_NEAR(variance, arrivals == Arrivals::poisson ? 1 : 0, 0.05);
  }
}

TEST(Source, AClosedLoopIsAlwaysDue) {
  LoadSpec spec;
  spec.loop = Loop::closed;
  const auto source = make_source(spec);
  std::vector<canvas::Place> place(1);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(source->due_ns(), 0);
    source->take(place);
  }
}

TEST(RecordedCells, AreAFixedShare) {
  int one = 0;
  int ten = 0;
  for (std::uint32_t x = 0; x < 300; ++x) {
    for (std::uint32_t y = 0; y < 300; ++y) {
      EXPECT_TRUE(recorded(x, y, 1));
      EXPECT_FALSE(recorded(x, y, 0));
      one += recorded(x, y, 0.01) ? 1 : 0;
      ten += recorded(x, y, 0.1) ? 1 : 0;
      if (recorded(x, y, 0.01)) {
        EXPECT_TRUE(recorded(x, y, 0.1));
      }
    }
  }
  EXPECT_NEAR(one, 900, 120);
  EXPECT_NEAR(ten, 9000, 360);
}

TEST(FlightTable, IdsOfFinishedFlightsAreNotFound) {
  FlightTable flights(2, 3);
  const std::uint32_t slot = flights.take();
  EXPECT_EQ(flights.find({slot, 0, 0}), nullptr) << "not sent yet";
  flights[slot].attempts = 2;
  const AttemptId id{slot, 1, flights[slot].generation};
  EXPECT_EQ(flights.find(AttemptId::unpack(id.packed())), &flights[slot]);
  EXPECT_EQ(flights.find({slot, 2, id.generation}), nullptr);
  EXPECT_EQ(flights.find({1, 0, 0}), nullptr);
  EXPECT_EQ(flights.find({0xFFFFFF, 0, 0}), nullptr);
  flights.release(slot);
  EXPECT_EQ(flights.find(id), nullptr);
  EXPECT_EQ(flights.take(), slot);
  flights[slot].attempts = 2;
  EXPECT_EQ(flights.find(id), nullptr) << "a later flight in the same slot";
  flights.take();
  EXPECT_TRUE(flights.full());
}

class Routes : public testing::Test {
 protected:
  Router make(Routing routing) {
    Router router({{{1}, ""}, {{2}, ""}, {{3}, ""}}, routing, 500);
    for (std::uint8_t link = 0; link < 3; ++link) router.connection(link, true);
    return router;
  }
};

TEST_F(Routes, ClientsHaveTheirNodeAndComeBackToIt) {
  Router router = make(Routing::any);
  EXPECT_EQ(router.pick(4, kNoLink, 0), 1);
  EXPECT_EQ(router.pick(4, 1, 0), 2) << "after a failure there";
  router.connection(1, false);
  EXPECT_EQ(router.pick(4, kNoLink, 0), 2);
  router.connection(1, true);
  EXPECT_EQ(router.pick(4, kNoLink, 0), 1);
}

TEST_F(Routes, ASilentNodeIsDownUntilItIsHeard) {
  Router router = make(Routing::any);
  router.asked(0, 1000);
  router.asked(0, 1300);  // the first unanswered question counts
  EXPECT_EQ(router.pick(0, kNoLink, 1499), 0);
  EXPECT_EQ(router.pick(0, kNoLink, 1500), 1);
  router.heard(0);
  EXPECT_EQ(router.pick(0, kNoLink, 1500), 0);
}

TEST_F(Routes, TheLeaderIsWhoMostName) {
  Router router = make(Routing::leader);
  EXPECT_EQ(router.pick(4, kNoLink, 0), 1) << "none known";
  EXPECT_TRUE(router.leader_named(0, {3}));
  EXPECT_TRUE(router.leader_named(1, {3}));
  EXPECT_FALSE(router.leader_named(1, {3}));
  EXPECT_TRUE(router.leader_named(2, {1}));
  EXPECT_EQ(router.leader(), NodeId{3});
  EXPECT_EQ(router.pick(4, kNoLink, 0), 2);
  router.connection(2, false);
  EXPECT_EQ(router.pick(4, kNoLink, 0), 1) << "it leads, but is not there";
}

TEST_F(Routes, NobodyIsThere) {
  Router router = make(Routing::any);
  for (std::uint8_t link = 0; link < 3; ++link) router.connection(link, false);
  EXPECT_EQ(router.pick(4, kNoLink, 0), kNoLink);
}

}  // namespace
}  // namespace parley::load
