// Which node a client's message goes to, and who leads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/contract/ids.h"
#include "harness/load/load.h"

namespace parley::load {

inline constexpr std::uint8_t kNoLink = 255;

// Whom most of them name, of those with as many the one named first; kNoNode names nobody.
NodeId named_by_most(std::span<const NodeId> named);

// What the generator knows of the nodes; times in ns of one clock. See Routing.
class Router {
 public:
  Router(const std::vector<Target>& targets, Routing routing, std::int64_t silence_limit_ns);

  void connection(std::uint8_t link, bool connected);
  // Something was sent that a live node answers at once.
  void asked(std::uint8_t link, std::int64_t now_ns);
  // Something was received.
  void heard(std::uint8_t link);
  // The node names a leader (kNoNode: it knows none). True if that is news.
  bool leader_named(std::uint8_t link, NodeId leader);

  [[nodiscard]] bool up(std::uint8_t link, std::int64_t now_ns) const;
  // What the node said of the leader since it was connected; whether it said anything.
  [[nodiscard]] NodeId named_by(std::uint8_t link) const { return nodes_[link].leader; }
  [[nodiscard]] bool has_named(std::uint8_t link) const { return nodes_[link].has_named; }
  // The leader that most of the connected nodes name; kNoNode if none does.
  [[nodiscard]] NodeId leader() const { return leader_; }

  // Where a client's message goes: kNoLink when no node is up. After a failure at `failed` it goes
  // elsewhere if it can.
  [[nodiscard]] std::uint8_t pick(std::uint32_t client, std::uint8_t failed,
                                  std::int64_t now_ns) const;

 private:
  struct Node {
    NodeId id;
    bool connected = false;
    std::int64_t asked_ns = 0;  // the first time since it was last heard; 0: not asked
    NodeId leader;
    bool has_named = false;
  };
  [[nodiscard]] std::uint8_t link_of(NodeId node) const;
  void count_votes();

  std::vector<Node> nodes_;
  Routing routing_;
  std::int64_t silence_limit_ns_;
  NodeId leader_;
  std::uint8_t leader_link_ = kNoLink;
};

}  // namespace parley::load
