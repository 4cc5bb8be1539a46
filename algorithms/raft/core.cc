#include "algorithms/raft/core.h"

#include <algorithm>
#include <utility>

namespace parley::raft {

Core::Core(const ReplicaConfig& config, const Recovered& recovered)
    : self_(config.self),
      disk_(holds(guards::kDisksToldApart) ? config.disk : DiskId{}),
      incarnation_(config.incarnation),
      options_(read_options(config.options)),
      random_(config.seed),
      heard_leader_(config.now),
      no_leader_since_(config.now),
      now_(config.now),
      encoder_(disk_) {
  std::vector<NodeId> members = config.members;
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  // Who waits to be added goes by nobody's members until it knows better.
  if (!std::binary_search(members.begin(), members.end(), self_)) members.clear();
  configurations_.push_back({{}, {.voters = std::move(members)}});
  recover(recovered);
  take_members();
  restart_election_timer();
  // With no one to wait for, there is no reason to wait.
  if (peers_.empty() && electorate_.has_self()) election_deadline_ = now_;
}

// What is committed of the log is not stored: the next leader tells (dissertation §3.8). What is in
// a snapshot was committed.
void Core::recover(const Recovered& recovered) {
  if (!recovered.state.empty()) {
    const auto state = decode_state(recovered.state);
    if (!state) return broken("the hard state in storage is not readable");
    term_ = state->term;
    vote_ = state->vote;
  }
  if (recovered.snapshot.id.index != LogIndex{}) {
    auto base = decode_base(recovered.snapshot.header);
    if (!base) return broken("what storage says of the snapshot is not readable");
    if (base->term > term_) return broken("the snapshot in storage has an impossible term");
    snapshot_ = recovered.snapshot.id;
    log_.reset(snapshot_.index, base->term);
    commit_ = snapshot_.index;
    if (holds(guards::kSnapshotMembers)) {
      configurations_.assign(1, {snapshot_.index, std::move(base->members)});
    }
  }
  for (const Record& record : recovered.records) {
    auto entry = decode_record(record);
    const std::string name = "record " + std::to_string(record.index.value) + " of storage ";
    if (!entry) return broken(name + "is not readable");
    if (record.index != log_.last().next()) return broken(name + "does not follow the one before");
    if (entry->term < log_.last_term() || entry->term > term_) {
      return broken(name + "has an impossible term");
    }
    note_entry(record.index, entry->run);
    log_.append(entry->term, Ticket{}, std::move(entry->run));
  }
  log_.acknowledge(Ticket{});
}

void Core::step(const Turn& turn, Effects& effects) {
  if (!broken_.empty()) {
    effects.broken_invariant = broken_;
    reported_ = true;
    return;
  }
  now_ = std::max(now_, turn.now);
  effects_ = &effects;

  log_.acknowledge(turn.durable_through);
  count_own_vote(turn.durable_through);
  for (const Frame& frame : turn.frames) receive(frame);
  for (const CommandRun& run : turn.commands) submit(run);
  for (const ReadRequest& read : turn.reads) submit_read(read);
  for (const Control& control : turn.controls) this->control(control);
  tick();
  flush();

  effects.accept_max_bytes = accept_max_bytes();
  effects.broken_invariant = broken_;
  reported_ = !broken_.empty();
  effects_ = nullptr;
}

// §4.1: who leads, or wants to, is not judged by whether it is a member here; only they know what
// is in force. Whoever asks or answers a leader must be a member in its eyes. What is meant for
// this node as it was with another disk is not heard: it would have it stand by what it does not
// know.
void Core::receive(const Frame& frame) {
  if (!broken_.empty()) return;
  const wire::Message& message = decode(frame.header);
  if (DiskId{message.to_disk()} != disk_) return;
  const Member from{frame.from, {message.from_disk()}};
  switch (message.kind()) {
    case wire::Kind::vote_request:
      return on_vote_request(from, decode(*message.vote_request()));
    case wire::Kind::append:
      return on_append(from, decode(*message.append()),
                       EntryReader(message, frame.header, frame.body));
    case wire::Kind::install:
      return on_install(from, message, frame.body);
    case wire::Kind::read_reply:
      return on_read_reply(decode(*message.read_reply()));
    case wire::Kind::timeout_now:
      return on_timeout_now(frame.from, decode(*message.timeout_now()));
    default:
      break;
  }
  Progress* peer = find_peer(frame.from);
  if (peer == nullptr || peer->disk != from.disk) return;
  switch (message.kind()) {
    case wire::Kind::vote_reply:
      return on_vote_reply(*peer, decode(*message.vote_reply()));
    case wire::Kind::append_reply:
      return on_append_reply(*peer, decode(*message.append_reply()), message);
    case wire::Kind::forward:
      return on_forward(ForwardReader(message, frame.body, frame.from));
    case wire::Kind::read_request:
      return on_read_request(from, decode(*message.read_request()));
    case wire::Kind::install_reply:
      return on_install_reply(*peer, decode(*message.install_reply()));
    default:
      break;
  }
}

void Core::tick() {
  if (role_ == Role::leader) {
    if (options_.check_quorum) check_quorum();
    if (role_ == Role::leader) give_up_handover();
  } else if (now_ >= election_deadline_) {
    stand_for_election();
  }
  tend_held_runs();
  tend_reads();
}

// Everything that is said once a turn, whatever number of inputs gave cause to it.
void Core::flush() {
  if (!broken_.empty()) return;
  use_saved_snapshot();
  if (role_ == Role::leader) {
    append_held_runs();
    request_read_index();
    commit_by_counting();
    tend_members();
    start_read_round();
    finish_read_rounds();
    renew_lease();
    replicate();
    tend_handover();
    leave_if_removed();
  } else {
    send_ack();
    send_install_reply();
    forward_held_runs();
    request_read_index();
  }
}

// The one place where the term and the vote change. The term never moves back.
void Core::save_term(Epoch term, NodeId vote) {
  if (term < term_ && holds(guards::kTermNeverBack)) return broken("the term would move back");
  if (term > term_) following_ = {};
  term_ = term;
  vote_ = vote;
  issue({Write::Kind::state, {}, {}, encode_state({term_, vote_}), {}});
}

Ticket Core::issue(Write write) {
  last_ticket_ = last_ticket_.next();
  write.ticket = last_ticket_;
  effects_->writes.push_back(std::move(write));
  return last_ticket_;
}

void Core::append_entry(Epoch term, const CommandRun& run, Block record) {
  const LogIndex index = log_.last().next();
  const Ticket ticket = issue({Write::Kind::append, {}, index, std::move(record), run.body});
  log_.append(term, ticket, run);
  const std::size_t before = configurations_.size();
  note_entry(index, run);
  if (configurations_.size() != before) take_members();
}

void Core::advance_commit(LogIndex to) {
  while (commit_ < to) {
    commit_ = commit_.next();
    const CommandRun& run = log_.at(commit_).run;
    if (is_own(run)) held_.settle(run.id.number);
    if (role_ == Role::leader) note_waiting(run.id.origin, commit_);
    // What an entry says of members is no affair of the application.
    effects_->commit.push_back({commit_, run.count > 0 ? run : CommandRun{run.id, 0, {}}});
  }
  if (!members_committed_ && configurations_.back().index <= commit_) take_members();
}

// A leader of whom this node did not know, or that starts a new term, knows nothing of the runs and
// reads that wait here.
void Core::set_leader(NodeId leader) {
  if (leader_ != kNoNode && leader == kNoNode) no_leader_since_ = now_;
  leader_ = leader;
  if (leader == self_) {
    answer_handover(ControlReply::Outcome::refused, "this node leads again");
  } else if (leader != kNoNode) {
    answer_handover(ControlReply::Outcome::done, {});
  }
  if (leader == kNoNode || (served_by_ == leader && served_term_ == term_)) return;
  served_by_ = leader;
  served_term_ = term_;
  held_.forget_sending();
  reads_unasked_ = !reads_.empty();
}

void Core::broken(std::string story) {
  if (broken_.empty()) {
    broken_ = "raft node " + std::to_string(self_.value) + " in term " +
              std::to_string(term_.value) + ": " + std::move(story);
  }
}

void Core::send_now(NodeId to, Block header, BodyRange body) {
  effects_->send_now.push_back({to, std::move(header), body});
}

// What relies on the disk, which is what `guard` says.
void Core::send_when_durable(const Guard& guard, NodeId to, Block header) {
  auto& lane = holds(guard) ? effects_->send_when_durable : effects_->send_now;
  lane.push_back({to, std::move(header), {}});
}

// A run of this start of this node, and not a leader's empty entry.
bool Core::is_own(const CommandRun& run) const {
  return run.id.origin == self_ && run.id.incarnation == incarnation_ && run.count > 0;
}

Progress* Core::find_peer(NodeId id) {
  for (Progress& peer : peers_) {
    if (peer.id == id) return &peer;
  }
  return nullptr;
}

LogIndex Core::held_by(NodeId id) const {
  if (role_ != Role::leader) return {};
  if (id == self_) return log_.durable();
  const auto peer = std::ranges::find(peers_, id, &Progress::id);
  return peer == peers_.end() ? LogIndex{} : peer->match;
}

std::uint64_t Core::accept_max_bytes() const {
  const auto rest = [](std::uint64_t max, std::uint64_t used) {
    return used < max ? max - used : 0;
  };
  const std::uint64_t room = rest(options_.max_held_bytes, held_.bytes());
  if (role_ != Role::leader) return room;
  return std::min(room, rest(options_.max_uncommitted_bytes, uncommitted_bytes()));
}

Instant Core::deadline() const {
  if (!broken_.empty()) return reported_ ? kNever : now_;
  const Instant role = role_ == Role::leader ? leader_deadline() : election_deadline_;
  return std::min({role, held_deadline(), reads_deadline()});
}

Status Core::status() const {
  Status status;
  switch (role_) {
    case Role::follower:
      status.role = electorate_.has_self() ? "follower" : is_member_ ? "learner" : "outsider";
      break;
    case Role::pre_candidate:
      status.role = "pre_candidate";
      break;
    case Role::candidate:
      status.role = "candidate";
      break;
    case Role::leader:
      status.role = "leader";
      break;
  }
  status.epoch = term_;
  status.leader = leader_;
  status.commit = commit_;
  status.last = log_.last();
  status.snapshot = snapshot_.index;
  status.log_bytes = log_.bytes();
  status.elections = elections_;
  status.held_runs = held_.size();
  return status;
}

}  // namespace parley::raft
