// Whether what `rplace` makes up looks like the event. The figures of the event are published ones:
// r/place 2017 (placements per half hour and per 5x5 pixels, placements per user) and 2022 (hot
// pixels, colours), as Reddit released them; see rplace_event.h.
#include "harness/load/rplace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace parley::load {
namespace {

constexpr std::uint32_t kSide = 1000;
constexpr std::uint32_t kBlocks = 200 * 200;

std::uint32_t block_of(Cell cell) {
  return cell.y / 5U * 200 + cell.x / 5U;
}

// The share of all that the largest values have; `share` of the values.
double top_share(std::vector<std::uint32_t> counts, double share) {
  std::sort(counts.rbegin(), counts.rend());
  const auto top = static_cast<std::ptrdiff_t>(share * static_cast<double>(counts.size()));
  const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
  return std::accumulate(counts.begin(), counts.begin() + top, 0.0) / sum;
}

double gini(std::vector<std::uint32_t> counts) {
  std::sort(counts.begin(), counts.end());
  const auto n = static_cast<double>(counts.size());
  double sum = 0;
  double weighted = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += counts[i];
    weighted += (static_cast<double>(i) + 1) * counts[i];
  }
  return 2 * weighted / (n * sum) - (n + 1) / n;
}

std::vector<std::uint32_t> blocks_in(EventCells& cells, std::uint32_t half_hour, int placements,
                                     Random& random) {
  std::vector<std::uint32_t> counts(kBlocks);
  cells.enter(half_hour);
  for (int i = 0; i < placements; ++i) ++counts[block_of(cells.next(random))];
  return counts;
}

// Many more placements than there were, so that the shares are those of the law and not of a few.
constexpr int kMany = 800'000;

struct HottestPercent {
  std::uint32_t half_hour;
  double share;  // of the half hour's placements on the hottest 1 % of the blocks
};

class HalfHours : public testing::TestWithParam<HottestPercent> {};

TEST_P(HalfHours, AreAsConcentratedAsTheyWere) {
  EventCells cells(kSide, kSide, 1);
  Random random(2);
  const auto counts = blocks_in(cells, GetParam().half_hour, kMany, random);
  EXPECT_NEAR(top_share(counts, 0.01), GetParam().share, 0.012);
}

// The most and the least concentrated one, and some between.
INSTANTIATE_TEST_SUITE_P(Event2017, HalfHours,
                         testing::Values(HottestPercent{0, 0.4806}, HottestPercent{1, 0.3464},
                                         HottestPercent{8, 0.2134}, HottestPercent{30, 0.3144},
                                         HottestPercent{60, 0.1233}, HottestPercent{70, 0.2271},
                                         HottestPercent{94, 0.1219}, HottestPercent{143, 0.1772}));

