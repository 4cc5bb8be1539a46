#include "algorithms/gossip_lww/core.h"

#include <algorithm>

namespace parley::gossip_lww {
namespace {

std::vector<NodeId> sorted(std::vector<NodeId> members) {
  std::sort(members.begin(), members.end());
  return members;
}

}  // namespace

Core::Core(const ReplicaConfig& config, const Recovered& recovered)
    : self_(config.self),
      incarnation_(config.incarnation),
      members_(sorted(config.members)),
      options_(read_options(config.options, members_.size())),
      regions_(members_.size(), options_.region_size),
      random_(config.seed),
      known_(members_.size()),
      last_(recovered.snapshot.id.index),
      snapshot_(recovered.snapshot.id.index),
      reference_(members_.size() > 1 ? members_.size() : 0),
      recent_(members_.size(), options_.recent_bytes),
      detector_(members_.size(), place_of(self_).value_or(0), options_.detector, config.now),
      acked_(members_.size()),
      read_ring_(members_.size()),
      rumor_ring_(regions_.size(regions_.of(place_of(self_).value_or(0)))),
      repair_ring_(rumor_ring_),
      far_rumor_ring_(regions_.count()),
      far_repair_ring_(regions_.count()),
      anybody_ring_(members_.size()),
      next_rumors_(config.now),
      acks_due_(members_.size()),
      encoder_(members_) {
  const auto place = place_of(self_);
  if (!place) {
    broken("the members do not include this node");
    return;
  }
  place_ = *place;
  comparisons_ = regions_.index(place_);  // not all of a region with anybody in the same round
  requests_ = incarnation_.value << 32;
  // Not all nodes at the same moment.
  next_comparison_ = config.now + random_.between(Duration{}, options_.anti_entropy);
  recover(recovered);
}

// Reads what storage held; it is put into the store in the first step.
void Core::recover(const Recovered& recovered) {
  if (!recovered.state.empty()) {
    const auto state = decode_state(recovered.state);
    if (!state) return broken("the hard state in storage is not readable");
    if (holds(guards::kClockReserved)) clock_.observe(state->reserved);
    reserved_ = state->reserved;
    for (const wire::Known& known : state->known) {
      if (const auto place = place_of({known.node()})) known_.join(*place, {known.through()});
    }
  }
  for (const Record& record : recovered.records) {
    auto delta = decode_record(record);
    if (!delta || record.index != last_.next()) {
      return broken("record " + std::to_string(record.index.value) + " of storage is not readable");
    }
    last_ = record.index;
    recovered_.push_back(*std::move(delta));
  }
}

void Core::step(const Turn& turn, const Store& store, Effects& effects) {
  effects_ = &effects;
  if (!broken_.empty()) {
    effects.broken_invariant = broken_;
    return;
  }
  now_ = turn.now;
  wall_ = turn.wall;
  durable_ = turn.durable_through;
  store_ = &store;
  reference_time_.reset();
  turn_stamps_.begin_turn();
  replaying_ = !recovered_.empty();
  replay();
  for (const Frame& frame : turn.frames) receive(frame);
  for (const CommandRun& run : turn.commands) write(run);
  for (const ReadRequest& request : turn.reads) read(request);
  for (const Control& control : turn.controls) use_snapshot(control);
  if (known_.whole()) whole_at_ = now_;
  tick();
  serve_reads();
  spread_rumors();
  send_acks();
  acknowledge(turn.durable_through);
  effects.accept_max_bytes =
      own_bytes_ < options_.max_held_bytes ? options_.max_held_bytes - own_bytes_ : 0;
}

// What storage held keeps the stamps that it had: nothing comes back to life over what came later.
void Core::replay() {
  for (const Delta& delta : recovered_) {
    if (!in_store(delta.cells)) return broken("storage holds cells that are not in the store");
    const auto place = place_of(delta.origin);
    const std::span<const WireCell> cells = cells_of(delta.cells);
    for (std::uint32_t i = 0; i < cells.size(); ++i) {
      Stamp stamp = delta.origin == kNoNode ? cells[i].stamp : stamp_of(delta, i);
      if (!holds(guards::kStampsKept)) stamp.major = clock_.take(wall_, 1).value;
      clock_.observe({stamp.major});
      merge(cells[i], stamp);
    }
    if (place && known_.add(*place, delta.previous, delta.last())) recent_.add(*place, delta, now_);
  }
  recovered_.clear();
}

void Core::receive(const Frame& frame) {
  const auto from = place_of(frame.from);
  if (!from || *from == place_) return;
  if (detector_.dead(*from)) welcome_back(*from);
  detector_.heard(*from, now_);
  const wire::Message& message = decode(frame.header);
  switch (message.kind()) {
    case wire::Kind::rumors:
      return on_rumors(*from, message, frame.body);
    case wire::Kind::summary:
      return on_summary(*from, decode(*message.summary()), message);
    case wire::Kind::tree_request:
      return on_tree_request(*from, message);
    case wire::Kind::tree_reply:
      return on_tree_reply(*from, message, frame.body);
    case wire::Kind::ack:
      acked_[*from] = std::max(acked_[*from], HybridTime{message.ack()->through()});
      return;
    case wire::Kind::ping:
    case wire::Kind::ping_request:
    case wire::Kind::pong:
      return on_probe(*from, message);
    case wire::Kind::none:
      return;
  }
}

void Core::tick() {
  retry_set_aside();
  if (now_ >= detector_.deadline()) ping();
  if (now_ >= next_comparison_) compare_with_next();
  if (now_ >= walk_deadline()) walk_.reset();
}

Instant Core::deadline() const {
  if (!broken_.empty()) return kNever;
  Instant earliest = std::min(detector_.deadline(), walk_deadline());
  if (members_.size() > 1) earliest = std::min(earliest, next_comparison_);
  if (!hot_.empty()) earliest = std::min(earliest, next_rumors_);
  const bool waiting = !set_aside_.empty() || !reads_.empty();
  if (waiting) earliest = std::min(earliest, now_ + std::chrono::milliseconds(10));
  if (!recovered_.empty()) earliest = Instant{};
  return earliest;
}

Status Core::status() const {
  Status status;
  status.role = "peer";
  status.last = last_;
  status.snapshot = snapshot_;
  status.log_bytes = recent_.bytes();
  status.held_runs = own_.size();
  status.superseded = superseded_;
  return status;
}

// --- what all parts share ---

Ticket Core::issue(Write write) {
  last_ticket_ = last_ticket_.next();
  write.ticket = last_ticket_;
  effects_->writes.push_back(std::move(write));
  return last_ticket_;
}

void Core::append(Block header, const Block& cells) {
  last_ = last_.next();
  issue({Write::Kind::append, {}, last_, std::move(header), cells});
}

void Core::save_state(HybridTime reserved) {
  reserved_ = reserved;
  HardState state{reserved};
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const HybridTime through = known_.through(i);
    if (through != HybridTime{}) {
      state.known.emplace_back(through.value, members_[i].value, /*reserved=*/0);
    }
  }
  reserved_ticket_ = issue({Write::Kind::state, {}, {}, encode_state(state), {}});
}

