#include "runtime/live/transport.h"

#include <spdlog/spdlog.h>

#include <cstring>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "runtime/live/sockets.h"

namespace parley {
namespace {

// ZeroMQ's own limit breaks the connection without a word. It stands above ours, so that a frame
// which is only somewhat too large is refused and counted.
constexpr std::int64_t kHardLimitFactor = 2;

void set_common(zmq::socket_t& socket, const TransportOptions& options) {
  namespace opt = zmq::sockopt;
  socket.set(opt::linger, 0);
  socket.set(opt::handshake_ivl, static_cast<int>(options.handshake.count()));
  socket.set(opt::heartbeat_ivl, static_cast<int>(options.heartbeat.count()));
  socket.set(opt::heartbeat_timeout, static_cast<int>(options.silence.count()));
  socket.set(opt::heartbeat_ttl, static_cast<int>(options.silence.count()));
  socket.set(opt::maxmsgsize, options.max_frame_bytes * kHardLimitFactor);
}

}  // namespace

Transport::Transport(zmq::context_t& context, const Algorithm& algorithm,
                     const ReplicaConfig& replica, const TransportOptions& options)
    : context_(context),
      algorithm_(algorithm),
      group_(replica.group),
      self_(replica.self),
      incarnation_(replica.incarnation),
      options_(options),
      inbox_(context, zmq::socket_type::pull),
      delayed_(options.max_delayed) {
  set_common(inbox_, options_);
  inbox_.set(zmq::sockopt::rcvhwm, options_.high_water_mark);
  std::vector<NodeId> nodes = replica.members;
  nodes.insert(nodes.end(), options_.others.begin(), options_.others.end());
  for (const NodeId id : nodes) {
    if (id == self_ || peers_.contains(id)) continue;
    Peer& peer = peers_[id];
    peer.traffic.id = id;
    peer.shaper = LinkShaper(LinkProfile{}, replica.seed ^ id.value);
  }
}

void Transport::bind(const std::string& endpoint) {
  try {
    inbox_.bind(endpoint);
    endpoint_ = inbox_.get(zmq::sockopt::last_endpoint);
  } catch (const zmq::error_t& error) {
    throw std::runtime_error("cannot listen for peers at " + endpoint + ": " + error.what());
  }
}

void Transport::connect(NodeId id, const std::string& endpoint) {
  Peer* peer = find(id);
  if (peer == nullptr) {
    throw std::runtime_error("node " + std::to_string(id.value) + " is not another member");
  }
  try {
    peer->outbox = zmq::socket_t(context_, zmq::socket_type::push);
    set_common(peer->outbox, options_);
    peer->outbox.set(zmq::sockopt::sndhwm, options_.high_water_mark);
    // Without it frames for a dead peer would queue up and flood it when it is back.
    peer->outbox.set(zmq::sockopt::immediate, true);
    peer->outbox.set(zmq::sockopt::reconnect_ivl, static_cast<int>(options_.reconnect_min.count()));
    peer->outbox.set(zmq::sockopt::reconnect_ivl_max,
                     static_cast<int>(options_.reconnect_max.count()));
    peer->outbox.connect(endpoint);
    peer->connected = true;
  } catch (const zmq::error_t& error) {
    throw std::runtime_error("cannot connect to node " + std::to_string(id.value) + " at " +
                             endpoint + ": " + error.what());
  }
}

void Transport::shape(NodeId id, const LinkProfile& profile) {
  if (Peer* peer = find(id); peer != nullptr) peer->shaper.set_profile(profile);
}

bool Transport::receive(Instant now, std::size_t max_frames, std::size_t max_bytes,
                        std::vector<Frame>& frames) {
  std::size_t bytes = 0;
  for (std::size_t taken = 0; taken < max_frames && bytes < max_bytes; ++taken) {
    if (!receive_parts()) return false;
    WireHeader header;
    Frame frame;
    Peer* peer = nullptr;
    const FrameFault fault = check(header, frame, peer);
    const std::size_t size = parts_[0].size() + parts_[1].size();
    bytes += size;
    if (fault != FrameFault::none) {
      ++refused_[static_cast<std::size_t>(fault)];
      continue;
    }
    ++peer->traffic.received;
    peer->traffic.received_bytes += size;
    peer->traffic.last_received = now;
    frames.push_back(std::move(frame));
  }
  return true;
}

// Receives all parts of the next frame and keeps the first two. False if none waits.
bool Transport::receive_parts() {
  if (!try_receive(inbox_, parts_[0])) return false;
  part_count_ = 1;
  bool more = parts_[0].more();
  if (!more) parts_[1].rebuild();
  zmq::message_t excess;
  while (more) {
    zmq::message_t& part = part_count_ == 1 ? parts_[1] : excess;
    if (!try_receive(inbox_, part)) break;
    ++part_count_;
    more = part.more();
  }
  return true;
}

FrameFault Transport::check(WireHeader& header, Frame& frame, Peer*& peer) {
  const Bytes first = bytes_of(parts_[0]);
  const Bytes second = bytes_of(parts_[1]);
  const FrameFault fault =
      check_parts(part_count_, first, second, options_.max_frame_bytes, header);
  if (fault != FrameFault::none) return fault;
  if (header.group != group_.value) return FrameFault::group;
  peer = find(NodeId{header.from});
  if (peer == nullptr) return FrameFault::foreign;
  const FrameFault last = take_frame(algorithm_, header, first, second, peer->heard, frame);
  if (last == FrameFault::incarnation) note_start(*peer, header);
  return last;
}

void Transport::send(Instant now, std::span<const Block> bodies,
                     std::span<const Message> messages) {
  encoded_.clear();
  for (const Message& message : messages) {
    Peer* peer = find(message.to);
    if (peer == nullptr) {
      note_unknown(message.to);
      continue;
    }
    Instant due = now;
    if (peer->shaper.profile().shapes()) {
      const auto passed = peer->shaper.pass(now);
      if (!passed) {
        ++peer->traffic.shaped;
        continue;
      }
      due = *passed;
    }
    zmq::message_t body;
    if (message.body.count > 0) body.copy(encode_body(bodies, message.body));
    zmq::message_t head = encode_head(message, body.size());
    if (due <= now) {
      transmit(*peer, head, body);
    } else if (!delayed_.push(due, {peer, std::move(head), std::move(body)})) {
      ++peer->traffic.shaped;
    }
  }
}

void Transport::send_due(Instant now) {
  while (auto message = delayed_.pop(now)) {
    // A cut also takes what is under way.
    if (message->peer->shaper.profile().cut) {
      ++message->peer->traffic.shaped;
    } else {
      transmit(*message->peer, message->head, message->body);
    }
  }
}

zmq::message_t Transport::encode_head(const Message& message, std::size_t body_size) const {
  WireHeader sender;
  sender.group = group_.value;
  sender.from = self_.value;
  sender.incarnation = incarnation_.value;
  sender.forgets = options_.keeps_state ? 0 : 1;
  zmq::message_t head(head_size(message));
  write_head(sender, message, body_size, static_cast<std::byte*>(head.data()));
  return head;
}

zmq::message_t& Transport::encode_body(std::span<const Block> bodies, BodyRange range) {
  for (auto& [known, body] : encoded_) {
    if (known == range) return body;
  }
  const auto blocks = bodies.subspan(range.first, range.count);
  const std::size_t size =
      std::accumulate(blocks.begin(), blocks.end(), std::size_t{0},
                      [](std::size_t sum, const Block& block) { return sum + block.size(); });
  zmq::message_t body(size);
  auto* to = static_cast<std::byte*>(body.data());
  for (const Block& block : blocks) {
    if (!block.empty()) std::memcpy(to, block.data(), block.size());
    to += block.size();
  }
  return encoded_.emplace_back(range, std::move(body)).second;
}

void Transport::transmit(Peer& peer, zmq::message_t& head, zmq::message_t& body) {
  const std::size_t size = head.size() + body.size();
  const bool two_parts = !body.empty();
  if (!peer.connected || try_send(peer.outbox, head, two_parts) != SendResult::sent) {
    ++peer.traffic.dropped;
    return;
  }
  // Once ZeroMQ has taken the first part it takes the second.
  if (two_parts) try_send(peer.outbox, body, false);
  ++peer.traffic.sent;
  peer.traffic.sent_bytes += size;
}

// A member that this node was not told how to reach.
void Transport::note_unknown(NodeId id) {
  if (!unknown_.insert(id).second) return;
  spdlog::warn("messages for node {} are dropped: [peers] does not name it", id.value);
}

// Whoever waits for such a node would otherwise not learn why nothing comes of it.
void Transport::note_start(Peer& peer, const WireHeader& header) {
  const bool another =
      header.incarnation != 0 && header.incarnation != peer.heard.incarnation.value;
  const bool forgot = another && (peer.heard.forgets || header.forgets != 0);
  if (!forgot || std::exchange(peer.refusal_told, true)) return;
  spdlog::warn(
      "node {} has started again and is not listened to any more: with durability \"none\" it "
      "has forgotten what it confirmed",
      header.from);
}

Transport::Peer* Transport::find(NodeId id) {
  const auto it = peers_.find(id);
  return it == peers_.end() ? nullptr : &it->second;
}

std::vector<PeerTraffic> Transport::traffic() const {
  std::vector<PeerTraffic> traffic;
  for (const auto& [id, peer] : peers_) traffic.push_back(peer.traffic);
  return traffic;
}

std::uint64_t Transport::refused_total() const {
  return std::accumulate(refused_.begin(), refused_.end(), std::uint64_t{0});
}

}  // namespace parley
