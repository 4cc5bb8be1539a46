// Bully and two-phase commit: the highest id that reaches a majority coordinates; batches of runs
// are prepared, voted for and committed.
//
// Promises: linearizable writes in atomic batches of one order, carried out exactly once per client
// session; linearizable reads or local ones. Needs: a majority of the members that reach each other
// (with votes=all: everyone); storage that keeps what it acknowledged (without durability, a
// restarted node must not rejoin as the same voter); clocks only for progress, never for safety.
// See README.md.
#pragma once

#include "algorithms/contract/algorithm.h"

namespace parley {

extern const Algorithm kBully2pc;

}  // namespace parley
