#include "runtime/live/waiter.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <system_error>
#include <zmq.hpp>

#include "runtime/live/sockets.h"

namespace parley {

Bell::Bell() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Bell::~Bell() {
  close(descriptor_);
}

void Bell::ring() noexcept {
  if (rung_.exchange(true)) return;
  const int saved_errno = errno;
  const std::uint64_t one = 1;
  // It can only fail when the counter is full, and then the waiter wakes anyway.
  [[maybe_unused]] const ssize_t written = write(descriptor_, &one, sizeof(one));
  errno = saved_errno;
}

void Bell::silence() noexcept {
  // In this order no ring is lost: one in between writes nothing, but what it was about is found by
  // the caller, who looks after this.
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(descriptor_, &count, sizeof(count));
  rung_.store(false);
}

Waiter::Waiter(std::span<zmq::socket_t* const> sockets, Bell& bell) : bell_(bell) {
  for (zmq::socket_t* socket : sockets) {
    sources_.push_back({socket});
    descriptors_.push_back({socket->get(zmq::sockopt::fd), POLLIN, 0});
  }
  descriptors_.push_back({bell_.descriptor(), POLLIN, 0});
}

void Waiter::wait(Duration timeout) {
  if (timeout <= Duration{}) return used_all();
  // The descriptor of a ZeroMQ socket tells of changes only, and what is done with the socket may
  // swallow them: then its state is asked right before.
  for (Source& source : sources_) {
    if (source.used && has_input(*source.socket)) return used_all();
    source.used = false;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const timespec limit{static_cast<time_t>(seconds.count()),
                       static_cast<long>((timeout - seconds).count())};
  if (ppoll(descriptors_.data(), descriptors_.size(), &limit, nullptr) < 0) return used_all();
  for (std::size_t place = 0; place < sources_.size(); ++place) {
    sources_[place].ready = (descriptors_[place].revents & POLLIN) != 0;
  }
  if ((descriptors_.back().revents & POLLIN) != 0) bell_.silence();
}

void Waiter::used_all() {
  for (std::size_t place = 0; place < sources_.size(); ++place) used(place);
}

}  // namespace parley
