// What checks may know of Raft's records and messages.
#pragma once

#include "algorithms/contract/inspection.h"

namespace parley::raft {

extern const Inspection kInspection;

}  // namespace parley::raft
