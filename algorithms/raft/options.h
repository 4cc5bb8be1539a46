// The options of Raft, with their ranges and as the core uses them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "algorithms/contract/options.h"
#include "algorithms/contract/time.h"

namespace parley::raft {

struct Options {
  Duration election_timeout_min{};
  Duration election_timeout_max{};
  Duration heartbeat{};
  Duration commit_notice{};
  bool pre_vote = true;
  bool check_quorum = true;
  bool lease = false;     // reads by lease
  Duration lease_time{};  // from the beginning of a round that a majority confirms, by this clock
  std::uint64_t max_inflight_messages = 0;  // per peer
  std::uint64_t max_inflight_bytes = 0;     // per peer
  std::uint64_t max_append_bytes = 0;       // of one message
  std::uint64_t max_probe_bytes = 0;        // of a message that asks where two logs part
  std::uint64_t max_uncommitted_bytes = 0;  // in a leader's log
  std::uint64_t max_held_bytes = 0;         // of this node's own runs
  std::uint64_t log_keep_bytes = 0;         // before a snapshot's end
  Duration forward_retry{};
  Duration forward_give_up{};
  Duration catch_up_timeout{};
};

std::vector<OptionSpec> option_specs();

// Values of option_specs(), each within its range.
Options read_options(const OptionValues& values);

// See Algorithm::max_clock_drift.
std::uint32_t max_clock_drift(const OptionValues& values);

// Empty, or which options do not fit together.
std::string check_options(const OptionValues& values);

}  // namespace parley::raft
