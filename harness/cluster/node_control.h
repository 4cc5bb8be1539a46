// How the links of a node, its clock and its disk are changed while it runs: over an endpoint of
// its own, which only a node has whose file says so.
//
// A request is [[link]] tables and a [faults] table as in node.toml (node_config.h). They replace
// what the node has of them, so that a request may be repeated. The answer is "done", once the node
// sends and writes accordingly, or the error that the tables would be in the file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/cluster/node_config.h"
#include "harness/cluster/request_port.h"
#include "runtime/live/node.h"

namespace parley::harness {

inline constexpr std::string_view kControlDone = "done";
inline constexpr std::string_view kNodeStopped = "the node has stopped";

class NodeControl {
 public:
  // Serves settings.control_endpoint, if there is one, until it is destroyed. `node` must outlive
  // the control. Throws std::runtime_error that names the endpoint when it cannot be opened.
  NodeControl(const NodeSettings& settings, Node& node);

 private:
  std::string answer(std::string_view request);

  NodeSettings settings_;
  Node& node_;
  std::optional<RequestPort> port_;
};

}  // namespace parley::harness
