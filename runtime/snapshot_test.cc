#include "runtime/snapshot.h"

#include <gtest/gtest.h>

#include "algorithms/contract/random.h"
#include "runtime/snapshot_keeper.h"

namespace parley {
namespace {

constexpr StateShape kShape{100'000, 64, 0};

// A state with some cells and sessions, as applying leaves it.
struct Made {
  Store store{kShape.key_count};
  SessionTable sessions{kShape.max_sessions, kShape.first_session};

  explicit Made(std::uint64_t seed, std::uint32_t writes = 30'000) {
    Random random(seed);
    for (std::uint64_t nonce = 0; nonce < 40; ++nonce) sessions.open(seed * 1000 + nonce);
    for (std::uint32_t slot = 0; slot < 40; slot += 7) sessions.expire(slot + 1, 0);
    for (std::uint64_t i = 1; i <= writes; ++i) {
      const Key key{static_cast<std::uint32_t>(random.below(kShape.key_count))};
      Result result;
      result.session = 2;
      result.sequence = static_cast<std::uint32_t>(i);
      result.stamp = {i, random.below(300)};
      result.value = random.bits();
      result.code = static_cast<std::uint16_t>(random.below(4));
      store.write(key, result.value, result.stamp, {result.session, result.sequence});
      sessions.record(result);
    }
  }

  FrozenState freeze() { return {LogIndex{77}, 30'000, store.freeze(), sessions.freeze()}; }
};

std::string problem_with(const Snapshot& snapshot, const StateShape& shape = kShape) {
  std::string error;
  const auto state = decode_snapshot(snapshot.id, snapshot.parts, shape, error);
  EXPECT_EQ(state == nullptr, !error.empty());
  return error;
}

// The id of parts that were tampered with, so that only their contents are looked at.
void sign(Snapshot& snapshot) {
  snapshot.id.parts = static_cast<std::uint32_t>(snapshot.parts.size());
  snapshot.id.sum = sum_of(snapshot.parts);
}

TEST(Snapshot, GivesTheStateBack) {
  Made made(1);
  const Snapshot snapshot = encode_snapshot(made.freeze());
  EXPECT_GT(snapshot.parts.size(), 2U);
  EXPECT_EQ(snapshot.id.index, LogIndex{77});
  std::string error;
  const auto state = decode_snapshot(snapshot.id, snapshot.parts, kShape, error);
  ASSERT_NE(state, nullptr) << error;
  EXPECT_EQ(state->index, LogIndex{77});
  EXPECT_EQ(state->commands_applied, 30'000U);
  EXPECT_EQ(state->store.digest(), made.store.digest());
  for (std::uint32_t key = 0; key < kShape.key_count; ++key) {
    ASSERT_EQ(state->store.at(Key{key}), made.store.at(Key{key})) << key;
  }
  EXPECT_EQ(state->sessions.size(), made.sessions.size());
  Result again;
  EXPECT_EQ(state->sessions.look_up(2, 30'000, again), SessionTable::Seen::repeated);
  EXPECT_EQ(again.stamp.major, 30'000U);
  EXPECT_EQ(state->sessions.look_up(1, 1, again), SessionTable::Seen::expired);
  EXPECT_EQ(state->sessions.open(1001), made.sessions.open(1001)) << "a session that was open";
  EXPECT_EQ(state->sessions.open(5), made.sessions.open(5)) << "in the lowest free place";
  const Snapshot same = encode_snapshot(
      {state->index, state->commands_applied, state->store.freeze(), state->sessions.freeze()});
  EXPECT_NE(same.id, snapshot.id) << "two sessions were opened since";
}

TEST(Snapshot, EqualStatesMakeEqualBytes) {
  Made made(2);
  const Snapshot first = encode_snapshot(made.freeze());
  std::string error;
  const auto state = decode_snapshot(first.id, first.parts, kShape, error);
  ASSERT_NE(state, nullptr) << error;
  const Snapshot second = encode_snapshot(
      {state->index, state->commands_applied, state->store.freeze(), state->sessions.freeze()});
  EXPECT_EQ(first.id, second.id);
  EXPECT_EQ(encode_snapshot(Made(3).freeze()).id == first.id, false);
}

TEST(Snapshot, AnEmptyStateHasOnePart) {
  Store store(10);
  SessionTable sessions(5);
  const Snapshot snapshot = encode_snapshot({LogIndex{1}, 0, store.freeze(), sessions.freeze()});
  EXPECT_EQ(snapshot.parts.size(), 1U);
  EXPECT_EQ(problem_with(snapshot, {10, 5, 0}), "");
}

TEST(Snapshot, WhatIsNotWholeIsRefused) {
  Made made(4);
  const Snapshot whole = encode_snapshot(made.freeze());

  Snapshot other = whole;
  other.parts.pop_back();
  EXPECT_EQ(problem_with(other), "the parts are not those of the snapshot");
  sign(other);
  EXPECT_EQ(problem_with(other), "the parts do not make up the state that part 0 tells of");

  other = whole;
  std::swap(other.parts[1], other.parts[2]);
  sign(other);
  EXPECT_EQ(problem_with(other), "part 2 is not readable") << "cells in the wrong order";

  other = whole;
  other.parts.erase(other.parts.begin());
  sign(other);
  EXPECT_EQ(problem_with(other), "part 0 is not the head of the snapshot");

  EXPECT_EQ(problem_with(whole, {99'999, 64, 0}),
            "the snapshot is of 100000 cells, here are 99999");
  EXPECT_NE(problem_with(whole, {100'000, 8, 0}), "") << "more sessions than fit";
}

TEST(Snapshot, NoFlippedBitGoesUnnoticed) {
  Made made(5, 200);
  const Snapshot whole = encode_snapshot(made.freeze());
  Random random(6);
  for (int trial = 0; trial < 500; ++trial) {
    Snapshot other = whole;
    const std::size_t part = random.below(other.parts.size());
    std::vector<std::byte> bytes(other.parts[part].bytes().begin(),
                                 other.parts[part].bytes().end());
    bytes[random.below(bytes.size())] ^= std::byte{1} << random.below(8);
    other.parts[part] = Block::copy_of(bytes);
    EXPECT_NE(problem_with(other), "");
    sign(other);  // as if only this part's own sum could tell
    EXPECT_NE(problem_with(other), "");
  }
}

TEST(Snapshot, AFrozenStateStaysAsItWas) {
  Made made(7);
  const FrozenState frozen = made.freeze();
  Result late;
  late.session = 2;
  late.sequence = 30'001;
  late.stamp = {99'999, 0};
  made.sessions.record(late);
  made.sessions.open(123'456);
  made.store.write(Key{1}, 5, {99'999, 0}, {2, 30'001});
  std::string error;
  const Snapshot snapshot = encode_snapshot(frozen);
  const auto state = decode_snapshot(snapshot.id, snapshot.parts, kShape, error);
  ASSERT_NE(state, nullptr) << error;
  Result result;
  EXPECT_EQ(state->sessions.look_up(2, 30'001, result), SessionTable::Seen::fresh);
  EXPECT_NE(state->store.digest(), made.store.digest());
}

TEST(SnapshotTask, ThatCannotBeSavedSaysWhy) {
  Made made(8);
  SnapshotTask task;
  task.state = made.freeze();
  const auto result = run_snapshot_task(
      std::move(task), [](const Snapshot&) { throw std::runtime_error("no space left"); });
  EXPECT_EQ(result.snapshot, nullptr);
  EXPECT_EQ(result.error, "no space left");
}

// A replica may have no use for it.
TEST(SnapshotKeeper, WhatIsNotPutInUseGivesWayToANewerOne) {
  constexpr StateShape kFew{8, 4, 0};
  SnapshotKeeper keeper(100, kFew);
  const auto make = [&keeper](std::uint64_t index) {
    keeper.make({LogIndex{index}, 0, Store(8).freeze(), {}});
    keeper.done(run_snapshot_task(*keeper.take_task(), nullptr));
    ASSERT_EQ(keeper.controls().size(), 1U);
    EXPECT_EQ(keeper.controls()[0].snapshot.index, LogIndex{index});
    Effects unused;
    EXPECT_EQ(keeper.take(unused), "");
  };
  keeper.applied_bytes(100);
  ASSERT_TRUE(keeper.due());
  make(1);
  keeper.applied_bytes(199);
  EXPECT_FALSE(keeper.due());
  keeper.applied_bytes(1);
  ASSERT_TRUE(keeper.due());
  make(2);
  Effects used;
  used.writes.push_back({Write::Kind::snapshot, Ticket{1}, LogIndex{2}, {}, {}});
  EXPECT_EQ(keeper.take(used), "");
  ASSERT_NE(keeper.in_use(), nullptr);
  EXPECT_EQ(keeper.in_use()->id.index, LogIndex{2});
  keeper.applied_bytes(100);
  EXPECT_TRUE(keeper.due());
}

}  // namespace
}  // namespace parley
