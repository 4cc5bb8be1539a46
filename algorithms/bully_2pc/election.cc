// Who leads: elections (Garcia-Molina 1982, §III, "the bully algorithm"), claims and promises of
// epochs.
//
// As in the paper the highest rank wins. Three things are added, so that a node that cannot lead
// stops nobody: whoever calls an election asks everyone, and claims an epoch only when a majority
// has answered; who objects by its rank, and then does not lead, is passed over for a while; and a
// node that has lost the lead soon after it got it waits longer each time before it challenges a
// coordinator of a lower rank.
#include <algorithm>
#include <bit>
#include <functional>

#include "algorithms/bully_2pc/core.h"

namespace parley::bully_2pc {
namespace {

// In timeouts.
constexpr int kWaitForHigher = 2;  // for one who objects by its rank to lead
constexpr int kPassedOver = 8;     // how long one who did not lead is passed over
constexpr int kSteady = 20;        // who leads for so long is not flapping
constexpr std::uint32_t kMaxFlaps = 6;

}  // namespace

bool Core::outranks(NodeId a, NodeId b) const {
  return options_.elect_highest ? a > b : a < b;
}

bool Core::hears_coordinator() const {
  if (role_ == Role::coordinator || role_ == Role::catching_up) return true;
  return coordinator_ != kNoNode && now_ - heard_coordinator_ < options_.timeout;
}

void Core::heard_coordinator() {
  heard_coordinator_ = now_;
  election_at_ = now_ + with_jitter(options_.timeout);
}

// --- transitions ---

// In an epoch that is the present one or a later one.
void Core::become_participant(Epoch epoch, NodeId coordinator) {
  if (role_ == Role::coordinator && epoch > epoch_ && !holds(guards::kStepDown)) return;
  if (epoch > epoch_ || (epoch < epoch_ && !holds(guards::kEpochNeverBack))) {
    save_state(epoch, kNoNode, commit_);
  }
  if (role_ == Role::coordinator) {
    const bool steady = now_ - coordinating_.since >= kSteady * options_.timeout;
    flaps_ = steady ? 0 : std::min(flaps_ + 1, kMaxFlaps);
  }
  if (role_ != Role::participant) {
    role_ = Role::participant;
    coordinating_ = {};
    claiming_ = {};
    following_ = {};
    following_.agreed = commit_;
    fetching_.from = kNoNode;
    election_at_ = now_ + with_jitter(options_.timeout);
  }
  set_coordinator(coordinator);
}

void Core::tend_election() {
  if (role_ == Role::coordinator) return check_majority();
  if (role_ == Role::catching_up) {
    // The others wait, as long as something comes in.
    if (!fetching_.loading() && now_ >= fetching_.progress + options_.timeout) {
      return become_participant(epoch_, kNoNode);
    }
    if (now_ < announced_ + options_.heartbeat) return;
    announced_ = now_;
    return send_all(encoder_.encode(Coordinator{epoch_, /*ready=*/false}));
  }
  if (role_ == Role::claimant) {
    if (now_ < claiming_.deadline) return;
    // Whoever claims without success does not disturb a coordinator of a lower rank again soon.
    flaps_ = std::min(flaps_ + 1, kMaxFlaps);
    return become_participant(epoch_, kNoNode);
  }
  if (asking_.open) {
    if (now_ >= asking_.deadline) close_election();
    return;
  }
  if (now_ >= election_at_) {
    set_coordinator(kNoNode);
    call_election();
  } else if (wants_to_challenge()) {
    call_election();
  }
}

// A coordinator of a lower rank is there, and this node lacks nothing that it has: whoever returns
// with an empty log takes part before it leads.
bool Core::wants_to_challenge() const {
  return now_ >= challenge_at_ && following_.agreed == last_position().index &&
         fetching_.from == kNoNode;
}

// --- elections ---

// Bully: those of a higher rank may object. The others are asked too: without a majority that is
// there nothing can be led, and nobody is to be disturbed.
void Core::call_election() {
  for (Peer& peer : peers_) {
    // It objected, was given its time, and does not lead.
    if (now_ < peer.leads_by) continue;
    peer.passed_over_until = now_ + kPassedOver * options_.timeout;
    peer.leads_by = kNever;
  }
  asking_ = {};
  asking_.open = true;
  asking_.deadline = now_ + options_.answer_timeout;
  send_all(encoder_.encode(Election{++round_asked_}));
  if (election_decided()) close_election();
}

Objection Core::objection_to(NodeId asker) const {
  const NodeId leader =
      role_ == Role::participant || role_ == Role::claimant ? coordinator_ : self_;
  if (hears_coordinator() && leader != asker && outranks(leader, asker)) {
    return leader == self_ ? Objection::ranks_higher : Objection::has_coordinator;
  }
  return outranks(self_, asker) ? Objection::ranks_higher : Objection::none;
}

void Core::on_election(const Peer& peer, const Election& message) {
  const Objection objection = objection_to(peer.id);
  send_now(peer.id, encoder_.encode(Answer{message.round, highest_heard_, objection}));
  if (role_ == Role::coordinator) {
    send_now(peer.id, encoder_.encode(Coordinator{epoch_, /*ready=*/true}));
    return;
  }
  if (role_ != Role::participant || asking_.open) return;
  if (objection == Objection::ranks_higher && coordinator_ == kNoNode) election_at_ = now_;
}

void Core::on_answer(const Peer& peer, const Answer& message) {
  highest_heard_ = std::max(highest_heard_, message.epoch);
  // What was said of an earlier election says nothing about this one.
  if (!asking_.open || message.round != round_asked_) return;
  asking_.answered |= bit(peer);
  const bool passed_over = now_ < peer.passed_over_until;
  if (message.objection == Objection::none ||
      (message.objection == Objection::ranks_higher && passed_over)) {
    asking_.agreed |= bit(peer);
  } else if (message.objection == Objection::ranks_higher) {
    asking_.outranked |= bit(peer);
  }
  if (election_decided()) close_election();
}

// Nothing that is still to come changes the outcome.
bool Core::election_decided() const {
  const std::uint64_t objected = asking_.answered & ~asking_.agreed;
  if (objected != 0) return true;
  if (static_cast<std::size_t>(std::popcount(asking_.agreed)) + 1 < majority()) return false;
  return std::all_of(peers_.begin(), peers_.end(), [this](const Peer& peer) {
    return (asking_.answered & bit(peer)) != 0 || !outranks(peer.id, self_) ||
           now_ < peer.passed_over_until;
  });
}

void Core::close_election() {
  asking_.open = false;
  const bool objected = (asking_.answered & ~asking_.agreed) != 0;
  const bool enough = static_cast<std::size_t>(std::popcount(asking_.agreed)) + 1 >= majority();
  if (enough && !objected) return claim();
  const Duration wait = with_jitter((objected ? kWaitForHigher : 1) * options_.timeout);
  if (coordinator_ != kNoNode) {
    challenge_at_ = now_ + wait;
    return;
  }
  // Who objects again, because this node was asked to hurry, gets no more time.
  for (Peer& peer : peers_) {
    if ((asking_.outranked & bit(peer)) != 0) peer.leads_by = std::min(peer.leads_by, now_ + wait);
  }
  election_at_ = now_ + wait;
}

// --- epochs ---

// The promise to itself is durable before the claim leaves.
void Core::claim() {
  set_coordinator(kNoNode);
  role_ = Role::claimant;
  ++elections_;
  save_state(std::max(epoch_, highest_heard_).next(), self_, commit_);
  claiming_ = {};
  claiming_.own_ticket = last_ticket_;
  claiming_.best = last_position();
  claiming_.best_at = self_;
  const Block message = encoder_.encode(Claim{epoch_});
  for (const Peer& peer : peers_) send_when_durable(guards::kClaimDurable, peer.id, message);
}

// A claim against a coordinator that is there and ranks higher is left unanswered: it would only
// depose it. Otherwise: one promise an epoch, and none of an earlier one.
void Core::on_claim(const Peer& peer, const Claim& message) {
  highest_heard_ = std::max(highest_heard_, message.epoch);
  if (message.epoch > epoch_ || !holds(guards::kEpochNeverBack)) {
    const NodeId leader = role_ == Role::coordinator ? self_ : coordinator_;
    if (leader != kNoNode && hears_coordinator() && outranks(leader, peer.id)) return;
    become_participant(message.epoch, kNoNode);
  }
  const bool granted =
      message.epoch == epoch_ && role_ == Role::participant &&
      (promised_ == kNoNode || promised_ == peer.id || !holds(guards::kPromiseOnce));
  if (granted) {
    if (promised_ != peer.id) save_state(epoch_, peer.id, commit_);
    asking_.open = false;
    election_at_ = now_ + with_jitter(options_.timeout);
  }
  send_when_durable(guards::kPromiseDurable, peer.id,
                    encoder_.encode(Promised{epoch_, granted, last_position()}));
}

void Core::on_promised(const Peer& peer, const Promised& message) {
  highest_heard_ = std::max(highest_heard_, message.epoch);
  if (!message.granted) {
    const bool claims = role_ == Role::claimant || role_ == Role::catching_up;
    if (claims && message.epoch > epoch_) become_participant(epoch_, kNoNode);
    return;
  }
  if (role_ != Role::claimant) return;
  if (message.epoch != epoch_ && holds(guards::kPromisesOfEpoch)) return;
  const std::uint64_t mark = holds(guards::kPromisesDistinct)
                                 ? bit(peer)
                                 : std::uint64_t{1} << std::popcount(claiming_.promises);
  claiming_.promises |= mark;
  const auto better = [](const Position& a, const Position& b) {
    return holds(guards::kEpochBeforeLength) ? a > b : a.index > b.index;
  };
  if (better(message.last, claiming_.best)) {
    claiming_.best = message.last;
    claiming_.best_at = peer.id;
  }
  count_promises();
}

void Core::count_own_promise(Ticket durable_through) {
  if (role_ != Role::claimant || claiming_.own || durable_through < claiming_.own_ticket) return;
  claiming_.own = true;
  claiming_.deadline = now_ + with_jitter(options_.timeout);  // the claim leaves only now
  count_promises();
}

// What may have been decided in earlier epochs is in the best of a majority's logs: a majority has
// voted for it, and none of them votes in an earlier epoch any more.
void Core::count_promises() {
  const auto others = static_cast<std::size_t>(std::popcount(claiming_.promises));
  const std::size_t needed = holds(guards::kQuorumToLead) ? majority() : (peers_.size() + 1) / 2;
  if (others + (claiming_.own ? 1 : 0) < needed) return;
  if (claiming_.best_at == self_ || !holds(guards::kCatchUp)) return lead();
  role_ = Role::catching_up;
  announced_ = Instant{};
  start_fetch(claiming_.best_at, commit_, claiming_.best);
}

void Core::lead() {
  role_ = Role::coordinator;
  claiming_ = {};
  fetching_.from = kNoNode;
  asking_.open = false;
  coordinating_ = {};
  coordinating_.since = now_;
  set_coordinator(self_);
  const LogIndex whole = last_position().index;
  if (whole < log_.last() && holds(guards::kBatchWhole)) {
    issue({Write::Kind::truncate, {}, whole.next(), {}, {}});
    log_.truncate(whole.next());
  }
  for (Peer& peer : peers_) peer.start(log_.last(), now_);
  send_all(encoder_.encode(Coordinator{epoch_, /*ready=*/true}));
  // Batches of earlier epochs are decided together with one of this epoch, so it begins with one.
  const CommandRun empty{{self_, incarnation_, 0}, 0, {}};
  append_entry(epoch_, empty, {encode_record(epoch_, empty, 0, clock_.view())});
  coordinating_.first = log_.last();
  // What it knows to be decided it tells others once its own disk says so.
  if (commit_ > decided_) save_state(epoch_, promised_, commit_);
  coordinating_.deciding = commit_;
  coordinating_.decisions.push_back({last_ticket_, commit_});
  coordinating_.in_flight.push_back(log_.last());
  recognise_held_runs();
}

void Core::on_coordinator(const Peer& peer, const Coordinator& message) {
  if (message.ready) {
    follow(peer, message.epoch, guards::kStaleCoordinator);
    return;
  }
  // It leads by now, or never will, unless nobody does in its epoch.
  const bool waits = message.epoch > epoch_ || (message.epoch == epoch_ && coordinator_ == kNoNode);
  if (role_ != Role::participant || !waits) return;
  become_participant(message.epoch, kNoNode);
  election_at_ = now_ + with_jitter(options_.timeout);
}

// --- a coordinator without a majority ---

// When a majority, this coordinator included, was last heard of together.
Instant Core::majority_heard_at() const {
  if (peers_.empty()) return now_;
  instants_.clear();
  for (const Peer& peer : peers_) instants_.push_back(peer.last_heard);
  const auto needed = instants_.begin() + static_cast<std::ptrdiff_t>(majority() - 2);
  std::nth_element(instants_.begin(), needed, instants_.end(), std::greater<>());
  return *needed;
}

// It can decide nothing, and stands in the way of those who could.
void Core::check_majority() {
  if (now_ - majority_heard_at() < options_.timeout) return;
  become_participant(epoch_, kNoNode);
}

Instant Core::election_deadline() const {
  switch (role_) {
    case Role::claimant:
      return claiming_.deadline;
    case Role::catching_up:
      return std::min(announced_ + options_.heartbeat,
                      fetching_.loading() ? kNever : fetching_.progress + options_.timeout);
    case Role::participant:
      break;
    case Role::coordinator:
      return kNever;
  }
  if (asking_.open) return asking_.deadline;
  // A challenge that has to wait for batches is made when they have come.
  return now_ < challenge_at_ ? std::min(election_at_, challenge_at_) : election_at_;
}

}  // namespace parley::bully_2pc
