#include "harness/fuzz/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "harness/fuzz/target.h"

namespace parley::fuzz {

Connection::Connection(std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected =
      ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  if (!connected) ::close(socket_);
  require(connected, "a port takes connections");
}

Connection::~Connection() {
  if (socket_ >= 0) ::close(socket_);
}

bool Connection::send(Bytes bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

void Connection::wait_for_answer(int milliseconds) const {
  pollfd ready{socket_, POLLIN, 0};
  ::poll(&ready, 1, milliseconds);
}

std::string Connection::read_to_end() const {
  constexpr int kPatienceMs = 30'000;
  ::shutdown(socket_, SHUT_WR);
  std::string answer;
  char piece[16384];
  for (;;) {
    pollfd ready{socket_, POLLIN, 0};
    require(::poll(&ready, 1, kPatienceMs) == 1, "a connection that is done with is closed");
    const ssize_t size = ::recv(socket_, piece, sizeof(piece), 0);
    if (size <= 0) return answer;
    answer.append(piece, static_cast<std::size_t>(size));
  }
}

int Connection::release() {
  return std::exchange(socket_, -1);
}

}  // namespace parley::fuzz
