// How the links of a node are changed while it runs: over a ZeroMQ endpoint of its own, which only
// a node has whose file says so.
//
// A request is [[link]] tables as in node.toml (node_config.h). They replace the links that the
// node has, so that a request may be repeated. The answer is "done", once the node sends
// accordingly, or the error that the tables would be in the file.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <zmq.hpp>

#include "harness/cluster/node_config.h"
#include "runtime/live/node.h"

namespace parley::harness {

inline constexpr std::string_view kControlDone = "done";

class NodeControl {
 public:
  // Serves settings.control_endpoint, if there is one, in a thread of its own. `node` must outlive
  // the control. Throws std::runtime_error that names the endpoint when it cannot be opened.
  NodeControl(const NodeSettings& settings, Node& node);
  ~NodeControl();
  NodeControl(const NodeControl&) = delete;
  NodeControl& operator=(const NodeControl&) = delete;

 private:
  void serve();
  std::string answer(const zmq::message_t& request);

  NodeSettings settings_;
  Node& node_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::thread thread_;
};

struct ControlRequest {
  std::string endpoint;
  std::string links;  // links_text
};
// Asks the nodes, all at once. The answers of those that answer within `limit`; what was asked of
// the others is withdrawn as far as they have not received it.
std::map<NodeId, std::string> ask_control(const std::map<NodeId, ControlRequest>& requests,
                                          std::chrono::milliseconds limit);

}  // namespace parley::harness
