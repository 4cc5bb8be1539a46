// What the links between nodes are like: delay, jitter, loss and cuts, per directed link.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "algorithms/contract/ids.h"
#include "harness/cluster/config_file.h"

namespace parley::harness {

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

  // The links of `from` to others, as rules with that `from`.
  [[nodiscard]] std::vector<LinkRule> leaving(NodeId from) const;
};

// The shape of the link under `rules`; nothing where no rule speaks of it.
std::optional<LinkShape> shape_of(const std::vector<LinkRule>& rules, NodeId from, NodeId to);

// "loopback", or the path of a TOML file:
//   delay_ms = 20            # of every link: up to 60000, fractions allowed
//   jitter_ms = 5
//   loss = 0.01              # share of the messages, 0 to 1
//   reorder = false          # whether a message may overtake an earlier one
//   [[link]]                 # only this link, one way; replaces the above for it
//   from = 1
//   to = 2
//   delay_ms = 80
//   cut = true
// Throws ConfigError.
NetworkProfile load_network_profile(const std::string& name_or_path);

// Reads delay_ms, jitter_ms, loss, cut and reorder of `reader`.
LinkShape read_link_shape(ConfigReader& reader);
// The same as lines of TOML.
std::string link_shape_toml(const LinkShape& shape);

}  // namespace parley::harness
