// The follower's side of the log (dissertation §3.5; receiver's rules of Figure 3.1).
#include <algorithm>
#include <utility>

#include "algorithms/raft/core.h"

namespace parley::raft {

// Whatever a leader of `term` sends. False if it leads no more.
bool Core::follow(const Member& from, Epoch term) {
  if (term < term_ && holds(guards::kStaleAppend)) {  // tells a leader of the past the term
    send_when_durable(guards::kAckDurable, from.node,
                      encoder_.encode(AppendReply{term_, {}, {}, {}, 0}, {}, from.disk));
    return false;
  }
  if (term == term_ && (role_ == Role::leader || (leader_ != kNoNode && leader_ != from.node))) {
    broken("node " + std::to_string(from.node.value) + " leads the same term as node " +
           std::to_string(leader_.value));
    return false;
  }
  become_follower(term, from.node);
  following_.leader_disk = from.disk;
  heard_leader_ = now_;
  restart_election_timer();
  return true;
}

void Core::on_append(const Member& from, const AppendEntries& message, EntryReader entries) {
  if (!follow(from, message.term)) return;
  following_.round = std::max(following_.round, message.round);
  following_.leader_commit = std::max(following_.leader_commit, message.commit);
  const bool unchecked = !holds(guards::kPrevTerm) && message.prev_index <= log_.last();
  if (!log_.matches(message.prev_index, message.prev_term) && !unchecked) {
    following_.rejected = std::max(following_.rejected, message.prev_index);
    following_.ack_due = true;
    return;
  }
  if (message.wants_ack || entries.size() > 0) following_.ack_due = true;
  take_entries(message.prev_index, entries);
  if (!broken_.empty()) return;
  const LogIndex last{message.prev_index.value + entries.size()};
  following_.agreed = std::max(following_.agreed, last);
  // Beyond what is known to agree, the log here may hold entries that were never committed.
  const LogIndex known = holds(guards::kCommitClamped) ? following_.agreed : log_.last();
  advance_commit(std::min(following_.leader_commit, known));
}

// Entries that are here already are skipped, whatever comes after them: a late message must not cut
// off what a newer one brought. The first that conflicts cuts off itself and all that follow.
void Core::take_entries(LogIndex prev, EntryReader& entries) {
  LogIndex index = prev.next();
  const auto present = [&] {
    if (!holds(guards::kTruncateOnConflictOnly)) return false;
    if (!holds(guards::kTruncateOnConflict)) return index <= log_.last();
    return log_.matches(index, entries.next_term());
  };
  while (!entries.done() && present()) {
    entries.skip();
    index = index.next();
  }
  if (entries.done()) return;
  if (index <= log_.last()) {
    if (index <= commit_) {
      return broken("a leader contradicts the committed entry " + std::to_string(index.value));
    }
    issue({Write::Kind::truncate, {}, index, {}, {}});
    log_.truncate(index);
    revert_members(index);
  }
  while (!entries.done()) {
    EntryReader::Item item = entries.take();
    append_entry(item.term, item.run, std::move(item.record));
  }
}

// Says how far the logs agree; durable by the time it leaves.
void Core::send_ack() {
  if (!following_.ack_due) return;
  following_.ack_due = false;
  const LogIndex rejected = std::exchange(following_.rejected, LogIndex{});
  if (leader_ == kNoNode) return;  // given up in this turn
  term_starts_.clear();
  // What lies behind the place that was rejected cannot be common.
  const LogIndex last = std::min(log_.last(), rejected);
  if (rejected != LogIndex{}) log_.newest_terms(last, term_starts_, kMaxTermStarts);
  const LogIndex agreed = holds(guards::kAckAgreed) ? following_.agreed : log_.last();
  const AppendReply reply{term_, agreed, rejected, last, following_.round};
  // Without writes in this turn, what is confirmed may still be on its way to the disk.
  const bool repeated = effects_->writes.empty();
  send_when_durable(repeated ? guards::kRepeatedAckDurable : guards::kAckDurable, leader_,
                    encoder_.encode(reply, term_starts_, following_.leader_disk));
}

}  // namespace parley::raft
