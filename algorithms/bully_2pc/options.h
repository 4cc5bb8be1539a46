// The options of bully_2pc, with their ranges and as the core uses them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "algorithms/contract/options.h"
#include "algorithms/contract/time.h"

namespace parley::bully_2pc {

struct Options {
  bool fenced = true;         // by epochs
  bool elect_highest = true;  // otherwise the lowest id leads
  bool all_votes = false;     // a batch needs every vote; otherwise a majority's
  Duration heartbeat{};
  Duration timeout{};  // without a heartbeat a node has failed
  Duration answer_timeout{};
  std::uint32_t jitter_percent = 0;
  Duration batch_interval{};      // 0: as soon as there is something
  std::uint64_t batch_bytes = 0;  // a batch with as much leaves at once
  std::uint64_t pipeline = 1;     // batches prepared and not decided
  Duration hash_interval{};       // without fencing: between two comparisons of states
  Duration commit_notice{};
  std::uint64_t max_inflight_messages = 0;  // per peer
  std::uint64_t max_inflight_bytes = 0;     // per peer
  std::uint64_t max_message_bytes = 0;
  std::uint64_t max_undecided_bytes = 0;  // in a coordinator's log
  std::uint64_t max_held_bytes = 0;       // of this node's own runs
  std::uint64_t log_keep_bytes = 0;       // before a snapshot's end
  Duration forward_retry{};
  Duration forward_give_up{};
};

std::vector<OptionSpec> option_specs();

// Values of option_specs(), each within its range.
Options read_options(const OptionValues& values);

// See Algorithm::recovery_time.
Duration recovery_time(const OptionValues& values, std::uint32_t members);

// Empty, or which options do not fit together.
std::string check_options(const OptionValues& values);

}  // namespace parley::bully_2pc
