// The few things that the live runtime does with ZeroMQ sockets, none of which ever blocks or fails
// because a signal came in between.
#pragma once

#include <zmq.hpp>

#include "algorithms/contract/block.h"

namespace parley {

// Receives the next part. False if none waits. Throws zmq::error_t when the socket is unusable.
bool try_receive(zmq::socket_t& socket, zmq::message_t& part);

enum class SendResult {
  sent,
  full,         // no connection, or its queue is full
  unreachable,  // of a router: no such connection
};

// Hands `part` to ZeroMQ; `more` parts of the message follow. When it is not sent it stays as it
// is. Throws zmq::error_t when the socket is unusable.
SendResult try_send(zmq::socket_t& socket, zmq::message_t& part, bool more);

// Whether a message waits. Throws zmq::error_t when the socket is unusable.
bool has_input(zmq::socket_t& socket);

// The bytes of a part, valid as long as it is.
inline Bytes bytes_of(const zmq::message_t& part) {
  return {static_cast<const std::byte*>(part.data()), part.size()};
}

}  // namespace parley
