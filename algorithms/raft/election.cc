// Roles and votes (dissertation §3.4, §3.6.1), pre-vote (§9.6), check-quorum (§6.2).
#include <algorithm>
#include <bit>
#include <functional>

#include "algorithms/raft/core.h"

namespace parley::raft {

void Core::restart_election_timer() {
  const Duration timeout =
      random_.between(options_.election_timeout_min, options_.election_timeout_max);
  election_deadline_ = now_ + timeout;
}

// --- transitions ---

// In a term that is the present one or a later one. The vote is kept on a step-down within a term.
void Core::become_follower(Epoch term, NodeId leader) {
  if (role_ == Role::leader && term > term_ && !holds(guards::kStepDown)) return;
  if (term > term_ || (term < term_ && !holds(guards::kTermNeverBack))) save_term(term, kNoNode);
  if (role_ != Role::follower) {
    if (role_ == Role::leader) {
      note_handover();
      answer_change(ControlReply::Outcome::unknown, "this node does not lead any more");
    }
    if (!holds(guards::kVoteKept)) vote_ = kNoNode;
    role_ = Role::follower;
    leading_ = {};
    restart_election_timer();
  }
  set_leader(leader);
}

void Core::stand_for_election() {
  set_leader(kNoNode);
  answer_handover(ControlReply::Outcome::unknown, "no leader is known");
  restart_election_timer();
  if (!may_stand()) return;
  if (options_.pre_vote) {
    start_pre_vote();
  } else {
    start_election();
  }
}

// §4.2.2: a leader whose removal nobody else has in its log may be needed to carry it through, and
// so it stands though by its own log it is no member any more. It does not count itself.
bool Core::may_stand() const {
  if (electorate_.has_self()) return true;
  if (members_committed_ || configurations_.size() < 2) return false;
  return votes((configurations_.end() - 2)->members, {self_, disk_});
}

// §9.6: asks first, without a new term, so that a node that cannot win disturbs no one.
void Core::start_pre_vote() {
  role_ = Role::pre_candidate;
  candidacy_ = {};
  candidacy_.own_vote = true;  // promises nothing, so nothing has to be durable
  request_votes({term_.next(), log_.last(), log_.last_term(), /*pre=*/true});
  count_votes();
}

// The vote for itself, the term and the log that the request boasts of are durable before it
// leaves.
void Core::start_election(bool handed_over) {
  role_ = Role::candidate;
  ++elections_;
  save_term(term_.next(), holds(guards::kOwnVoteStored) ? self_ : kNoNode);
  candidacy_ = {};
  candidacy_.own_vote_ticket = last_ticket_;
  request_votes({term_, log_.last(), log_.last_term(), /*pre=*/false, handed_over});
}

void Core::request_votes(const VoteRequest& request) {
  for (std::size_t place = 0; place < peers_.size(); ++place) {
    if (!electorate_.has(place)) continue;
    const Progress& peer = peers_[place];
    Block encoded = encoder_.encode(request, peer.disk);
    if (request.pre) {
      send_now(peer.id, std::move(encoded));
    } else {
      send_when_durable(guards::kRequestDurable, peer.id, std::move(encoded));
    }
  }
}

void Core::become_leader() {
  role_ = Role::leader;
  set_leader(self_);
  leading_ = {};
  for (Progress& peer : peers_) peer.start(log_.last(), now_);
  // §6.4: only an entry of its own term tells a leader what is committed, so it starts with one.
  const CommandRun empty{{self_, incarnation_, 0}, 0, {}};
  append_entry(term_, empty, encode_record(term_, empty));
  leading_.first = log_.last();
  recognise_held_runs();
}

// --- votes ---

void Core::count_own_vote(Ticket durable_through) {
  if (role_ != Role::candidate || candidacy_.own_vote) return;
  if (durable_through < candidacy_.own_vote_ticket) return;
  candidacy_.own_vote = true;
  count_votes();
}

void Core::count_votes() {
  if (!electorate_.majority(candidacy_.votes, candidacy_.own_vote)) return;
  if (role_ == Role::pre_candidate) {
    start_election();
  } else {
    become_leader();
  }
}

// §3.6.1: the later last term wins; with equal terms the longer log.
bool Core::up_to_date(const VoteRequest& request) const {
  if (!holds(guards::kLogUpToDate)) return true;
  if (request.last_term != log_.last_term() && holds(guards::kTermBeforeLength)) {
    return request.last_term > log_.last_term();
  }
  return request.last_index >= log_.last();
}

// §4.2.3: a removed node, which does not know that it is, cannot disturb those who have a leader:
// whoever has heard from a leader within the shortest election timeout helps no one to
// replace it. A leader is deposed by check-quorum, or by a reply with a higher term.
bool Core::follows_live_leader() const {
  if (role_ == Role::leader) return true;
  // §6.4.1: a lease relies on whoever answered its leader, whatever they heard since; and on those
  // who start, since they may have answered before.
  if (options_.lease && holds(guards::kLeaseRemembered)) {
    return now_ - heard_leader_ < options_.election_timeout_min;
  }
  return leader_ != kNoNode && now_ - heard_leader_ < options_.election_timeout_min;
}

void Core::on_vote_request(const Member& from, const VoteRequest& request) {
  if (request.pre) return on_pre_vote_request(from, request);
  const bool sticky = options_.check_quorum && follows_live_leader() && !request.handed_over;
  if (sticky && options_.lease) return;
  if (request.term > term_ || !holds(guards::kTermNeverBack)) {
    if (sticky) return;
    become_follower(request.term, kNoNode);
  }
  // §3.4: one vote a term, for a candidate whose log holds everything that may be committed.
  const bool granted = request.term == term_ && role_ == Role::follower &&
                       (vote_ == kNoNode || vote_ == from.node || !holds(guards::kVoteOnce)) &&
                       up_to_date(request);
  if (granted) {
    if (vote_ != from.node) save_term(term_, from.node);
    restart_election_timer();
  }
  send_when_durable(guards::kVoteDurable, from.node,
                    encoder_.encode(VoteReply{term_, /*pre=*/false, granted}, from.disk));
}

// Changes nothing here, whatever the answer is.
void Core::on_pre_vote_request(const Member& from, const VoteRequest& request) {
  const bool granted = request.term > term_ && !follows_live_leader() && up_to_date(request);
  const VoteReply reply{granted ? request.term : term_, /*pre=*/true, granted};
  send_now(from.node, encoder_.encode(reply, from.disk));
}

void Core::on_vote_reply(const Progress& peer, const VoteReply& reply) {
  // The term of a granted pre-vote is that of the election to come: no one is in it yet.
  const bool granted_pre_vote = reply.pre && reply.granted;
  if (reply.term > term_ && !granted_pre_vote) return become_follower(reply.term, kNoNode);
  if (!reply.granted) return;
  const bool counts =
      reply.pre ? role_ == Role::pre_candidate && reply.term == term_.next()
                : role_ == Role::candidate && (reply.term == term_ || !holds(guards::kVotesOfTerm));
  if (!counts) return;
  const auto place = holds(guards::kVotesDistinct) ? static_cast<int>(&peer - peers_.data())
                                                   : std::popcount(candidacy_.votes);
  candidacy_.votes |= std::uint64_t{1} << place;
  count_votes();
}

// --- check-quorum ---

// When a majority, this leader included, was last heard of together.
Instant Core::quorum_heard_at() const {
  Instant heard = now_;
  for (const Electorate::Voters& voters : electorate_.sets()) {
    instants_.clear();
    if (voters.self) instants_.push_back(now_);
    for (std::size_t place = 0; place < peers_.size(); ++place) {
      if (voters.has(place)) instants_.push_back(peers_[place].last_heard);
    }
    const auto needed = instants_.begin() + static_cast<std::ptrdiff_t>(voters.quorum() - 1);
    std::nth_element(instants_.begin(), needed, instants_.end(), std::greater<>());
    heard = std::min(heard, *needed);
  }
  return heard;
}

// §6.2: a leader that cannot reach a majority steps down, so that clients do not wait for it, and
// the others, who may reach it, get another one.
void Core::check_quorum() {
  if (now_ - quorum_heard_at() < options_.election_timeout_max) return;
  become_follower(term_, kNoNode);
}

}  // namespace parley::raft
