// Snapshots in the place of old entries (dissertation chapter 5). The runtime makes them and moves
// their bytes; what is decided here is when the log may forget, who needs one, and when one that
// came in takes effect.
#include <algorithm>
#include <utility>

#include "algorithms/raft/core.h"

namespace parley::raft {
namespace {

// Parts on their way to one follower.
constexpr std::uint32_t kPartsInFlight = 16;

}  // namespace

void Core::control(const Control& control) {
  switch (control.kind) {
    case Control::Kind::snapshot_saved:
      // While one waits to be used the next one does not begin the wait anew.
      if (saved_.index == LogIndex{}) saved_at_bytes_ = log_.bytes();
      saved_ = control.snapshot;
      return;
    case Control::Kind::snapshot_loaded:
      return on_snapshot_loaded(control.snapshot);
    case Control::Kind::snapshot_failed:
      if (control.snapshot == incoming_.snapshot) incoming_ = {};
      return;
    case Control::Kind::change_members:
      return change_members(control.id, control.change);
    case Control::Kind::hand_over:
      return hand_over(control.id, control.to);
  }
}

// --- what this node keeps ---

// Whether a follower that is there gets the snapshot in use, or goes on with the log where that
// ended, and lacks more of it than is kept.
bool Core::catches_up(const Progress& peer) const {
  if (now_ - peer.last_heard >= options_.election_timeout_max) return false;
  if (peer.mode == Progress::Mode::snapshot) return peer.snapshot.acked > 0;
  return snapshot_.index != LogIndex{} && peer.match >= snapshot_.index &&
         log_.bytes_between(peer.match, log_.last()) > options_.log_keep_bytes;
}

// A newer snapshot takes the place of the one in use, and of the log up to it. Not while a follower
// needs these, which would have to begin again, unless the log has doubled meanwhile: it is
// bounded.
void Core::use_saved_snapshot() {
  if (saved_.index == LogIndex{}) return;
  const auto is_needed = [this](const Progress& peer) { return catches_up(peer); };
  const bool needed = role_ == Role::leader && std::ranges::any_of(peers_, is_needed);
  if (needed && log_.bytes() < 2 * saved_at_bytes_) return;
  const SnapshotId saved = std::exchange(saved_, {});
  if (saved.index <= snapshot_.index) return;  // one that came in was newer
  if (saved.index > commit_) return broken("a snapshot holds what is not committed");
  // A node that was added knows the members of the time since; what is older serves nobody else.
  if (members_at(saved.index).voters.empty()) return;
  snapshot_ = saved;
  issue({Write::Kind::snapshot,
         {},
         saved.index,
         encode_base({log_.term_at(saved.index), members_at(saved.index)}),
         {}});
  log_.compact(compact_to(saved.index));
  while (configurations_.size() > 1 && configurations_[1].index <= saved.index) {
    configurations_.erase(configurations_.begin());
  }
}

// Entries shortly before the snapshot's end are kept in memory: a follower that is a little behind
// then needs no snapshot.
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
  return low;
}

// --- the leader's side ---

// The first part asks where the follower is: it may have some of them already, or be gone. Then
// they go out without waiting for each one's reply. When nothing comes back for a while one part
// asks again: the follower may have lost all of them in a crash.
void Core::send_snapshot(Progress& peer) {
  Progress::Sending& sending = peer.snapshot;
  if (sending.id != snapshot_) peer.to_snapshot(snapshot_, now_);
  if (now_ >= stall_deadline(peer) || (sending.asking && !sending.asked)) {
    sending.asking = sending.asked = true;
    peer.last_progress = now_;
    send_part(peer, std::min(sending.acked, sending.id.parts - 1));
  }
  while (!sending.asking && sending.next < sending.id.parts &&
         sending.next < sending.acked + kPartsInFlight) {
    send_part(peer, sending.next++);
  }
  if (!heartbeat_due(peer) && round_ == peer.round_sent) return;
  // From here on its log goes on once the snapshot is in place; until then it refuses this.
  peer.next = snapshot_.index.next();
  send_append(peer, snapshot_.index, /*wants_ack=*/true);
}

