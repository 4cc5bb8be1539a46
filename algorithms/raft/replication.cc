// The leader's side of the log: sending (dissertation §3.5, pipelined as in §10.2.1), counting and
// committing (§3.6.2), heartbeats.
#include <algorithm>
#include <functional>

#include "algorithms/raft/core.h"

namespace parley::raft {
namespace {

// A window that makes no progress for so many heartbeats is taken for lost.
constexpr int kStallHeartbeats = 4;

}  // namespace

// --- replies ---

void Core::on_append_reply(Progress& peer, const AppendReply& reply, const wire::Message& message) {
  if (reply.term > term_) return become_follower(reply.term, kNoNode);
  if (role_ != Role::leader) return;
  if (reply.term < term_ && holds(guards::kMatchOfTerm)) return;
  // What cannot be true is not believed.
  if (reply.agreed > log_.last() || reply.round > round_) return;

  peer.last_heard = now_;
  peer.round_acked = std::max(peer.round_acked, reply.round);
  if (reply.agreed > peer.match) {  // a late reply tells nothing new
    peer.match = reply.agreed;
    peer.next = std::max(peer.next, peer.match.next());
    peer.last_progress = now_;
    peer.window.acknowledge(peer.match);
  }
  if (peer.mode == Progress::Mode::snapshot) {
    // Its log reaches ours again, with the snapshot or without it.
    if (peer.match >= log_.base()) peer.to_replicate(now_);
    return;
  }
  if (reply.rejected != LogIndex{}) {
    on_rejection(peer, reply, message);
  } else if (peer.mode == Progress::Mode::probe && reply.agreed >= peer.next.prev()) {
    peer.to_replicate(now_);
  }
}

// §3.5: the follower's log does not have the entry before those that were sent. The starts of its
// terms tell at once where the logs part, whatever the number of entries in between.
void Core::on_rejection(Progress& peer, const AppendReply& reply, const wire::Message& message) {
  const bool stale = peer.mode == Progress::Mode::probe ? reply.rejected != peer.next.prev()
                                                        : reply.rejected <= peer.match;
  if (stale) return;
  decode_term_starts(message, term_starts_);
  const LogIndex common = log_.agreement(reply.last, term_starts_);
  peer.to_probe(std::max(peer.match, std::min(common, reply.rejected.prev())).next());
}

// --- committing ---

// §3.6.2, Figure 3.7 (Figure 8 of the paper): what a majority holds is committed only if it is of
// the leader's own term; everything before it is committed with it. The leader counts itself for
// what is durable here (§10.2.1).
void Core::commit_by_counting() {
  LogIndex majority{UINT64_MAX};
  for (const Electorate::Voters& voters : electorate_.sets()) {
    majority = std::min(majority, held_by_majority(voters));
  }
  if (majority <= commit_) return;
  if (log_.term_at(majority) == term_ || !holds(guards::kCommitOwnTerm)) advance_commit(majority);
}

LogIndex Core::held_by_majority(const Electorate::Voters& voters) const {
  indices_.clear();
  if (voters.self) indices_.push_back(log_.durable());
  for (std::size_t place = 0; place < peers_.size(); ++place) {
    if (voters.has(place)) indices_.push_back(peers_[place].match);
  }
  const std::size_t needed = holds(guards::kCommitMajority) ? voters.quorum() - 1 : 0;
  const auto nth = indices_.begin() + static_cast<std::ptrdiff_t>(needed);
  std::nth_element(indices_.begin(), nth, indices_.end(), std::greater<>());
  return *nth;
}

// --- sending ---

void Core::replicate() {
  for (Progress& peer : peers_) replicate_to(peer);
  shared_.clear();
}

bool Core::heartbeat_due(const Progress& peer) const {
  return now_ - peer.last_asked >= options_.heartbeat;
}

Instant Core::stall_deadline(const Progress& peer) const {
  if (peer.window.empty() && peer.mode != Progress::Mode::snapshot) return kNever;
  return peer.last_progress + kStallHeartbeats * options_.heartbeat;
}

// One message with all there is, as a rule. When there is nothing to send, silence.
void Core::replicate_to(Progress& peer) {
  if (peer.mode == Progress::Mode::snapshot) return send_snapshot(peer);
  if (now_ >= stall_deadline(peer)) peer.to_probe(peer.match.next());
  if (peer.next <= log_.base()) {
    peer.to_snapshot(snapshot_, now_);
    return send_snapshot(peer);
  }
  if (peer.mode == Progress::Mode::probe) return probe(peer);

  bool sent = false;
  while (peer.next <= log_.last() && peer.window.has_room()) {
    const LogIndex prev = peer.next.prev();
    const LogIndex last = chunk_end(prev, options_.max_append_bytes);
    if (peer.window.empty()) peer.last_progress = now_;
    send_append(peer, last, /*wants_ack=*/true);
    peer.window.add(last, log_.bytes_between(prev, last));
    peer.next = last.next();  // optimistic: corrected by a rejection
    sent = true;
  }
  if (sent) return;
  const bool wants_ack = heartbeat_due(peer) || round_ > peer.round_sent;
  if (wants_ack || commit_news_due(peer)) send_append(peer, peer.next.prev(), wants_ack);
}

// The clients of `node` wait for it to hear that `commit` is committed.
void Core::note_waiting(NodeId node, LogIndex commit) {
  Progress* peer = find_peer(node);
  if (peer != nullptr) peer->commit_awaited = std::max(peer->commit_awaited, commit);
}

// A follower whose clients wait for a commit hears of it at once. Another one hears of it with the
// next entries, or a little later if none come: waking it for each commit costs more than all else
// that a single placement needs. One that is far behind, or gone, hears of it with its entries.
bool Core::commit_news_due(Progress& peer) const {
  if (commit_ <= peer.commit_sent || !peer.window.has_room()) return false;
  if (peer.commit_awaited > peer.commit_sent) return true;
  if (peer.commit_due == kNever) peer.commit_due = now_ + options_.commit_notice;
  return now_ >= peer.commit_due;
}

void Core::probe(Progress& peer) {
  const LogIndex prev = peer.next.prev();
  if (peer.awaiting_reply && !heartbeat_due(peer)) {
    // A round asks whether it is there, not for entries once more.
    if (round_ != peer.round_sent) send_append(peer, prev, /*wants_ack=*/true);
    return;
  }
  LogIndex last = chunk_end(prev, std::min(options_.max_probe_bytes, options_.max_append_bytes));
  if (log_.bytes_between(prev, last) > options_.max_probe_bytes) last = prev;
  send_append(peer, last, /*wants_ack=*/true);
  peer.awaiting_reply = true;
}

// The last entry of a message that starts after `prev`: at least one entry, if there is any.
LogIndex Core::chunk_end(LogIndex prev, std::uint64_t max_bytes) const {
  LogIndex end = log_.last();
  if (log_.bytes_between(prev, end) <= max_bytes) return end;
  LogIndex start = prev.next();  // the answer lies in [start, end)
  while (start.next() < end) {
    const LogIndex middle{start.value + (end.value - start.value) / 2};
    (log_.bytes_between(prev, middle) <= max_bytes ? start : end) = middle;
  }
  return start;
}

void Core::send_append(Progress& peer, LogIndex last, bool wants_ack) {
  const LogIndex prev = peer.next.prev();
  const AppendEntries message{term_, prev, log_.term_at(prev), commit_, round_, wants_ack};
  const SharedAppend& shared = shared_append(message, last, peer.disk);
  send_now(peer.id, shared.header, shared.body);
  peer.commit_sent = commit_;
  peer.commit_due = kNever;
  peer.round_sent = round_;
  if (wants_ack) peer.last_asked = now_;
}

// Peers at the same place get the same bytes, which are made once.
const Core::SharedAppend& Core::shared_append(const AppendEntries& message, LogIndex last,
                                              DiskId to) {
  for (const SharedAppend& shared : shared_) {
    if (shared.last == last && shared.to == to && shared.message == message) return shared;
  }
  std::vector<Block>& bodies = effects_->bodies;
  const auto first = static_cast<std::uint32_t>(bodies.size());
  for (LogIndex i = message.prev_index.next(); i <= last; i = i.next()) {
    encoder_.add_body(log_.at(i).run.body, bodies);
  }
  const auto count = static_cast<std::uint32_t>(bodies.size()) - first;
  shared_.push_back({message, last, to, encoder_.encode(message, log_, last, to), {first, count}});
  return shared_.back();
}

Instant Core::leader_deadline() const {
  Instant earliest = std::min(change_deadline(), handover_deadline());
  for (const Progress& peer : peers_) {
    earliest = std::min({earliest, peer.last_asked + options_.heartbeat, stall_deadline(peer)});
    if (peer.window.has_room()) earliest = std::min(earliest, peer.commit_due);
  }
  if (options_.check_quorum && !peers_.empty()) {
    earliest = std::min(earliest, quorum_heard_at() + options_.election_timeout_max);
  }
  return earliest;
}

}  // namespace parley::raft
