// What an algorithm declares of itself: one value of this type is its registration.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/fields.h"
#include "algorithms/contract/guard.h"
#include "algorithms/contract/inspection.h"
#include "algorithms/contract/options.h"
#include "algorithms/contract/replica.h"

namespace parley {

// What a strategy promises; decides which checks must pass and which only count.
struct Guarantee {
  bool linearizable_writes = false;  // one order, which respects real time
  bool linearizable_reads = false;   // offered as a read mode
  bool exactly_once = false;         // per client session and sequence number
  bool ordered = true;               // commits runs; otherwise it merges cells
  bool led = true;                   // Status::leader names the node that leads
  // What was acknowledged is there in the end, or something later: otherwise its loss is counted.
  bool keeps_acknowledged = true;
  std::string_view summary = {};  // one line for people
};

// What a merge strategy promises besides, with given options.
struct MergePromise {
  std::uint32_t copies = 1;      // nodes that hold a write when it is acknowledged
  Duration max_clock_skew{};     // no stamp taken is further ahead of most clocks; 0: not bounded
  Duration exchange_interval{};  // between two comparisons of a node with a peer; 0: not promised
  // Once all is whole a write is everywhere within so many intervals, in 999 of 1000 executions; 0:
  // not promised.
  std::uint32_t rounds = 0;
  std::uint32_t read_copies = 1;  // nodes that a read has asked when it is answered
  bool sessions_move = false;     // reads see what their client names (ReadRequest::seen)
};

struct Algorithm;

// The strategy that an option's choice makes another one of, with a guarantee of its own.
struct Variant {
  std::string_view option;
  std::string_view choice;
  const Algorithm* algorithm = nullptr;
};

struct Algorithm {
  std::string_view name = {};
  std::string_view summary = {};  // one line
  Guarantee guarantee = {};
  std::vector<OptionSpec> options = {};
  std::uint32_t max_nodes = 64;
  // Takes Control::change_members; the driver refuses that for others.
  bool changes_members = false;
  // Takes Control::hand_over; the driver refuses that for others.
  bool hands_over = false;

  // Whether options fit together; empty, or what is wrong with them. Single ranges are checked
  // already.
  std::string (*check_options)(const OptionValues&) = nullptr;

  // Where the guarantee depends on options: what takes this one's place (see with_options). Of the
  // same name and options.
  std::span<const Variant> variants = {};

  // Once all is whole: the longest that it may take, with given options, until writes are taken
  // again and all nodes come to hold the same; null: shorter than anyone waits.
  Duration (*recovery_time)(const OptionValues&, std::uint32_t members) = nullptr;

  // Of merge strategies; null: nothing besides.
  MergePromise (*merge_promise)(const OptionValues&, std::uint32_t members) = nullptr;

  // By how much monotonic clocks may run fast or slow, in millionths, for the guarantee to hold
  // with these options; null, or 0: that does not matter.
  std::uint32_t (*max_clock_drift)(const OptionValues&) = nullptr;

  // Whether local reads have to ask other nodes, and therefore the replica first; null: never.
  bool (*local_reads_ask)(const OptionValues&) = nullptr;

  // Whether a frame's parts are well-formed: only such frames reach a replica. Called on bytes from
  // outside, so it must withstand anything.
  bool (*verify)(const Block& header, const Block& body) = nullptr;

  // What a frame that `verify` accepts says, for people who look at an execution: a few words on
  // one line, the kind of message first. A frame that brings nothing new (a heartbeat) says the
  // same as the one before it on its link. Null: the kind is not told.
  std::string (*describe)(const Block& header, const Block& body) = nullptr;

  // What the header of a frame that `verify` accepts says, for programs that look at an execution:
  // the kind of message as the text `type`, then each field by its name in messages.h. Bodies hold
  // what clients wrote, and are not told. Null: the kind is not told.
  void (*fields)(const Block& header, FieldSink& to) = nullptr;

  // For checks that look into the log; null: it has none that they understand.
  const Inspection* inspection = nullptr;

  // What must hold in its code, and can be left out to test the checks (guard.h).
  std::span<const Guard* const> guards = {};

  // Makes a replica from what storage held.
  std::unique_ptr<Replica> (*make)(const ReplicaConfig&, const Recovered&) = nullptr;
};

// The strategy that these values of its options make of `algorithm`: itself, or a variant.
inline const Algorithm& with_options(const Algorithm& algorithm, const OptionValues& values) {
  for (const Variant& variant : algorithm.variants) {
    if (option_text(algorithm.options, variant.option, values) == variant.choice) {
      return *variant.algorithm;
    }
  }
  return algorithm;
}

}  // namespace parley
