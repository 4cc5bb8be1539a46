// A leader hands over (dissertation §3.10): it takes in nothing new until another node, which has
// its whole log, is told to stand for election at once. That lasts an election timeout at most.
#include <algorithm>
#include <utility>

#include "algorithms/raft/core.h"

namespace parley::raft {

// The voter that has most of the log, if one was heard of within an election timeout; those who
// have to be probed or sent a snapshot first would take too long. If there is a choice, one that
// has been there for a while: who has just started hears everyone, but the others' links to it may
// not be there yet, so that its entries are acknowledged late.
Progress* Core::heir() {
  const auto suits = [this](const Progress& peer) {
    return std::pair(now_ - peer.replicating_since >= options_.election_timeout_max, peer.match);
  };
  Progress* best = nullptr;
  for (std::size_t place = 0; place < peers_.size(); ++place) {
    if (!may_inherit(place)) continue;
    if (best == nullptr || suits(peers_[place]) > suits(*best)) best = &peers_[place];
  }
  return best;
}

bool Core::may_inherit(std::size_t place) const {
  const Progress& peer = peers_[place];
  return electorate_.stays(place) && peer.mode == Progress::Mode::replicate &&
         now_ - peer.last_heard < options_.election_timeout_min;
}

void Core::hand_over(std::uint64_t id, NodeId to) {
  const auto refused = [&](std::string why) {
    reply(id, ControlReply::Outcome::refused, std::move(why));
  };
  if (role_ != Role::leader) return refused(other_leader());
  if (leading_.handover.to != kNoNode) {
    return refused("node " + std::to_string(leading_.handover.to.value) +
                   " is taking over already");
  }
  const Progress* peer = to == kNoNode ? heir() : find_peer(to);
  if (peer == nullptr || !may_inherit(static_cast<std::size_t>(peer - peers_.data()))) {
    return refused(to == kNoNode ? "no other voter is near the end of the log"
                                 : "node " + std::to_string(to.value) +
                                       " is no other voter, or not near the end of the log");
  }
  leading_.handover = {id, peer->id, now_ + options_.election_timeout_min, false};
}

// The last thing that a leader says in a turn: whoever has everything is told.
void Core::tend_handover() {
  Leading::Handover& handover = leading_.handover;
  if (handover.to == kNoNode || handover.told) return;
  const Progress* peer = find_peer(handover.to);
  if (peer == nullptr || peer->match < log_.last()) return;
  handover.told = true;
  // Who stands now is not held back by what it promised, nor are those whom it asks; it may do so
  // late, so there is no lease again in this term.
  leading_.lease_over = true;
  send_now(peer->id, encoder_.encode(TimeoutNow{term_, log_.last()}, peer->disk));
}

// What was forwarded meanwhile goes into the log, as if it came now.
void Core::give_up_handover() {
  const Leading::Handover& handover = leading_.handover;
  if (handover.to == kNoNode || now_ < handover.until || !holds(guards::kHandoverEnds)) return;
  reply(handover.id, ControlReply::Outcome::refused,
        "node " + std::to_string(handover.to.value) +
            " did not take over within election_timeout_min_ms");
  leading_.handover = {};
  for (const CommandRun& run : std::exchange(leading_.postponed, {})) {
    append_entry(term_, run, encode_record(term_, run));
  }
  leading_.postponed_bytes = 0;
}

bool Core::postpone(const CommandRun& run) {
  if (leading_.handover.to == kNoNode) return false;
  leading_.postponed.push_back(run);
  leading_.postponed_bytes += cost(run);
  return true;
}

Instant Core::handover_deadline() const {
  const bool ends = leading_.handover.to != kNoNode && holds(guards::kHandoverEnds);
  return ends ? leading_.handover.until : kNever;
}

void Core::on_timeout_now(NodeId from, const TimeoutNow& message) {
  if (message.term != term_ || role_ != Role::follower || leader_ != from) return;
  if (log_.last() < message.last || !electorate_.has_self()) return;
  set_leader(kNoNode);
  restart_election_timer();
  start_election(/*handed_over=*/true);
}

// The end of a leader's term answers who asked it to hand over: at once if it was made to, else
// when another one leads.
void Core::note_handover() {
  const Leading::Handover& handover = leading_.handover;
  if (handover.id == 0) return;
  if (handed_over_ != 0) answer_handover(ControlReply::Outcome::unknown, "no leader is known");
  handed_over_ = handover.id;
}

void Core::answer_handover(ControlReply::Outcome outcome, std::string reason) {
  const std::uint64_t id = std::exchange(handed_over_, 0);
  if (id != 0) reply(id, outcome, std::move(reason));
}

}  // namespace parley::raft
