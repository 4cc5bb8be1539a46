#include "harness/cluster/node_control.h"

#include <fmt/format.h>

#include <cerrno>
#include <future>
#include <stdexcept>
#include <vector>

#include "harness/cluster/live_config.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMaxRequestBytes = 64 << 10;  // rules for more links than there can be
constexpr auto kTurnLimit = 5s;                      // for the loop to take the links over
constexpr int kControlReconnectMs = 5;

// The next message, of one part. False once the context is shut down.
bool receive(zmq::socket_t& socket, zmq::message_t& message, bool& one_part) {
  one_part = true;
  for (bool more = true; more;) {
    while (zmq_msg_recv(message.handle(), socket.handle(), 0) < 0) {
      if (zmq_errno() != EINTR) return false;
    }
    more = message.more();
    one_part = one_part && !more;
  }
  return true;
}

}  // namespace

NodeControl::NodeControl(const NodeSettings& settings, Node& node)
    : settings_(settings), node_(node) {
  if (settings_.control_endpoint.empty()) return;
  socket_ = zmq::socket_t(context_, zmq::socket_type::rep);
  socket_.set(zmq::sockopt::linger, 0);
  socket_.set(zmq::sockopt::maxmsgsize, kMaxRequestBytes);
  try {
    socket_.bind(settings_.control_endpoint);
  } catch (const zmq::error_t& error) {
    throw std::runtime_error("cannot be controlled at " + settings_.control_endpoint + ": " +
                             error.what());
  }
  thread_ = std::thread([this] { serve(); });
}

NodeControl::~NodeControl() {
  if (!thread_.joinable()) return;
  context_.shutdown();
  thread_.join();
}

void NodeControl::serve() {
  zmq::message_t request;
  for (bool one_part = true; receive(socket_, request, one_part);) {
    const std::string text = one_part ? answer(request) : "a request has one part";
    // It never waits: for an asker who is gone the answer is dropped.
    if (zmq_send(socket_.handle(), text.data(), text.size(), 0) < 0) return;
  }
}

std::string NodeControl::answer(const zmq::message_t& request) {
  try {
    ConfigReader reader = ConfigReader::from_text(request.to_string_view(), "request");
    std::vector<LinkRule> links = read_links(reader, settings_.node);
    reader.finish();
    settings_.links = std::move(links);
  } catch (const ConfigError& error) {
    return error.what();
  }
  std::vector<std::future<void>> shaped;
  for (const auto& [peer, profile] : live_links(settings_)) {
    shaped.push_back(node_.shape_link(peer, profile));
  }
  for (std::future<void>& link : shaped) {
    if (link.wait_for(kTurnLimit) != std::future_status::ready) return "the node's loop is stuck";
    try {
      link.get();
    } catch (const std::future_error&) {
      return "the node has stopped";
    }
  }
  return std::string(kControlDone);
}

std::map<NodeId, std::string> ask_control(const std::map<NodeId, ControlRequest>& requests,
                                          std::chrono::milliseconds limit) {
  zmq::context_t context;
  std::map<NodeId, zmq::socket_t> sockets;
  for (const auto& [node, request] : requests) {
    zmq::socket_t socket(context, zmq::socket_type::req);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::reconnect_ivl, kControlReconnectMs);
    socket.connect(request.endpoint);
    socket.send(zmq::buffer(request.links));
    sockets.emplace(node, std::move(socket));
  }
  std::map<NodeId, std::string> answers;
  const auto until = std::chrono::steady_clock::now() + limit;
  while (answers.size() < requests.size()) {
    std::vector<zmq::pollitem_t> items;
    std::vector<NodeId> waiting;
    for (auto& [node, socket] : sockets) {
      if (answers.contains(node)) continue;
      items.push_back({socket.handle(), 0, ZMQ_POLLIN, 0});
      waiting.push_back(node);
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= 0ms) break;
    // What it returns is found in the items; a signal that came in between is no reason to end.
    if (zmq_poll(items.data(), static_cast<int>(items.size()), left.count()) < 0) continue;
    for (std::size_t i = 0; i < items.size(); ++i) {
      zmq::message_t answer;
      if ((items[i].revents & ZMQ_POLLIN) == 0) continue;
      if (sockets.at(waiting[i]).recv(answer)) answers[waiting[i]] = answer.to_string();
    }
  }
  return answers;
}

}  // namespace parley::harness
