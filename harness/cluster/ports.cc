#include "harness/cluster/ports.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace parley::harness {
namespace {

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    if (fd_ < 0)
      throw std::system_error(errno, std::generic_category(), "cannot reserve a TCP port");
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

void check(int result) {
  if (result != 0)
    throw std::system_error(errno, std::generic_category(), "cannot reserve a TCP port");
}

}  // namespace

std::uint16_t reserve_tcp_port() {
  const Socket listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  check(setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  check(bind(listener.get(), raw, size));
  check(listen(listener.get(), 1));
  check(getsockname(listener.get(), raw, &size));
  const Socket client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  check(connect(client.get(), raw, size));
  // The side that closes first is the one that lingers: the accepted one, so it is closed before
  // the client.
  { const Socket accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)); }
  return ntohs(address.sin_port);
}

}  // namespace parley::harness
