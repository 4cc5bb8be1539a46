#include "harness/check/convergence.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace parley::history {
namespace {

constexpr std::int64_t kMs = 1'000'000;

// What one replica applies at one moment.
struct Applied {
  std::int64_t ms = 0;
  std::uint32_t node = 0;  // from 1
  std::uint64_t cell = 0;
  std::uint64_t stamp = 0;  // its upper half
};

Convergence follow(const std::vector<Applied>& story, ConvergenceOptions options,
                   std::uint32_t nodes = 2) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t id = 1; id <= nodes; ++id) ids.push_back(id);
  ConvergenceMeter meter(std::move(options), ids);
  std::uint32_t sequence = 0;
  for (const Applied& applied : story) {
    meter.apply(applied.node - 1,
                {{applied.stamp, 0}, {1, ++sequence}, applied.cell, applied.ms * kMs});
  }
  return meter.finish();
}

ConvergenceOptions rows(std::size_t count) {
  ConvergenceOptions options;
  options.rows = count;
  return options;
}

using Rows = std::vector<std::uint64_t>;

TEST(Convergence, CountsTheCellsWhoseStampsDiffer) {
  // Cell 7 is divergent from 10 to 20 and from 150 to 350, cell 8 from 160 to 170.
  const Convergence result = follow({{10, 1, 7, 1},
                                     {20, 2, 7, 1},
                                     {150, 2, 7, 2},
                                     {160, 1, 8, 3},
                                     {170, 2, 8, 3},
                                     {350, 1, 7, 2}},
                                    rows(5));
  EXPECT_EQ(result.divergent_cells, (Rows{1, 2, 1, 1, 0}));
  EXPECT_EQ(result.divergent_cells_max, 2U);
  EXPECT_EQ(result.converged_ms, 190) << "the last write is that of 160";
}

TEST(Convergence, WhatWasBeforeTheWindowIsNotCounted) {
  ConvergenceOptions options = rows(2);
  options.zero_ns = 100 * kMs;
  // Both are divergent in the warm-up, one still as the window begins.
  const Convergence result =
      follow({{10, 1, 7, 1}, {20, 1, 8, 2}, {30, 2, 8, 2}, {120, 2, 7, 1}}, options);
  EXPECT_EQ(result.divergent_cells, (Rows{1, 0}));
  EXPECT_EQ(result.divergent_cells_max, 1U);
}

TEST(Convergence, AnOlderWriteThatComesLateMakesNothingEqual) {
  // Two concurrent writes of a cell: both replicas end with the higher stamp, at 30.
  const Convergence result = follow({{10, 1, 7, 5}, {12, 2, 7, 4}, {30, 2, 7, 5}}, rows(1));
  EXPECT_EQ(result.divergent_cells, (Rows{1}));
  EXPECT_EQ(result.converged_ms, 20);
}

TEST(Convergence, ReplicasThatNeverAgreeDoNotConverge) {
  const Convergence result = follow({{10, 1, 7, 5}}, rows(2));
  EXPECT_EQ(result.divergent_cells, (Rows{1, 1}));
  EXPECT_FALSE(result.converged_ms);
}

TEST(Convergence, TheDeadAreNotCompared) {
  ConvergenceOptions options = rows(4);
  options.absences = {{.node = 3, .from_ns = 150 * kMs}};
  // Only node 3 had the write of cell 7 when it died; the write of 160 reaches both others.
  const Convergence result = follow({{110, 3, 7, 1}, {160, 1, 8, 2}, {190, 2, 8, 2}}, options, 3);
  EXPECT_EQ(result.divergent_cells, (Rows{0, 1, 0, 0}));
  EXPECT_EQ(result.converged_ms, 30);
}

TEST(Convergence, WhoReturnsIsComparedAgain) {
  ConvergenceOptions options = rows(4);
  options.absences = {{.node = 2, .from_ns = 50 * kMs, .until_ns = 250 * kMs}};
  options.healed_ns = {250 * kMs};
  const Convergence result = follow({{120, 1, 7, 1}, {290, 2, 7, 1}}, options);
  EXPECT_EQ(result.divergent_cells, (Rows{0, 0, 1, 0}));
  EXPECT_EQ(result.after_healing_ms, (std::vector<std::optional<double>>{40}));
}

