// What a node and its gateway count, in the text format of Prometheus.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "algorithms/contract/node_port.h"
#include "apps/canvas/http_server.h"
#include "apps/canvas/viewers.h"

namespace parley {

inline constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";

struct GatewayCounters {
  HttpCounters http;
  ViewerCounters viewers;
  std::uint64_t placed_ok = 0;  // placements that came over HTTP
  std::uint64_t placed_refused = 0;
  std::uint64_t placed_unknown = 0;
  double update_interval_s = 0;
};

// Every metric is labelled with the node and its algorithm.
std::string metrics_text(const NodeReport& report, const GatewayCounters& gateway);

}  // namespace parley
