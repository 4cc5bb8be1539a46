// What the checks of merge strategies hold an execution to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/sim/checker.h"

namespace parley::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint32_t kKey = 3;
constexpr std::uint64_t kValue = (std::uint64_t{1} << 32) | 1;  // the first write of client 0

class MergeCheckerTest : public ::testing::Test {
 protected:
  MergeCheckerTest() {
    WriteOperation write;
    write.command.key = kKey;
    write.command.value = kValue;
    write.attempts = 2;
    history_.clients.resize(1);
    history_.clients[0].writes.push_back(write);
    checker_->started(1);
    checker_->started(2);
  }

  static Stamp stamp(std::uint64_t time, std::uint64_t node) { return {time, node << 32}; }

  void reads(std::uint32_t node, Stamp seen, Stamp found) {
    ReadOperation read;
    read.key = kKey;
    read.seen = seen;
    Cell cell;
    cell.stamp = found;
    checker_->answered(node, /*client=*/0, read, cell);
  }

  Engine engine_{1, nullptr};
  History history_;
  const Guarantee guarantee_{.ordered = false};
  std::unique_ptr<Checker> checker_ = make_merge_checker(
      engine_, history_, guarantee_, MergePromise{.sessions_move = true}, /*nodes=*/2);
};

// A crash may take what was not acknowledged from under a client that has seen it. That a retry of
// the same write is acknowledged, under another stamp, brings nothing back.
TEST_F(MergeCheckerTest, WhatAClientHasSeenIsOwedToItIfThatVeryAttemptWasAcknowledged) {
  const Stamp lost = stamp(50, 1);
  const Stamp kept = stamp(40, 2);
  checker_->applied(1, {Key{kKey}, lost, {}, kValue});
  checker_->started(1);
  checker_->applied(2, {Key{kKey}, kept, {}, kValue});
  Result result;
  result.outcome = Outcome::ok;
  result.stamp = kept;
  checker_->acknowledged(2, /*client=*/0, /*sequence=*/1, result);
  reads(2, /*seen=*/lost, /*found=*/kept);
  EXPECT_THAT(engine_.violations, IsEmpty());
  reads(1, /*seen=*/kept, /*found=*/Stamp{});
  EXPECT_THAT(engine_.violations, ElementsAre(HasSubstr("sessions: node 1 answered client 0")));
}

}  // namespace
}  // namespace parley::sim
