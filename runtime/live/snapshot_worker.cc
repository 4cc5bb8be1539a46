#include "runtime/live/snapshot_worker.h"

#include <utility>

namespace parley {

SnapshotWorker::SnapshotWorker(SaveSnapshot save, std::function<void()> ready)
    : save_(std::move(save)), ready_(std::move(ready)), thread_([this] { run(); }) {}

SnapshotWorker::~SnapshotWorker() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void SnapshotWorker::begin(SnapshotTask task) {
  busy_ = true;
  {
    const std::lock_guard lock(mutex_);
    task_ = std::move(task);
  }
  work_.notify_one();
}

std::optional<SnapshotResult> SnapshotWorker::take_result() {
  if (!busy_) return std::nullopt;  // asked every turn, and nearly always so
  const std::lock_guard lock(mutex_);
  busy_ = !result_.has_value();
  return std::exchange(result_, std::nullopt);
}

void SnapshotWorker::run() {
  for (;;) {
    std::optional<SnapshotTask> task;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return closing_ || task_.has_value(); });
      if (closing_) return;
      task = std::exchange(task_, std::nullopt);
    }
    SnapshotResult result = run_snapshot_task(std::move(*task), save_);
    {
      const std::lock_guard lock(mutex_);
      result_ = std::move(result);
    }
    ready_();
  }
}

}  // namespace parley
