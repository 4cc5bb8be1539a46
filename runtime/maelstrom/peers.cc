#include "runtime/maelstrom/peers.h"

#include "runtime/maelstrom/base64.h"

namespace parley::maelstrom {
namespace {

// Of the line of a frame, besides its base64: names, fields and brackets.
constexpr std::size_t kLineOverhead = 4096;

// A part of a frame; false if it is there and no base64.
bool read_part(const Json& body, const char* field, std::vector<std::byte>& bytes) {
  const auto it = body.find(field);
  if (it == body.end()) return true;
  return it->is_string() && from_base64(it->get_ref<const std::string&>(), bytes);
}

}  // namespace

Peers::Peers(const Algorithm& algorithm, const ReplicaConfig& replica,
             std::vector<std::string> names, Outbox& outbox)
    : algorithm_(algorithm), names_(std::move(names)), outbox_(outbox) {
  sender_.group = replica.group.value;
  sender_.from = replica.self.value;
  sender_.incarnation = replica.incarnation.value;
  sender_.forgets = 1;
  for (std::uint32_t i = 0; i < names_.size(); ++i) {
    const NodeId id{i + 1};
    if (id != replica.self) ids_[names_[i]] = id;
  }
}

FrameFault Peers::receive(const Message& message, Frame& frame) {
  const FrameFault fault = check(message, frame);
  if (fault != FrameFault::none) ++refused_[static_cast<std::size_t>(fault)];
  return fault;
}

FrameFault Peers::check(const Message& message, Frame& frame) {
  std::vector<std::byte> head;
  std::vector<std::byte> body;
  if (!read_part(message.body, "head", head) || !read_part(message.body, "body", body)) {
    return FrameFault::malformed;
  }
  WireHeader header;
  const FrameFault fault = check_parts(body.empty() ? 1 : 2, head, body, kMaxLineBytes, header);
  if (fault != FrameFault::none) return fault;
  if (header.group != sender_.group) return FrameFault::group;
  const auto peer = ids_.find(message.src);
  if (peer == ids_.end() || peer->second != NodeId{header.from}) return FrameFault::foreign;
  return take_frame(algorithm_, header, head, body, known_[peer->second], frame);
}

void Peers::send(std::span<const parley::Message> messages, std::span<const Block> bodies) {
  BodyRange last;
  std::size_t size = 0;  // of the body of that range
  std::string text;      // of the same, which messages to several peers share
  for (const parley::Message& message : messages) {
    if (message.to.value == 0 || message.to.value > names_.size()) continue;
    if (message.body != last) {
      const Block body = Block::joined(bodies.subspan(message.body.first, message.body.count));
      last = message.body;
      size = body.size();
      text = to_base64(body.bytes());
    }
    std::vector<std::byte> head(head_size(message));
    write_head(sender_, message, size, head.data());
    Json body{{"type", kFrameType}, {"head", to_base64(head)}};
    if (size > 0) body["body"] = text;
    if (2 * head.size() + text.size() + kLineOverhead > kMaxLineBytes) {
      ++oversized_;
    } else {
      outbox_.send(names_[message.to.value - 1], body);
    }
  }
}

}  // namespace parley::maelstrom