// The store as it is in the snapshot holds all records up to its index; what is known goes with it.
void Core::use_snapshot(const Control& control) {
  if (control.kind != Control::Kind::snapshot_saved) return;
  save_state(std::max(reserved_, clock_.last()));
  snapshot_ = control.snapshot.index;
  issue({Write::Kind::snapshot, {}, snapshot_, {}, {}});
}

// False if the cell has a later write already.
bool Core::merge(const WireCell& cell, Stamp stamp) {
  if (stamp < turn_stamps_.at(*store_, cell.key)) return false;
  turn_stamps_.note(cell.key, stamp);
  effects_->merge.push_back({cell.key, cell.value, stamp, cell.writer});
  return true;
}

void Core::send(std::size_t to, Block header, BodyRange body) {
  effects_->send_now.push_back({members_[to], std::move(header), body});
}

void Core::send_when_durable(std::size_t to, Block header, BodyRange body) {
  effects_->send_when_durable.push_back({members_[to], std::move(header), body});
}

BodyRange Core::add_body(const Block& block) {
  effects_->bodies.push_back(block);
  return {static_cast<std::uint32_t>(effects_->bodies.size() - 1), 1};
}

void Core::broken(std::string story) {
  if (!broken_.empty()) return;
  broken_ = std::move(story);
  if (effects_ != nullptr) effects_->broken_invariant = broken_;
}

std::optional<std::size_t> Core::place_of(NodeId node) const {
  const auto at = std::lower_bound(members_.begin(), members_.end(), node);
  if (at == members_.end() || *at != node) return std::nullopt;
  return static_cast<std::size_t>(at - members_.begin());
}

// Hybrid time first; then, for writes of one moment, the node and its incarnation: the same order
// everywhere, whatever came first.
Stamp Core::stamp_of(const Delta& delta, std::uint32_t offset) const {
  std::uint64_t time = delta.first.value + (holds(guards::kStampsRise) ? offset : 0);
  if (!holds(guards::kTimeWhole)) time &= 0xffff'ffff;
  if (!holds(guards::kTieByNode)) return {time, 0};
  return {time, (std::uint64_t{delta.origin.value} << 32) | delta.incarnation};
}

bool Core::in_store(const Block& cells) const {
  const auto all = cells_of(cells);
  return std::all_of(all.begin(), all.end(),
                     [this](const WireCell& cell) { return cell.key.value < store_->key_count(); });
}

}  // namespace parley::gossip_lww
