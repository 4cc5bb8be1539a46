#include "harness/cluster/request_port.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>
#include <vector>

#include "runtime/live/sockets.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMaxRequestBytes = 64 << 10;
constexpr int kAskReconnectMs = 5;
constexpr auto kLookAtStop = 100ms;

// What a message on a router socket is made of: who asks, nothing, and the request.
constexpr std::size_t kParts = 3;

// Receives the parts of the next message, which may be more or less; those too many are only
// counted. Returns their number, or 0 once the context is shut down.
std::size_t receive(zmq::socket_t& socket, std::array<zmq::message_t, kParts>& parts) {
  zmq::message_t excess;
  for (std::size_t count = 0;;) {
    zmq::message_t& part = count < kParts ? parts[count] : excess;
    while (zmq_msg_recv(part.handle(), socket.handle(), 0) < 0) {
      if (zmq_errno() != EINTR) return 0;
    }
    ++count;
    if (!part.more()) return count;
  }
}

}  // namespace

RequestPort::RequestPort(const std::string& endpoint, Answer answer)
    : answer_(std::move(answer)), socket_(context_, zmq::socket_type::router) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.set(zmq::sockopt::maxmsgsize, kMaxRequestBytes);
  try {
    socket_.bind(endpoint);
  } catch (const zmq::error_t& error) {
    throw std::runtime_error("cannot take requests at " + endpoint + ": " + error.what());
  }
  thread_ = std::thread([this] { serve(); });
}

RequestPort::~RequestPort() {
  context_.shutdown();
  thread_.join();
}

void RequestPort::serve() try {
  std::array<zmq::message_t, kParts> parts;
  while (const std::size_t count = receive(socket_, parts)) {
    if (count < kParts || !parts[1].empty()) continue;  // nothing that an asker sends
    const std::string text =
        count == kParts ? answer_(parts[2].to_string_view()) : "a request has one part";
    parts[2] = zmq::message_t(text);
    // For an asker who is gone the answer is dropped.
    for (zmq::message_t& part : parts) try_send(socket_, part, &part != &parts.back());
  }
} catch (const zmq::error_t&) {
  // The context was shut down before the answer was sent.
}

std::map<NodeId, std::string> ask_all(const std::map<NodeId, Request>& requests,
                                      std::chrono::milliseconds limit,
                                      const std::atomic<bool>* stop) {
  zmq::context_t context;
  std::map<NodeId, zmq::socket_t> sockets;
  for (const auto& [node, request] : requests) {
    zmq::socket_t socket(context, zmq::socket_type::req);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::reconnect_ivl, kAskReconnectMs);
    socket.connect(request.endpoint);
    socket.send(zmq::buffer(request.text));
    sockets.emplace(node, std::move(socket));
  }
  std::map<NodeId, std::string> answers;
  const auto until = std::chrono::steady_clock::now() + limit;
  while (answers.size() < requests.size() && (stop == nullptr || !*stop)) {
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
    // A signal that came in between is no reason to end.
    const auto wait = std::min<std::chrono::milliseconds>(left, kLookAtStop);
    if (zmq_poll(items.data(), static_cast<int>(items.size()), wait.count()) < 0) continue;
    for (std::size_t i = 0; i < items.size(); ++i) {
      zmq::message_t answer;
      if ((items[i].revents & ZMQ_POLLIN) == 0) continue;
      if (sockets.at(waiting[i]).recv(answer)) answers[waiting[i]] = answer.to_string();
    }
  }
  return answers;
}

}  // namespace parley::harness
