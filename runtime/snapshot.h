// A state of the applier as bytes, in parts that travel and are stored on their own.
//
// Equal states make equal bytes, on every replica and with every compiler: a transfer that one
// leader began can be continued by another. Reading withstands any bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/effects.h"
#include "algorithms/contract/store.h"
#include "runtime/sessions.h"

namespace parley {

// The state after the run of `index`, which no later run changes. May go to another thread.
struct FrozenState {
  LogIndex index;
  std::uint64_t commands_applied = 0;
  FrozenStore store;
  FrozenSessions sessions;
};

// The same for an applier to go on from.
struct RestoredState {
  LogIndex index;
  std::uint64_t commands_applied = 0;
  Store store;
  SessionTable sessions;
};

// An encoded state. Immutable.
struct Snapshot {
  SnapshotId id;
  std::uint64_t bytes = 0;  // of all parts
  std::vector<Block> parts;
};

// About how large a part becomes. Part 0 is small and says what the others hold.
inline constexpr std::size_t kSnapshotPartBytes = 256U << 10;
// A part is never larger.
inline constexpr std::size_t kMaxSnapshotPartBytes = kSnapshotPartBytes + 4096;

// Takes about 40 ns a written cell.
Snapshot encode_snapshot(const FrozenState& state);

// What a state must fit to be taken over.
struct StateShape {
  std::uint32_t key_count = 0;
  std::uint32_t max_sessions = 0;
  std::uint32_t first_session = 0;
};

// The state of `id` from all its parts; null, and `error` says why, if they are not what
// encode_snapshot makes, or do not fit.
std::unique_ptr<RestoredState> decode_snapshot(const SnapshotId& id, std::span<const Block> parts,
                                               const StateShape& shape, std::string& error);

// Covers the bytes and the order of the parts.
std::uint32_t sum_of(std::span<const Block> parts);

}  // namespace parley
