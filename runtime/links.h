// What the links between nodes are like, as plain data: one description is for clusters that live
// and for simulated ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "algorithms/contract/ids.h"
#include "runtime/link_shaper.h"

namespace parley {

// One direction between two nodes.
struct LinkShape {
  std::uint32_t delay_us = 0;          // of every message, up to 60 s
  std::uint32_t jitter_us = 0;         // how far a message's delay may be from it, up to 60 s
  std::uint32_t loss_per_million = 0;  // messages lost
  bool cut = false;                    // nothing passes
  bool reorder = false;                // a message may overtake an earlier one
  bool operator==(const LinkShape&) const = default;
};

// The shape of one link, or of all that a node or nobody at all names: kNoNode stands for any.
struct LinkRule {
  NodeId from;
  NodeId to;
  LinkShape shape;
  bool operator==(const LinkRule&) const = default;
};

// A later rule wins over an earlier one.
struct NetworkProfile {
  std::string name = "loopback";
  std::vector<LinkRule> rules;
  std::vector<std::string> regions{};  // where nodes are, in turn; empty: nowhere in particular

  // Its place in `regions`, which must not be empty.
  [[nodiscard]] std::size_t region_of(NodeId node) const {
    return (node.value - 1) % regions.size();
  }

  // The links of `from` to others, as rules with that `from`.
  [[nodiscard]] std::vector<LinkRule> leaving(NodeId from) const;
};

// The shape of the link under `rules`; nothing where no rule speaks of it.
std::optional<LinkShape> shape_of(const std::vector<LinkRule>& rules, NodeId from, NodeId to);

// The same for the shaper of that link.
LinkProfile profile_of(const LinkShape& shape);

}  // namespace parley
