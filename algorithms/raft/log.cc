#include "algorithms/raft/log.h"

#include <algorithm>
#include <utility>

#include "algorithms/raft/guards.h"

namespace parley::raft {

Log::Log(LogIndex base, Epoch term) {
  reset(base, term);
}

void Log::reset(LogIndex base, Epoch term) {
  segments_.clear();
  dropped_segments_ = base.value / kSegment;
  term_starts_.clear();
  if (base != LogIndex{}) term_starts_.push_back({term, base});
  base_ = last_ = durable_ = base;
  base_term_ = term;
  base_bytes_ = 0;
}

void Log::compact(LogIndex index) {
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

void Log::append(Epoch term, Ticket ticket, CommandRun run) {
  const std::uint64_t bytes = bytes_through(last_) + cost(run);
  const std::uint64_t place = last_.value;
  if (place / kSegment - dropped_segments_ == segments_.size()) {
    segments_.push_back(std::make_unique<Entry[]>(kSegment));
  }
  last_ = last_.next();
  if (term_starts_.empty() || term_starts_.back().term != term) {
    term_starts_.push_back({term, last_});
  }
  segments_[place / kSegment - dropped_segments_][place % kSegment] =
      Entry{term, ticket, bytes, std::move(run)};
}

void Log::truncate(LogIndex index) {
  for (LogIndex i = index; i <= last_; i = i.next()) {
    const std::uint64_t place = i.value - 1;
    segments_[place / kSegment - dropped_segments_][place % kSegment] = Entry{};
  }
  last_ = std::min(last_, index.prev());
  if (holds(guards::kDurableByTicket)) durable_ = std::min(durable_, last_);
  segments_.resize((last_.value + kSegment - 1) / kSegment - dropped_segments_);
  while (!term_starts_.empty() && term_starts_.back().first > last_) term_starts_.pop_back();
}

void Log::acknowledge(Ticket ticket) {
  while (durable_ < last_ && at(durable_.next()).ticket <= ticket) durable_ = durable_.next();
}

void Log::newest_terms(std::vector<TermStart>& starts) const {
  const std::size_t count = std::min(term_starts_.size(), kMaxTermStarts);
  starts.assign(term_starts_.rbegin(), term_starts_.rbegin() + static_cast<std::ptrdiff_t>(count));
}

LogIndex Log::agreement(LogIndex other_last, std::span<const TermStart> other) const {
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

}  // namespace parley::raft
