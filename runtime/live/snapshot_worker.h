// A thread that makes and reads snapshots, so that the loop does not wait for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "runtime/snapshot_keeper.h"

namespace parley {

// One task at a time; used by the node's loop.
class SnapshotWorker {
 public:
  // `save` (may be null) is called in the worker's thread, and so is `ready`, when a result waits.
  SnapshotWorker(SaveSnapshot save, std::function<void()> ready);
  // Waits for the task at hand.
  ~SnapshotWorker();
  SnapshotWorker(const SnapshotWorker&) = delete;
  SnapshotWorker& operator=(const SnapshotWorker&) = delete;

  // Takes a task; there must be none under way.
  void begin(SnapshotTask task);
  // The result, once.
  std::optional<SnapshotResult> take_result();

 private:
  void run();

  bool busy_ = false;  // of the loop: a task was begun, and its result not taken
  SaveSnapshot save_;
  std::function<void()> ready_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::optional<SnapshotTask> task_;      // guarded
  std::optional<SnapshotResult> result_;  // guarded
  bool closing_ = false;                  // guarded
  std::thread thread_;
};

}  // namespace parley
