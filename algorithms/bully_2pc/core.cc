#include "algorithms/bully_2pc/core.h"

#include <algorithm>
#include <utility>

namespace parley::bully_2pc {

Core::Core(const ReplicaConfig& config, const Recovered& recovered)
    : self_(config.self),
      incarnation_(config.incarnation),
      options_(read_options(config.options)),
      random_(config.seed),
      members_(config.members),
      heard_coordinator_(config.now),
      no_coordinator_since_(config.now),
      now_(config.now) {
  std::sort(members_.begin(), members_.end());
  members_.erase(std::unique(members_.begin(), members_.end()), members_.end());
  const auto self = std::lower_bound(members_.begin(), members_.end(), self_);
  if (self == members_.end() || *self != self_) broken("self is not a member");
  place_ = static_cast<std::size_t>(self - members_.begin());
  for (const NodeId id : members_) {
    if (id == self_) continue;
    peers_.emplace_back(id, options_.max_inflight_messages, options_.max_inflight_bytes);
  }
  clock_ = committed_clock_ = log_base_.clock = snapshot_base_.clock = VectorClock(members_.size());
  recover(recovered);
  // With no one to wait for, there is no reason to wait.
  election_at_ = peers_.empty() ? now_ : now_ + with_jitter(options_.timeout);
}

void Core::recover(const Recovered& recovered) {
  if (!recovered.state.empty()) {
    const auto state = decode_state(recovered.state);
    if (!state) return broken("the hard state in storage is not readable");
    epoch_ = state->epoch;
    promised_ = state->promised;
    decided_ = state->decided;
  }
  if (recovered.snapshot.id.index != LogIndex{}) {
    const auto base = decode_base(recovered.snapshot.header, members_.size());
    if (!base || base->epoch > epoch_) {
      return broken("what precedes the snapshot in storage is not readable");
    }
    snapshot_ = recovered.snapshot.id;
    log_.reset(snapshot_.index, base->epoch);
    log_base_ = snapshot_base_ = *base;
    clock_ = committed_clock_ = base->clock;
    commit_ = snapshot_.index;
  }
  for (const Record& record : recovered.records) {
    auto entry = decode_record(record, members_.size());
    const std::string name = "record " + std::to_string(record.index.value) + " of storage ";
    if (!entry) return broken(name + "is not readable");
    if (record.index != log_.last().next()) return broken(name + "does not follow the one before");
    if (entry->epoch < log_.last_term() || entry->epoch > epoch_) {
      return broken(name + "has an impossible epoch");
    }
    clock_.merge(entry->note.clock());
    log_.append(entry->epoch, Ticket{}, std::move(entry->run), std::move(entry->note));
  }
  log_.acknowledge(Ticket{});
}

// What the hard state calls decided is committed; of all else a coordinator has to tell, whether
// this node voted for it or not.
void Core::finish_recovery() {
  if (!recovering_) return;
  recovering_ = false;
  if (decided_ > log_.last()) return broken("the hard state decides what the log does not hold");
  advance_commit(holds(guards::kInDoubtWaits) ? decided_ : log_.last());
  following_.agreed = commit_;
}

void Core::step(const Turn& turn, Effects& effects) {
  if (!broken_.empty()) {
    effects.broken_invariant = broken_;
    reported_ = true;
    return;
  }
  now_ = std::max(now_, turn.now);
  effects_ = &effects;
  const LogIndex committed_before = commit_;

  finish_recovery();
  log_.acknowledge(turn.durable_through);
  settle_decisions(turn.durable_through);
  count_own_promise(turn.durable_through);
  for (const Frame& frame : turn.frames) receive(frame);
  for (const CommandRun& run : turn.commands) submit(run);
  for (const parley::ReadRequest& read : turn.reads) submit_read(read);
  for (const Control& control : turn.controls) this->control(control);
  tick();
  flush();
  watch_blocking(commit_ > committed_before);

  effects.accept_max_bytes = accept_max_bytes();
  effects.broken_invariant = broken_;
  reported_ = !broken_.empty();
  effects_ = nullptr;
}

void Core::receive(const Frame& frame) {
  Peer* peer = find_peer(frame.from);
  if (peer == nullptr || !broken_.empty()) return;
  const wire::Message& message = decode(frame.header);
  // Clocks of another cluster say nothing here.
  if (message.words() != nullptr && message.nodes() != members_.size()) return;
  switch (message.kind()) {
    case wire::Kind::election:
      return on_election(*peer, decode(*message.election()));
    case wire::Kind::answer:
      return on_answer(*peer, decode(*message.answer()));
    case wire::Kind::coordinator:
      return on_coordinator(*peer, decode(*message.coordinator()));
    case wire::Kind::claim:
      return on_claim(*peer, decode(*message.claim()));
    case wire::Kind::promised:
      return on_promised(*peer, decode(*message.promised()));
    case wire::Kind::prepare:
      return on_prepare(*peer, decode(*message.prepare()),
                        EntryReader(message, frame.header, frame.body));
    case wire::Kind::vote:
      return on_vote(*peer, decode(*message.vote()));
    case wire::Kind::commit:
      return on_commit(*peer, decode(*message.commit()));
    case wire::Kind::fetch:
      return on_fetch(*peer, decode(*message.fetch()));
    case wire::Kind::batches:
      return on_batches(*peer, decode(*message.batches()),
                        EntryReader(message, frame.header, frame.body));
    case wire::Kind::part:
      return on_part(*peer, decode(*message.part()), message, frame.body);
    case wire::Kind::forward:
      return on_forward(ForwardReader(message, frame.header, frame.body, frame.from));
    case wire::Kind::read_request:
      return on_read_request(frame.from, decode(*message.read_request()));
    case wire::Kind::read_reply:
      return on_read_reply(decode(*message.read_reply()));
    case wire::Kind::none:
      break;  // not verified
  }
}

void Core::tick() {
  tend_election();
  tend_fetch();
  tend_held_runs();
  tend_reads();
}

// Everything that is said once a turn, whatever number of inputs gave cause to it.
void Core::flush() {
  if (!broken_.empty()) return;
  use_saved_snapshot();
  send_parts();
  if (role_ == Role::coordinator) {
    gather_held_runs();
    make_batches();
    request_read();
    decide();
    start_read_round();
    finish_read_rounds();
    prepare_all();
  } else {
    send_vote();
    forward_held_runs();
    request_read();
  }
}

// The one place where the hard state changes. The epoch never moves back, and a decision stays.
void Core::save_state(Epoch epoch, NodeId promised, LogIndex decided) {
  if (epoch < epoch_ && holds(guards::kEpochNeverBack)) return broken("the epoch would move back");
  if (epoch > epoch_) {
    following_ = {};
    following_.agreed = commit_;
    fetching_.from = kNoNode;
  }
  epoch_ = epoch;
  promised_ = promised;
  highest_heard_ = std::max(highest_heard_, epoch);
  decided_ = holds(guards::kDecisionKept) ? std::max(decided_, decided) : decided;
  issue({Write::Kind::state, {}, {}, encode_state({epoch_, promised_, decided_}), {}});
}

Ticket Core::issue(Write write) {
  last_ticket_ = last_ticket_.next();
  write.ticket = last_ticket_;
  effects_->writes.push_back(std::move(write));
  return last_ticket_;
}

// A batch is in one piece in every log: with a part of it missing it could be committed in part.
void Core::append_entry(Epoch epoch, const CommandRun& run, EntryNote note) {
  const std::uint32_t due = log_.last() > log_.base() ? log_.at(log_.last()).note.left() : 0;
  if (due > 0 && (note.left() != due - 1 || epoch != log_.last_term())) {
    return broken("index " + std::to_string(log_.last().next().value) + " tears a batch apart");
  }
  const LogIndex index = log_.last().next();
  const Ticket ticket = issue({Write::Kind::append, {}, index, note.record, run.body});
  log_.append(epoch, ticket, run, std::move(note));
}

// The end of the last batch that is whole up to `index`. Behind it there may be a part of one that
// was being written when the node crashed: it was not voted for.
LogIndex Core::batch_end_at(LogIndex index) const {
  while (index > log_.base() && log_.at(index).note.left() > 0) index = index.prev();
  return index;
}

void Core::advance_commit(LogIndex to) {
  if (to <= commit_) return;
  while (commit_ < to) {
    commit_ = commit_.next();
    const BatchLog::Entry& entry = log_.at(commit_);
    if (is_own(entry.run)) held_.settle(entry.run.id.number);
    if (role_ == Role::coordinator) note_waiting(entry.run.id.origin, commit_);
    count_concurrency(entry);
    effects_->commit.push_back({commit_, entry.run});
  }
  clock_.merge(committed_clock_.view());
}

// The order is that of the batches. A run that does not know everything before it in that order is
// concurrent with some of it. One that comes a second time is not counted again.
void Core::count_concurrency(const BatchLog::Entry& entry) {
  if (entry.run.count == 0) return;
  const ClockView clock = entry.note.clock();
  const auto origin = std::lower_bound(members_.begin(), members_.end(), entry.run.id.origin);
  const auto place = static_cast<std::size_t>(origin - members_.begin());
  if (place < clock.size() && clock[place] > committed_clock_[place] &&
      compare(committed_clock_.view(), clock) == Relation::concurrent) {
    ++concurrent_;
  }
  committed_clock_.merge(clock);
}

// A coordinator of whom this node did not know, or that starts a new epoch, knows nothing of the
// runs and reads that wait here.
void Core::set_coordinator(NodeId coordinator) {
  if (coordinator_ != kNoNode && coordinator == kNoNode) no_coordinator_since_ = now_;
  // What was asked while there was none says nothing about this one: who outranks it challenges it.
  if (coordinator_ == kNoNode && coordinator != kNoNode) asking_.open = false;
  coordinator_ = coordinator;
  if (coordinator == kNoNode || (served_by_ == coordinator && served_epoch_ == epoch_)) return;
  served_by_ = coordinator;
  served_epoch_ = epoch_;
  held_.forget_sending();
  reads_unasked_ = !reads_.empty();
  for (Peer& peer : peers_) peer.leads_by = kNever;
  if (Peer* leader = find_peer(coordinator)) leader->passed_over_until = {};
  challenge_at_ = kNever;
  if (coordinator == self_ || !outranks(self_, coordinator)) return;
  const Duration patience = options_.timeout * (std::int64_t{1} << flaps_);
  challenge_at_ = now_ + patience + random_.between(Duration{}, options_.timeout);
}

// Blocked is who has prepared batches and has heard of no outcome for as long as it takes to notice
// a failure.
void Core::watch_blocking(bool settled) {
  const bool in_doubt = log_.last() > commit_;
  if (in_doubt && !settled) {
    if (in_doubt_since_ == kNever) in_doubt_since_ = now_;
    return;
  }
  if (in_doubt_since_ != kNever && now_ - in_doubt_since_ >= options_.timeout) {
    blocked_before_ += now_ - in_doubt_since_;
    ++blockings_;
  }
  in_doubt_since_ = in_doubt ? now_ : kNever;
}

void Core::broken(std::string story) {
  if (broken_.empty()) {
    broken_ = "bully_2pc node " + std::to_string(self_.value) + " in epoch " +
              std::to_string(epoch_.value) + ": " + std::move(story);
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

void Core::send_all(const Block& header) {
  for (const Peer& peer : peers_) send_now(peer.id, header);
}

BodyRange Core::add_bodies(LogIndex prev, LogIndex last) {
  std::vector<Block>& bodies = effects_->bodies;
  const auto first = static_cast<std::uint32_t>(bodies.size());
  for (LogIndex i = prev.next(); i <= last; i = i.next()) {
    encoder_.add_body(log_.at(i).run.body, bodies);
  }
  return {first, static_cast<std::uint32_t>(bodies.size()) - first};
}

// A run of this start of this node, and not an epoch's empty batch.
bool Core::is_own(const CommandRun& run) const {
  return run.id.origin == self_ && run.id.incarnation == incarnation_ && run.count > 0;
}

Peer* Core::find_peer(NodeId id) {
  for (Peer& peer : peers_) {
    if (peer.id == id) return &peer;
  }
  return nullptr;
}

LogIndex Core::held_by(NodeId id) const {
  if (role_ != Role::coordinator) return {};
  if (id == self_) return batch_end_at(log_.durable());
  const auto peer = std::ranges::find(peers_, id, &Peer::id);
  return peer == peers_.end() ? LogIndex{} : peer->prepared;
}

std::uint64_t Core::accept_max_bytes() const {
  const auto rest = [](std::uint64_t max, std::uint64_t used) {
    return used < max ? max - used : 0;
  };
  const std::uint64_t room = rest(options_.max_held_bytes, held_.bytes());
  if (role_ != Role::coordinator) return room;
  return std::min(room, rest(options_.max_undecided_bytes, undecided_bytes()));
}

Duration Core::with_jitter(Duration duration) {
  return duration + random_.between(Duration{}, duration * options_.jitter_percent / 100);
}

Instant Core::deadline() const {
  if (!broken_.empty()) return reported_ ? kNever : now_;
  if (recovering_ && decided_ > commit_) return now_;
  const Instant role = role_ == Role::coordinator ? coordinator_deadline() : election_deadline();
  Instant blocked = kNever;
  if (in_doubt_since_ != kNever && now_ < in_doubt_since_ + options_.timeout) {
    blocked = in_doubt_since_ + options_.timeout;
  }
  return std::min({role, fetch_deadline(), held_deadline(), reads_deadline(), blocked});
}

std::string_view Core::role_name() const {
  switch (role_) {
    case Role::participant:
      return asking_.open && coordinator_ == kNoNode ? "electing" : "participant";
    case Role::claimant:
      return "claimant";
    case Role::catching_up:
      return "catching_up";
    case Role::coordinator:
      return "coordinator";
  }
  return "";
}

Status Core::status() const {
  Status status;
  status.role = role_name();
  status.epoch = epoch_;
  status.leader = coordinator_;
  status.commit = commit_;
  status.last = log_.last();
  status.snapshot = snapshot_.index;
  status.log_bytes = log_.bytes();
  status.elections = elections_;
  status.held_runs = held_.size();
  status.concurrent = concurrent_;
  status.in_doubt = log_.last().value - commit_.value;
  status.blocked_time = blocked_before_;
  status.blockings = blockings_;
  if (in_doubt_since_ != kNever && now_ - in_doubt_since_ >= options_.timeout) {
    status.blocked = true;
    status.blocked_time += now_ - in_doubt_since_;
    ++status.blockings;
  }
  return status;
}

}  // namespace parley::bully_2pc
