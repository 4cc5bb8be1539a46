// What the nodes of the textbook variant say to each other. messages.fbs holds the wire format.
//
// Bully: heartbeat, election, answer, coordinator. Two-phase commit: forward, refuse, prepare,
// vote, outcome, inquire. What is equal and what is not: hash, tiles, want, cells.
#pragma once

#include <cstdint>

#include "algorithms/contract/command.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/stamp.h"

namespace parley::bully_2pc::textbook {

// Nanoseconds since 1970 by the clock of a coordinator, or later where it knew of later ones. The
// numbers of a vector clock are such times.
using UpdateTime = std::uint64_t;

// Names a batch for ever.
struct BatchId {
  NodeId coordinator;
  Incarnation incarnation;  // of the coordinator
  std::uint64_t number = 0;
  constexpr auto operator<=>(const BatchId&) const = default;
};

// A batch holds the writes of several runs, in their order.
struct RunPart {
  RunId id;
  std::uint32_t count = 0;  // writes
};

// A cell on its way, or in a record; the clock of its update follows.
struct WireCell {
  Key key;
  std::uint32_t reserved = 0;
  std::uint64_t value = 0;
  Writer writer;
  Stamp stamp;
};
static_assert(sizeof(WireCell) == 40);

// Tiles that one request asks for.
inline constexpr std::size_t kTilesAsked = 8;

}  // namespace parley::bully_2pc::textbook
