// How a message between nodes looks on the wire: part one is a WireHeader and the algorithm's own
// header; part two, which is left out when empty, the body.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/effects.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/turn.h"

namespace parley {

// Little-endian, which is checked to be the machine's order.
struct WireHeader {
  static constexpr std::uint32_t kMagic = 0x594c5250;  // "PRLY"
  static constexpr std::uint16_t kVersion = 1;

  std::uint32_t magic = kMagic;
  std::uint16_t version = kVersion;
  std::uint16_t forgets = 0;  // 1: the sender keeps no state, and comes back without what it knew
  std::uint32_t group = 0;
  std::uint32_t from = 0;
  std::uint64_t incarnation = 0;
  std::uint32_t header_size = 0;  // of the algorithm's header, in bytes
  std::uint32_t body_size = 0;    // of part two, in bytes
};
static_assert(sizeof(WireHeader) == 32 && std::endian::native == std::endian::little);

// Why a frame was refused.
enum class FrameFault : std::uint8_t {
  none,
  malformed,    // not a frame of this version, or its parts do not have the sizes it says
  oversized,    // beyond the limit
  group,        // of a group that is not served here
  foreign,      // not from a member, or in this node's own name
  incarnation,  // from another start of a member than the one that is known
  invalid,      // Algorithm::verify does not accept it
};
inline constexpr std::size_t kFrameFaults = 7;
std::string_view frame_fault_name(FrameFault fault);

// Checks what can be checked without knowing the cluster. `parts` is how many there were, `second`
// is empty if there was one. When the result is `none`, `header` is filled.
FrameFault check_parts(std::size_t parts, Bytes first, Bytes second, std::size_t max_bytes,
                       WireHeader& header);

// Aligned copies of the algorithm's header and the body.
void copy_parts(const WireHeader& header, Bytes first, Bytes second, Frame& frame);

// Which start of a member is listened to: the first that was heard, or where the member keeps its
// state the latest. One that forgot its votes is not that member any more.
struct HeardStart {
  Incarnation incarnation;  // 0 before the first frame
  bool forgets = false;

  bool operator==(const HeardStart&) const = default;
};

// The last checks of a frame whose parts are in order and whose sender is a member. When the result
// is `none`, `known` is the sender's start and `frame` is filled.
FrameFault take_frame(const Algorithm& algorithm, const WireHeader& header, Bytes first,
                      Bytes second, HeardStart& known, Frame& frame);

// Writes part one of a message, head_size() bytes. `sender` says group, node, incarnation and
// whether it forgets.
inline std::size_t head_size(const Message& message) {
  return sizeof(WireHeader) + message.header.size();
}
void write_head(WireHeader sender, const Message& message, std::size_t body_size, std::byte* to);

}  // namespace parley
