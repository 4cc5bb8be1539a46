#include "runtime/storage/chain.h"

#include <zlib.h>

namespace parley {
namespace {

ChainSum add(ChainSum sum, const void* data, std::size_t size) {
  if (size == 0) return sum;  // zlib takes a null pointer for a wish to begin anew
  return static_cast<ChainSum>(crc32_z(sum, static_cast<const Bytef*>(data), size));
}

}  // namespace

ChainSum chain_sum(ChainSum before, LogIndex index, Bytes header, Bytes body) {
  const std::uint64_t place[] = {before, index.value, header.size()};
  ChainSum sum = add(0, place, sizeof(place));
  sum = add(sum, header.data(), header.size());
  return add(sum, body.data(), body.size());
}

}  // namespace parley
