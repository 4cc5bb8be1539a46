// Asks one node one thing at a time and waits for the answer: for what comes before and after the
// load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/time.h"
#include "algorithms/contract/turn.h"
#include "harness/load/load.h"

namespace parley::load {

class NodeClient {
 public:
  // Begins to connect. Throws LoadError when the endpoint is not one.
  explicit NodeClient(const Target& target);
  ~NodeClient();
  NodeClient(NodeClient&&) noexcept;
  NodeClient& operator=(NodeClient&&) noexcept;

  [[nodiscard]] NodeId node() const;

  // What the node says of itself (JSON text); nothing if it did not answer within `limit`.
  std::optional<std::string> report(Duration limit);

  // The application's answer to a query, or nothing; then `problem` says why.
  std::optional<std::vector<std::byte>> query(Bytes query, ReadMode mode, Duration limit,
                                              std::string& problem);

  // Opens a session for each nonce, or finds the one that it opened before. Returns their ids in
  // the order of the nonces; empty if any was not opened, and then `problem` says why.
  std::vector<std::uint32_t> open_sessions(std::span<const std::uint64_t> nonces, Duration limit,
                                           std::string& problem);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Opens the sessions of all clients, with random nonces that no other run has: at whichever node
// does it or, if sessions are the nodes' own, at each. Returns a list of as many ids as there are
// clients, or one for each target. Throws LoadError when the setup timeout has passed or the run is
// stopped.
std::vector<std::vector<std::uint32_t>> open_sessions(const LoadSpec& spec);

}  // namespace parley::load
