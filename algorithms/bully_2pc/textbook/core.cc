#include "algorithms/bully_2pc/textbook/core.h"

#include <algorithm>
#include <utility>

namespace parley::bully_2pc::textbook {

Core::Core(const ReplicaConfig& config, const Recovered& recovered)
    : self_(config.self),
      incarnation_(config.incarnation),
      options_(read_options(config.options)),
      random_(config.seed),
      members_(config.members),
      last_(recovered.snapshot.id.index),
      snapshot_(recovered.snapshot.id.index),
      clock_(config.members.size()),
      cells_(config.members.size()),
      next_heartbeat_(config.now),
      now_(config.now) {
  std::sort(members_.begin(), members_.end());
  const auto place = place_of(self_);
  if (!place) broken("the members do not include this node");
  place_ = place.value_or(0);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (i != place_) peers_.push_back({members_[i], config.now, false, {}, {}});
  }
  // With no one to wait for, there is no reason to wait.
  election_at_ = peers_.empty() ? now_ : now_ + with_jitter(options_.timeout);
  next_comparison_ = now_ + random_.between(Duration{}, options_.hash_interval);
  recover(recovered);
}

// Reads what storage held; it is put into the store in the first step.
void Core::recover(const Recovered& recovered) {
  for (const Record& record : recovered.records) {
    auto decoded = decode_record(record, members_.size());
    if (!decoded || record.index != last_.next()) {
      return broken("record " + std::to_string(record.index.value) + " of storage is not readable");
    }
    last_ = record.index;
    recovered_.push_back(*std::move(decoded));
  }
}

void Core::step(const Turn& turn, const Store& store, Effects& effects) {
  effects_ = &effects;
  now_ = turn.now;
  wall_ =
      static_cast<std::uint64_t>(std::max<WallTime::rep>(turn.wall.time_since_epoch().count(), 1));
  store_ = &store;
  if (broken_.empty()) {
    if (!started_ && snapshot_ > LogIndex{}) observe_store();
    started_ = true;
    replay();
    for (const Frame& frame : turn.frames) receive(frame);
    for (const CommandRun& run : turn.commands) submit(run);
    for (const parley::ReadRequest& read : turn.reads) {
      effects.refused.push_back({Refusal::Kind::read, Refusal::Reason::not_offered, read.id});
    }
    for (const Control& control : turn.controls) use_snapshot(control);
    tend_election();
    forward();
    make_batches();
    decide();
    give_up_held();
    ask_for_outcomes();
    if (now_ >= next_comparison_) compare_with_next();
    if (exchange_ && now_ >= exchange_deadline()) end_exchange(/*whole=*/false);
    send_replies(turn.durable_through);
    watch_blocking();
  }
  effects.broken_invariant = broken_;
  effects.accept_max_bytes =
      held_bytes_ < options_.max_held_bytes ? options_.max_held_bytes - held_bytes_ : 0;
}

// What is in doubt stays so until its coordinator says otherwise; nobody waits for it here.
void Core::replay() {
  LogIndex index{last_.value - recovered_.size()};
  for (LogRecord& record : recovered_) {
    index = index.next();
    if (record.kind == LogRecord::Kind::prepared) {
      prepared_.push_back({record.batch, {}, record.body, index, now_});
      prepared_bytes_ += record.body.size();
      continue;
    }
    if (record.kind == LogRecord::Kind::cells) {
      CellReader cells(record.body, members_.size());
      WireCell cell;
      ClockView clock;
      while (cells.next(cell, clock)) offer(cell, clock);
      continue;
    }
    const bool committed = record.kind == LogRecord::Kind::committed;
    if (committed) apply(record.batch, record.body, record.clock.view());
    std::erase_if(prepared_, [&](const Prepared& prepared) {
      if (prepared.id != record.batch) return false;
      prepared_bytes_ -= prepared.body.size();
      return true;
    });
    remember({record.batch, committed, std::move(record.clock)});
  }
  recovered_.clear();
}

