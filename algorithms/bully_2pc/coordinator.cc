// The coordinator's side of two-phase commit (Gray and Lamport 2006, §2): batches are gathered,
// prepared at all nodes, and decided when the votes are there. Several are on their way at a time;
// they are decided in their order.
#include <algorithm>
#include <functional>

#include "algorithms/bully_2pc/core.h"

namespace parley::bully_2pc {
namespace {

// A window that makes no progress for so many heartbeats is taken for lost.
constexpr int kStallHeartbeats = 4;
// Of a message that asks where two logs part: most of it may be refused.
constexpr std::uint64_t kMaxProbeBytes = 64 * 1024;

std::uint64_t cost_of(const ForwardedRun& gathered) {
  return cost(gathered.run) + gathered.clock.size();
}

}  // namespace

// --- batches ---

void Core::gather(ForwardedRun run) {
  coordinating_.gathered_bytes += cost_of(run);
  coordinating_.gathered.push_back(std::move(run));
}

Instant Core::batch_deadline() const {
  if (coordinating_.gathered.empty() || coordinating_.in_flight.size() >= options_.pipeline) {
    return kNever;
  }
  return coordinating_.gathered_bytes >= options_.batch_bytes ? now_ : coordinating_.batch_at;
}

void Core::make_batches() {
  while (now_ >= batch_deadline()) {
    make_batch();
    coordinating_.batch_at = now_ + options_.batch_interval;
  }
}

// All that was gathered, as far as the bound on a batch allows.
void Core::make_batch() {
  std::deque<ForwardedRun>& gathered = coordinating_.gathered;
  std::uint32_t count = 0;
  std::uint64_t bytes = 0;
  while (count < gathered.size() &&
         (count == 0 || bytes + cost_of(gathered[count]) <= options_.batch_bytes)) {
    bytes += cost_of(gathered[count++]);
  }
  coordinating_.gathered_bytes -= bytes;
  for (std::uint32_t left = count; left-- > 0; gathered.pop_front()) {
    const ForwardedRun& next = gathered.front();
    append_entry(epoch_, next.run,
                 {encode_record(epoch_, next.run, left, words_of(next.clock.bytes()))});
  }
  coordinating_.in_flight.push_back(log_.last());
}

// --- votes and decisions ---

void Core::on_vote(Peer& peer, const Vote& vote) {
  highest_heard_ = std::max(highest_heard_, vote.epoch);
  if (vote.epoch > epoch_) return become_participant(vote.epoch, kNoNode);
  if (role_ != Role::coordinator) return;
  if (vote.epoch < epoch_ && holds(guards::kVotesOfEpoch)) return;
  // What cannot be true is not believed.
  if (vote.prepared > log_.last() || vote.round > round_) return;

  peer.last_heard = now_;
  peer.round_confirmed = std::max(peer.round_confirmed, vote.round);
  if (vote.prepared > peer.prepared) {  // a late vote tells nothing new
    peer.prepared = vote.prepared;
    peer.next = std::max(peer.next, peer.prepared.next());
    peer.last_progress = now_;
    peer.window.acknowledge(peer.prepared);
  }
  if (vote.refused != LogIndex{}) {
    on_no(peer, vote);
  } else if (peer.probing && vote.prepared >= peer.next.prev()) {
    peer.stream(now_);
  }
}

// What it has prepared is the coordinator's up to there; the rest comes again. If that is gone from
// the log here, the participant fetches it, and until it has, the next heartbeat is soon enough: it
// would only say the same.
void Core::on_no(Peer& peer, const Vote& vote) {
  const bool stale =
      peer.probing ? vote.refused != peer.next.prev() : vote.refused <= peer.prepared;
  const bool fetches = vote.prepared < log_.base() && peer.next == log_.base().next();
  if (stale || (peer.probing && fetches)) return;
  peer.probe(std::max(vote.prepared, log_.base()).next());
}

// A batch is decided when enough nodes have it on disk: a majority, so that every later coordinator
// finds it, or all. What is left of earlier epochs is decided together with a batch of this one:
// before, a later coordinator could still find something else in its place (Ongaro, "Consensus:
// Bridging Theory and Practice", 2014, §3.6.2). The decision itself is durable before anyone hears
// of it.
void Core::decide() {
  indices_.clear();
  indices_.push_back(batch_end_at(log_.durable()));
  for (const Peer& peer : peers_) indices_.push_back(peer.prepared);
  std::size_t needed = options_.all_votes ? indices_.size() : majority();
  if (!holds(guards::kCommitVoted)) needed = 1;
  const auto nth = indices_.begin() + static_cast<std::ptrdiff_t>(needed - 1);
  std::nth_element(indices_.begin(), nth, indices_.end(), std::greater<>());
  const LogIndex voted = *nth;
  if (voted <= coordinating_.deciding) return;
  if (log_.term_at(voted) != epoch_ && holds(guards::kCommitOwnEpoch)) return;
  coordinating_.deciding = voted;
  save_state(epoch_, promised_, voted);
  coordinating_.decisions.push_back({last_ticket_, voted});
  if (!holds(guards::kDecisionDurable)) settle_decisions(last_ticket_);
}

void Core::settle_decisions(Ticket durable_through) {
  std::deque<Decision>& decisions = coordinating_.decisions;
  while (!decisions.empty() && decisions.front().ticket <= durable_through) {
    coordinating_.told = decisions.front().index;
    advance_commit(coordinating_.told);
    decisions.pop_front();
  }
  std::deque<LogIndex>& in_flight = coordinating_.in_flight;
  while (!in_flight.empty() && in_flight.front() <= commit_) in_flight.pop_front();
}

// --- sending ---

void Core::prepare_all() {
  for (Peer& peer : peers_) prepare(peer);
  shared_.clear();
}

Instant Core::stall_deadline(const Peer& peer) const {
  return peer.window.empty() ? kNever : peer.last_progress + kStallHeartbeats * options_.heartbeat;
}

// One message with all there is, as a rule. When there is nothing to send, silence.
void Core::prepare(Peer& peer) {
  if (now_ >= stall_deadline(peer)) peer.probe(peer.prepared.next());
  if (peer.probing || peer.next <= log_.base()) return prepare_probe(peer);

  bool sent = false;
  while (peer.next <= log_.last() && peer.window.has_room()) {
    const LogIndex prev = peer.next.prev();
    const LogIndex last = message_end(prev, options_.max_message_bytes);
    if (peer.window.empty()) peer.last_progress = now_;
    send_prepare(peer, last, /*wants_vote=*/true);
    peer.window.add(last, log_.bytes_between(prev, last));
    peer.next = last.next();  // optimistic: corrected by a no
    sent = true;
  }
  if (sent) return;
  if (now_ >= peer.heartbeat_at || round_ > peer.round_sent) {
    return send_prepare(peer, peer.next.prev(), /*wants_vote=*/true);
  }
  if (!commit_news_due(peer)) return;
  send_now(peer.id, encoder_.encode(Commit{epoch_, coordinating_.told}));
  peer.decided_sent = coordinating_.told;
  peer.decided_due = kNever;
}

// Whoever lacks what the log here no longer holds is only told so.
void Core::prepare_probe(Peer& peer) {
  if (peer.awaiting_vote && now_ < peer.heartbeat_at && round_ == peer.round_sent) return;
  if (peer.next <= log_.base()) peer.probe(log_.base().next());
  const LogIndex prev = peer.next.prev();
  const std::uint64_t max_bytes = std::min(kMaxProbeBytes, options_.max_message_bytes);
  LogIndex last = message_end(prev, max_bytes);
  // A batch that is larger goes when asking without it was not answered.
  if (log_.bytes_between(prev, last) > kMaxProbeBytes && !peer.awaiting_vote) last = prev;
  send_prepare(peer, last, /*wants_vote=*/true);
  peer.awaiting_vote = true;
}

// The clients of `node` wait for it to hear that `index` is committed.
void Core::note_waiting(NodeId node, LogIndex index) {
  Peer* peer = find_peer(node);
  if (peer != nullptr) peer->decided_awaited = std::max(peer->decided_awaited, index);
}

// A node whose clients wait for a commit hears of it at once. Another one hears of it with the next
// batch, or a little later if none comes: waking it for each commit costs more than all else.
bool Core::commit_news_due(Peer& peer) const {
  if (coordinating_.told <= peer.decided_sent || !peer.window.has_room()) return false;
  if (peer.decided_awaited > peer.decided_sent) return true;
  if (peer.decided_due == kNever) peer.decided_due = now_ + options_.commit_notice;
  return now_ >= peer.decided_due;
}

// The end of the last batch of a message that starts after `prev`: at least one, if there is any.
LogIndex Core::message_end(LogIndex prev, std::uint64_t max_bytes) const {
  LogIndex end = last_position().index;
  if (end <= prev) return prev;
  if (log_.bytes_between(prev, end) <= max_bytes) return end;
  LogIndex start = prev.next();  // the answer lies in [start, end)
  while (start.next() < end) {
    const LogIndex middle{start.value + (end.value - start.value) / 2};
    (log_.bytes_between(prev, middle) <= max_bytes ? start : end) = middle;
  }
  const LogIndex whole = batch_end_at(start);
  return whole > prev ? whole : start.plus(log_.at(start).note.left());
}

void Core::send_prepare(Peer& peer, LogIndex last, bool wants_vote) {
  const LogIndex prev = peer.next.prev();
  const Prepare message{
      epoch_, {log_.term_at(prev), prev}, log_.base(), coordinating_.told, round_, wants_vote};
  const SharedPrepare& shared = shared_prepare(message, last);
  send_now(peer.id, shared.header, shared.body);
  peer.decided_sent = coordinating_.told;
  peer.decided_due = kNever;
  peer.round_sent = round_;
  const Duration earlier = options_.heartbeat * options_.jitter_percent / 200;
  peer.heartbeat_at = now_ + options_.heartbeat - random_.between(Duration{}, earlier);
}

// Peers at the same place get the same bytes, which are made once.
const Core::SharedPrepare& Core::shared_prepare(const Prepare& message, LogIndex last) {
  for (const SharedPrepare& shared : shared_) {
    if (shared.last == last && shared.message == message) return shared;
  }
  const BodyRange body = add_bodies(message.prev.index, last);
  shared_.push_back({message, last, encoder_.encode(message, log_, last), body});
  return shared_.back();
}

Instant Core::coordinator_deadline() const {
  Instant earliest = batch_deadline();
  for (const Peer& peer : peers_) {
    earliest = std::min({earliest, peer.heartbeat_at, stall_deadline(peer)});
    if (peer.window.has_room()) earliest = std::min(earliest, peer.decided_due);
  }
  if (!peers_.empty()) earliest = std::min(earliest, majority_heard_at() + options_.timeout);
  return earliest;
}

}  // namespace parley::bully_2pc
