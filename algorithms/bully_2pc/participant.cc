// The participant's side of two-phase commit (Gray and Lamport 2006, §2): prepares batches, votes,
// and commits or aborts what it hears the outcome of. Whoever has voted and hears nothing is in
// doubt, and stays so: only a coordinator knows.
#include <algorithm>
#include <utility>

#include "algorithms/bully_2pc/core.h"

namespace parley::bully_2pc {

// Whatever the coordinator of `epoch` sends. False if it leads no more.
bool Core::follow(const Peer& peer, Epoch epoch, const Guard& guard) {
  if (epoch < epoch_ && holds(guard)) {  // tells a coordinator of the past the epoch
    send_when_durable(guards::kVoteDurable, peer.id, encoder_.encode(Vote{epoch_, {}, {}, 0}));
    return false;
  }
  const bool leads = role_ == Role::coordinator || role_ == Role::catching_up;
  if (epoch <= epoch_ && (leads || (coordinator_ != kNoNode && coordinator_ != peer.id))) {
    broken("node " + std::to_string(peer.id.value) + " leads epoch " + std::to_string(epoch.value) +
           " beside node " + std::to_string(leads ? self_.value : coordinator_.value));
    return false;
  }
  become_participant(epoch, peer.id);
  heard_coordinator();
  return true;
}

void Core::on_prepare(const Peer& peer, const Prepare& message, EntryReader entries) {
  if (!follow(peer, message.epoch, guards::kStalePrepare)) return;
  following_.round = std::max(following_.round, message.round);
  following_.decided = std::max(following_.decided, message.decided);
  const LogIndex prev = message.prev.index;
  const bool unchecked = !holds(guards::kPrepareFollows) && prev <= log_.last();
  if (!log_.matches(prev, message.prev.epoch) && !unchecked) {
    following_.refused = std::max(following_.refused, prev);
    following_.vote_due = true;
    if (message.base > following_.agreed) start_fetch(peer.id, following_.agreed, {});
    return;
  }
  if (message.wants_vote || entries.size() > 0) following_.vote_due = true;
  const LogIndex last = prev.plus(entries.size());
  if (!take_entries(prev, entries)) return;
  following_.agreed = std::max(following_.agreed, last);
  commit_heard();
}

void Core::on_commit(const Peer& peer, const Commit& message) {
  if (!follow(peer, message.epoch, guards::kStaleCoordinator)) return;
  following_.decided = std::max(following_.decided, message.decided);
  commit_heard();
}

// A commit may overtake the batches that it is about, and what stands in their place here is
// another matter.
void Core::commit_heard() {
  const LogIndex prepared = holds(guards::kCommitPrepared) ? following_.agreed : log_.last();
  advance_commit(std::min(following_.decided, prepared));
}

// Batches that are here already are skipped, whatever comes after them: a late message must not
// abort what a newer one brought. The first that differs aborts what stands in its place and all
// that follows. False if that is impossible.
bool Core::take_entries(LogIndex prev, EntryReader& entries) {
  LogIndex index = prev.next();
  const auto present = [&] {
    if (!holds(guards::kAbortOnConflictOnly)) return false;
    if (!holds(guards::kAbortOnConflict)) return index <= log_.last();
    return log_.matches(index, entries.next_epoch());
  };
  while (!entries.done() && present()) {
    entries.skip();
    index = index.next();
  }
  if (entries.done()) return true;
  if (index <= log_.last()) {
    if (index <= commit_) {
      broken("a coordinator contradicts the committed index " + std::to_string(index.value));
      return false;
    }
    issue({Write::Kind::truncate, {}, index, {}, {}});
    log_.truncate(index);
  }
  while (!entries.done()) {
    EntryReader::Item item = entries.take();
    append_entry(item.epoch, item.run, std::move(item.note));
  }
  return broken_.empty();
}

// Says what is prepared; durable by the time it leaves.
void Core::send_vote() {
  if (!following_.vote_due) return;
  following_.vote_due = false;
  const LogIndex refused = std::exchange(following_.refused, LogIndex{});
  if (coordinator_ == kNoNode) return;  // given up in this turn
  const LogIndex prepared = holds(guards::kVoteAgreed) ? following_.agreed : log_.last();
  const Vote vote{epoch_, prepared, refused, following_.round};
  // Without writes in this turn, what is voted for may still be on its way to the disk.
  const bool repeated = effects_->writes.empty();
  send_when_durable(repeated ? guards::kRepeatedVoteDurable : guards::kVoteDurable, coordinator_,
                    encoder_.encode(vote));
}

}  // namespace parley::bully_2pc
