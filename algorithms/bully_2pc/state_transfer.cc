// What a node lacks it fetches: a coordinator that catches up before it leads, from the best log of
// those who promised; a participant that lacks what the coordinator's log no longer holds, from
// there. It gets batches, or the parts of a snapshot in their place. The runtime makes snapshots
// and moves their bytes; what is decided here is when the log may forget, who needs one, and when
// one that came in takes effect.
#include <algorithm>
#include <utility>

#include "algorithms/bully_2pc/core.h"

namespace parley::bully_2pc {
namespace {

constexpr std::uint32_t kPartsAtATime = 16;
constexpr int kAskAgainHeartbeats = 2;
constexpr int kServedHeartbeats = 10;

}  // namespace

void Core::control(const Control& control) {
  switch (control.kind) {
    case Control::Kind::snapshot_saved:
      saved_ = control.snapshot;
      saved_at_bytes_ = log_.bytes();
      return;
    case Control::Kind::snapshot_loaded:
      return on_snapshot_loaded(control.snapshot);
    case Control::Kind::snapshot_failed:
      if (control.snapshot == fetching_.snapshot) fetching_ = {};
      return;
    default:
      return;  // not offered, which the driver says
  }
}

// --- what this node keeps ---

// A newer snapshot takes the place of the one in use, and of the log up to it. Not while somebody
// fetches the old one and would have to begin again, unless the log has doubled meanwhile: it is
// bounded.
void Core::use_saved_snapshot() {
  if (saved_.index == LogIndex{}) return;
  if (now_ < served_until_ && log_.bytes() < 2 * saved_at_bytes_) return;
  const SnapshotId saved = std::exchange(saved_, {});
  if (saved.index <= snapshot_.index) return;  // one that came in was newer
  if (saved.index > commit_) return broken("a snapshot holds what is not committed");
  const auto merge_up_to = [this](VectorClock& clock, LogIndex to) {
    for (LogIndex i = log_.base().next(); i <= to; i = i.next()) {
      if (log_.at(i).run.count > 0) clock.merge(log_.at(i).note.clock());
    }
  };
  snapshot_ = saved;
  snapshot_base_ = {log_.term_at(saved.index), log_base_.clock};
  merge_up_to(snapshot_base_.clock, saved.index);
  issue({Write::Kind::snapshot,
         {},
         saved.index,
         encode_base(snapshot_base_.epoch, snapshot_base_.clock.view()),
         {}});
  const LogIndex base = compact_to(saved.index);
  merge_up_to(log_base_.clock, base);
  log_base_.epoch = log_.term_at(base);
  log_.compact(base);
}

// Batches shortly before the snapshot's end are kept in memory: a node that is a little behind then
// needs no snapshot.
LogIndex Core::compact_to(LogIndex snapshot) const {
  LogIndex low = log_.base();
  LogIndex high = snapshot;  // the answer lies in [low, high]
  while (low < high) {
    const LogIndex middle{low.value + (high.value - low.value) / 2};
    if (log_.bytes_between(middle, log_.last()) <= options_.log_keep_bytes) {
      high = middle;
    } else {
      low = middle.next();
    }
  }
  return std::max(batch_end_at(low), log_.base());
}

// --- asking ---

// What was received of a snapshot stays of use if the next one has the same.
void Core::start_fetch(NodeId from, LogIndex agreed, Position target) {
  if (fetching_.from == from && fetching_.target == target) return;
  fetching_.from = from;
  fetching_.agreed = agreed;
  fetching_.target = target;
  fetching_.progress = now_;
  if (!fetching_.loading()) send_fetch();
}

void Core::send_fetch() {
  fetching_.asked = now_;
  fetching_.asked_to = fetching_.part + kPartsAtATime;
  const Fetch message{epoch_, fetching_.agreed, fetching_.snapshot, fetching_.part};
  send_now(fetching_.from, encoder_.encode(message));
}

Instant Core::fetch_deadline() const {
  if (fetching_.from == kNoNode || fetching_.loading()) return kNever;
  return std::max(fetching_.asked, fetching_.progress) + kAskAgainHeartbeats * options_.heartbeat;
}

void Core::tend_fetch() {
  if (now_ >= fetch_deadline()) send_fetch();
}

// --- answering ---

// A claim's log is fetched from those who promised it, and do not change theirs meanwhile; after
// that the coordinator's is the one to have.
void Core::on_fetch(Peer& peer, const Fetch& message) {
  highest_heard_ = std::max(highest_heard_, message.epoch);
  if (message.epoch < epoch_) {
    return send_now(peer.id, encoder_.encode(Promised{epoch_, /*granted=*/false, {}}));
  }
  if (message.epoch > epoch_ || (role_ != Role::coordinator && promised_ != peer.id)) return;
  const LogIndex after = message.after;
  if (after < log_.base()) {
    parts_asked_.emplace_back(peer.id, message);
    return;
  }
  if (role_ == Role::coordinator) return peer.probe(after.next());
  const LogIndex last = message_end(after, options_.max_message_bytes);
  if (last <= after) return;
  const Batches batches{epoch_, {log_.term_at(after), after}};
  const BodyRange body = add_bodies(after, last);
  send_now(peer.id, encoder_.encode(batches, log_, last), body);
}

// Of the snapshot that is in use at the end of the turn: the driver has no other one.
void Core::send_parts() {
  for (const auto& [peer, message] : parts_asked_) {
    served_until_ = now_ + kServedHeartbeats * options_.heartbeat;
    const std::uint32_t first = message.snapshot == snapshot_ ? message.part : 0;
    const std::uint32_t end = std::min(snapshot_.parts, first + kPartsAtATime);
    for (std::uint32_t part = first; part < end; ++part) {
      const Part header{epoch_, snapshot_, snapshot_base_.epoch, part};
      Message to{
          peer, encoder_.encode(header, snapshot_base_.clock.view()), {}, snapshot_.index, part};
      effects_->send_now.push_back(std::move(to));
    }
  }
  parts_asked_.clear();
}

// --- what comes in ---

void Core::on_batches(const Peer& peer, const Batches& message, EntryReader entries) {
  if (role_ != Role::catching_up || message.epoch != epoch_ || peer.id != fetching_.from) return;
  if (message.prev.index != fetching_.agreed) return;  // an answer that was asked for twice
  const LogIndex last = message.prev.index.plus(entries.size());
  if (!take_entries(message.prev.index, entries)) return;
  fetching_.agreed = last;
  fetching_.progress = now_;
  fetched();
}

// Parts are taken in their order. Those of another node are the same if the snapshot is.
void Core::on_part(const Peer& peer, const Part& message, const wire::Message& wire,
                   const Block& body) {
  if (message.epoch != epoch_ || peer.id != fetching_.from) return;
  if (message.snapshot.index <= commit_ && holds(guards::kNewerStateKept)) {
    // The log has caught up by itself meanwhile: nothing is to be fetched any more.
    if (role_ != Role::catching_up && !fetching_.loading()) fetched();
    return;
  }
  if (fetching_.snapshot != message.snapshot) {
    if (fetching_.loading()) return;  // one at a time
    if (message.part != 0) return;
    fetching_.snapshot = message.snapshot;
    fetching_.base = {message.snapshot_epoch,
                      VectorClock(ClockView(wire.words()->data(), wire.words()->size()))};
    fetching_.part = 0;
    fetching_.asked_to = kPartsAtATime;
  }
  if (message.part != fetching_.part) return;
  ++fetching_.part;
  fetching_.progress = now_;
  effects_->snapshot_parts.push_back({message.snapshot, message.part, body});
  if (!fetching_.loading() && fetching_.part == fetching_.asked_to) send_fetch();
}

// The state is ready. The log may have caught up by itself meanwhile.
void Core::on_snapshot_loaded(const SnapshotId& snapshot) {
  if (snapshot != fetching_.snapshot) return;
  const Fetching done = std::exchange(fetching_, {});
  // Who has promised what its log holds, to one who does not lead yet, leaves the log as it is, and
  // whoever leads then is asked anew.
  if (role_ != Role::catching_up && (role_ != Role::participant || coordinator_ == kNoNode)) return;
  fetching_.from = done.from;
  fetching_.target = done.target;
  fetching_.agreed = std::max(done.agreed, snapshot.index);
  fetching_.progress = now_;
  const LogIndex index = snapshot.index;
  if (holds(guards::kNewerStateKept)) {
    if (index <= commit_) return fetched();
    if (log_.matches(index, done.base.epoch)) {
      advance_commit(index);
      return fetched();
    }
  }
  // What is decided stays until the snapshot is there instead: a crash may come between the two.
  const LogIndex decided = std::max(commit_, decided_);
  if (log_.last() > decided && holds(guards::kInstallCutsLog)) {
    issue({Write::Kind::truncate, {}, decided.next(), {}, {}});
  }
  issue(
      {Write::Kind::snapshot, {}, index, encode_base(done.base.epoch, done.base.clock.view()), {}});
  log_.reset(index, done.base.epoch);
  log_base_ = snapshot_base_ = done.base;
  committed_clock_.merge(done.base.clock.view());
  clock_.merge(done.base.clock.view());
  snapshot_ = snapshot;
  commit_ = index;
  effects_->install = index;
  fetched();
}

void Core::fetched() {
  if (role_ != Role::catching_up) {
    following_.agreed = std::max(following_.agreed, commit_);
    following_.vote_due = true;
    fetching_.from = kNoNode;
    return;
  }
  if (log_.matches(fetching_.target.index, fetching_.target.epoch)) return lead();
  send_fetch();
}

}  // namespace parley::bully_2pc
