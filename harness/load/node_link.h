// One node's client port, as seen from the load generator.
#pragma once

#include <cstdint>
#include <string>
#include <zmq.hpp>

#include "algorithms/contract/ids.h"
#include "harness/load/load.h"

namespace parley::load {

// A DEALER socket for all clients that use the node, with what is known of the connection. What is
// sent without a connection, or waits when it breaks, is not kept by ZeroMQ: the generator knows
// what is under way, and nothing stale arrives after a reconnect.
class NodeLink {
 public:
  // Begins to connect. `number` tells links of one context apart. Throws LoadError.
  NodeLink(zmq::context_t& context, const Target& target, std::uint32_t number);
  ~NodeLink();
  NodeLink(const NodeLink&) = delete;
  NodeLink& operator=(const NodeLink&) = delete;

  // False when there is no connection.
  bool send(zmq::message_t message);
  // False when nothing waits.
  bool receive(zmq::message_t& message);

  enum class Change : std::uint8_t { none, connected, lost };
  // Takes in the next change of the connection.
  Change next_change();

  [[nodiscard]] NodeId node() const { return node_; }
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] zmq::socket_t& socket() { return socket_; }
  [[nodiscard]] zmq::socket_t& monitor() { return monitor_; }

 private:
  NodeId node_;
  zmq::socket_t socket_;
  zmq::socket_t monitor_;
  bool connected_ = false;
};

}  // namespace parley::load
