// What checks may know of the records and messages of bully_2pc.
#pragma once

#include "algorithms/contract/inspection.h"

namespace parley::bully_2pc {

extern const Inspection kInspection;

}  // namespace parley::bully_2pc
