// The single checks, each over all recorded operations. Checker runs those that its model needs, in
// the order in which they stand here: the first ones exclude what is wrong by itself, so that one
// fault is reported under one name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "harness/check/checker.h"
#include "harness/check/records.h"
#include "harness/check/staleness.h"

namespace parley::history {

// What the checks share.
struct CheckContext {
  const CheckOptions& options;
  RecordTable& table;
  Findings& findings;
  Consistency& consistency;
  std::vector<std::string>& notes;
  Staleness& staleness;
  VisibilityCurve& visibility;
  std::vector<std::uint32_t> live_nodes;
  std::uint64_t uncertain = 0;  // violations that rest on less than the clocks' error

  // Whether something that returned then had surely returned before the other was invoked.
  bool surely_before(std::int64_t return_ns, std::int64_t invoke_ns) const {
    return return_ns != kNever && invoke_ns - return_ns > options.clock_error_ns;
  }
};

// Every read names an existing, not refused write of its cell, invoked before the read returned,
// with its colour and its stamp. Tells writes of unknown outcome their stamp.
void check_reads(CheckContext& context);

// No two writes of a cell have one stamp.
void check_stamps(CheckContext& context);

// Stamps respect real time: see checker.h.
void check_real_time(CheckContext& context);

// Where operations carry no versions, instead of the above: whether an order of each cell's writes
// and linearizable reads explains what was read. False, and a note, if a search was given up.
bool search_orders(CheckContext& context);

// Fills the stale_* fields, the staleness and the measured part of the visibility.
void count_stale(CheckContext& context);

// Per client, node and cell: reads see the client's own earlier writes and never go back. Holds
// where a session sticks to a node, so operations at different nodes are not compared.
void check_sessions(CheckContext& context);

class JournalCheck;

// Lost, divergent and older_wins from the final reads. True if they were complete: one of each
// acknowledged cell by each live node. `journals`, which may be null, tell who ever held a write.
bool check_final_reads(CheckContext& context, const JournalCheck* journals);

// What replicas applied. An ordered model compares the order of whole journals, others only that of
// each cell.
class JournalCheck {
 public:
  explicit JournalCheck(CheckContext& context);

  void begin(std::uint32_t node);
  void add(const JournalEntry& entry, std::uint64_t line);
  // To be called after the last entry: what is missing, and superseded.
  void finish();

  // What the journals showed of how writes spread. After the last entry.
  [[nodiscard]] const Propagation& propagation() const { return propagation_; }

  bool has(std::uint32_t node) const;
  // Whether the journal of some live node has the write.
  bool reached_a_live_node(RecordIndex index) const;
  std::size_t journals() const { return journals_.size(); }
  std::uint64_t entries() const { return entries_; }

 private:
  struct Journal {
    std::uint32_t node = 0;
    bool live = false;
    Stamp last;  // of the line before, or what the state was restored to
    Stamp end;   // the highest of all lines
    // Indices that a snapshot brought without lines: after the first, up to the second.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> skipped;
    bool restored = false;
    [[nodiscard]] bool skips(Stamp stamp) const;
  };

  void restore(std::uint64_t index);
  bool in_order(const JournalEntry& entry, std::uint64_t line, RecordIndex index);
  void check_cell(const JournalEntry& entry, std::uint64_t line, RecordIndex index);
  void check_entry(const JournalEntry& entry, std::uint64_t line, RecordIndex index);
  void check_repeated(const JournalEntry& entry, std::uint64_t line, RecordIndex index);
  void check_presence(RecordIndex index);
  void made_at(RecordIndex index, std::uint32_t node, Stamp known);
  void count_superseded();
  std::string where(std::uint64_t line) const;

  CheckContext& context_;
  const bool ordered_;
  Propagation propagation_;
  std::vector<Journal> journals_;
  std::vector<std::uint64_t> applied_by_;  // per record: a bit a journal
  std::uint64_t entries_ = 0;
  // Of the unordered models: the newest stamp of each cell in the current journal.
  std::unordered_map<std::uint32_t, Stamp> newest_;
  struct Origin {  // of a write
    Stamp known;   // the highest of its cell that the node had applied before
    std::uint32_t node = 0;
  };
  std::vector<Origin> origins_;  // by record; empty when no journal tells
};

}  // namespace parley::history