void Core::send_part(Progress& peer, std::uint32_t part) {
  const InstallSnapshot message{term_, snapshot_, log_.term_at(snapshot_.index), part, round_};
  Block header = encoder_.encode(message, members_at(snapshot_.index), peer.disk);
  Message to{peer.id, std::move(header), {}, snapshot_.index, part};
  effects_->send_now.push_back(std::move(to));
  peer.round_sent = round_;
}

void Core::on_install_reply(Progress& peer, const InstallReply& reply) {
  if (reply.term > term_) return become_follower(reply.term, kNoNode);
  if (role_ != Role::leader || reply.term < term_ || reply.round > round_) return;
  peer.last_heard = now_;
  peer.round_acked = std::max(peer.round_acked, reply.round);
  Progress::Sending& sending = peer.snapshot;
  if (peer.mode != Progress::Mode::snapshot || reply.snapshot != sending.id) return;
  // Less than it had is a late reply, unless it was asked because nothing came any more.
  if (reply.next < sending.acked && !sending.asking) return;
  if (reply.next != sending.acked) peer.last_progress = now_;
  sending.acked = reply.next;
  sending.next = sending.asking ? reply.next : std::max(sending.next, reply.next);
  sending.asking = sending.asked = false;
}

// --- the follower's side ---

void Core::on_install(const Member& from, const wire::Message& wire, const Block& body) {
  const InstallSnapshot message = decode(*wire.install());
  if (!follow(from, message.term)) return;
  following_.round = std::max(following_.round, message.round);
  const LogIndex index = message.snapshot.index;
  // What is committed here, or in the log, needs no snapshot, and an older state never takes the
  // place of a newer one.
  const bool known = index <= commit_ || log_.matches(index, message.snapshot_term);
  if (known && holds(guards::kNewerStateKept)) {
    following_.agreed = std::max(following_.agreed, index);
    following_.ack_due = true;
    advance_commit(std::max(index, commit_));
    return;
  }
  take_part(message, wire, body);
  install_reply_due_ = true;
}

// Parts are taken in their order. Those of another leader are the same if the snapshot is.
void Core::take_part(const InstallSnapshot& message, const wire::Message& wire, const Block& body) {
  const bool known = incoming_.snapshot == message.snapshot;
  if (!known) {
    // One at a time is loaded; and what was overtaken on the way does not push out the newer one.
    if (incoming_.loading()) return;
    if (message.term == incoming_.term && message.snapshot.index < incoming_.snapshot.index) return;
    incoming_ = {};
    incoming_.members = decode_members(wire);
  }
  incoming_.term = message.term;
  incoming_.snapshot = message.snapshot;
  incoming_.snapshot_term = message.snapshot_term;
  if (message.part != incoming_.next) return;
  ++incoming_.next;
  effects_->snapshot_parts.push_back({message.snapshot, message.part, body});
}

void Core::send_install_reply() {
  if (!install_reply_due_) return;
  install_reply_due_ = false;
  if (leader_ == kNoNode) return;
  const InstallReply reply{term_, incoming_.snapshot, incoming_.next, following_.round};
  send_when_durable(guards::kAckDurable, leader_, encoder_.encode(reply, following_.leader_disk));
}

// The state is ready. While it was made the log may have caught up by itself.
void Core::on_snapshot_loaded(const SnapshotId& snapshot) {
  if (snapshot != incoming_.snapshot) return;
  Incoming incoming = std::exchange(incoming_, {});
  const LogIndex index = snapshot.index;
  if (role_ == Role::leader) return;
  if (holds(guards::kNewerStateKept)) {
    if (index <= commit_) return;
    if (log_.matches(index, incoming.snapshot_term)) return advance_commit(index);
  }
  // What the snapshot holds stays until that is there instead: a crash may come between the two,
  // and some of it may be committed because it is here.
  if (log_.last() > index && holds(guards::kInstallCutsLog)) {
    issue({Write::Kind::truncate, {}, index.next(), {}, {}});
  }
  if (!holds(guards::kSnapshotMembers)) incoming.members = membership();
  const Base base{incoming.snapshot_term, std::move(incoming.members)};
  issue({Write::Kind::snapshot, {}, index, encode_base(base), {}});
  log_.reset(index, base.term);
  snapshot_ = snapshot;
  commit_ = index;
  configurations_.assign(1, {index, base.members});
  take_members();
  effects_->install = index;
  following_.agreed = std::max(following_.agreed, index);
  following_.ack_due = true;
}

}  // namespace parley::raft
