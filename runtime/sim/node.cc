#include "runtime/sim/node.h"

#include <algorithm>

#include "runtime/guards.h"

namespace parley::sim {
namespace {

constexpr std::int64_t kMillion = 1'000'000;
// Until a process that its disk ended is started again.
constexpr Duration kAwayMin = std::chrono::milliseconds(1);
constexpr Duration kAwayMax = std::chrono::milliseconds(1000);

}  // namespace

Node::Node(Engine& engine, Network& network, const NodeSettings& settings, NodeId id)
    : engine_(engine),
      random_(engine.stream(Stream::turns, id.value)),
      network_(network),
      settings_(settings),
      id_(id),
      disk_(engine, id.value) {}

void Node::start() {
  ++life_;
  base_ = Instant(Duration(static_cast<std::int64_t>(random_.below(1ULL << 50))));
  const std::uint64_t drift = engine_.weather.drift_per_million;
  drift_per_million_ =
      static_cast<std::int64_t>(random_.below(2 * drift + 1)) - static_cast<std::int64_t>(drift);
  ReplicaConfig config;
  config.self = id_;
  config.incarnation = Incarnation{life_};
  config.members = settings_.members;
  if (joins()) std::erase(config.members, id_);
  config.disk = disk_id();
  config.options = settings_.options;
  config.seed = random_.bits();
  config.now = local(engine_.now);
  engine_.note(FactKind::start, id_.value, life_, disk_.log().size());
  driver_ =
      std::make_unique<Driver>(*settings_.algorithm, *settings_.application, std::move(config),
                               disk_.recover(), settings_.limits, &journal_, settings_.trace);
  wish_soon();
}

void Node::crash() {
  driver_->trace_end("crash");
  driver_.reset();
  frames_.clear();
  requests_.clear();
  held_.clear();
  snapshot_.reset();
  snapshot_done_ = false;
  told_durable_ = {};
  wished_ = kNever;
  ++wishes_;
  paused_ = false;
  const std::size_t lost = disk_.crash();
  engine_.note(FactKind::crash, id_.value, lost);
}

void Node::wipe() {
  if (up()) crash();
  disk_.wipe();
  ++wipes_;
  engine_.note(FactKind::wipe, id_.value);
}

bool Node::joins() const {
  return wipes_ > 0 || std::ranges::find(settings_.members, id_) == settings_.members.end();
}

void Node::pause(Duration duration) {
  paused_ = true;
  engine_.note(FactKind::pause, id_.value, static_cast<std::uint64_t>(duration.count()));
  engine_.after(duration, EventKind::resume, id_.value, ++pauses_);
}

void Node::resume(std::uint32_t pause) {
  if (!paused_ || pause != pauses_) return;
  paused_ = false;
  engine_.note(FactKind::resume, id_.value);
  release_held();
  hand_over_snapshot();
  wish_soon();
}

void Node::step_wall_clock(Duration skew) {
  skew_ = skew;
  engine_.note(FactKind::clock, id_.value, static_cast<std::uint64_t>(skew.count()));
}

void Node::slow_disk(Duration by) {
  disk_.slow_down(by);
  engine_.note(FactKind::slow_disk, id_.value, static_cast<std::uint64_t>(by.count()));
}

void Node::fill_disk(bool full) {
  disk_.fill(full);
  engine_.note(FactKind::full_disk, id_.value, full ? 1 : 0);
}

void Node::heal() {
  disk_.slow_down({});
  disk_.fill(false);
  if (!up()) start();
  if (paused_) resume(pauses_);
}

void Node::receive(Network::Flight flight) {
  Frame& frame = flight.frame;
  const std::uint32_t from = frame.from.value;
  const auto words = [&] { return engine_.words_of(frame); };
  if (!up()) return engine_.lost(flight.number, from, id_.value, Loss::receiver_down, words);
  engine_.delivered(flight.number, from, id_.value, words);
  if (!settings_.algorithm->verify(frame.header, frame.body)) {
    return engine_.fail(check::kContract,
                        "node " + std::to_string(frame.from.value) +
                            " sent a frame that its own strategy calls malformed");
  }
  frames_.push_back(std::move(frame));
  wish_soon();
}

void Node::enqueue(std::uint32_t item) {
  requests_.push_back(item);
  wish_soon();
}

void Node::change_members(std::uint64_t number, const MemberChange& change) {
  engine_.note(FactKind::members, id_.value, change.add.value, change.remove.value);
  driver_->change_members(number, change);
  wish_soon();
}

void Node::hand_over(std::uint64_t number, NodeId to) {
  engine_.note(FactKind::handover, id_.value, to.value);
  driver_->hand_over(number, to);
  wish_soon();
}

void Node::sync_done(std::uint32_t life) {
  if (!up() || life != life_) return;
  if (!disk_.sync_done(life_) && holds(guards::kDiskErrorEnds)) {
    crash();
    if (disk_.full()) return;
    return engine_.after(random_.between(kAwayMin, kAwayMax), EventKind::restart, id_.value, life_);
  }
  if (paused_) return;
  release_held();
  wish_soon();
}

// What takes a thread of its own in a live node takes some time here.
void Node::begin_snapshot() {
  auto task = driver_->take_snapshot_task();
  if (!task) return;
  if (task->only_discards()) {
    return driver_->snapshot_done(run_snapshot_task(std::move(*task), nullptr));
  }
  snapshot_ = run_snapshot_task(std::move(*task), nullptr);
  snapshot_done_ = false;
  const Weather& weather = engine_.weather;
  const Duration delay = random_.between(weather.sync_min, 4 * weather.sync_max);
  const std::uint32_t failures = weather.failed_save_per_million;
  if (disk_.full() || (failures > 0 && random_.chance(failures))) {
    engine_.count(FaultKind::failed_save);
    snapshot_->snapshot = nullptr;
    snapshot_->error = "no space left";
  }
  engine_.after(delay, EventKind::snapshot, id_.value, life_);
}

void Node::snapshot_done(std::uint32_t life) {
  if (!up() || life != life_ || !snapshot_) return;
  snapshot_done_ = true;
  if (snapshot_->snapshot != nullptr) disk_.save(snapshot_->snapshot);
  if (!paused_) hand_over_snapshot();
}

void Node::hand_over_snapshot() {
  if (!snapshot_done_) return;
  snapshot_done_ = false;
  SnapshotResult result = std::move(*snapshot_);
  snapshot_.reset();
  const std::uint64_t index = result.id.index.value;
  if (result.snapshot == nullptr) {
    engine_.note(FactKind::no_save, id_.value, index);
  } else {
    if (!result.received) ++snapshots_;
    engine_.note(FactKind::snapshot, id_.value, index, result.snapshot->bytes,
                 result.received ? 1 : 0);
  }
  driver_->snapshot_done(std::move(result));
  wish_soon();
}

bool Node::due(std::uint32_t wish_number) {
  if (!up() || wish_number != wishes_) return false;
  wished_ = kNever;
  if (paused_) return false;
  const bool waiting = !frames_.empty() || !requests_.empty() || told_durable_ < disk_.durable() ||
                       driver_->has_input();
  if (waiting || driver_->deadline() <= local(engine_.now)) return true;
  // Woken for a deadline that has moved. A turn in which nothing happens must do no harm either.
  if (random_.chance(20'000)) return true;
  wish_deadline();
  return false;
}

// How many of the inputs that wait go into the turn.
std::size_t Node::draw_part(std::size_t waiting) {
  if (waiting == 0) return 0;
  if (random_.chance(engine_.weather.whole_turn_per_million)) return waiting;
  return random_.below(waiting + 1);
}

std::span<const std::uint32_t> Node::begin_turn() {
  if (told_durable_ < disk_.durable()) {
    told_durable_ = told_durable_.plus(draw_part(disk_.durable().value - told_durable_.value));
    driver_->durable_through(told_durable_);
  }
  const std::size_t frames = draw_part(frames_.size());
  for (std::size_t i = 0; i < frames; ++i) driver_->receive(std::move(frames_[i]));
  frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(frames));
  const auto requests = static_cast<std::ptrdiff_t>(draw_part(requests_.size()));
  taken_requests_.assign(requests_.begin(), requests_.begin() + requests);
  requests_.erase(requests_.begin(), requests_.begin() + requests);
  return taken_requests_;
}

const Effects& Node::take_turn() {
  journal_.entries.clear();
  engine_.note(FactKind::step, id_.value);
  return driver_->step(local(engine_.now), kWallStart + engine_.now.time_since_epoch() + skew_);
}

void Node::end_turn(const Effects& effects) {
  if (effects.install != LogIndex{}) {
    ++installs_;
    engine_.note(FactKind::install, id_.value, effects.install.value);
  }
  disk_.write(effects.writes, life_);
  begin_snapshot();
  last_range_ = {};
  last_body_ = {};
  send(effects.send_now, effects, false);
  send(effects.send_when_durable, effects, true);
  if (!frames_.empty() || !requests_.empty() || told_durable_ < disk_.durable()) {
    wish_soon();
  } else {
    look_at_deadline();
    wish_deadline();
  }
}

// On a real machine such a node would keep a core busy.
void Node::look_at_deadline() {
  constexpr std::uint32_t kMostOverdue = 1000;
  overdue_ = driver_->deadline() <= local(engine_.now) ? overdue_ + 1 : 0;
  if (overdue_ != kMostOverdue) return;
  engine_.fail(check::kContract, "node " + std::to_string(id_.value) + " asks for " +
                                     std::to_string(kMostOverdue) +
                                     " turns in a row, each at a time that has passed");
}

void Node::send(std::span<const Message> messages, const Effects& effects, bool when_durable) {
  const bool hold = when_durable && disk_.durable() < disk_.issued();
  for (const Message& message : messages) {
    if (message.to == id_ || message.to.value == 0 || message.to.value > settings_.nodes) {
      return engine_.fail(check::kContract, "node " + std::to_string(id_.value) +
                                                " sends to node " +
                                                std::to_string(message.to.value));
    }
    Frame frame{GroupId{}, id_, Incarnation{life_}, message.header, body_of(message.body, effects)};
    if (hold) {
      held_.push_back({disk_.issued(), message.to, std::move(frame)});
    } else {
      put_on_the_wire(message.to, frame);
    }
  }
}

void Node::put_on_the_wire(NodeId to, const Frame& frame) {
  if (settings_.log_checker != nullptr) settings_.log_checker->leaves(id_, to, frame.header);
  if (!frame.body.empty()) ++engine_.bodies;
  if (id_.value % engine_.regions != to.value % engine_.regions) {
    ++engine_.crossings;
    if (!frame.body.empty()) ++engine_.bodies_crossed;
  }
  engine_.bytes += frame.header.size() + frame.body.size();
  network_.send(to, frame);
}

// Messages that name one range share one block, as they share one encoding on the wire.
const Block& Node::body_of(BodyRange range, const Effects& effects) {
  if (range == last_range_) return last_body_;
  last_range_ = range;
  last_body_ = Block::joined(std::span(effects.bodies).subspan(range.first, range.count));
  return last_body_;
}

void Node::release_held() {
  std::size_t count = 0;
  while (count < held_.size() && held_[count].ticket <= disk_.durable()) {
    put_on_the_wire(held_[count].to, held_[count].frame);
    ++count;
  }
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count));
}

