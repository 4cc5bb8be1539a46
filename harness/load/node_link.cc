#include "harness/load/node_link.h"

#include <cstring>
#include <utility>

#include "runtime/live/sockets.h"

namespace parley::load {
namespace {

constexpr int kLinkReconnectMs = 20;
constexpr int kReconnectMaxMs = 200;

}  // namespace

NodeLink::NodeLink(zmq::context_t& context, const Target& target, std::uint32_t number)
    : node_(target.node),
      socket_(context, zmq::socket_type::dealer),
      monitor_(context, zmq::socket_type::pair) {
  namespace opt = zmq::sockopt;
  socket_.set(opt::linger, 0);
  socket_.set(opt::immediate, true);
  // What is under way is bounded by LoadSpec::max_in_flight, so a full queue would only say what
  // the connection's state says.
  socket_.set(opt::sndhwm, 0);
  socket_.set(opt::rcvhwm, 0);
  socket_.set(opt::reconnect_ivl, kLinkReconnectMs);
  socket_.set(opt::reconnect_ivl_max, kReconnectMaxMs);
  socket_.set(opt::heartbeat_ivl, 1000);
  socket_.set(opt::heartbeat_timeout, 3000);
  socket_.set(opt::handshake_ivl, 2000);
  try {
    const std::string monitor = "inproc://load-monitor-" + std::to_string(number);
    if (zmq_socket_monitor(socket_.handle(), monitor.c_str(),
                           ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) != 0) {
      throw zmq::error_t();
    }
    monitor_.set(opt::linger, 0);
    monitor_.connect(monitor);
    socket_.connect(target.client_endpoint);
  } catch (const zmq::error_t& error) {
    throw LoadError("targets: cannot connect to \"" + target.client_endpoint +
                    "\": " + error.what());
  }
}

NodeLink::~NodeLink() {
  zmq_socket_monitor(socket_.handle(), nullptr, 0);
}

bool NodeLink::send(zmq::message_t message) {
  return try_send(socket_, message, false) == SendResult::sent;
}

bool NodeLink::receive(zmq::message_t& message) {
  return try_receive(socket_, message);
}

NodeLink::Change NodeLink::next_change() {
  // An event is two parts: its number (16 bits) and value, and the endpoint.
  zmq::message_t event;
  zmq::message_t endpoint;
  while (try_receive(monitor_, event)) {
    if (event.more()) try_receive(monitor_, endpoint);
    std::uint16_t number = 0;
    if (event.size() >= sizeof(number)) std::memcpy(&number, event.data(), sizeof(number));
    const bool was_connected = std::exchange(connected_, number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    if (connected_ != was_connected) return connected_ ? Change::connected : Change::lost;
  }
  return Change::none;
}

}  // namespace parley::load
