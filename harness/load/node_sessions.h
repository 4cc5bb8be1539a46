// The sessions that all clients have with one node, or with the whole cluster.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/load/client_wire.h"

namespace parley::load {

// The commands that open a session for each nonce, as the body of a submit.
std::vector<std::byte> open_session_commands(std::span<const std::uint64_t> nonces);

// The ids in the answer to those, in the order of the nonces; empty if any was not opened, and then
// `problem` says why.
std::vector<std::uint32_t> opened_sessions(const client::Done& done, const client::Reply& reply,
                                           std::string& problem);

// As many nonces that no other load has.
std::vector<std::uint64_t> random_nonces(std::size_t count);

// The session of each client at a node of a merge strategy, which forgets them when it is started
// again, and how they are opened anew while the load goes on: some at a time, one request under
// way, the same nonces again when no answer comes.
class NodeSessions {
 public:
  static constexpr std::size_t kPerMessage = 1024;

  explicit NodeSessions(std::vector<std::uint32_t> ids) : ids_(std::move(ids)) {}

  // The client's session; 0 while the node knows none.
  [[nodiscard]] std::uint32_t of(std::uint32_t client) const { return ids_[client]; }
  // Whether every client has one.
  [[nodiscard]] bool complete() const { return nonces_.empty(); }

  // The node did not know this session of the client's: all are opened anew, unless that was one
  // of an earlier time. False then.
  bool forgotten(std::uint32_t client, std::uint32_t session);
  // The connection is gone, and with it the answer to what was asked.
  void lost_connection() { asked_ns_ = 0; }

  // The body of the request that is to be sent now; empty: none.
  std::vector<std::byte> next_request(std::int64_t now_ns);
  // Tells requests apart: an answer to any but the latest is late.
  [[nodiscard]] std::uint32_t request() const { return request_; }
  // The answer to the latest request. Returns why nothing was opened, which is then tried again
  // later; empty: it was.
  std::string take(const client::Done& done, const client::Reply& reply);

 private:
  std::vector<std::uint32_t> ids_;
  std::vector<std::uint64_t> nonces_;  // of those to be opened; empty: none
  std::size_t opened_ = 0;             // of the nonces
  std::uint32_t request_ = 0;
  std::int64_t asked_ns_ = 0;  // 0: nothing is under way
};

}  // namespace parley::load
