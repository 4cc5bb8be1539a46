// What the nodes say to each other. messages.fbs holds the wire format.
#pragma once

#include <cstdint>

#include "algorithms/contract/block.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/stamp.h"
#include "algorithms/gossip_lww/clock.h"

namespace parley::gossip_lww {

// The writes of one run: the unit that is made, stored, spread and known of. Its i-th cell was
// written at the hybrid time `first` + i. The deltas of a node form a chain: `previous` is the last
// time of the one before, so that it shows when one is missing.
struct Delta {
  NodeId origin;
  std::uint32_t incarnation = 0;  // of the origin, its lower half
  HybridTime first;
  HybridTime previous;
  std::uint32_t count = 0;  // at least 1
  Block cells;              // WireCells

  [[nodiscard]] HybridTime last() const { return first.plus(count - 1); }
};

// What a node knows and holds, for a peer to compare with.
struct Summary {
  // A question, which does not say what is known, is answered by an opening if the stores differ.
  // An opening is answered if anything differs; an answer may bring a notice; a notice ends it.
  enum class Stage : std::uint8_t { opening, answer, notice, question };
  std::uint64_t digest = 0;  // of the store
  Stage stage = Stage::opening;
  bool settled = false;       // the digested store holds all that the version vector says
  bool whole = false;         // and nothing else
  bool out_of_reach = false;  // the receiver lacks what the sender no longer holds as deltas
};

// A node of the digest tree: level 0 are blocks of 32 cells; each level above has 32 children a
// node.
struct TreePlace {
  std::uint32_t level = 0;
  std::uint32_t index = 0;
  constexpr bool operator==(const TreePlace&) const = default;
};

// Places in one request: at most so many blocks of cells, or 32 times so many digests, come back.
inline constexpr std::size_t kPlacesAsked = 32;

struct TreeDigest {
  TreePlace place;
  std::uint64_t digest = 0;
};

// A ping, a request to ping `target` on behalf of the sender, or the answer to either.
struct Probe {
  std::uint64_t number = 0;
  WallTime wall;  // the sender's
  NodeId target;  // kNoNode: the receiver of a ping, the sender of a pong
};

}  // namespace parley::gossip_lww
