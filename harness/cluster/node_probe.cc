#include "harness/cluster/node_probe.h"

#include <functional>

#include <flatbuffers/flatbuffers.h>
#include <cstring>
#include <zmq.hpp>

#include "runtime/client_generated.h"

namespace parley::harness {
namespace {

constexpr int kReconnectMs = 10;  // a node that starts is found soon

std::string request_bytes(std::uint64_t id, client::RequestKind kind) {
  flatbuffers::FlatBufferBuilder builder(64);
  builder.Finish(client::CreateRequest(builder, id, kind));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

}  // namespace

struct NodeProbe::State {
  using Accept = std::function<bool(NodeId, const client::Reply&, std::uint64_t id)>;

  // Sends a request to each node and hands replies over until each was accepted or time is up.
  void ask(const std::vector<NodeId>& nodes, client::RequestKind kind,
           std::chrono::milliseconds limit, const Accept& accept) {
    const std::uint64_t id = ++last_id;
    const std::string request = request_bytes(id, kind);
    std::vector<NodeId> waiting;
    for (const NodeId node : nodes) {
      if (sockets.at(node).send(zmq::buffer(request), zmq::send_flags::dontwait))
        waiting.push_back(node);
    }
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!waiting.empty()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      if (left.count() < 0) return;
      std::vector<zmq::pollitem_t> items;
      for (const NodeId node : waiting)
        items.push_back({sockets.at(node).handle(), 0, ZMQ_POLLIN, 0});
      // A signal that came in between is no reason to end.
      const auto wait = left + std::chrono::milliseconds(1);
      if (zmq_poll(items.data(), static_cast<int>(items.size()), wait.count()) < 0) continue;
      std::vector<NodeId> still;
      for (std::size_t i = 0; i < items.size(); ++i) {
        const bool answered =
            (items[i].revents & ZMQ_POLLIN) != 0 && receive(waiting[i], id, accept);
        if (!answered) still.push_back(waiting[i]);
      }
      waiting = std::move(still);
    }
  }

  // Reads what waits; true once `accept` took a reply.
  bool receive(NodeId node, std::uint64_t id, const Accept& accept) {
    zmq::message_t message;
    while (sockets.at(node).recv(message, zmq::recv_flags::dontwait)) {
      // Received messages are not aligned as FlatBuffers wants it.
      const std::vector<std::uint64_t> aligned = aligned_copy(message);
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(aligned.data());
      flatbuffers::Verifier verifier(bytes, message.size(), 8, 1000);
      if (!verifier.VerifyBuffer<client::Reply>(nullptr)) continue;
      if (accept(node, *flatbuffers::GetRoot<client::Reply>(bytes), id)) return true;
    }
    return false;
  }

  static std::vector<std::uint64_t> aligned_copy(const zmq::message_t& message) {
    std::vector<std::uint64_t> copy(message.size() / 8 + 1);
    std::memcpy(copy.data(), message.data(), message.size());
    return copy;
  }

  zmq::context_t context{1};
  std::map<NodeId, zmq::socket_t> sockets;
  std::uint64_t last_id = 0;
};

NodeProbe::NodeProbe(const std::map<NodeId, std::string>& client_endpoints)
    : state_(std::make_unique<State>()) {
  for (const auto& [node, endpoint] : client_endpoints) {
    zmq::socket_t socket(state_->context, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::sndhwm, 100);
    socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
    socket.connect(endpoint);
    state_->sockets.emplace(node, std::move(socket));
  }
}

NodeProbe::~NodeProbe() = default;

std::map<NodeId, NodeHello> NodeProbe::hello(const std::vector<NodeId>& nodes,
                                             std::chrono::milliseconds limit) {
  std::map<NodeId, NodeHello> answers;
  state_->ask(nodes, client::RequestKind::hello, limit,
              [&answers](NodeId node, const client::Reply& reply, std::uint64_t id) {
                const client::Welcome* welcome = reply.welcome();
                if (welcome == nullptr || welcome->id() != id) return false;
                answers[node] = {NodeId{welcome->node()}, Incarnation{welcome->incarnation()},
                                 NodeId{welcome->leader()},
                                 welcome->algorithm() == nullptr ? "" : welcome->algorithm()->str(),
                                 welcome->sessions_of_nodes()};
                return true;
              });
  return answers;
}

std::map<NodeId, std::string> NodeProbe::report(const std::vector<NodeId>& nodes,
                                                std::chrono::milliseconds limit) {
  std::map<NodeId, std::string> answers;
  state_->ask(nodes, client::RequestKind::report, limit,
              [&answers](NodeId node, const client::Reply& reply, std::uint64_t id) {
                if (reply.answers() == nullptr) return false;
                for (const client::Answer* answer : *reply.answers()) {
                  if (answer->id() != id || answer->body() == nullptr) continue;
                  answers[node].assign(answer->body()->begin(), answer->body()->end());
                  return true;
                }
                return false;
              });
  return answers;
}

}  // namespace parley::harness
