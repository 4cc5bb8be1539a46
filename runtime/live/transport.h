// Messages between the nodes of a cluster, over ZeroMQ.
//
// Promises: sending never blocks; a frame that cannot be sent now is dropped and counted
// (strategies repeat what matters); what was meant for a peer that is gone is not kept for its
// return; frames from outside that are malformed, too large or not from a member are refused and
// counted and do no other harm. Needs: one thread that uses it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/effects.h"
#include "algorithms/contract/turn.h"
#include "runtime/link_shaper.h"
#include "runtime/wire_frame.h"

namespace parley {

struct TransportOptions {
  std::uint32_t max_frame_bytes = 80U << 20;  // of both parts together; above what strategies send
  int high_water_mark = 1024;                 // frames queued per peer and direction
  std::chrono::milliseconds heartbeat{500};   // ZMTP pings on idle links
  std::chrono::milliseconds silence{3000};    // after which a link is taken for dead
  std::chrono::milliseconds handshake{2000};  // for a connection to say who it is
  std::chrono::milliseconds reconnect_min{20};
  std::chrono::milliseconds reconnect_max{500};
  std::size_t max_delayed = 1U << 16;  // frames that the link shapers of this node hold back
  // Whether this node keeps its state when it starts anew, with a higher incarnation. Otherwise it
  // has forgotten its votes then and is not that member any more: the others listen to its first
  // incarnation only.
  bool keeps_state = false;
  // Nodes that may send besides the first members: they may be added.
  std::vector<NodeId> others = {};
  // CURVE keys and the allow-list that binds them to node ids get their place here. Until then
  // links are neither encrypted nor authenticated: a frame's sender is what it says.
};

// Counters of one peer, since the start.
struct PeerTraffic {
  NodeId id;
  std::uint64_t sent = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t dropped = 0;  // no connection, or the queue was full
  std::uint64_t shaped = 0;   // lost to the link's profile, or to the bound on delayed frames
  Instant last_received;      // zero if nothing came yet
};

class Transport {
 public:
  // `algorithm` and `context` must outlive the transport. Traffic is that of `replica.self` within
  // `replica.group`; only `replica.members` and `options.others` may
  // send.
  Transport(zmq::context_t& context, const Algorithm& algorithm, const ReplicaConfig& replica,
            const TransportOptions& options);

  // Where peers reach this node; tcp://host:0 or tcp://host:* picks a free port. Throws
  // std::runtime_error that names the endpoint.
  void bind(const std::string& endpoint);
  // Where `peer`, another node, is to be found. Throws std::runtime_error that names the
  // endpoint.
  void connect(NodeId peer, const std::string& endpoint);
  // The endpoint that was bound, with the port that was picked; empty if none was.
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }

  // Shapes the link from here to `peer`, another node.
  void shape(NodeId peer, const LinkProfile& profile);

  // Appends frames that wait, at most `max_frames` and about `max_bytes`. True if it stopped at a
  // bound, so that more may wait.
  bool receive(Instant now, std::size_t max_frames, std::size_t max_bytes,
               std::vector<Frame>& frames);

  // Sends `messages`, whose bodies are ranges of `bodies`. A body that several messages share is
  // encoded once.
  void send(Instant now, std::span<const Block> bodies, std::span<const Message> messages);
  // Sends what links have held back until now.
  void send_due(Instant now);
  // When send_due has something to do next; kNever if nothing is held back.
  [[nodiscard]] Instant next_due() const { return delayed_.next_due(); }

  // Frames held back now.
  [[nodiscard]] std::size_t delayed() const { return delayed_.size(); }

  [[nodiscard]] zmq::socket_t& inbox() { return inbox_; }
  [[nodiscard]] std::vector<PeerTraffic> traffic() const;
  // Refused frames by FrameFault.
  [[nodiscard]] const std::array<std::uint64_t, kFrameFaults>& refused() const { return refused_; }
  [[nodiscard]] std::uint64_t refused_total() const;

 private:
  struct Peer {
    PeerTraffic traffic;
    HeardStart heard;
    bool refusal_told = false;  // that another start of it is not listened to
    zmq::socket_t outbox;
    bool connected = false;  // connect() was called
    LinkShaper shaper;
  };
  struct Delayed {
    Peer* peer = nullptr;
    zmq::message_t head;
    zmq::message_t body;
  };

  bool receive_parts();
  FrameFault check(WireHeader& header, Frame& frame, Peer*& peer);
  zmq::message_t encode_head(const Message& message, std::size_t body_size) const;
  zmq::message_t& encode_body(std::span<const Block> bodies, BodyRange range);
  void transmit(Peer& peer, zmq::message_t& head, zmq::message_t& body);
  Peer* find(NodeId id);
  void note_unknown(NodeId id);
  void note_start(Peer& peer, const WireHeader& header);

  zmq::context_t& context_;
  const Algorithm& algorithm_;
  GroupId group_;
  NodeId self_;
  Incarnation incarnation_;
  TransportOptions options_;
  std::string endpoint_;
  zmq::socket_t inbox_;
  std::map<NodeId, Peer> peers_;
  std::set<NodeId> unknown_;  // members that are not among them; told of once
  DelayLine<Delayed> delayed_;
  std::array<std::uint64_t, kFrameFaults> refused_{};

  // Of the frame being received.
  std::array<zmq::message_t, 2> parts_;
  std::size_t part_count_ = 0;
  // Bodies of the effects being sent.
  std::vector<std::pair<BodyRange, zmq::message_t>> encoded_;
};

}  // namespace parley