TEST(Convergence, AfterHealingOnlyWhatWasMadeBeforeCounts) {
  ConvergenceOptions options = rows(4);
  options.healed_ns = {100 * kMs, 200 * kMs, 390 * kMs};
  // At 100 the cells 7 and 8 are divergent. Node 1 gets something newer for cell 7 at 130, node 2
  // the write of cell 8 at 145; cell 9, written at 110, is divergent until 380. At 200 only cell 9
  // is, at 390 none.
  const Convergence result = follow({{50, 2, 7, 1},
                                     {60, 1, 8, 2},
                                     {110, 1, 9, 3},
                                     {130, 1, 7, 4},
                                     {145, 2, 8, 2},
                                     {150, 2, 7, 4},
                                     {380, 2, 9, 3}},
                                    options);
  EXPECT_EQ(result.after_healing_ms, (std::vector<std::optional<double>>{45, 180, 0}));
}

TEST(Convergence, WhatNeverArrivesLeavesAHealingOpen) {
  ConvergenceOptions options = rows(1);
  options.healed_ns = {20 * kMs};
  EXPECT_EQ(follow({{10, 1, 7, 1}}, options).after_healing_ms,
            (std::vector<std::optional<double>>{std::nullopt}));
}

TEST(Convergence, UnderAnOrderReplicasOnlyLag) {
  ConvergenceOptions options = rows(3);
  options.ordered = true;
  options.healed_ns = {100 * kMs};
  // At 100 node 2 lacks the indices 2 and 3, which it has at 140. Index 4 comes at 120 and 160.
  const Convergence result = follow({{10, 1, 7, 1},
                                     {20, 2, 7, 1},
                                     {30, 1, 8, 2},
                                     {40, 1, 7, 3},
                                     {120, 1, 9, 4},
                                     {130, 2, 8, 2},
                                     {140, 2, 7, 3},
                                     {160, 2, 9, 4}},
                                    options);
  EXPECT_TRUE(result.divergent_cells.empty());
  EXPECT_FALSE(result.divergent_cells_max);
  EXPECT_EQ(result.after_healing_ms, (std::vector<std::optional<double>>{40}));
  EXPECT_EQ(result.converged_ms, 40);
}

TEST(Convergence, ASnapshotCatchesUpWithoutLines) {
  ConvergenceOptions options = rows(1);
  options.ordered = true;
  ConvergenceMeter meter(options, {1, 2});
  meter.apply(0, {{5, 0}, {1, 1}, 7, 10 * kMs});
  // Index 9, beyond the last one with a write: there is nothing that node 2 lacks.
  meter.apply(1, {{9, 0}, {}, 0, 25 * kMs});
  EXPECT_EQ(meter.finish().converged_ms, 15);
}

class ConvergenceFiles : public testing::Test {
 protected:
  ConvergenceFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "parley-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    folder_ = name;
    std::filesystem::create_directory(folder_ / "nodes");
  }
  ~ConvergenceFiles() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  void journal(int node, const std::string& text) const {
    std::ofstream(folder_ / "nodes" / (std::to_string(node) + ".applied.csv")) << text;
  }
  std::filesystem::path folder_;
};

TEST_F(ConvergenceFiles, JournalsAreReadSideBySide) {
  journal(1, "stamp,client,seq,cell,t_ns\n0a,1,1,7,10000000\n0c,1,2,7,30000000\n");
  journal(3, "stamp,client,seq,cell,t_ns\n0a,1,1,7,20000000\n0c,1,2,7,35000000\n0d,1,3");
  const auto result = measure_convergence(folder_, rows(1));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->divergent_cells, (Rows{1}));
  EXPECT_EQ(result->converged_ms, 5);
}

TEST_F(ConvergenceFiles, WithoutTimesNothingIsClaimed) {
  EXPECT_FALSE(measure_convergence(folder_, rows(1))) << "no journals";
  journal(1, "stamp,client,seq,cell\n0a,1,1,7\n");
  EXPECT_FALSE(measure_convergence(folder_, rows(1)));
}

}  // namespace
}  // namespace parley::history
