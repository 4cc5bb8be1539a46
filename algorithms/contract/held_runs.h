// The runs that were submitted at this node and are not known to be committed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <utility>

#include "algorithms/contract/command.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/log.h"
#include "algorithms/contract/time.h"

namespace parley {

struct HeldRun {
  CommandRun run;
  Instant since;           // when it came
  Instant sent;            // when it last went to a leader or into the own log
  bool ever_sent = false;  // then it may be carried out, and can no longer be refused
  bool committed = false;
  bool skip = false;  // the present leader has it: itself
  Block note;         // what the strategy sends with it, if anything
};

// In the order of submission, which is that of their numbers. Each stays until it is seen committed
// here, whoever led meanwhile: sending it twice is safe, because sessions carry it out once.
class HeldRuns {
 public:
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return runs_.size() - committed_; }
  [[nodiscard]] bool empty() const { return runs_.empty(); }

  void add(const CommandRun& run, Instant now, Block note = {});

  // The run of that number is committed.
  void settle(std::uint64_t number);

  // Forgets the runs that came at `time` or before and may have been carried out.
  void give_up(Instant time);

  // Takes away the runs that never went anywhere and calls `refuse(const HeldRun&)` with each.
  template <class Refuse>
  void refuse_unsent(Refuse&& refuse);

  // A new leader knows nothing of the runs: all of them are to be sent (again).
  void forget_sending() { sent_ = 0; }
  // The run of that number needs not be sent to this leader.
  void skip(std::uint64_t number);
  [[nodiscard]] bool all_sent() const { return sent_ == runs_.size(); }

  // Calls `send(const HeldRun&)` with each run that has not been sent to this leader.
  template <class Send>
  void send_unsent(Instant now, Send&& send);

  // Calls `send` with each run that was last sent at `before` or earlier and is not committed.
  template <class Send>
  void send_again(Instant before, Instant now, Send&& send);

  // When the oldest run came and was last sent; there is one, and the latter only if any was sent.
  [[nodiscard]] const HeldRun& oldest() const { return runs_.front(); }
  [[nodiscard]] bool oldest_is_sent() const { return sent_ > 0; }
  // Whether some run never went anywhere. Runs are sent in order, so it would be the newest.
  [[nodiscard]] bool newest_is_unsent() const { return !runs_.empty() && !runs_.back().ever_sent; }

 private:
  [[nodiscard]] HeldRun* find(std::uint64_t number);
  void pop_front();
  void pop_committed();

  std::deque<HeldRun> runs_;
  std::size_t sent_ = 0;       // so many at the front went to the present leader
  std::size_t committed_ = 0;  // so many are committed, but behind one that is not
  std::uint64_t bytes_ = 0;
};

template <class Refuse>
void HeldRuns::refuse_unsent(Refuse&& refuse) {
  auto first = runs_.end();
  while (first != runs_.begin() && !std::prev(first)->ever_sent) --first;
  for (auto it = first; it != runs_.end(); ++it) {
    refuse(*it);
    bytes_ -= cost(it->run);
  }
  runs_.erase(first, runs_.end());
}

template <class Send>
void HeldRuns::send_unsent(Instant now, Send&& send) {
  for (; sent_ < runs_.size(); ++sent_) {
    HeldRun& held = runs_[sent_];
    if (held.committed) continue;
    held.sent = now;
    held.ever_sent = true;
    if (!std::exchange(held.skip, false)) send(held);
  }
}

template <class Send>
void HeldRuns::send_again(Instant before, Instant now, Send&& send) {
  for (std::size_t i = 0; i < sent_; ++i) {
    HeldRun& held = runs_[i];
    if (held.committed || held.sent > before) continue;
    held.sent = now;
    send(held);
  }
}

}  // namespace parley
