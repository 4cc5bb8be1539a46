#include "runtime/live/sockets.h"

#include <cerrno>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PARLEY_THREAD_SANITIZER
#endif
#elif defined(__SANITIZE_THREAD__)
#define PARLEY_THREAD_SANITIZER
#endif
#ifdef PARLEY_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace parley {
namespace {

// ThreadSanitizer does not see into the system's libzmq, which hands a message's bytes from thread
// to thread within a process; these tell it of that.
void handing_over([[maybe_unused]] zmq::message_t& part) {
#ifdef PARLEY_THREAD_SANITIZER
  __tsan_release(part.data());
#endif
}
void taken_over([[maybe_unused]] zmq::message_t& part) {
#ifdef PARLEY_THREAD_SANITIZER
  __tsan_acquire(part.data());
#endif
}

}  // namespace

bool try_receive(zmq::socket_t& socket, zmq::message_t& part) {
  while (zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) < 0) {
    if (zmq_errno() == EAGAIN) return false;
    if (zmq_errno() != EINTR) throw zmq::error_t();
  }
  taken_over(part);
  return true;
}

SendResult try_send(zmq::socket_t& socket, zmq::message_t& part, bool more) {
  handing_over(part);
  const int flags = more ? ZMQ_DONTWAIT | ZMQ_SNDMORE : ZMQ_DONTWAIT;
  while (zmq_msg_send(part.handle(), socket.handle(), flags) < 0) {
    if (zmq_errno() == EAGAIN) return SendResult::full;
    if (zmq_errno() == EHOSTUNREACH) return SendResult::unreachable;
    if (zmq_errno() != EINTR) throw zmq::error_t();
  }
  return SendResult::sent;
}

bool has_input(zmq::socket_t& socket) {
  int events = 0;
  std::size_t size = sizeof(events);
  while (zmq_getsockopt(socket.handle(), ZMQ_EVENTS, &events, &size) != 0) {
    if (zmq_errno() != EINTR) throw zmq::error_t();
  }
  return (events & ZMQ_POLLIN) != 0;
}

}  // namespace parley