// The published share of the hottest 1 % is of the placements, the others are of the density, which
// is smoothed and has a floor under every block: they are a little flatter.
TEST(EventCells, HaveTheSkewOfAHalfHour) {
  EventCells cells(kSide, kSide, 1);
  Random random(3);
  std::map<std::string, std::vector<double>> found;
  for (std::uint32_t half_hour = 0; half_hour < 144; half_hour += 16) {
    const auto counts = blocks_in(cells, half_hour, 4 * kMany, random);
    found["top 0.1 %"].push_back(top_share(counts, 0.001));
    found["top 1 %"].push_back(top_share(counts, 0.01));
    found["top 10 %"].push_back(top_share(counts, 0.1));
    found["top 20 %"].push_back(top_share(counts, 0.2));
    found["top 50 %"].push_back(top_share(counts, 0.5));
    found["gini"].push_back(gini(counts));
  }
  const auto median = [&](const char* what) {
    std::vector<double>& values = found[what];
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  EXPECT_NEAR(median("top 0.1 %"), 0.033, 0.012);
  EXPECT_NEAR(median("top 1 %"), 0.166, 0.015);
  EXPECT_NEAR(median("top 10 %"), 0.510, 0.04);
  EXPECT_NEAR(median("top 20 %"), 0.671, 0.045);
  EXPECT_NEAR(median("top 50 %"), 0.889, 0.04);
  EXPECT_NEAR(median("gini"), 0.618, 0.06);
}

TEST(EventCells, HaveTheSkewAndTheHotPixelsOfTheWholeEvent) {
  EventCells cells(kSide, kSide, 1);
  Random random(4);
  std::vector<std::uint32_t> blocks(kBlocks);
  std::vector<std::uint32_t> pixels(kSide * kSide);
  std::uint64_t all = 0;
  for (std::uint32_t half_hour = 0; half_hour < 144; ++half_hour) {
    cells.enter(half_hour);
    const int count = event::half_hours()[half_hour].rate_per_mille * 25;
    for (int i = 0; i < count; ++i) {
      const Cell cell = cells.next(random);
      ++blocks[block_of(cell)];
      ++pixels[cell.y * kSide + cell.x];
    }
    all += static_cast<std::uint64_t>(count);
  }
  const std::pair<double, double> tops[] = {
      {0.01, 0.086}, {0.05, 0.233}, {0.1, 0.342}, {0.2, 0.490}};
  for (const auto& [share, expected] : tops) {
    const double found = top_share(blocks, share);
    EXPECT_NEAR(found / expected, 1, 0.1) << share;
  }
  std::sort(pixels.rbegin(), pixels.rend());
  const auto total = static_cast<double>(all);
  EXPECT_NEAR(pixels[0] / total, 98'807 / 160.35e6, 0.00005);
  EXPECT_NEAR(pixels[98] / total, 8'813 / 160.35e6, 0.00001);
  const double hottest = std::accumulate(pixels.begin(), pixels.begin() + 99, 0.0) / total;
  EXPECT_NEAR(hottest, 0.0103, 0.001);
}

TEST(EventCells, StayOnTheCanvasAndReachAllOfIt) {
  const std::pair<std::uint32_t, std::uint32_t> sizes[] = {{1, 1},   {2, 1},   {1, 7},  {3, 3},
                                                           {64, 64}, {301, 5}, {33, 40}};
  for (const auto& [width, height] : sizes) {
    EventCells cells(width, height, 5);
    Random random(6);
    std::set<std::pair<int, int>> seen;
    for (std::uint32_t i = 0; i < 2'000'000 && seen.size() < width * height; ++i) {
      cells.enter(i / 1000 % 144);
      const Cell cell = cells.next(random);
      ASSERT_LT(cell.x, width);
      ASSERT_LT(cell.y, height);
      seen.insert({cell.x, cell.y});
    }
    EXPECT_EQ(seen.size(), width * height);
  }
  for (const std::uint32_t side : {257U, 4096U}) {
    EventCells cells(side, side, 5);
    Random random(7);
    for (int i = 0; i < 10'000; ++i) {
      const Cell cell = cells.next(random);
      ASSERT_LT(std::max(cell.x, cell.y), side);
    }
  }
}

struct UserFigures {
  std::vector<std::uint32_t> placements;  // of each user, ascending
  double shortest_pause = 1;              // of the event
  double mean = 0;
};

UserFigures users_of(double placements) {
  EventUsers users(placements);
  EventClock clock(0);
  Random random(8);
  std::vector<std::uint32_t> counts;
  std::vector<double> last;
  UserFigures figures;
  while (clock.position() < 1) {
    const auto bits = static_cast<std::uint32_t>(random.bits());
    const std::uint32_t user = users.next(clock.position(), bits, random);
    if (user >= counts.size()) {
      counts.resize(user + 1);
      last.resize(user + 1, -1);
    }
    ++counts[user];
    figures.shortest_pause = std::min(figures.shortest_pause, clock.position() - last[user]);
    last[user] = clock.position();
    clock.advance(-std::log1p(-unit(random)) / placements);
  }
  for (const std::uint32_t count : counts) {
    if (count > 0) figures.placements.push_back(count);
  }
  std::sort(figures.placements.begin(), figures.placements.end());
  figures.mean = placements / static_cast<double>(figures.placements.size());
  return figures;
}

TEST(EventUsers, PlaceAsUnevenlyAsTheyDid) {
  const UserFigures figures = users_of(2e6);
  const auto quantile = [&](double q) {
    return figures
        .placements[static_cast<std::size_t>(q * static_cast<double>(figures.placements.size()))];
  };
  EXPECT_NEAR(figures.mean, 14.19, 0.3);
  EXPECT_NEAR(quantile(0.5), 3, 1);
  EXPECT_NEAR(quantile(0.75), 13, 1.5);
  EXPECT_NEAR(quantile(0.9), 39, 4);
  EXPECT_NEAR(quantile(0.99), 150, 12);
  EXPECT_NEAR(quantile(0.999), 293, 30);
  EXPECT_LE(figures.placements.back(), 864u) << "as many as the cooldown lets through";
  EXPECT_GT(figures.placements.back(), 350u);
  EXPECT_NEAR(top_share(figures.placements, 0.1), 0.596, 0.02);
  EXPECT_NEAR(gini(figures.placements), 0.732, 0.02);
}

TEST(EventUsers, RestForTheCooldownHoweverFewTheyAre) {
  for (const double placements : {5.0, 200.0, 3000.0, 50'000.0, 1e6}) {
    EXPECT_GE(users_of(placements).shortest_pause, 300.0 / (72 * 3600)) << placements;
  }
}

TEST(EventClock, HasTheRatesOfTheEvent) {
  LoadSpec spec;
  spec.workload = "rplace";
  spec.rate = 50'000;
  spec.warmup = std::chrono::seconds(1);
  spec.duration = std::chrono::seconds(36);  // a quarter of a second each half hour
  const auto source = make_source(spec);
  std::vector<canvas::Place> place(1);
  std::vector<double> counts(145);
  for (std::int64_t due = source->due_ns(); due < 37'000'000'000; due = source->due_ns()) {
    ++counts[static_cast<std::size_t>(std::max<std::int64_t>(due - 750'000'000, 0) / 250'000'000)];
    ASSERT_EQ(source->take(place).due_ns, due);
    ASSERT_GE(source->due_ns(), due);
  }
  EXPECT_NEAR(counts[0] / 50'000, 1, 0.02) << "the warm-up, at the mean rate";
  counts.erase(counts.begin());
  const double mean = std::accumulate(counts.begin(), counts.end(), 0.0) / 144;
  EXPECT_NEAR(mean, 12'500, 50);
  const auto peak = std::max_element(counts.begin(), counts.end());
  EXPECT_NEAR(*peak / mean, 201'934 / 114'993.6, 0.03);
  EXPECT_NEAR(static_cast<double>(peak - counts.begin()), 102, 2);
  // The first one, the trough of the first night, the jump in the second, the last one.
  EXPECT_NEAR(counts[0] / mean, 16'053 / 114'993.6, 0.02);
  EXPECT_NEAR(counts[21] / mean, 33'171 / 114'993.6, 0.02);
  EXPECT_NEAR(counts[57] / counts[56], 167'709.0 / 112'731, 0.05);
  EXPECT_NEAR(counts[143] / mean, 154'908 / 114'993.6, 0.04);
}

LoadSpec small_spec() {
  LoadSpec spec;
  spec.workload = "rplace";
  spec.canvas_width = 100;
  spec.canvas_height = 80;
  spec.clients = 50;
  spec.duration = std::chrono::seconds(2);
  return spec;
}

TEST(RplaceSource, TheSameSeedGivesTheSameLoad) {
  LoadSpec spec = small_spec();
  spec.read_share = 0.3;
  const auto one = make_source(spec);
  const auto other = make_source(spec);
  spec.seed = 2;
  const auto different = make_source(spec);
  std::vector<canvas::Place> a(3);
  std::vector<canvas::Place> b(3);
  std::vector<canvas::Place> c(3);
  int same = 0;
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(one->due_ns(), other->due_ns());
    const Message left = one->take(a);
    const Message right = other->take(b);
    different->take(c);
    ASSERT_EQ(left.is_read, right.is_read);
    ASSERT_EQ(left.client, right.client);
    ASSERT_LT(left.client, spec.clients);
    for (std::size_t j = 0; j < a.size(); ++j) {
      ASSERT_TRUE(std::tuple(a[j].x(), a[j].y(), a[j].color(), a[j].user()) ==
                  std::tuple(b[j].x(), b[j].y(), b[j].color(), b[j].user()));
      ASSERT_EQ(left.is_read, a[j].user() == 0) << "who only reads needs no cooldown";
      same += a[j].x() == c[j].x() && a[j].y() == c[j].y() ? 1 : 0;
    }
  }
  EXPECT_LT(same, 1000);
}

TEST(RplaceSource, AUserStaysOnOneSessionAndPausesForTheCooldown) {
  LoadSpec spec = small_spec();
  const auto source = make_source(spec);
  std::vector<canvas::Place> place(1);
  std::map<std::uint32_t, Message> latest;
  const std::int64_t cooldown_ns = spec.duration.count() / 864;
  for (int i = 0; i < 20'000; ++i) {
    const Message message = source->take(place);
    const auto [before, is_new] = latest.try_emplace(place[0].user(), message);
    if (is_new) continue;
    ASSERT_EQ(message.client, before->second.client);
    ASSERT_GE(message.due_ns - before->second.due_ns, cooldown_ns - 1);
    before->second = message;
  }
}

TEST(RplaceSource, HasTheColoursOfTheEvent) {
  const auto source = make_source(small_spec());
  std::vector<canvas::Place> places(64);
  std::map<std::uint32_t, int> colors;
  for (int i = 0; i < 2000; ++i) {
    source->take(places);
    for (const canvas::Place& place : places) ++colors[place.color()];
  }
  EXPECT_NEAR(colors[0x000000] / 128'000.0, 0.21, 0.01);
  EXPECT_NEAR(colors[0xFFFFFF] / 128'000.0, 0.20, 0.01);
  EXPECT_NEAR(colors[0xFF4500] / 128'000.0, 0.09, 0.01);
  EXPECT_EQ(colors.size(), 31u);
}

TEST(RplaceSource, AClosedLoopHasNoRateCurve) {
  LoadSpec spec = small_spec();
  spec.loop = Loop::closed;
  const auto source = make_source(spec);
  std::vector<canvas::Place> place(1);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(source->due_ns(), 0);
    source->take(place);
    EXPECT_GT(place[0].user(), 0u);
  }
}

}  // namespace
}  // namespace parley::load
