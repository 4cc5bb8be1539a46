// The log: entries by index, which terms they have, and which of them are durable.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "algorithms/contract/command.h"
#include "algorithms/contract/ids.h"
#include "algorithms/raft/messages.h"

namespace parley::raft {

struct Entry {
  Epoch term;
  Ticket ticket;                    // of the write that appended it; 0 if storage held it at start
  std::uint64_t bytes_through = 0;  // of the log up to and including this entry
  CommandRun run;                   // count 0: a leader's empty entry
};

// What a body of its own takes besides its bytes: its counters and the allocator's.
inline constexpr std::uint64_t kBodyOverhead = 48;

// The bytes that a run counts for in every limit: about what it takes in memory, and at least what
// it takes on the wire.
inline std::uint64_t cost(const CommandRun& run) {
  return sizeof(Entry) + kBodyOverhead + run.body.size();
}

// The entries after those that a snapshot took the place of, all in memory. What was before is
// committed, and so the same in every log.
class Log {
 public:
  // Begins after the entry `base`, which had `term`.
  explicit Log(LogIndex base = {}, Epoch term = {});

  // The index before the first entry held.
  [[nodiscard]] LogIndex base() const { return base_; }
  [[nodiscard]] LogIndex last() const { return last_; }
  [[nodiscard]] Epoch last_term() const {
    return term_starts_.empty() ? base_term_ : term_starts_.back().term;
  }

  // The entry of an index from base() + 1 to last().
  [[nodiscard]] const Entry& at(LogIndex index) const {
    const std::uint64_t place = index.value - 1;
    return segments_[place / kSegment - dropped_segments_][place % kSegment];
  }

  // The term of an index from base() to last(); that of 0 is 0.
  [[nodiscard]] Epoch term_at(LogIndex index) const {
    return index == base_ ? base_term_ : at(index).term;
  }

  // Whether the log holds, or held, an entry of that index and term. Then everything before it is
  // the same as in any other log that holds it (the Log Matching property, dissertation §3.5).
  // Before base() every log agrees.
  [[nodiscard]] bool matches(LogIndex index, Epoch term) const {
    return index < base_ || (index <= last_ && term_at(index) == term);
  }

  // Bytes of the entries after `from` up to `to`; base() <= from <= to <= last().
  [[nodiscard]] std::uint64_t bytes_between(LogIndex from, LogIndex to) const {
    return bytes_through(to) - bytes_through(from);
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_between(base_, last_); }

  // Appends at last() + 1; `term` is not below last_term().
  void append(Epoch term, Ticket ticket, CommandRun run);

  // Forgets the entries from `index` > base() on.
  void truncate(LogIndex index);

  // Forgets the entries up to `index`, from base() to last(), which a snapshot holds.
  void compact(LogIndex index);

  // Forgets everything: a snapshot that ends with the entry `base` of `term` takes its place.
  void reset(LogIndex base, Epoch term);

  // Every write up to `ticket` is on disk. What an index has now may be newer than what it had when
  // an earlier ticket was issued, so durability is judged by each entry's own ticket.
  void acknowledge(Ticket ticket);

  // The last index such that the entries up to it are durable.
  [[nodiscard]] LogIndex durable() const { return std::min(durable_, last_); }

  // The newest terms of the log and where they begin, newest first, at most kMaxTermStarts.
  void newest_terms(std::vector<TermStart>& starts) const;

  // The last index at which this log and another one agree, of which the end and the starts of its
  // newest terms are known. If none of these terms is common: the index before the oldest of them.
  [[nodiscard]] LogIndex agreement(LogIndex other_last, std::span<const TermStart> other) const;

 private:
  static constexpr std::size_t kSegment = 1024;

  [[nodiscard]] std::uint64_t bytes_through(LogIndex index) const {
    return index == base_ ? base_bytes_ : at(index).bytes_through;
  }

  // Segments of fixed size: entries never move, and growing never copies.
  std::vector<std::unique_ptr<Entry[]>> segments_;
  std::uint64_t dropped_segments_ = 0;
  std::vector<TermStart> term_starts_;  // oldest first; the first may lie before base()
  LogIndex base_;
  Epoch base_term_;
  std::uint64_t base_bytes_ = 0;
  LogIndex last_;
  LogIndex durable_;
};

}  // namespace parley::raft
