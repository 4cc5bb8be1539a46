// Messages field by field, for programs that look at an execution.
#pragma once

#include "algorithms/contract/block.h"
#include "algorithms/contract/fields.h"

namespace parley::bully_2pc {

// See Algorithm::fields. Besides those of messages.h: `entries` of prepare and batches,
// `last_index` of the last one, and `entry_epochs`, rows of an epoch and how many entries of it
// follow each other; `yes` of a vote; `runs` of a forward, how many.
void fields(const Block& header, FieldSink& to);

}  // namespace parley::bully_2pc
