// The HTTP gateway of a canvas node.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "algorithms/contract/node_port.h"
#include "apps/canvas/canvas.h"
#include "apps/canvas/http_server.h"
#include "apps/canvas/placer.h"
#include "apps/canvas/viewers.h"

namespace parley {

struct GatewayConfig {
  std::string address = "127.0.0.1";  // numeric IPv4 or IPv6
  std::uint16_t port = 0;             // 0: any free one
  // Names by which browsers may reach this server besides addresses of this machine. Bound to a
  // loopback address, it answers requests for loopback names and these only (DNS rebinding); bound
  // to another, it answers any name unless some are given here.
  std::vector<std::string> allowed_hosts;
  // Origins of foreign pages that may use it, such as "https://example.org", besides loopback ones.
  std::vector<std::string> allowed_origins;
  // Where browsers find the pages of the members, such as "http://127.0.0.1:8080/": ours goes on
  // with another node when this one dies, and theirs may use this one.
  std::map<NodeId, std::string> pages;
  // Carries out POST /faults: takes its body, and calls back from any thread, once, with a status
  // and JSON. Null, or bound to another address than a loopback one: such requests are refused.
  std::function<void(std::string body, std::function<void(int status, std::string json)> done)>
      faults;
  HttpLimits http;
  PlacerLimits placer;
  ViewerLimits viewers;
  std::chrono::milliseconds view_max_age{100};  // of what viewers are shown
  std::uint64_t max_body_bytes = 256U << 20;    // of all canvases being sent at one time
};

// Serves the endpoints of one node, its viewers and the web page in a thread of its own. Talks to
// the node through its port only.
class Gateway {
 public:
  // `canvas` and `node` must outlive the gateway. The node may call back after the gateway is gone:
  // that does nothing.
  Gateway(const Canvas& canvas, NodePort& node, GatewayConfig config);
  // Stops.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Binds and starts serving. Returns empty, or what went wrong; call once.
  std::string start();
  // Closes all connections; requests without an answer get none.
  void stop();

  // The port that it is bound to, once started.
  [[nodiscard]] std::uint16_t port() const;
  // "http://127.0.0.1:8080/", once started.
  [[nodiscard]] std::string url() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley
