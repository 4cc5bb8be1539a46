#include "runtime/wire_frame.h"

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
                     header.forgets <= 1;
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

FrameFault take_frame(const Algorithm& algorithm, const WireHeader& header, Bytes first,
                      Bytes second, HeardStart& known, Frame& frame) {
  const HeardStart says{Incarnation{header.incarnation}, header.forgets != 0};
  if (says.incarnation == Incarnation{}) return FrameFault::incarnation;
  if (known.incarnation != Incarnation{} && known != says) {
    // What an earlier start of the peer left on the way is late at best.
    const bool returns = !known.forgets && !says.forgets && known.incarnation < says.incarnation;
    if (!returns) return FrameFault::incarnation;
  }
  copy_parts(header, first, second, frame);
  if (!algorithm.verify(frame.header, frame.body)) return FrameFault::invalid;
  known = says;
  return FrameFault::none;
}

void write_head(WireHeader sender, const Message& message, std::size_t body_size, std::byte* to) {
  sender.header_size = static_cast<std::uint32_t>(message.header.size());
  sender.body_size = static_cast<std::uint32_t>(body_size);
  std::memcpy(to, &sender, sizeof(sender));
  if (!message.header.empty()) {
    std::memcpy(to + sizeof(sender), message.header.data(), message.header.size());
  }
}

}  // namespace parley