// Of what a snapshot brought back.
void Core::observe_store() {
  for (Key key{0}; key.value < store_->key_count(); ++key.value) {
    const Stamp stamp = store_->at(key).stamp;
    if (const auto place = place_of(author_of(stamp))) clock_.raise(*place, stamp.major);
  }
}

void Core::receive(const Frame& frame) {
  Peer* peer = find_peer(frame.from);
  if (peer == nullptr) return;
  peer->heard = now_;
  peer->ever_heard = true;
  peer->incarnation = frame.incarnation;
  const wire::Message& message = decode(frame.header);
  // Of a cluster with other members.
  if (message.clock() != nullptr && message.clock()->size() != members_.size()) return;
  switch (message.kind()) {
    case wire::Kind::heartbeat:
      return on_heartbeat(*peer, *message.heartbeat());
    case wire::Kind::election:
      return on_election(*peer);
    case wire::Kind::answer:
      answered_ = true;
      return;
    case wire::Kind::coordinator:
      return on_coordinator(*peer);
    case wire::Kind::forward:
      return on_forward(*peer, message, frame.body);
    case wire::Kind::refuse:
      return on_refuse(message);
    case wire::Kind::prepare:
      return on_prepare(*peer, message, frame.body);
    case wire::Kind::vote:
      return on_vote(*peer, *message.batch());
    case wire::Kind::outcome:
      return on_outcome(message);
    case wire::Kind::inquire:
      return on_inquire(*peer, decode(*message.batch()));
    case wire::Kind::hash:
      return on_hash(*peer, message.number());
    case wire::Kind::tiles:
      return on_tiles(*peer, message);
    case wire::Kind::want:
      return on_want(*peer, message);
    case wire::Kind::cells:
      return on_cells(*peer, message, frame.body);
    case wire::Kind::none:
      return;
  }
}

// --- updates meet ---

// Of a batch's first write; its last one has the number of its coordinator in its clock.
Stamp Core::first_stamp(const BatchId& batch, ClockView clock, std::uint64_t writes) const {
  const UpdateTime last = clock[place_of(batch.coordinator).value_or(0)];
  Stamp stamp{last - std::min(last, writes) + 1,
              (std::uint64_t{batch.coordinator.value} << 32) |
                  static_cast<std::uint32_t>(batch.incarnation.value)};
  if (!holds(guards::kTieByNode)) stamp.minor = 0;
  return stamp;
}

void Core::apply(const BatchId& batch, const Block& body, ClockView clock) {
  const std::span<const CellWrite> writes = writes_of(body);
  Stamp stamp = first_stamp(batch, clock, writes.size());
  for (const CellWrite& write : writes) {
    offer({write.key, 0, write.value, write.writer, stamp}, clock);
    ++stamp.major;
  }
}

// True if it wins. One that knew the other has the later time (`next_clock`), so that the store,
// which compares times and then nodes, decides between concurrent ones only.
bool Core::offer(const WireCell& cell, ClockView clock) {
  if (cell.key.value >= store_->key_count()) return false;
  observe(clock);
  Stamp stamp = cell.stamp;
  const Stamp held = cells_.stamp(*store_, cell.key);
  const NodeId author = author_of(held);
  const auto place = place_of(author);
  const bool knew = held == Stamp{} || !place || clock[*place] >= held.major;
  if (!knew && !holds(guards::kConcurrentByTime)) {
    stamp.major = std::max(stamp.major, held.major + 1);
  }
  if (stamp < held) return false;
  if (stamp > held && !knew && author == self_) ++superseded_;
  cells_.set(cell.key, stamp, clock);
  effects_->merge.push_back({cell.key, cell.value, stamp, cell.writer});
  return stamp > held;
}

void Core::observe(ClockView clock) {
  if (holds(guards::kClockMerged)) clock_.merge(clock);
}

// --- what all parts share ---

