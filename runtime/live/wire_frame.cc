#include "runtime/live/wire_frame.h"

#include <cstring>

namespace parley {

std::string_view frame_fault_name(FrameFault fault) {
  static constexpr std::array<std::string_view, kFrameFaults> kNames = {
      "none", "malformed", "oversized", "group", "foreign", "incarnation", "invalid"};
  return kNames[static_cast<std::size_t>(fault)];
}

FrameFault check_parts(std::size_t parts, Bytes first, Bytes second, std::size_t max_bytes,
                       WireHeader& header) {
  if (first.size() + second.size() > max_bytes) return FrameFault::oversized;
  if (parts > 2 || first.size() < sizeof(WireHeader)) return FrameFault::malformed;
  std::memcpy(&header, first.data(), sizeof(WireHeader));
  const bool known = header.magic == WireHeader::kMagic && header.version == WireHeader::kVersion &&
                     header.reserved == 0;
  const bool complete = header.header_size == first.size() - sizeof(WireHeader) &&
                        header.body_size == second.size() && (parts == 2) == !second.empty();
  return known && complete ? FrameFault::none : FrameFault::malformed;
}

void copy_parts(const WireHeader& header, Bytes first, Bytes second, Frame& frame) {
  frame.group = GroupId{header.group};
  frame.from = NodeId{header.from};
  frame.incarnation = Incarnation{header.incarnation};
  // Apart: a log keeps bodies, and headers would stay with them.
  frame.header = Block::copy_of(first.subspan(sizeof(WireHeader)));
  frame.body = Block::copy_of(second);
}

}  // namespace parley
