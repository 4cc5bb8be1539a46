#include "harness/load/router.h"

#include <algorithm>

namespace parley::load {

NodeId named_by_most(std::span<const NodeId> named) {
  std::ptrdiff_t most = 0;
  NodeId best;
  for (const NodeId candidate : named) {
    const auto votes = std::count(named.begin(), named.end(), candidate);
    if (candidate == kNoNode || votes <= most) continue;
    most = votes;
    best = candidate;
  }
  return best;
}

Router::Router(const std::vector<Target>& targets, Routing routing, std::int64_t silence_limit_ns)
    : routing_(routing), silence_limit_ns_(silence_limit_ns) {
  for (const Target& target : targets) nodes_.push_back({.id = target.node, .leader = {}});
}

void Router::connection(std::uint8_t link, bool connected) {
  Node& node = nodes_[link];
  node.connected = connected;
  node.leader = kNoNode;
  node.has_named = false;
  node.asked_ns = 0;
  count_votes();
}

void Router::asked(std::uint8_t link, std::int64_t now_ns) {
  if (nodes_[link].asked_ns == 0) nodes_[link].asked_ns = now_ns;
}

void Router::heard(std::uint8_t link) {
  nodes_[link].asked_ns = 0;
}

bool Router::leader_named(std::uint8_t link, NodeId leader) {
  nodes_[link].has_named = true;
  if (nodes_[link].leader == leader) return false;
  nodes_[link].leader = leader;
  count_votes();
  return true;
}

bool Router::up(std::uint8_t link, std::int64_t now_ns) const {
  const Node& node = nodes_[link];
  return node.connected && (node.asked_ns == 0 || now_ns - node.asked_ns < silence_limit_ns_);
}

void Router::count_votes() {
  std::vector<NodeId> named;
  for (const Node& node : nodes_) named.push_back(node.leader);
  leader_ = named_by_most(named);
  leader_link_ = link_of(leader_);
}

std::uint8_t Router::link_of(NodeId node) const {
  const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                  [node](const Node& other) { return other.id == node; });
  return found == nodes_.end() ? kNoLink : static_cast<std::uint8_t>(found - nodes_.begin());
}

std::uint8_t Router::pick(std::uint32_t client, std::uint8_t failed, std::int64_t now_ns) const {
  if (routing_ == Routing::leader && leader_link_ != kNoLink && up(leader_link_, now_ns)) {
    return leader_link_;
  }
  const std::size_t count = nodes_.size();
  const std::size_t first = failed == kNoLink ? client % count : std::size_t{failed} + 1;
  for (std::size_t i = 0; i < count; ++i) {
    const auto link = static_cast<std::uint8_t>((first + i) % count);
    if (up(link, now_ns)) return link;
  }
  return kNoLink;
}

}  // namespace parley::load
