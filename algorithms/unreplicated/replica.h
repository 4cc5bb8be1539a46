// The control baseline: one node, no coordination.
//
// Promises: linearizable writes and reads on its one node; what was acknowledged as durable is
// there after a restart. Needs: nothing. It is also the smallest example of the contract.
#pragma once

#include "algorithms/contract/algorithm.h"

namespace parley {

extern const Algorithm kUnreplicated;

}  // namespace parley
