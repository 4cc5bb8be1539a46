#include "runtime/live/trace_file.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "runtime/clocks.h"

namespace parley {

TraceFile::TraceFile(const std::filesystem::path& path, LineFile::Mode mode,
                     std::size_t max_waiting)
    : max_waiting_(max_waiting), file_(path, mode), thread_([this] { write_all(); }) {}

TraceFile::~TraceFile() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Instant TraceFile::now() const {
  return monotonic_now();
}

bool TraceFile::take(std::string_view lines) {
  {
    const std::lock_guard lock(mutex_);
    const std::size_t waiting = waiting_.size() + writing_bytes_;
    if (!error_.empty() || waiting + lines.size() > max_waiting_) return false;
    waiting_ += lines;
  }
  changed_.notify_all();
  return true;
}

void TraceFile::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock,
                [this] { return (waiting_.empty() && writing_bytes_ == 0) || !error_.empty(); });
}

std::string TraceFile::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

// Until the end, and then what is left.
void TraceFile::write_all() {
  std::string lines;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !waiting_.empty() || ending_; });
    if (waiting_.empty() || !error_.empty()) return;
    lines.clear();
    lines.swap(waiting_);
    writing_bytes_ = lines.size();
    lock.unlock();
    std::string error = file_.write(lines);
    lock.lock();
    writing_bytes_ = 0;
    if (!error.empty()) {
      error_ = "cannot write the trace: " + std::move(error);
      spdlog::error(error_);
    }
    changed_.notify_all();
  }
}

}  // namespace parley
