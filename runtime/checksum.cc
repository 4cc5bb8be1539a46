#include "runtime/checksum.h"

#include <zlib.h>

namespace parley {

std::uint32_t checksum(std::uint32_t before, Bytes bytes) {
  if (bytes.empty()) return before;  // zlib takes a null pointer for a wish to begin anew
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace parley
