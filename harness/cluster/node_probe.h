// Asks running nodes who they are and how they fare, over their client ports.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "algorithms/contract/ids.h"

namespace parley::harness {

struct NodeHello {
  NodeId node;
  Incarnation incarnation;
  NodeId leader;  // as far as known there
  std::string algorithm;
  bool sessions_of_nodes = false;  // a session is known to the node that opened it only
};

// Used by one thread at a time. Answers are waited for at most as long as given; nodes that do not
// answer are absent from the result.
class NodeProbe {
 public:
  explicit NodeProbe(const std::map<NodeId, std::string>& client_endpoints);
  ~NodeProbe();
  NodeProbe(const NodeProbe&) = delete;
  NodeProbe& operator=(const NodeProbe&) = delete;

  std::map<NodeId, NodeHello> hello(const std::vector<NodeId>& nodes,
                                    std::chrono::milliseconds limit);
  // The nodes' reports: JSON text.
  std::map<NodeId, std::string> report(const std::vector<NodeId>& nodes,
                                       std::chrono::milliseconds limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parley::harness
