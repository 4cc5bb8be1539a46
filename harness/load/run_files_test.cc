#include "harness/load/run_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/load/json.h"

namespace parley::load {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class RunFiles : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("run_files_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(RunFiles, Timeline) {
  LoadResult result;
  TimelineRow row;
  row.completed = 5;
  row.refused = 1;
  row.has_latency = true;
  row.p50 = {120.5, false};
  row.p99 = {5e6, true};
  row.leader = {3};
  row.lag = 4;
  row.divergent_cells = 9;
  result.timeline = {row, TimelineRow{.t_ms = 100, .p50 = {}, .p99 = {}, .leader = {}}};
  write_timeline_csv(path_, result);
  EXPECT_EQ(content(path_),
            "t_ms,completed,refused,unknown,unsent,p50_us,p99_us,leader,divergent_cells,lag\n"
            "0,5,1,0,0,120.500,>5000000,3,9,4\n"
            "100,0,0,0,0,,,,,\n");
}

TEST_F(RunFiles, Nodes) {
  LoadResult result;
  result.nodes = {{.t_ms = 0, .node = {2}, .placed = 3}, {100, {1}, 0, 4, 5}};
  write_nodes_csv(path_, result);
  EXPECT_EQ(content(path_), "t_ms,node,placed,read,refused\n0,2,3,0,0\n100,1,0,4,5\n");
}

TEST_F(RunFiles, Histogram) {
  LatencyHistogram histogram;
  histogram.add(500, 2);  // below a microsecond
  histogram.add(1'000'000, 7);
  histogram.add_endless(3);
  write_histogram_csv(path_, histogram);
  std::istringstream lines(content(path_));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "latency_us_low,latency_us_high,count");
  std::getline(lines, line);
  EXPECT_EQ(line, "0.000,1.000,2");
  std::getline(lines, line);
  double low = 0;
  double high = 0;
  unsigned count = 0;
  ASSERT_EQ(std::sscanf(line.c_str(), "%lf,%lf,%u", &low, &high, &count), 3);
  EXPECT_LE(low, 1000);
  EXPECT_GT(high, 1000);
  EXPECT_LT(high / low, 1.011);
  EXPECT_EQ(count, 7u);
  EXPECT_FALSE(std::getline(lines, line));
}

TEST_F(RunFiles, ThatCannotBeWrittenAreErrors) {
  EXPECT_THROW(write_timeline_csv("/nonexistent/timeline.csv", {}), std::system_error);
  EXPECT_THROW(write_histogram_csv("/nonexistent/histogram.csv", {}), std::system_error);
}

TEST(Summary, HasTheNamesOfTheInterface) {
  LoadResult result;
  result.completed = 98;
  result.unknown = 2;
  result.operation_timeout_us = 5e6;
  result.latency.add(1'000'000, 98);
  result.latency.add_endless(2);
  result.errors["unknown_no_answer"] = 2;
  const auto json = nlohmann::json::parse(summary_json(result));
  for (const char* name :
       {"offered_ops_per_s", "achieved_ops_per_s", "completed", "refused", "unknown", "unsent",
        "latency_us", "service_us", "generator", "warmup"}) {
    EXPECT_TRUE(json.contains(name)) << name;
  }
  for (const char* name : {"min", "p50", "p90", "p99", "p999", "max"}) {
    EXPECT_TRUE(json["latency_us"].contains(name)) << name;
    EXPECT_TRUE(json["service_us"].contains(name)) << name;
  }
  EXPECT_EQ(json["completed"], 98);
  EXPECT_EQ(json["latency_us"]["p50"], 1000.0);
  EXPECT_EQ(json["latency_us"]["p99"], ">5000000");
  EXPECT_EQ(json["latency_us"]["max"], ">5000000");
  EXPECT_EQ(json["generator"]["limited"], false);
  EXPECT_TRUE(json["generator"]["limited_by"].is_null());
  EXPECT_TRUE(json["generator"]["ceiling_ops_per_s"].is_null());
  EXPECT_EQ(json["errors"]["unknown_no_answer"], 2);
  EXPECT_FALSE(json.contains("replay"));
}

TEST(Summary, SaysHowTheGeneratorFared) {
  LoadResult result;
  result.generator.cpu_share = 0.5;
  result.generator.late_share = 0.25;
  result.generator.late_us = {10, 20, 30};
  result.generator.latency_share = {0.01, 0.02, 0.5};
  result.generator.ceiling_ops_per_s = 1e6;
  result.generator.limit = Limit::lateness;
  const auto own = nlohmann::json::parse(summary_json(result))["generator"];
  EXPECT_EQ(own, nlohmann::json::parse(R"({"cpu_share":0.5,"late_share":0.25,
      "late_us":{"p50":10.0,"p99":20.0,"max":30.0},
      "latency_share":{"p50":0.01,"p90":0.02,"p99":0.5},
      "ceiling_ops_per_s":1000000.0,"limited":true,"limited_by":"lateness"})"));
}

TEST(Spec, OfTheManifestSaysWhatMatters) {
  LoadSpec spec;
  spec.workload = "replay:a.csv";
  const auto json = nlohmann::json::parse(spec_json(spec));
  EXPECT_EQ(json["loop"], "open");
  EXPECT_EQ(json["arrivals"], "poisson");
  EXPECT_EQ(json["retry"], true);
  EXPECT_EQ(json["operation_timeout_ms"], 5000.0);
  EXPECT_EQ(json["replay_speed"], 1.0);
  EXPECT_FALSE(json.contains("window"));
  EXPECT_FALSE(json.contains("generator_ceiling"));
  spec.ceiling_ops_per_s = 1e6;
  const auto ceiling = nlohmann::json::parse(spec_json(spec))["generator_ceiling"];
  EXPECT_EQ(ceiling["ops_per_s"], 1e6);
  EXPECT_NE(ceiling["method"].get<std::string>().find("closed loop"), std::string::npos);
}

TEST(Report, GivesTheStateOrNothing) {
  EXPECT_EQ(
      parse_report(R"({"applied":3,"digest":18446744073709551615,"clients":{"in_flight":4}})"),
      (ReportedState{3, ~0ULL, 4}));
  EXPECT_EQ(parse_report(R"({"applied":3,"digest":5})"), (ReportedState{3, 5, 0}));
  EXPECT_EQ(parse_report("{}"), std::nullopt);
  EXPECT_EQ(parse_report("nonsense"), std::nullopt);
  EXPECT_EQ(parse_report(R"({"applied":-3,"digest":5})"), std::nullopt);
}

}  // namespace
}  // namespace parley::load
