// The options of gossip_lww, with their ranges and as the core uses them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "algorithms/contract/options.h"
#include "algorithms/contract/time.h"
#include "algorithms/gossip_lww/failure_detector.h"

namespace parley::gossip_lww {

struct Options {
  std::uint64_t ack = 1;          // nodes that hold a write before it is acknowledged
  std::uint64_t read = 1;         // nodes that a read has asked before it is answered
  Duration read_wait{};           // for their answers, or for what the client has seen elsewhere
  std::uint64_t region_size = 0;  // the most members of a region; 0: one holds all
  std::uint64_t relays = 0;       // how many of its members speak for a region
  std::uint64_t fanout = 0;       // peers to whom a rumour is passed on at a time
  std::uint64_t rounds = 0;       // how often a node passes on a rumour
  std::uint64_t far_fanout = 0;   // regions to which a relay passes it on at a time
  std::uint64_t far_rounds = 0;   // how often a relay passes it on to other regions
  Duration rumor_interval{};
  Duration anti_entropy{};
  Duration repair_after{};  // how long a rumour has time to arrive by itself
  Duration max_clock_skew{};
  DetectorTiming detector;
  std::uint64_t max_message_bytes = 0;    // of cells; a larger delta still goes
  std::uint64_t recent_bytes = 0;         // of deltas kept for peers that lack some
  std::uint64_t max_held_bytes = 0;       // of this node's own runs that are not acknowledged
  std::uint64_t max_set_aside_bytes = 0;  // of writes from the future
};

std::vector<OptionSpec> option_specs();

// Values of option_specs(), each within its range, for a cluster of so many members.
Options read_options(const OptionValues& values, std::size_t members);

// Empty, or which options do not fit together.
std::string check_options(const OptionValues& values);

}  // namespace parley::gossip_lww
