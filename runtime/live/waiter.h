// Sleeping until a socket has input, another thread rings, or a moment comes.
#pragma once

#include <poll.h>

#include <atomic>
#include <span>
#include <vector>

#include "algorithms/contract/time.h"
#include "runtime/clocks.h"

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
// in nanoseconds, and knows which sockets need not be looked at: each look is a system call, and an
// operation that travels alone meets many. Used by the thread that uses the sockets.
class Waiter {
 public:
  // The sockets and the bell must outlive the waiter.
  Waiter(std::span<zmq::socket_t* const> sockets, Bell& bell);

  // Returns when a socket has input, when the bell was rung, or `timeout` later; also now and then
  // without a reason. Returns at once when `timeout` is not positive. Every socket must have been
  // received from until nothing came, or be `used`.
  void wait(Duration timeout);

  // Whether the socket of that place may have input; false only right after a wait.
  [[nodiscard]] bool may_have_input(std::size_t place) const { return sources_[place].ready; }

  // Something was sent through the socket of that place, or it was not received from: it may have
  // input of which its descriptor will not tell.
  void used(std::size_t place) { sources_[place].ready = sources_[place].used = true; }
  void used_all();

 private:
  struct Source {
    zmq::socket_t* socket = nullptr;
    bool used = true;
    bool ready = true;
  };
  std::vector<Source> sources_;
  Bell& bell_;
  std::vector<pollfd> descriptors_;
};

}  // namespace parley
