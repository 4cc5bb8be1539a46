// A log of runs in memory, for strategies that order them under leaders: entries by index, which
// epochs (terms) they have, and which of them are durable.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "algorithms/contract/command.h"
#include "algorithms/contract/guard.h"
#include "algorithms/contract/ids.h"

namespace parley {

namespace guards {

inline constexpr Guard kDurableByTicket{"durable_by_ticket",
                                        "an index written again is durable when its last write is"};

}  // namespace guards

// Where the entries of a term begin in a log. A term has one leader, which appends in order: two
// logs that hold entries of the same term hold the same ones up to the end of the shorter.
struct TermStart {
  Epoch term;
  LogIndex first;
  constexpr bool operator==(const TermStart&) const = default;
};

// What a strategy keeps with an entry besides: here nothing. `cost` is in bytes, for the limits.
struct NoNote {
  [[nodiscard]] static constexpr std::uint64_t cost() { return 0; }
};

template <class Note>
struct BasicEntry {
  Epoch term;
  Ticket ticket;                    // of the write that appended it; 0 if storage held it at start
  std::uint64_t bytes_through = 0;  // of the log up to and including this entry
  CommandRun run;                   // count 0: a leader's empty entry
  [[no_unique_address]] Note note;
};
using Entry = BasicEntry<NoNote>;

// What a body of its own takes besides its bytes: its counters and the allocator's.
inline constexpr std::uint64_t kBodyOverhead = 48;

// The bytes that a run counts for in every limit: about what it takes in memory, and at least what
// it takes on the wire.
inline std::uint64_t cost(const CommandRun& run) {
  return sizeof(Entry) + kBodyOverhead + run.body.size();
}

// The entries after those that a snapshot took the place of, all in memory. What was before is
// committed, and so the same in every log.
template <class Note>
class BasicLog {
 public:
  using Entry = BasicEntry<Note>;

  // Begins after the entry `base`, which had `term`.
  explicit BasicLog(LogIndex base = {}, Epoch term = {}) { reset(base, term); }

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
  void append(Epoch term, Ticket ticket, CommandRun run, Note note = {});

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

  // The newest terms of the log up to `last` and where they begin, newest first, at most `max`.
  void newest_terms(LogIndex last, std::vector<TermStart>& starts, std::size_t max) const;

  // The last index at which this log and another one agree, of which an end and the starts of its
  // newest terms up to there are known. If none of these terms is common: the index before the
  // oldest of them.
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

using Log = BasicLog<NoNote>;

template <class Note>
void BasicLog<Note>::reset(LogIndex base, Epoch term) {
  segments_.clear();
  dropped_segments_ = base.value / kSegment;
  term_starts_.clear();
  if (base != LogIndex{}) term_starts_.push_back({term, base});
  base_ = last_ = durable_ = base;
  base_term_ = term;
  base_bytes_ = 0;
}

template <class Note>
void BasicLog<Note>::compact(LogIndex index) {
  base_bytes_ = bytes_through(index);
  base_term_ = term_at(index);
  const std::uint64_t segments = index.value / kSegment - dropped_segments_;
  const auto first = base_.next();
  base_ = index;
  for (LogIndex i = std::max(first, LogIndex{(index.value / kSegment) * kSegment + 1}); i <= index;
       i = i.next()) {
    const std::uint64_t place = i.value - 1;
    segments_[place / kSegment - dropped_segments_][place % kSegment] = Entry{};
  }
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(segments));
  dropped_segments_ += segments;
  durable_ = std::max(durable_, base_);
  const auto covers_base = [this](const TermStart& start) { return start.first > base_; };
  const auto later = std::find_if(term_starts_.begin(), term_starts_.end(), covers_base);
  if (later - term_starts_.begin() > 1) term_starts_.erase(term_starts_.begin(), later - 1);
}

template <class Note>
void BasicLog<Note>::append(Epoch term, Ticket ticket, CommandRun run, Note note) {
  const std::uint64_t bytes = bytes_through(last_) + cost(run) + note.cost();
  const std::uint64_t place = last_.value;
  if (place / kSegment - dropped_segments_ == segments_.size()) {
    segments_.push_back(std::make_unique<Entry[]>(kSegment));
  }
  last_ = last_.next();
  if (term_starts_.empty() || term_starts_.back().term != term) {
    term_starts_.push_back({term, last_});
  }
  segments_[place / kSegment - dropped_segments_][place % kSegment] =
      Entry{term, ticket, bytes, std::move(run), std::move(note)};
}

template <class Note>
void BasicLog<Note>::truncate(LogIndex index) {
  for (LogIndex i = index; i <= last_; i = i.next()) {
    const std::uint64_t place = i.value - 1;
    segments_[place / kSegment - dropped_segments_][place % kSegment] = Entry{};
  }
  last_ = std::min(last_, index.prev());
  if (holds(guards::kDurableByTicket)) durable_ = std::min(durable_, last_);
  segments_.resize((last_.value + kSegment - 1) / kSegment - dropped_segments_);
  while (!term_starts_.empty() && term_starts_.back().first > last_) term_starts_.pop_back();
}

template <class Note>
void BasicLog<Note>::acknowledge(Ticket ticket) {
  while (durable_ < last_ && at(durable_.next()).ticket <= ticket) durable_ = durable_.next();
}

template <class Note>
void BasicLog<Note>::newest_terms(LogIndex last, std::vector<TermStart>& starts,
                                  std::size_t max) const {
  const auto end =
      std::upper_bound(term_starts_.begin(), term_starts_.end(), last,
                       [](LogIndex index, const TermStart& start) { return index < start.first; });
  const auto count = std::min(end - term_starts_.begin(), static_cast<std::ptrdiff_t>(max));
  starts.assign(std::make_reverse_iterator(end), std::make_reverse_iterator(end - count));
}

template <class Note>
LogIndex BasicLog<Note>::agreement(LogIndex other_last, std::span<const TermStart> other) const {
  LogIndex other_end = other_last;  // of the term at hand
  for (const TermStart& start : other) {
    const auto mine =
        std::lower_bound(term_starts_.begin(), term_starts_.end(), start.term,
                         [](const TermStart& known, Epoch term) { return known.term < term; });
    if (mine != term_starts_.end() && mine->term == start.term) {
      const auto next = std::next(mine);
      const LogIndex end = next == term_starts_.end() ? last_ : next->first.prev();
      return std::min(end, other_end);
    }
    other_end = start.first.prev();
  }
  return std::min(other_end, last_);
}

}  // namespace parley