void Node::wish(Instant when) {
  if (when >= wished_) return;
  wished_ = when;
  engine_.queue.push(when, EventKind::step, id_.value, ++wishes_);
}

void Node::wish_soon() {
  if (paused_) return;
  const Duration lateness = engine_.weather.lateness_max;
  if (wished_ <= engine_.now + lateness) return;
  wish(engine_.now + random_.between(Duration(1000), Duration(1000) + lateness));
}

void Node::wish_deadline() {
  const Instant deadline = driver_->deadline();
  if (deadline == kNever) return;
  // At least a microsecond goes by between two turns.
  wish(std::max(global(deadline), engine_.now + Duration(1000)));
}

Instant Node::local(Instant when) const {
  const std::int64_t t = when.time_since_epoch().count();
  return base_ + Duration(t + t / kMillion * drift_per_million_ +
                          t % kMillion * drift_per_million_ / kMillion);
}

// The first moment at which the local clock shows at least `local_time`.
Instant Node::global(Instant local_time) const {
  const std::int64_t elapsed = (local_time - base_).count();
  const std::int64_t rate = kMillion + drift_per_million_;
  Instant when(Duration(elapsed / rate * kMillion + elapsed % rate * kMillion / rate));
  while (local(when) < local_time) when += Duration(1);
  return when;
}

Instant Node::lease_until() const {
  const Instant end = driver_->replica().lease_until();
  return end == Instant{} ? Instant{} : global(end);
}

NodeView Node::view() const {
  if (!up()) return {id_.value, nullptr, {}};
  return {id_.value, &driver_->store(), driver_->applied()};
}

}  // namespace parley::sim
