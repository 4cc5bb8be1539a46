// The checksum of snapshots and of what storage holds.
#pragma once

#include <cstdint>

#include "algorithms/contract/block.h"

namespace parley {

// CRC-32 as in zlib, going on from that of what stands before (0: nothing does). Unlike zlib's own
// function it leaves the sum alone where there are no bytes.
std::uint32_t checksum(std::uint32_t before, Bytes bytes);

}  // namespace parley
