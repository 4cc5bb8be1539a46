// Messages in words, for traces and tests.
#pragma once

#include <string>

#include "algorithms/contract/block.h"

namespace parley::gossip_lww {

// What a verified frame says; see Algorithm::describe.
std::string describe(const Block& header, const Block& body);

}  // namespace parley::gossip_lww
