// The links between nodes (runtime/links.h) as files have them.
#pragma once

#include <string>

#include "harness/cluster/config_file.h"
#include "runtime/links.h"

namespace parley::harness {

// "loopback" (links as they are), the name of a profile (link_profiles.h), or the path of a TOML
// file:
//   delay_ms = 20            # of every link: up to 60000, fractions allowed
//   jitter_ms = 5
//   loss = 0.01              # share of the messages, 0 to 1
//   reorder = false          # whether a message may overtake an earlier one
//   [[link]]                 # only this link, one way; replaces the above for it
//   from = 1
//   to = 2
//   delay_ms = 80
//   cut = true
// or one whose links follow from where nodes are: node i is in region (i - 1) modulo their number.
//   jitter = 0.05            # how far a delay may be from its average, as a share of it
//   loss = 0
//   reorder = false
//   [[region]]
//   name = "Frankfurt"
//   rtt_ms = [0.1, 91]       # there and back, from here to each region in their order; a message's
//   delay is half
//   [[region]]
//   name = "Washington DC"
//   rtt_ms = [91, 0.1]
// Throws ConfigError.
NetworkProfile load_network_profile(const std::string& name_or_path);

// Reads delay_ms, jitter_ms, loss, cut and reorder of `reader`.
LinkShape read_link_shape(ConfigReader& reader);
// The same as lines of TOML.
std::string link_shape_toml(const LinkShape& shape);

}  // namespace parley::harness
