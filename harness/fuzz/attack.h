// Hostile traffic to the ports of a cluster that lives: malformed frames, requests and connections,
// none of which a node may take for anything else. What a stranger could do who guesses the
// incarnation of a member is not among it: until links have keys, frames are as good as their
// sender's word.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/cluster/cluster.h"

namespace parley::fuzz {

// What was sent, over all nodes.
struct AttackCounts {
  std::uint64_t frames = 0;       // to the ports for peers: each has to be refused and counted
  std::uint64_t requests = 0;     // to the ports for clients: likewise
  std::uint64_t connections = 0;  // plain ones with garbage, half a greeting or nothing
  std::uint64_t web = 0;          // HTTP requests and WebSockets
  std::uint64_t web_taken = 0;    // of these, answered as if they were good ones
  [[nodiscard]] std::uint64_t total() const { return frames + requests + connections + web; }
};

// Connections that say nothing, or a byte now and then, from the first moment on until the object
// is gone: some to each port.
class Loiterers {
 public:
  explicit Loiterers(const std::vector<harness::Member>& members);
  ~Loiterers();
  Loiterers(const Loiterers&) = delete;
  Loiterers& operator=(const Loiterers&) = delete;

 private:
  std::vector<int> sockets_;
};

struct AttackPlan {
  std::vector<harness::Member> members;
  // For each of them another one that it has heard: until then it takes anyone for who he says he
  // is.
  std::map<NodeId, NodeId> heard;
  // Headers of frames of the strategy that stand alone. In the name of a stranger, of the receiver
  // or of another start of a member they are as bad as any.
  std::vector<std::string> valid;
  std::uint64_t count = 0;
  std::uint64_t seed = 1;
};

// Sends `plan.count` of them, evenly to all ports, and reads what is answered. Throws Finding where
// a node does not take a connection.
AttackCounts attack(const AttackPlan& plan);

}  // namespace parley::fuzz
