#include "harness/load/settle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "harness/load/fake_node.h"
#include "harness/load/node_client.h"
#include "runtime/live/test_folder.h"

namespace parley::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

std::string report(int applied, int digest, int in_flight) {
  return "{\"applied\":" + std::to_string(applied) + ",\"digest\":" + std::to_string(digest) +
         ",\"clients\":{\"in_flight\":" + std::to_string(in_flight) + "}}";
}

TEST(Quiescence, IsReachedWhenAllAgree) {
  FakeNode one({1});
  FakeNode two({2});
  const Quiescence found = wait_quiescent({one.target(), two.target()}, seconds(30));
  EXPECT_TRUE(found.settled);
  EXPECT_EQ(found.problem, "");
}

TEST(Quiescence, IsWaitedFor) {
  FakeNode one({1});
  FakeNode two({2});
  one.set_report(report(8, 1, 0));
  two.set_report(report(7, 2, 0));
  std::thread later([&two] {
    std::this_thread::sleep_for(milliseconds(150));
    two.set_report(report(8, 1, 0));
  });
  EXPECT_TRUE(wait_quiescent({one.target(), two.target()}, seconds(30)).settled);
  later.join();
}

TEST(Quiescence, SaysWhatIsInTheWay) {
  FakeNode one({1});
  FakeNode two({2});
  one.set_report(report(8, 1, 0));
  two.set_report(report(8, 2, 0));
  const std::vector<Target> both = {one.target(), two.target()};
  const Quiescence differ = wait_quiescent(both, milliseconds(200));
  EXPECT_FALSE(differ.settled);
  EXPECT_THAT(differ.problem, HasSubstr("node 1 has applied 8 with digest 1"));
  EXPECT_THAT(differ.problem, HasSubstr("node 2 has applied 8 with digest 2"));
  two.set_report(report(8, 1, 3));
  EXPECT_THAT(wait_quiescent(both, milliseconds(200)).problem, HasSubstr("3 requests in flight"));
  two.set_report("nonsense");
  EXPECT_THAT(wait_quiescent(both, milliseconds(200)).problem, HasSubstr("node 2 does not report"));
  two.stall(true);
  EXPECT_FALSE(wait_quiescent(both, milliseconds(200)).settled);
}

class FinalReadsTest : public testing::Test {
 protected:
  TestFolder folder_;  // of its own: tests run beside each other
  std::filesystem::path path_ = folder_.path() / "final_reads.jsonl";
};

TEST_F(FinalReadsTest, EveryCellOfEveryNodeIsRead) {
  const FakeNode::Script ok = [](const FakeNode::Seen&) { return FakeNode::Reaction{}; };
  FakeNode one({1}, ok);
  FakeNode two({2}, ok);
  history::HistoryWriter writer(path_);
  LoadSpec spec;
  spec.targets = {one.target()};
  spec.canvas_width = 100;
  spec.canvas_height = 100;
  spec.rate = 20'000;
  spec.clients = 64;
  spec.warmup = Duration{};
  spec.duration = milliseconds(500);
  spec.history = &writer;
  std::set<std::uint32_t> touched;
  while (touched.size() <= 4096) {  // more than one query's worth, however slow the machine is
    const LoadResult result = run_load(spec);
    touched.insert(result.touched_cells.begin(), result.touched_cells.end());
    ++spec.seed;
  }
  const std::vector<std::uint32_t> cells(touched.begin(), touched.end());
  const FinalReads reads = final_reads({one.target(), two.target()}, cells, writer);
  writer.close();
  EXPECT_EQ(reads.written, 2 * cells.size());
  EXPECT_TRUE(reads.problems.empty());
  std::uint64_t of_one = 0;
  std::uint64_t of_two = 0;
  history::read_history(path_, [&](const history::Operation& operation, std::uint64_t) {
    if (operation.read_mode != history::ReadMode::final || operation.kind != history::Kind::read) {
      return;
    }
    EXPECT_EQ(operation.writer.has_value(), operation.node == 1) << "only node 1 was painted";
    ++(operation.node == 1 ? of_one : of_two);
  });
  EXPECT_EQ(of_one, cells.size());
  EXPECT_EQ(of_two, cells.size());
}

TEST_F(FinalReadsTest, ANodeThatRefusesIsReported) {
  FakeNode node({1},
                [](const FakeNode::Seen&) { return FakeNode::Reaction{FakeNode::Answer::refuse}; });
  FakeNode silent(
      {2}, [](const FakeNode::Seen&) { return FakeNode::Reaction{FakeNode::Answer::silence}; });
  history::HistoryWriter writer(path_);
  const FinalReads reads =
      final_reads({node.target(), silent.target()}, {1U << 16 | 2U}, writer, seconds(2));
  EXPECT_EQ(reads.written, 0u);
  EXPECT_THAT(reads.problems, testing::ElementsAre("node 1: final reads failed: no_leader",
                                                   "node 2: final reads failed: no answer"));
}

TEST(Sessions, AreOpenedInPartsAndHaveDifferentIds) {
  FakeNode node({1});
  LoadSpec spec;
  spec.targets = {node.target()};
  spec.clients = 3000;
  std::vector<std::uint32_t> ids = open_sessions(spec).front();
  EXPECT_EQ(ids.size(), 3000u);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
  EXPECT_EQ(ids.front(), 1u);
}

TEST(Sessions, AreOpenedAtTheNextNodeWhenOneDoesNotAnswer) {
  FakeNode stalled({1});
  stalled.stall(true);
  FakeNode node({2});
  LoadSpec spec;
  spec.targets = {stalled.target(), node.target()};
  spec.clients = 10;
  EXPECT_EQ(open_sessions(spec).front().size(), 10u);
}

}  // namespace
}  // namespace parley::load
