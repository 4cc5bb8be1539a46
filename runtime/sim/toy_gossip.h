// The smallest strategy that merges, for tests of the contract: last writer wins by a hybrid clock.
//
// Promises: every node takes writes; what it acknowledged is on its own disk; once nodes reach each
// other, all hold the same cells. Needs: nothing but that. Each node now and then pushes all of its
// cells to one other node, chosen at random (Demers et al. 1987, §1.3 "anti-entropy", push).
#pragma once

#include "algorithms/contract/algorithm.h"

namespace parley::sim {

// Its option `flaw` switches on one of the mistakes that the checks must catch.
enum class GossipFlaw : std::int64_t {
  none,
  acknowledges_unsynced,  // answers before the write is on disk
  ties_by_arrival,        // stamps of different nodes can be equal
  forgets_half,           // never pushes the upper half of the cells
  pushes_downwards,       // to lower node numbers: rumours run in one direction only
};

extern const Algorithm kToyGossip;

}  // namespace parley::sim
