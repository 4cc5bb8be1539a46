// What orders the writes of a cell.
#pragma once

#include <compare>
#include <cstdint>

namespace parley {

// Ordered strategies stamp with {log index, offset in the run}; merge strategies with {hybrid
// logical time, node and incarnation}. Compared field by field; the higher stamp wins. The zero
// stamp is that of a cell never written.
struct Stamp {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  constexpr auto operator<=>(const Stamp&) const = default;
};

// The client operation that wrote a cell.
struct Writer {
  std::uint32_t session = 0;
  std::uint32_t sequence = 0;
  constexpr auto operator<=>(const Writer&) const = default;
};

}  // namespace parley
