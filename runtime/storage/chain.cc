#include "runtime/storage/chain.h"

#include "runtime/checksum.h"

namespace parley {

ChainSum chain_sum(ChainSum before, LogIndex index, Bytes header, Bytes body) {
  const std::uint64_t place[] = {before, index.value, header.size()};
  const ChainSum sum = checksum(0, std::as_bytes(std::span(place)));
  return checksum(checksum(sum, header), body);
}

}  // namespace parley
