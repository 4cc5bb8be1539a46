// The variant of bully_2pc with fencing = "none".
#pragma once

#include "algorithms/contract/algorithm.h"

namespace parley::bully_2pc::textbook {

extern const Algorithm kTextbook;

}  // namespace parley::bully_2pc::textbook
