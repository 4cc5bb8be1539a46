// What a cluster can be made of.
#include <fmt/format.h>

#include "harness/cluster/cluster.h"
#include "harness/cluster/config_file.h"
#include "harness/cluster/node_config.h"

namespace parley::harness {

void check_cluster(const ClusterSpec& spec) {
  if (spec.nodes < 1 || spec.nodes > spec.algorithm->max_nodes) {
    throw ConfigError(
        fmt::format("nodes: {} is not a whole number from 1 to {}, which is what {} runs on",
                    spec.nodes, spec.algorithm->max_nodes, spec.algorithm->name));
  }
  if (spec.spares != 0 && !spec.algorithm->changes_members) {
    throw ConfigError(
        fmt::format("spares: the members of {} do not change while it runs", spec.algorithm->name));
  }
  for (const NodeId id : spec.rejoin) {
    if (id.value < 1 || id.value > spec.nodes) {
      throw ConfigError(fmt::format("rejoin: {} is not one of the {} nodes", id.value, spec.nodes));
    }
    NodeSettings settings;
    settings.algorithm = spec.algorithm;
    settings.durability = spec.durability;
    make_rejoin(settings);
  }
  if (spec.spares > spec.algorithm->max_nodes - spec.nodes) {
    throw ConfigError(
        fmt::format("spares: {} and {} nodes are more than {}, which is what {} runs on",
                    spec.spares, spec.nodes, spec.algorithm->max_nodes, spec.algorithm->name));
  }
  if (spec.cooldown.count() != 0 && !spec.algorithm->guarantee.ordered) {
    throw ConfigError(
        fmt::format("cooldown: {} merges writes and cannot make users wait", spec.algorithm->name));
  }
  if (spec.durability != "none" && spec.data.empty()) {
    throw ConfigError("data: durability " + toml_quoted(spec.durability) +
                      " needs a folder for the nodes' storage");
  }
  const std::uint32_t all = spec.nodes + spec.spares;
  if (spec.http_port != 0 && spec.http_port + all - 1 > 65535) {
    throw ConfigError(fmt::format("http_port: {} leaves no port for node {}; at most {}",
                                  spec.http_port, all, 65536 - all));
  }
}

}  // namespace parley::harness
