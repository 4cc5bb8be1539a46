// Sleeping until a socket has input, another thread rings, or a moment comes.
#pragma once

#include <poll.h>

#include <atomic>
#include <span>
#include <vector>

#include "algorithms/contract/time.h"

namespace zmq {
class socket_t;
}

namespace parley {

// A bell that any thread or signal handler may ring; one thread hears it.
class Bell {
 public:
  Bell();
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  // Wakes the waiter, now or when it waits next. Async-signal-safe.
  void ring() noexcept;
  // Forgets what was rung so far; to be called when the descriptor is readable, and before looking
  // for what the ring was about.
  void silence() noexcept;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
  std::atomic<bool> rung_{false};
};

// zmq_poll counts in milliseconds, which is too coarse for links shaped in microseconds; this waits
// in nanoseconds. Used by the thread that uses the sockets.
class Waiter {
 public:
  // The sockets and the bell must outlive the waiter.
  Waiter(std::span<zmq::socket_t* const> sockets, Bell& bell);

  // Returns when a socket has input, when the bell was rung, or `timeout` later; also now and then
  // without a reason. Returns at once when `timeout` is not positive.
  void wait(Duration timeout);

 private:
  std::vector<zmq::socket_t*> sockets_;
  Bell& bell_;
  std::vector<pollfd> descriptors_;
};

// The monotonic clock of this process, and the wall clock.
Instant monotonic_now();
WallTime wall_now();

}  // namespace parley
