// Which members are in force here, and how they change: learners first, then joint consensus
// (dissertation §4.2.1, §4.3; §6 of the paper). A change stands in the log from its first entry on,
// so that whoever leads carries it through.
#include <algorithm>
#include <utility>

#include "algorithms/raft/core.h"

namespace parley::raft {
namespace {

bool is_members(const CommandRun& run) {
  return run.count == 0 && !run.body.empty();
}

// Those of `others` whose nodes are not among the members, if there is room for all of them.
void add_others(const std::vector<Member>& others, std::vector<Member>& members) {
  std::vector<Member> both = members;
  for (const Member& other : others) {
    const auto place = std::ranges::lower_bound(both, other.node, {}, &Member::node);
    if (place == both.end() || place->node != other.node) both.insert(place, other);
  }
  if (both.size() <= kMaxMembers) members = std::move(both);
}

}  // namespace

// --- in force ---

// §4.1: a node uses the newest members in its log, committed or not.
const Core::Configuration& Core::in_force() const {
  if (holds(guards::kMembersAtAppend)) return configurations_.back();
  auto last = configurations_.end() - 1;
  while (last != configurations_.begin() && last->index > commit_) --last;
  return *last;
}

const Membership& Core::members_at(LogIndex index) const {
  auto last = configurations_.end() - 1;
  while (last != configurations_.begin() && last->index > index) --last;
  return last->members;
}

// Everything that follows from the newest configuration, or from its being committed. Those whom it
// leaves out are told of it: they stay among the peers until it is committed.
void Core::take_members() {
  // Votes are counted by the places of the peers: no election outlasts a change of these.
  if (role_ == Role::candidate || role_ == Role::pre_candidate) become_follower(term_, leader_);
  const Configuration& now = in_force();
  members_committed_ = configurations_.back().index <= commit_;
  const Member self{self_, disk_};
  is_member_ = takes_part(now.members, self);
  std::vector<Member> peers = all_of(now.members);
  if (!members_committed_ && configurations_.size() > 1) {
    add_others(all_of((configurations_.end() - 2)->members), peers);
  }
  std::erase_if(peers, [this](const Member& peer) { return peer.node == self_; });
  take_peers(peers);
  electorate_ = Electorate(now.members, self, peers);
  members_settled_ = members_committed_ && !now.members.joint() && now.members.learners.empty() &&
                     electorate_.has_self();
}

// With another disk a peer is another one, of whom nothing is known.
void Core::take_peers(const std::vector<Member>& members) {
  const auto as_member = [](const Progress& peer) { return Member{peer.id, peer.disk}; };
  if (std::ranges::equal(peers_, members, {}, as_member)) return;
  std::vector<Progress> peers;
  peers.reserve(members.size());
  for (const Member& member : members) {
    Progress* known = find_peer(member.node);
    if (known != nullptr && known->disk == member.disk) {
      peers.push_back(std::move(*known));
      continue;
    }
    peers.emplace_back(member, options_.max_inflight_messages, options_.max_inflight_bytes);
    if (role_ == Role::leader) peers.back().start(log_.last(), now_);
  }
  peers_ = std::move(peers);
}

// An entry that may bring other members into force is in the log.
void Core::note_entry(LogIndex index, const CommandRun& run) {
  if (!is_members(run)) return;
  auto members = decode_members(run.body.bytes());
  if (!members) return broken("entry " + std::to_string(index.value) + " names no members");
  configurations_.push_back({index, std::move(*members)});
}

void Core::revert_members(LogIndex cut) {
  if (!holds(guards::kMembersReverted)) return;
  const std::size_t before = configurations_.size();
  while (configurations_.size() > 1 && configurations_.back().index >= cut) {
    configurations_.pop_back();
  }
  if (configurations_.size() != before) take_members();
}

// --- changes ---

void Core::reply(std::uint64_t id, ControlReply::Outcome outcome, std::string reason) {
  effects_->control_replies.push_back({id, outcome, std::move(reason)});
}

std::string Core::other_leader() const {
  return leader_ == kNoNode ? "no leader is known"
                            : "node " + std::to_string(leader_.value) + " leads, not this one";
}

void Core::change_members(std::uint64_t id, const MemberChange& change) {
  std::string why;
  if (leading_.handover.to != kNoNode) {
    why = "node " + std::to_string(leading_.handover.to.value) + " is taking over";
  } else if (role_ != Role::leader) {
    why = other_leader();
  } else if (commit_ < leading_.first) {
    why = "this leader has only just begun; try again";
  } else if (!members_committed_ || membership().joint()) {
    why = "another change goes on";
  } else {
    why = objection(membership(), change);
  }
  if (!why.empty()) return reply(id, ControlReply::Outcome::refused, std::move(why));
  answer_change(ControlReply::Outcome::refused, "given up for another change");
  leading_.change = id;
  MemberChange asked = change;
  if (!holds(guards::kDisksToldApart)) asked.disk = {};
  append_members(begin_change(membership(), asked));
}

void Core::answer_change(ControlReply::Outcome outcome, std::string reason) {
  const std::uint64_t id = std::exchange(leading_.change, 0);
  if (id != 0) reply(id, outcome, std::move(reason));
}

void Core::append_members(const Membership& members) {
  const CommandRun run{{self_, incarnation_, 0}, 0, encode_members(members)};
  append_entry(term_, run, encode_record(term_, run));
  leading_.catch_up_to = {};
}

// One step after the other, each once the one before is committed (§4.3).
void Core::tend_members() {
  if ((members_settled_ && leading_.change == 0) || leading_.handover.to != kNoNode) return;
  if (!members_committed_ || commit_ < leading_.first) return;
  const Membership& members = membership();
  if (members.joint()) return append_members(next_step(members));
  if (!members.learners.empty()) return tend_learners(members);
  answer_change(ControlReply::Outcome::done, {});
}

// §4.2.1: a learner gets what the log held when a round began; once a round was shorter than an
// election timeout, what it lacks then does not keep anybody waiting.
void Core::tend_learners(const Membership& members) {
  if (leading_.catch_up_to == LogIndex{}) {
    leading_.change_began = leading_.round_began = now_;
    leading_.catch_up_to = log_.last();
  }
  const bool there = std::ranges::all_of(members.learners, [this](NodeId id) {
    const Progress* peer = find_peer(id);
    return id == self_ || (peer != nullptr && peer->match >= leading_.catch_up_to);
  });
  if (there && now_ - leading_.round_began < options_.election_timeout_min) {
    return append_members(next_step(members));
  }
  if (there) {
    leading_.round_began = now_;
    leading_.catch_up_to = log_.last();
  }
  if (now_ - leading_.change_began < options_.catch_up_timeout) return;
  answer_change(ControlReply::Outcome::refused, "node " +
                                                    std::to_string(members.learners.front().value) +
                                                    " did not catch up within catch_up_timeout_ms");
  append_members(without_learners(members));
}

Instant Core::change_deadline() const {
  if (leading_.catch_up_to == LogIndex{} || leading_.handover.to != kNoNode) return kNever;
  return leading_.change_began + options_.catch_up_timeout;
}

// §4.2.2: a leader that is no member any more leads until that is committed. Another one is told to
// take over, so that nobody has to miss it first.
void Core::leave_if_removed() {
  if (!members_committed_ || electorate_.has_self()) return;
  if (const Progress* next = heir()) {
    send_now(next->id, encoder_.encode(TimeoutNow{term_, next->match}, next->disk));
  }
  become_follower(term_, kNoNode);
}

}  // namespace parley::raft
