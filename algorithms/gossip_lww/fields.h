// Messages field by field, for programs that look at an execution.
#pragma once

#include "algorithms/contract/block.h"
#include "algorithms/contract/fields.h"

namespace parley::gossip_lww {

// See Algorithm::fields. Besides those of messages.h: `deltas`, rows of origin, incarnation, first
// and previous hybrid time and count; `known`, rows of a node and the hybrid time through which its
// deltas are known; `places`, rows of level and index; `digests`, how many; `updates`, rows of a
// node, its incarnation and its standing (0 alive, 1 suspect, 2 dead).
void fields(const Block& header, FieldSink& to);

}  // namespace parley::gossip_lww
