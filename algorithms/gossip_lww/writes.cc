#include <algorithm>

#include "algorithms/gossip_lww/core.h"

namespace parley::gossip_lww {

// A write is in the store, on its way to the disk and a rumour at once; only its acknowledgement
// waits.
void Core::write(const CommandRun& run) {
  if (clock_too_far_ahead(run.count)) return refuse_run(run, Refusal::Reason::clock);
  if (own_bytes_ + run.body.size() > options_.max_held_bytes) {
    return refuse_run(run, Refusal::Reason::overloaded);
  }
  Delta delta;
  delta.origin = self_;
  delta.incarnation = static_cast<std::uint32_t>(incarnation_.value);
  delta.previous = known_.through(place_);
  delta.first = clock_.take(wall_, run.count);
  delta.count = run.count;
  delta.cells = Block::make(run.count * sizeof(WireCell), [&](std::byte* to) {
    for (std::uint32_t i = 0; i < run.count; ++i) {
      CellWrite write;
      std::memcpy(&write, run.body.data() + i * sizeof(write), sizeof(write));
      const Stamp before = turn_stamps_.at(*store_, write.key);
      const WireCell cell{write.key, 0, write.value, write.writer, before};
      std::memcpy(to + i * sizeof(cell), &cell, sizeof(cell));
      merge(cell, stamp_of(delta, i));
    }
  });
  reserve_times();
  append(encode_record(delta), delta.cells);
  known_.add(place_, delta.previous, delta.last());
  recent_.add(place_, delta, now_);
  heat(delta, /*to_near=*/true);
  own_bytes_ += run.body.size();
  own_.push_back({run.id, last_ticket_, delta.first, delta.last(), run.body.size()});
}

void Core::refuse_run(const CommandRun& run, Refusal::Reason reason) {
  effects_->refused.push_back({Refusal::Kind::run, reason, run.id.number});
}

// The clock's high mark is on disk ahead of the times that are given out, and is moved on only now
// and then: after a crash the clock goes on above it, wherever the wall clock may be.
void Core::reserve_times() {
  if (clock_.last() <= reserved_) return;
  // Each restart moves the cluster's clock on by as much.
  constexpr Duration kMost = std::chrono::seconds(1);
  const Duration ahead = std::min<Duration>(options_.max_clock_skew / 4, kMost);
  save_state(clock_.last().plus(static_cast<std::uint64_t>(ahead.count())));
}

// A clock that is wrong is found out before its times win over everyone else's for ever. A node
// that has just started takes no writes before it has heard one other clock.
bool Core::clock_too_far_ahead(std::uint32_t count) const {
  if (members_.size() == 1 || !holds(guards::kSkewRefused)) return false;
  const auto skew = static_cast<std::uint64_t>(options_.max_clock_skew.count());
  return !reference_.usable() || physical_time(wall_) > reference_time().plus(skew) ||
         from_the_future(clock_.next(wall_).plus(count));
}

// In the order in which they were made.
void Core::acknowledge(Ticket durable_through) {
  if (!holds(guards::kReplyDurable)) durable_through = last_ticket_;
  while (!own_.empty() && own_.front().ticket <= durable_through &&
         holders(own_.front().last) >= options_.ack) {
    const Own& own = own_.front();
    const Delta made{self_, static_cast<std::uint32_t>(incarnation_.value), own.first, {}, 1, {}};
    effects_->replies.push_back({own.run, stamp_of(made, 0)});
    own_bytes_ -= own.bytes;
    own_.pop_front();
  }
}

// How many nodes have this node's deltas up to `last` on their disks, itself included.
std::size_t Core::holders(HybridTime last) const {
  if (options_.ack == 1 || !holds(guards::kAckCounted)) return options_.ack;
  const auto others = std::count_if(acked_.begin(), acked_.end(),
                                    [last](HybridTime through) { return through >= last; });
  return 1 + static_cast<std::size_t>(others);
}

}  // namespace parley::gossip_lww
