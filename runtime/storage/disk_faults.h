// Makes a node's disk slow or full on purpose, below everything that writes to it, so that what
// follows is what follows with a real disk.
//
// Slow: whatever is brought to the disk as one batch, and each snapshot, waits before it is
// written. Full: every attempt to write bytes to a file fails as the kernel's does (ENOSPC),
// whether RocksDB makes it or this program.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "algorithms/contract/time.h"

namespace rocksdb {
class Env;
}

namespace parley {

struct DiskFaults {
  Duration write_delay{};  // how much longer each write takes
  bool full = false;       // nothing more is taken
  bool operator==(const DiskFaults&) const = default;
};

// Where the faults are asked for and met. Callable from any thread.
class DiskFaultPoint {
 public:
  // From now on, also for a write that waits at present.
  void set(const DiskFaults& faults);

  // Called before a write: returns when it may go ahead.
  void delay();
  [[nodiscard]] bool full() const { return full_.load(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Duration write_delay_{};  // guarded
  std::atomic<bool> full_{false};
};

// The file system of this machine, in which no file takes bytes while `point`, which must outlive
// it, is full.
std::unique_ptr<rocksdb::Env> env_with(const DiskFaultPoint& point);

}  // namespace parley
