#include "harness/diff/result_set.h"

#include "harness/diff/diff.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

namespace parley::diff {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class ResultSets : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("parley-diff-") +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  void write_run(const std::string& run) {
    write(run + "/manifest.json", R"({"algorithm":"raft"})");
    write(run + "/summary.json", R"({"completed":1})");
  }

  fs::path folder_;
};

TEST_F(ResultSets, AreRunsOfASweepInOrder) {
  write_run("002-b");
  write_run("001-a");
  write("003-c/manifest.json", "{}");
  write("sweep.json", "{}");
  const ResultSet set = read_result_set(folder_);
  ASSERT_EQ(set.runs.size(), 2U);
  EXPECT_EQ(set.runs[0].name, "001-a");
  EXPECT_EQ(set.runs[1].name, "002-b");
  EXPECT_EQ(set.failed, std::vector<std::string>{"003-c"});
}

TEST_F(ResultSets, WhatFailedIsNoMeasurementAlsoIfItHasFigures) {
  write_run("001-a");
  write_run("002-b");
  write("002-b/manifest.json",
        R"({"algorithm":"raft","notes":["warm-up extended","failed: node 2 ended by itself"]})");
  const ResultSet set = read_result_set(folder_);
  ASSERT_EQ(set.runs.size(), 1U);
  EXPECT_EQ(set.runs[0].name, "001-a");
  EXPECT_EQ(set.failed, std::vector<std::string>{"002-b"});
}

TEST_F(ResultSets, AreWithoutTheBaseline) {
  write_run("001-a");
  write_run("baseline-01");
  write("baseline-01/manifest.json", R"({"algorithm":"unreplicated","baseline":true})");
  const ResultSet set = read_result_set(folder_);
  ASSERT_EQ(set.runs.size(), 1U);
  EXPECT_EQ(set.runs[0].name, "001-a");
}

TEST_F(ResultSets, MayHaveManifestsWithValuesOfOtherKinds) {
  write_run("001-a");
  write("001-a/manifest.json",
        R"({"algorithm":7,"baseline":"no","loop":[],"options":3,"nodes":{}})");
  const ResultSet set = read_result_set(folder_);
  ASSERT_EQ(set.runs.size(), 1U);
  EXPECT_EQ(compare_results(set, set, {{"completed"}, 0.05}).points.size(), 1U);
}

TEST_F(ResultSets, AreAlsoASingleRunOrSeveralSweeps) {
  write_run("one/001-a");
  write_run("other/001-a");
  EXPECT_EQ(read_result_set(folder_).runs.size(), 2U);
  EXPECT_EQ(read_result_set(folder_ / "one/001-a").runs.size(), 1U);
}

TEST_F(ResultSets, NameWhatTheyCannotRead) {
  EXPECT_THROW(read_result_set(folder_ / "nowhere"), ResultError);
  EXPECT_THROW(read_result_set(folder_), ResultError) << "no run in it";
  write("001-a/manifest.json", "{}");
  write("001-a/summary.json", "{\"completed\":");
  try {
    read_result_set(folder_);
    ADD_FAILURE() << "read a broken file";
  } catch (const ResultError& error) {
    EXPECT_NE(std::string(error.what()).find("001-a/summary.json"), std::string::npos);
  }
}

TEST(ResultValues, AreFoundByTheirDottedNames) {
  const json summary = {{"latency_us", {{"p99", 7.5}, {"max", ">5000000"}}}, {"completed", 3}};
  EXPECT_EQ(value_at(summary, "completed"), 3);
  EXPECT_EQ(value_at(summary, "latency_us.p99"), 7.5);
  EXPECT_TRUE(std::isinf(value_at(summary, "latency_us.max").get<double>()));
  EXPECT_TRUE(value_at(summary, "latency_us.p98").is_null());
  EXPECT_TRUE(value_at(summary, "completed.p98").is_null());
}

}  // namespace
}  // namespace parley::diff
