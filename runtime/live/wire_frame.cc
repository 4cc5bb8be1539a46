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
  const Bytes own = first.subspan(sizeof(WireHeader));
  const std::size_t body_at = (own.size() + 7) / 8 * 8;
  const Block whole = Block::make(body_at + second.size(), [&](std::byte* to) {
    if (!own.empty()) std::memcpy(to, own.data(), own.size());
    std::memset(to + own.size(), 0, body_at - own.size());
    if (!second.empty()) std::memcpy(to + body_at, second.data(), second.size());
  });
  frame.group = GroupId{header.group};
  frame.from = NodeId{header.from};
  frame.incarnation = Incarnation{header.incarnation};
  frame.header = whole.part(0, own.size());
  frame.body = second.empty() ? Block() : whole.part(body_at, second.size());
}

}  // namespace parley
