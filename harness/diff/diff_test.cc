#include "harness/diff/diff.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace parley::diff {
namespace {

using nlohmann::json;

json manifest_of(const std::string& algorithm, double rate) {
  return {{"algorithm", algorithm},
          {"nodes", 3},
          {"rate", rate},
          {"loop", "open"},
          {"durability", "none"},
          {"faults", "none"},
          {"options", {{"pipeline", 8}}},
          {"host", {{"cpu", "a processor"}, {"cores", 2}}}};
}

json summary_of(double rate, double p99) {
  return {{"achieved_ops_per_s", rate},
          {"latency_us", {{"p50", 100}, {"p99", p99}}},
          {"cpu_s_per_mops", {{"nodes", 5}}},
          {"recovery", json::array()}};
}

// Repetitions of one point whose rate and p99 are as given.
ResultSet set_of(const json& manifest, const std::vector<double>& rates, double p99 = 900) {
  ResultSet set;
  for (const double rate : rates) {
    json one = manifest;
    one["repetition"] = set.runs.size() + 1;
    set.runs.push_back({"run" + std::to_string(set.runs.size()), one, summary_of(rate, p99)});
  }
  return set;
}

const std::vector<double> kFive = {1000, 1010, 990, 1005, 1002};
const std::vector<double> kFiveHalf = {500, 510, 490, 505, 502};
const DiffOptions kRate{{"achieved_ops_per_s"}, 0.05};

TEST(Diff, OfTheSameThingFindsNothing) {
  const json manifest = manifest_of("raft", 10000);
  const Diff diff =
      compare_results(set_of(manifest, kFive), set_of(manifest, {1001, 992, 1008, 1003, 999}), {});
  ASSERT_EQ(diff.points.size(), 1U);
  EXPECT_EQ(diff.points[0].comparisons.size(), 4U);
  EXPECT_EQ(verdict_of(diff), Verdict::same);
  EXPECT_TRUE(diff.points[0].treatment.empty());
}

TEST(Diff, FindsADifferenceAndNamesWhatWasChanged) {
  const json manifest = manifest_of("raft", 10000);
  json other = manifest;
  other["options"]["pipeline"] = 1;
  const Diff diff = compare_results(set_of(manifest, kFive), set_of(other, kFiveHalf), {});
  ASSERT_EQ(diff.points.size(), 1U);
  EXPECT_EQ(verdict_of(diff), Verdict::differs);
  const Comparison& rate = diff.points[0].comparisons[0];
  EXPECT_EQ(rate.metric, "achieved_ops_per_s");
  EXPECT_EQ(rate.verdict, Verdict::differs);
  EXPECT_NEAR(rate.test.ratio->estimate, 0.5, 0.01);
  EXPECT_EQ(diff.points[0].comparisons[1].verdict, Verdict::same) << "p50 is the same";
  ASSERT_EQ(diff.points[0].treatment.size(), 1U);
  EXPECT_EQ(diff.points[0].treatment[0].name, "options.pipeline");
}

TEST(Diff, RefusesWhatWasMeasuredUnderOtherConditions) {
  const json manifest = manifest_of("raft", 10000);
  json durable = manifest;
  durable["durability"] = "group_commit";
  const Diff diff = compare_results(set_of(manifest, kFive), set_of(durable, kFiveHalf), {});
  EXPECT_TRUE(diff.points.empty());
  ASSERT_EQ(diff.unlike.size(), 1U);
  ASSERT_EQ(diff.unlike[0].conditions.size(), 1U);
  EXPECT_EQ(diff.unlike[0].conditions[0].name, "durability");
  EXPECT_EQ(verdict_of(diff), Verdict::cannot_tell);
  EXPECT_NE(to_text(diff, 0.05).find("NOT COMPARABLE"), std::string::npos);
}

TEST(Diff, RefusesOtherHosts) {
  const json manifest = manifest_of("raft", 10000);
  json elsewhere = manifest;
  elsewhere["host"]["cores"] = 64;
  const Diff diff = compare_results(set_of(manifest, kFive), set_of(elsewhere, kFive), {});
  ASSERT_EQ(diff.unlike.size(), 1U);
  EXPECT_EQ(diff.unlike[0].conditions[0].name, "host.cores");
}

// Three against three: p is 0.1 at best.
TEST(Diff, SaysWhenTooFewRepetitionsCannotTell) {
  const json manifest = manifest_of("raft", 10000);
  const Diff diff =
      compare_results(set_of(manifest, {1000, 1001, 1002}), set_of(manifest, {1, 2, 3}), kRate);
  EXPECT_EQ(verdict_of(diff), Verdict::cannot_tell);
  EXPECT_NE(to_text(diff, 0.05).find("4 repetitions on each side could tell"), std::string::npos)
      << to_text(diff, 0.05);
}

TEST(Diff, SmallDifferencesAreNoneHoweverCertain) {
  const json manifest = manifest_of("raft", 10000);
  const std::vector<double> more = {1030, 1032, 1031, 1033, 1034};
  EXPECT_EQ(verdict_of(compare_results(set_of(manifest, kFive), set_of(manifest, more), kRate)),
            Verdict::same);
  EXPECT_EQ(verdict_of(compare_results(set_of(manifest, kFive), set_of(manifest, more),
                                       {{"achieved_ops_per_s"}, 0.01})),
            Verdict::differs);
}

// A p that convinces alone does not among many.
TEST(Diff, ManyComparisonsNeedMoreCertainty) {
  ResultSet a;
  ResultSet b;
  for (int rate = 1; rate <= 20; ++rate) {
    const json manifest = manifest_of("raft", rate);
    const ResultSet one = set_of(manifest, {1000, 1001, 1002, 1003});
    const ResultSet other =
        set_of(manifest, rate == 1 ? std::vector<double>{1, 2, 3, 4}
                                   : std::vector<double>{1000, 1001, 1002, 1003});
    a.runs.insert(a.runs.end(), one.runs.begin(), one.runs.end());
    b.runs.insert(b.runs.end(), other.runs.begin(), other.runs.end());
  }
  const Diff diff = compare_results(a, b, kRate);
  EXPECT_EQ(diff.points.size(), 20U);
  EXPECT_EQ(verdict_of(diff), Verdict::cannot_tell) << "0.029 twenty times is no surprise";
}

TEST(Diff, ComparesStrategiesWhereEachSideHasOne) {
  const Diff diff = compare_results(set_of(manifest_of("raft", 10000), kFive),
                                    set_of(manifest_of("gossip_lww", 10000), kFiveHalf), kRate);
  ASSERT_EQ(diff.points.size(), 1U);
  EXPECT_EQ(diff.points[0].treatment[0].name, "algorithm");
  EXPECT_EQ(verdict_of(diff), Verdict::differs);
}

TEST(Diff, SaysWhatOnlyOneSideHas) {
  ResultSet a = set_of(manifest_of("raft", 10000), kFive);
  a.failed.emplace_back("006-raft");
  const ResultSet b = set_of(manifest_of("raft", 20000), kFive);
  const Diff diff = compare_results(a, b, kRate);
  EXPECT_TRUE(diff.points.empty());
  EXPECT_EQ(diff.notes.size(), 3U);
  EXPECT_TRUE(std::ranges::find(diff.notes, "A: 006-raft failed and is left out") !=
              diff.notes.end());
}

TEST(Diff, ARecoveryThatNeverCameIsWorseThanAny) {
  json manifest = manifest_of("raft", 10000);
  manifest["faults"] = "kill-leader";
  ResultSet a = set_of(manifest, kFive);
  ResultSet b = set_of(manifest, kFive);
  for (auto& run : a.runs) run.summary["recovery"] = {{{"first_success_ms", 200}}};
  for (auto& run : b.runs) run.summary["recovery"] = {{{"first_success_ms", nullptr}}};
  const Diff diff = compare_results(a, b, {{"recovery.first_success_ms"}, 0.05});
  EXPECT_EQ(verdict_of(diff), Verdict::differs);
  EXPECT_EQ(diff.points[0].comparisons[0].test.larger, 1);
  const json read = json::parse(to_json(diff));
  EXPECT_EQ(read["points"][0]["comparisons"][0]["b"]["median"], "above the time-out");
}

TEST(Diff, TellsOfLimitedAndBrokenRuns) {
  const json manifest = manifest_of("raft", 10000);
  ResultSet a = set_of(manifest, kFive);
  a.runs[0].summary["generator"] = {{"limited", true}};
  a.runs[1].summary["consistency"] = {{"verdict", "fail"}};
  const Diff diff = compare_results(a, set_of(manifest, kFive), kRate);
  EXPECT_EQ(diff.points[0].notes.size(), 2U);
}

TEST(Diff, RefusesAMetricThatNobodyKnows) {
  const ResultSet set = set_of(manifest_of("raft", 10000), kFive);
  EXPECT_THROW(compare_results(set, set, {{"latency_us.p98"}, 0.05}), ResultError);
}

}  // namespace
}  // namespace parley::diff
