// The links between nodes (runtime/links.h) as files have them.
#pragma once

#include <string>

#include "harness/cluster/config_file.h"
#include "runtime/links.h"

namespace parley::harness {

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
