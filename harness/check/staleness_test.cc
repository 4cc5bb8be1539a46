#include "harness/check/staleness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "harness/check/checker.h"

namespace parley::history {
namespace {

constexpr std::int64_t kMs = 1'000'000;

TEST(Staleness, IsADistributionOverAllReads) {
  Staleness staleness;
  EXPECT_EQ(staleness.csv(), "unit,at_most,reads,share\n");
  staleness.add_fresh(10);
  staleness.turn_stale(1.0, 1);
  staleness.turn_stale(100.0, 1);
  staleness.turn_stale(1000.0, 3);
  EXPECT_EQ(staleness.reads(), 10U);
  EXPECT_EQ(staleness.csv(),
            "unit,at_most,reads,share\n"
            "ms,0,7,0.7\n"
            "ms,1,8,0.8\n"
            "ms,100,9,0.9\n"
            "ms,1000,10,1\n"
            "versions,0,7,0.7\n"
            "versions,1,9,0.9\n"
            "versions,3,10,1\n");
  EXPECT_EQ(staleness.ms_at(0.7), 0);
  EXPECT_DOUBLE_EQ(staleness.ms_at(0.9), 100);
  EXPECT_DOUBLE_EQ(staleness.ms_at(1), 1000);
  EXPECT_EQ(staleness.versions_at(0.7), 0U);
  EXPECT_EQ(staleness.versions_at(0.71), 1U);
  EXPECT_EQ(staleness.versions_at(1), 3U);
}

TEST(Staleness, WhatIsBeyondTheBinsIsInTheLast) {
  Staleness staleness;
  staleness.add_fresh(2);
  staleness.turn_stale(1e-9, 1);
  staleness.turn_stale(1e12, 1);
  EXPECT_GT(staleness.ms_at(1), 8e5);
}

TEST(Staleness, ManyVersionsAreRoundedUpToTwoDigits) {
  Staleness staleness;
  staleness.add_fresh(4);
  for (const std::uint64_t versions : {99, 100, 101, 1414}) staleness.turn_stale(1, versions);
  EXPECT_EQ(staleness.versions_at(0.25), 99U);
  EXPECT_EQ(staleness.versions_at(0.5), 100U);
  EXPECT_EQ(staleness.versions_at(0.75), 110U);
  EXPECT_EQ(staleness.versions_at(1), 1500U);
}

TEST(Visibility, IsAStepWhereNothingVaries) {
  const WarsLegs legs{.replicas = 2, .write = {5}, .ack = {1}, .read = {1}};
  const Visibility visibility(legs, 1);
  EXPECT_NEAR(visibility.within(0), 0.5, 0.01) << "half of the reads meet the origin";
  EXPECT_NEAR(visibility.within(2.9), 0.5, 0.01);
  EXPECT_EQ(visibility.within(3), 1);
  EXPECT_EQ(Visibility(legs, 1).within(0), visibility.within(0)) << "the same seed";
}

TEST(Visibility, IsThatOfExponentialDelays) {
  constexpr int kSamples = 20'000;
  WarsLegs legs{.replicas = 3, .write = {}, .ack = {0}, .read = {0}};
  for (int i = 0; i < kSamples; ++i) legs.write.push_back(-10 * std::log(1 - (i + 0.5) / kSamples));
  const Visibility visibility(legs, 7);
  for (const double t : {0.0, 1.0, 5.0, 10.0, 30.0, 60.0}) {
    EXPECT_NEAR(visibility.within(t), 1.0 / 3 + 2.0 / 3 * (1 - std::exp(-t / 10)), 0.01) << t;
  }
}

TEST(Visibility, WhatNeverComesIsNeverSeen) {
  const WarsLegs legs{.replicas = 4,
                      .write = {1, std::numeric_limits<double>::infinity()},
                      .ack = {0},
                      .read = {0}};
  EXPECT_NEAR(Visibility(legs, 3).within(1e9), 0.25 + 0.75 / 2, 0.01);
  EXPECT_FALSE((WarsLegs{.replicas = 2, .write = {}, .ack = {0}, .read = {0}}.complete()));
  EXPECT_TRUE((WarsLegs{.replicas = 1, .write = {}, .ack = {0}, .read = {0}}.complete()));
}

Operation operation(Kind kind, std::uint32_t client, std::uint32_t node, std::int64_t from_ms,
                    std::int64_t to_ms, std::uint64_t stamp) {
  Operation op;
  op.client = client;
  op.seq = 1;
  op.kind = kind;
  op.outcome = Outcome::ok;
  op.read_mode = ReadMode::local;
  op.x = 3;
  op.y = 4;
  op.invoke_ns = from_ms * kMs;
  op.return_ns = to_ms * kMs;
  op.node = node;
  op.version = {stamp, 0};
  return op;
}

Operation reads(std::uint32_t client, std::uint32_t node, std::int64_t from_ms, std::int64_t to_ms,
                std::uint64_t stamp) {
  Operation op = operation(Kind::read, client, node, from_ms, to_ms, stamp);
  if (stamp > 0) op.writer = Writer{static_cast<std::uint32_t>(stamp), 1};
  return op;
}

// Clients 1 and 2 write under the stamps 1 and 2 at node 1, which are acknowledged at 10 and 30 ms;
// node 2 applies them at 12 and 41 ms.
CheckResult recorded(const std::vector<Operation>& reads_made) {
  CheckOptions options;
  options.model = Model::convergent;
  options.canvas_width = 10;
  options.live_nodes = {1, 2};
  Checker checker(options);
  std::uint64_t line = 0;
  checker.add(operation(Kind::place, 1, 1, 6, 10, 1), ++line);
  checker.add(operation(Kind::place, 2, 1, 26, 30, 2), ++line);
  for (const Operation& read : reads_made) checker.add(read, ++line);
  checker.begin_journal(1);
  checker.add_applied({{1, 0}, {1, 1}, 43, 8 * kMs}, 2);
  checker.add_applied({{2, 0}, {2, 1}, 43, 28 * kMs}, 3);
  checker.begin_journal(2);
  checker.add_applied({{1, 0}, {1, 1}, 43, 12 * kMs}, 2);
  checker.add_applied({{2, 0}, {2, 1}, 43, 41 * kMs}, 3);
  return checker.finish();
}

TEST(Staleness, CountsMillisecondsAndVersionsOfEachRead) {
  const CheckResult result = recorded({
      reads(11, 2, 5, 7, 0),    // before any acknowledgement: nothing to miss
      reads(12, 1, 20, 22, 1),  // fresh
      reads(13, 2, 40, 44, 0),  // 30 ms and two versions behind
      reads(14, 2, 40, 42, 1),  // 10 ms and one version behind
      reads(15, 2, 50, 52, 2),  // fresh
  });
  EXPECT_EQ(result.staleness.reads(), 5U);
  EXPECT_EQ(result.consistency.stale_reads, 2U);
  EXPECT_EQ(result.consistency.stale_ms_max, 30);
  EXPECT_EQ(result.consistency.stale_versions_max, 2U);
  EXPECT_EQ(result.staleness.versions_at(0.6), 0U);
  EXPECT_EQ(result.staleness.versions_at(0.8), 1U);
  EXPECT_DOUBLE_EQ(result.staleness.ms_at(0.8), 10);
  EXPECT_EQ(result.consistency.stale_versions_p99, 2U);
}

const VisibilityBin& bin_at(const CheckResult& result, double t_ms) {
  return *std::find_if(result.visibility.begin(), result.visibility.end(),
                       [t_ms](const VisibilityBin& bin) { return t_ms < bin.high_ms; });
}

TEST(Visibility, MeasuresReadsAgainstTheNewestAcknowledgedWrite) {
  const CheckResult result = recorded({
      reads(11, 2, 5, 7, 0),    // no write was acknowledged yet: left out
      reads(12, 1, 20, 22, 1),  // 10 ms after the first write, and it saw it
      reads(13, 2, 40, 44, 0),  // 10 ms after the second, and it saw neither
      reads(14, 2, 40, 42, 1),  // likewise, only the first
      reads(15, 2, 80, 82, 2),  // 50 ms after the second
  });
  EXPECT_EQ(bin_at(result, 10).reads, 3U);
  EXPECT_EQ(bin_at(result, 10).seen, 1U);
  EXPECT_EQ(bin_at(result, 50).reads, 1U);
  EXPECT_EQ(bin_at(result, 50).seen, 1U);
}

TEST(Visibility, PredictsFromTheLegsThatTheRunShows) {
  const CheckResult result = recorded({reads(13, 2, 32, 34, 1), reads(14, 2, 80, 82, 2)});
  // W: 4 and 13 ms, A: 2 ms both, R: 1 ms both. At node 1 all is seen at once; at node 2 a write is
  // seen after 1 or 10 ms.
  ASSERT_TRUE(result.predicted);
  EXPECT_NEAR(bin_at(result, 0.5).predicted, 0.5, 0.01);
  EXPECT_NEAR(bin_at(result, 2).predicted, 0.75, 0.01);
  EXPECT_EQ(bin_at(result, 50).predicted, 1);
  EXPECT_NE(visibility_csv(result.visibility, true).find(",1\n"), std::string::npos);
  EXPECT_NE(visibility_csv(result.visibility, false).find(",1,0,\n"), std::string::npos);
}

TEST(Visibility, ANewerWriteThatComesFirstIsAsGood) {
  CheckOptions options;
  options.model = Model::convergent;
  options.canvas_width = 10;
  options.live_nodes = {1, 2};
  Checker checker(options);
  checker.add(operation(Kind::place, 1, 1, 6, 10, 1), 1);
  checker.add(operation(Kind::place, 2, 1, 11, 15, 2), 2);
  checker.add(reads(13, 2, 80, 82, 2), 3);
  checker.begin_journal(1);
  checker.add_applied({{1, 0}, {1, 1}, 43, 8 * kMs}, 2);
  checker.add_applied({{2, 0}, {2, 1}, 43, 13 * kMs}, 3);
  checker.begin_journal(2);
  checker.add_applied({{2, 0}, {2, 1}, 43, 28 * kMs}, 2);  // the first write never comes
  const CheckResult result = checker.finish();
  // W: 20 and 15 ms, A: 2 ms, R: 1 ms, so that node 2 shows a write after 17 or 12 ms. The bins
  // begin at 10, 13.3 and 17.8 ms.
  EXPECT_NEAR(bin_at(result, 9).predicted, 0.5, 0.01);
  EXPECT_NEAR(bin_at(result, 15).predicted, 0.75, 0.01);
  EXPECT_EQ(bin_at(result, 50).predicted, 1);
}

TEST(Visibility, WithoutLocalReadsThereIsNoCurve) {
  EXPECT_TRUE(recorded({}).visibility.empty());
  Operation read = reads(11, 1, 40, 42, 2);
  read.read_mode = ReadMode::linearizable;
  EXPECT_TRUE(recorded({read}).visibility.empty());
}

}  // namespace
}  // namespace parley::history
