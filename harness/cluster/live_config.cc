#include "harness/cluster/live_config.h"

namespace parley::harness {
namespace {

Durability durability_named(std::string_view name) {
  if (name == "group_commit") return Durability::group_commit;
  return name == "async" ? Durability::async : Durability::none;
}

}  // namespace

std::map<NodeId, LinkProfile> live_links(const NodeSettings& settings) {
  std::map<NodeId, LinkProfile> links;
  for (const NodeId node : settings.nodes()) {
    if (node == settings.node) continue;
    links[node] = profile_of(shape_of(settings.links, settings.node, node).value_or(LinkShape{}));
  }
  return links;
}

NodeConfig live_config(const NodeSettings& settings, const Canvas& canvas) {
  NodeConfig config;
  config.algorithm = settings.algorithm;
  config.application = &canvas;
  config.replica.group = settings.group;
  config.replica.self = settings.node;
  config.replica.incarnation = random_incarnation();
  config.replica.members = settings.first_members();
  config.replica.options = settings.options;
  // Nodes of one cluster must not draw the same election timeouts.
  config.replica.seed = settings.seed * 1'000'003 + settings.node.value;
  config.peers = settings.peers;
  config.client_endpoints = {settings.client_endpoint};
  config.links = live_links(settings);
  config.faults = settings.faults;
  config.durability = durability_named(settings.durability);
  config.data = settings.data;
  config.limits.snapshot_bytes = settings.snapshot_bytes;
  config.limits.session_idle = std::chrono::seconds(settings.session_idle_s);
  config.journal = settings.journal;
  config.trace = settings.trace;
  config.journal_cell = [&canvas](Key key) {
    const Canvas::Point point = canvas.xy_of(key);
    return std::uint64_t{point.y} * canvas.size().width + point.x;
  };
  return config;
}

}  // namespace parley::harness
