// Raft: one leader orders all runs; a majority keeps them.
//
// Promises: linearizable writes, carried out exactly once per client session; linearizable reads
// (ReadIndex) or local ones. Needs: a majority of the members that reach each other; storage that
// keeps what it acknowledged (without durability, a restarted node must not rejoin as the same
// voter); clocks only for progress, never for safety. See README.md.
#pragma once

#include "algorithms/contract/algorithm.h"

namespace parley {

extern const Algorithm kRaft;

}  // namespace parley
