// Checksums that are linked: each record's covers the one before it.
#pragma once

#include <cstdint>

#include "algorithms/contract/block.h"
#include "algorithms/contract/ids.h"

namespace parley {

// A flipped bit, a record that is missing and one that belongs to another place all break the
// chain, also where the storage engine below takes what it has for complete.
using ChainSum = std::uint32_t;

// The sum of a record with that index and contents which follows one with the sum `before` (0: it
// is the first). CRC-32 as in zlib.
ChainSum chain_sum(ChainSum before, LogIndex index, Bytes header, Bytes body);

}  // namespace parley