// The state of the snapshot holds what its records say, but for what is in doubt.
void Core::use_snapshot(const Control& control) {
  if (control.kind != Control::Kind::snapshot_saved) return;
  for (Prepared& batch : prepared_) {
    if (batch.record > control.snapshot.index) continue;
    batch.record = append(LogRecord::Kind::prepared, batch.id, {}, batch.body);
  }
  snapshot_ = control.snapshot.index;
  issue({Write::Kind::snapshot, {}, snapshot_, {}, {}});
}

LogIndex Core::append(LogRecord::Kind kind, const BatchId& batch, ClockView clock,
                      const Block& body) {
  last_ = last_.next();
  issue({Write::Kind::append, {}, last_, encode_record(kind, batch, clock), body});
  return last_;
}

Ticket Core::issue(Write write) {
  last_ticket_ = last_ticket_.next();
  write.ticket = last_ticket_;
  effects_->writes.push_back(std::move(write));
  return last_ticket_;
}

void Core::broken(std::string story) {
  if (broken_.empty())
    broken_ = "bully_2pc node " + std::to_string(self_.value) + ": " + std::move(story);
}

void Core::send_now(NodeId to, Block header, const Block& body) {
  BodyRange range;
  if (!body.empty()) {
    range = {static_cast<std::uint32_t>(effects_->bodies.size()), 1};
    effects_->bodies.push_back(body);
  }
  effects_->send_now.push_back({to, std::move(header), range});
}

void Core::send_when_durable(NodeId to, Block header) {
  effects_->send_when_durable.push_back({to, std::move(header), {}});
}

void Core::send_all(const Block& header) {
  for (const Peer& peer : peers_) send_now(peer.id, header);
}

Duration Core::with_jitter(Duration duration) {
  return duration + random_.between(Duration{}, duration * options_.jitter_percent / 100);
}

Core::Peer* Core::find_peer(NodeId id) {
  const auto found = std::ranges::find(peers_, id, &Peer::id);
  return found == peers_.end() ? nullptr : &*found;
}

std::optional<std::size_t> Core::place_of(NodeId node) const {
  const auto at = std::lower_bound(members_.begin(), members_.end(), node);
  if (at == members_.end() || *at != node) return std::nullopt;
  return static_cast<std::size_t>(at - members_.begin());
}

void Core::watch_blocking() {
  const bool blocked = !prepared_.empty() && now_ >= prepared_.front().since + options_.timeout;
  if (blocked == (blocked_since_ != kNever)) return;
  if (blocked) {
    ++blockings_;
    blocked_since_ = prepared_.front().since;
  } else {
    blocked_before_ += now_ - blocked_since_;
    blocked_since_ = kNever;
  }
}

Instant Core::deadline() const {
  if (!broken_.empty()) return kNever;
  if (!recovered_.empty()) return now_;
  Instant earliest =
      std::min({next_heartbeat_, election_deadline(), batches_deadline(), exchange_deadline()});
  if (!peers_.empty()) earliest = std::min(earliest, next_comparison_);
  return earliest;
}

Status Core::status() const {
  Status status;
  switch (role_) {
    case Role::joining:
      status.role = "joining";
      break;
    case Role::participant:
      status.role = "participant";
      break;
    case Role::electing:
      status.role = "electing";
      break;
    case Role::coordinator:
      status.role = "coordinator";
      break;
  }
  status.leader = coordinator_;
  status.last = last_;
  status.snapshot = snapshot_;
  status.elections = elections_;
  status.held_runs = held_.size();
  status.superseded = superseded_;
  status.concurrent = concurrent_;
  for (const Prepared& batch : prepared_) status.in_doubt += writes_of(batch.body).size();
  status.blocked = blocked_since_ != kNever;
  status.blockings = blockings_;
  status.blocked_time = blocked_before_;
  if (status.blocked) status.blocked_time += now_ - blocked_since_;
  return status;
}

}  // namespace parley::bully_2pc::textbook
