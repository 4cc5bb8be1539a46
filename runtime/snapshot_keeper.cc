#include "runtime/snapshot_keeper.h"

#include <stdexcept>
#include <utility>

namespace parley {

SnapshotResult run_snapshot_task(SnapshotTask task, const SaveSnapshot& save) {
  SnapshotResult result;
  result.only_discarded = task.only_discards();
  task.discarded.clear();
  if (result.only_discarded) return result;
  result.received = !task.state.has_value();
  try {
    auto snapshot = std::make_shared<const Snapshot>(
        result.received ? std::move(task.received) : encode_snapshot(*task.state));
    result.id = snapshot->id;
    if (result.received) {
      result.state = decode_snapshot(snapshot->id, snapshot->parts, task.shape, result.error);
      if (result.state == nullptr) return result;
    }
    if (save) save(*snapshot);
    result.snapshot = std::move(snapshot);
  } catch (const std::runtime_error& error) {
    result.error = error.what();
    result.state = nullptr;
  }
  return result;
}

void SnapshotKeeper::recovered(const RecoveredSnapshot& snapshot) {
  auto held = std::make_shared<Snapshot>();
  held->id = snapshot.id;
  held->parts = snapshot.parts;
  for (const Block& part : held->parts) held->bytes += part.size();
  in_use_ = std::move(held);
}

// --- between the steps ---

// One at a time. What was saved should come into use first; but a replica may have no use for it
// (it may lie before all that the replica knows of the members), and the log is bounded.
bool SnapshotKeeper::due() const {
  const std::uint64_t after = saved_ == nullptr ? after_bytes_ : 2 * after_bytes_;
  return after_bytes_ > 0 && bytes_ >= after && !busy_ && !task_;
}

void SnapshotKeeper::make(FrozenState state) {
  bytes_ = 0;
  task_.emplace();
  task_->state = std::move(state);
}

std::optional<SnapshotTask> SnapshotKeeper::take_task() {
  if (busy_ || (!task_ && discarded_.empty())) return std::nullopt;
  busy_ = true;
  SnapshotTask task = task_ ? std::move(*task_) : SnapshotTask{};
  task_.reset();
  task.discarded = std::exchange(discarded_, {});
  return task;
}

void SnapshotKeeper::done(SnapshotResult result) {
  busy_ = false;
  if (result.only_discarded) return;
  error_ = result.error;
  if (result.snapshot == nullptr) {
    controls_.push_back({Control::Kind::snapshot_failed, result.id});
  } else if (result.received) {
    received_ = std::move(result.snapshot);
    state_ = std::move(result.state);
    controls_.push_back({Control::Kind::snapshot_loaded, result.id});
  } else {
    ++made_;
    saved_ = std::move(result.snapshot);
    controls_.push_back({Control::Kind::snapshot_saved, result.id});
  }
}

// --- a step ---

std::string SnapshotKeeper::take(Effects& effects) {
  const bool was_loaded = state_ != nullptr && !controls_.empty();
  controls_.clear();
  for (const Write& write : effects.writes) {
    if (write.kind == Write::Kind::snapshot) use(write.index);
  }
  for (std::vector<Message>* lane : {&effects.send_now, &effects.send_when_durable}) {
    for (Message& message : *lane) {
      if (message.part == kNoPart) continue;
      if (std::string problem = fill(message, effects); !problem.empty()) return problem;
    }
  }
  for (SnapshotPart& part : effects.snapshot_parts) stage(part);
  if (effects.install == LogIndex{}) {
    if (was_loaded) {  // the log caught up by itself
      state_ = nullptr;
      received_ = nullptr;
    }
  } else if (state_ == nullptr || state_->index != effects.install) {
    return "a snapshot is to be installed that is not here";
  }
  return {};
}

void SnapshotKeeper::use(LogIndex index) {
  if (in_use_ != nullptr) discarded_.push_back(in_use_);
  if (saved_ != nullptr && saved_->id.index == index) in_use_ = saved_;
  if (received_ != nullptr && received_->id.index == index) in_use_ = received_;
  if (saved_ != nullptr && saved_->id.index <= index) saved_ = nullptr;
}

std::string SnapshotKeeper::fill(Message& message, Effects& effects) {
  if (in_use_ == nullptr || in_use_->id.index != message.snapshot ||
      message.part >= in_use_->parts.size()) {
    return "part " + std::to_string(message.part) + " of the snapshot of index " +
           std::to_string(message.snapshot.value) + " is to be sent, which is not here";
  }
  message.body = {static_cast<std::uint32_t>(effects.bodies.size()), 1};
  effects.bodies.push_back(in_use_->parts[message.part]);
  return {};
}

void SnapshotKeeper::stage(SnapshotPart& part) {
  if (incoming_.id != part.snapshot || part.number == 0) {
    incoming_ = Snapshot{};
    incoming_.id = part.snapshot;
  }
  incoming_.bytes += part.body.size();
  incoming_.parts.push_back(std::move(part.body));
  if (incoming_.parts.size() < incoming_.id.parts) return;
  // What this node would make itself is overtaken.
  task_.emplace();
  task_->received = std::exchange(incoming_, {});
  task_->shape = shape_;
}

void SnapshotKeeper::discard(RestoredState state) {
  discarded_.push_back(std::make_shared<const RestoredState>(std::move(state)));
}

std::unique_ptr<RestoredState> SnapshotKeeper::take_state() {
  ++installed_;
  bytes_ = 0;
  received_ = nullptr;
  return std::move(state_);
}

}  // namespace parley
