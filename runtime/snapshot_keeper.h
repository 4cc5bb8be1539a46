// What a node does about snapshots besides the replica's decisions: when one is made, which ones
// are here, and what comes in.
//
// Making and reading a snapshot takes long, so it is done elsewhere: `take_task` says what there is
// to do, `run_snapshot_task` does it in any thread, and `done` takes the result back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "algorithms/contract/effects.h"
#include "algorithms/contract/replica.h"
#include "algorithms/contract/turn.h"
#include "runtime/snapshot.h"

namespace parley {

struct SnapshotTask {
  // A state to be encoded and saved, or else the parts of a snapshot to be saved and decoded, or
  // neither.
  std::optional<FrozenState> state;
  Snapshot received;
  StateShape shape;  // what a received one must fit
  // What nobody needs any more: to free much memory takes long too.
  std::vector<std::shared_ptr<const void>> discarded;
  [[nodiscard]] bool only_discards() const { return !state && received.parts.empty(); }
};

struct SnapshotResult {
  SnapshotId id;
  bool received = false;
  bool only_discarded = false;
  std::shared_ptr<const Snapshot> snapshot;  // null: it failed
  std::unique_ptr<RestoredState> state;      // of a received one
  std::string error;
};

// Saves a snapshot durably; throws std::runtime_error with the reason when it cannot.
using SaveSnapshot = std::function<void(const Snapshot&)>;

SnapshotResult run_snapshot_task(SnapshotTask task, const SaveSnapshot& save);

// Used by the node's loop.
class SnapshotKeeper {
 public:
  // A snapshot is made when so many bytes of runs were applied since the last one, or twice as many
  // while that is not in use yet; 0: never.
  SnapshotKeeper(std::uint64_t after_bytes, const StateShape& shape)
      : after_bytes_(after_bytes), shape_(shape) {}

  // What storage held is in use.
  void recovered(const RecoveredSnapshot& snapshot);

  // --- between the steps ---

  void applied_bytes(std::uint64_t bytes) { bytes_ += bytes; }
  // Whether it is time to make one.
  [[nodiscard]] bool due() const;
  void make(FrozenState state);
  std::optional<SnapshotTask> take_task();
  void done(SnapshotResult result);

  // --- a step ---

  // What the replica is to be told.
  [[nodiscard]] std::span<const Control> controls() const { return controls_; }
  [[nodiscard]] bool has_controls() const { return !controls_.empty(); }
  // Takes in what the replica decided, and puts parts into its messages. Empty, or why that is
  // impossible.
  std::string take(Effects& effects);
  // The state to be installed, if `effects.install` names one. Once.
  std::unique_ptr<RestoredState> take_state();
  // The state that it took the place of.
  void discard(RestoredState state);

  // --- what it shows ---

  [[nodiscard]] const Snapshot* in_use() const { return in_use_.get(); }
  [[nodiscard]] std::uint64_t made() const { return made_; }
  [[nodiscard]] std::uint64_t installed() const { return installed_; }
  // Why the last one failed; empty if it did not.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  std::string fill(Message& message, Effects& effects);
  void stage(SnapshotPart& part);
  void use(LogIndex index);

  std::uint64_t after_bytes_;
  StateShape shape_;
  std::uint64_t bytes_ = 0;  // applied since the last one
  std::optional<SnapshotTask> task_;
  bool busy_ = false;  // a task is out
  std::vector<std::shared_ptr<const void>> discarded_;

  std::shared_ptr<const Snapshot> in_use_;
  std::shared_ptr<const Snapshot> saved_;     // not in use yet
  std::shared_ptr<const Snapshot> received_;  // saved, and `state_` is made from it
  std::unique_ptr<RestoredState> state_;
  Snapshot incoming_;  // parts so far
  std::vector<Control> controls_;

  std::uint64_t made_ = 0;
  std::uint64_t installed_ = 0;
  std::string error_;
};

}  // namespace parley
