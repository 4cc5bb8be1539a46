// Messages field by field, for programs that look at an execution.
#pragma once

#include "algorithms/contract/block.h"
#include "algorithms/contract/fields.h"

namespace parley::raft {

// See Algorithm::fields. Besides those of messages.h: `from_disk` and `to_disk` of every message;
// `last_index` of an append, its last entry's, and `entry_terms`, rows of a term and how many
// entries of it follow each other; `success` of an append reply, and `term_starts`, rows of a term
// and its first index; `runs` of a forward, rows of a run's number and its commands.
void fields(const Block& header, FieldSink& to);

}  // namespace parley::raft
