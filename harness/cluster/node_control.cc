#include "harness/cluster/node_control.h"

#include <chrono>
#include <future>
#include <utility>
#include <vector>

#include "harness/cluster/live_config.h"

namespace parley::harness {
namespace {

constexpr std::chrono::seconds kTurnLimit(5);  // for the loop to take all links over

}  // namespace

NodeControl::NodeControl(const NodeSettings& settings, Node& node)
    : settings_(settings), node_(node) {
  if (settings_.control_endpoint.empty()) return;
  port_.emplace(settings_.control_endpoint,
                [this](std::string_view request) { return answer(request); });
}

std::string NodeControl::answer(std::string_view request) {
  try {
    ConfigReader reader = ConfigReader::from_text(request, "request");
    std::vector<LinkRule> links = read_links(reader, settings_.node);
    const NodeFaults faults = read_node_faults(reader, settings_.durability);
    reader.finish();
    settings_.links = std::move(links);
    settings_.faults = faults;
  } catch (const ConfigError& error) {
    return error.what();
  }
  node_.inject(settings_.faults);
  std::vector<std::future<void>> shaped;
  for (const auto& [peer, profile] : live_links(settings_)) {
    shaped.push_back(node_.shape_link(peer, profile));
  }
  const auto until = std::chrono::steady_clock::now() + kTurnLimit;
  for (std::future<void>& link : shaped) {
    if (link.wait_until(until) != std::future_status::ready) return "the node's loop is stuck";
    try {
      link.get();
    } catch (const std::future_error&) {
      return std::string(kNodeStopped);
    }
  }
  return std::string(kControlDone);
}

}  // namespace parley::harness
