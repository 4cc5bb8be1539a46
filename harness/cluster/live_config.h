// From node.toml to a live node.
#pragma once

#include <map>

#include "apps/canvas/canvas.h"
#include "harness/cluster/node_config.h"
#include "runtime/live/node.h"

namespace parley::harness {

// The configuration of the node that `settings` describe. `canvas` must outlive the node.
NodeConfig live_config(const NodeSettings& settings, const Canvas& canvas);

// What its links to every other node are like.
std::map<NodeId, LinkProfile> live_links(const NodeSettings& settings);

}  // namespace parley::harness
