#include "harness/load/node_client.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <zmq.hpp>

#include "harness/load/client_wire.h"
#include "harness/load/node_sessions.h"
#include "runtime/live/sockets.h"
#include "runtime/live/waiter.h"

namespace parley::load {
namespace {

constexpr Duration kOneAttempt = std::chrono::seconds(1);
constexpr Duration kBetweenAttempts = std::chrono::milliseconds(20);
constexpr int kReconnectMs = 20;

long whole_ms(Duration left) {
  return static_cast<long>(
      std::chrono::ceil<std::chrono::milliseconds>(std::max(left, Duration{})).count());
}

}  // namespace

struct NodeClient::State {
  explicit State(const Target& target) : node(target.node) {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::immediate, true);
    socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
    try {
      socket.connect(target.client_endpoint);
    } catch (const zmq::error_t& error) {
      throw LoadError("targets: cannot connect to \"" + target.client_endpoint +
                      "\": " + error.what());
    }
  }

  // Waits until the socket can send or has input. False once `until` has passed.
  bool wait(short events, Instant until) {
    zmq::pollitem_t item{socket.handle(), 0, events, 0};
    do {
      // Not zmq::poll, which throws when a signal comes in between.
      if (zmq_poll(&item, 1, whole_ms(until - monotonic_now())) > 0) return true;
    } while (monotonic_now() < until);
    return false;
  }

  // Sends a request and hands replies over until one is accepted. False once `limit` has passed.
  using Accept = std::function<bool(const client::Reply&)>;
  bool ask(client::RequestKind kind, ReadMode mode, Bytes body, Duration limit,
           const Accept& accept) {
    const Instant until = monotonic_now() + limit;
    std::byte* to = nullptr;
    zmq::message_t request = RequestTemplate(kind, mode, body.size()).make(++last_id, to);
    if (!body.empty()) std::memcpy(to, body.data(), body.size());
    if (!wait(ZMQ_POLLOUT, until)) return false;
    if (try_send(socket, request, false) != SendResult::sent) return false;
    zmq::message_t message;
    while (wait(ZMQ_POLLIN, until)) {
      if (!try_receive(socket, message)) continue;
      const client::Reply* reply = reader.read(message);
      if (reply != nullptr && accept(*reply)) return true;
    }
    return false;
  }

  // The answer to the last request, or null.
  const client::Answer* answer_in(const client::Reply& reply) const {
    if (reply.answers() == nullptr) return nullptr;
    for (const client::Answer* answer : *reply.answers()) {
      if (answer->id() == last_id) return answer;
    }
    return nullptr;
  }

  NodeId node;
  zmq::context_t context{1};
  zmq::socket_t socket{context, zmq::socket_type::dealer};
  ReplyReader reader;
  std::uint64_t last_id = 0;
};

NodeClient::NodeClient(const Target& target) : state_(std::make_unique<State>(target)) {}
NodeClient::~NodeClient() = default;
NodeClient::NodeClient(NodeClient&&) noexcept = default;
NodeClient& NodeClient::operator=(NodeClient&&) noexcept = default;

NodeId NodeClient::node() const {
  return state_->node;
}

std::optional<std::string> NodeClient::report(Duration limit) {
  std::string text;
  const bool answered = state_->ask(client::RequestKind::report, ReadMode::local, {}, limit,
                                    [&](const client::Reply& reply) {
                                      const client::Answer* answer = state_->answer_in(reply);
                                      if (answer == nullptr || answer->body() == nullptr)
                                        return false;
                                      text.assign(answer->body()->begin(), answer->body()->end());
                                      return true;
                                    });
  if (!answered) return std::nullopt;
  return text;
}

std::optional<std::vector<std::byte>> NodeClient::query(Bytes query, ReadMode mode, Duration limit,
                                                        std::string& problem) {
  std::optional<std::vector<std::byte>> found;
  problem = "no answer";
  state_->ask(client::RequestKind::query, mode, query, limit, [&](const client::Reply& reply) {
    const client::Answer* answer = state_->answer_in(reply);
    if (answer == nullptr) return false;
    if (answer->reason() != 0) {
      problem = reason_name(static_cast<RefusedBecause>(answer->reason()));
    } else if (answer->error() != nullptr && answer->error()->size() > 0) {
      problem = answer->error()->str();
    } else if (answer->body() != nullptr) {
      const auto* bytes = reinterpret_cast<const std::byte*>(answer->body()->data());
      found.emplace(bytes, bytes + answer->body()->size());
    }
    return true;
  });
  return found;
}

std::vector<std::uint32_t> NodeClient::open_sessions(std::span<const std::uint64_t> nonces,
                                                     Duration limit, std::string& problem) {
  std::vector<std::uint32_t> ids;
  problem = "no answer";
  const std::vector<std::byte> body = open_session_commands(nonces);
  const auto take = [&](const client::Reply& reply) {
    if (reply.error() != nullptr) problem = reply.error()->str();
    if (reply.done() == nullptr) return false;
    for (const client::Done* done : *reply.done()) {
      if (done->id() != state_->last_id) continue;
      ids = opened_sessions(*done, reply, problem);
      return true;
    }
    return false;
  };
  state_->ask(client::RequestKind::submit, ReadMode::local, body, limit, take);
  if (ids.size() != nonces.size()) ids.clear();
  return ids;
}

namespace {

// Opens a session for each nonce at any of `nodes`.
std::vector<std::uint32_t> open_at(std::span<NodeClient> nodes,
                                   std::span<const std::uint64_t> nonces, const LoadSpec& spec,
                                   Instant until) {
  std::vector<std::uint32_t> ids;
  std::string problem;
  for (std::size_t at = 0; ids.size() < nonces.size();) {
    const std::size_t part = std::min(NodeSessions::kPerMessage, nonces.size() - ids.size());
    const std::vector<std::uint32_t> opened = nodes[at].open_sessions(
        nonces.subspan(ids.size(), part), std::min(kOneAttempt, until - monotonic_now()), problem);
    ids.insert(ids.end(), opened.begin(), opened.end());
    if (!opened.empty()) continue;
    if (problem == reason_name(RefusedBecause::too_many_sessions)) {
      throw LoadError("clients: the cluster has no room for " + std::to_string(nonces.size()) +
                      " more sessions");
    }
    if (spec.stop != nullptr && spec.stop->load()) throw LoadError("stopped");
    if (monotonic_now() >= until) {
      throw LoadError("no session could be opened within the setup timeout: node " +
                      std::to_string(nodes[at].node().value) + ": " + problem);
    }
    std::this_thread::sleep_for(kBetweenAttempts);  // a leader may be chosen meanwhile
    at = (at + 1) % nodes.size();
  }
  return ids;
}

}  // namespace

std::vector<std::vector<std::uint32_t>> open_sessions(const LoadSpec& spec) {
  const std::vector<std::uint64_t> nonces = random_nonces(spec.clients);
  std::vector<NodeClient> nodes;
  for (const Target& target : spec.targets) nodes.emplace_back(target);

  const Instant until = monotonic_now() + spec.setup_timeout;
  if (!spec.sessions_of_nodes) return {open_at(nodes, nonces, spec, until)};
  std::vector<std::vector<std::uint32_t>> ids;
  for (NodeClient& node : nodes) ids.push_back(open_at(std::span(&node, 1), nonces, spec, until));
  return ids;
}

}  // namespace parley::load
