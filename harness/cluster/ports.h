// TCP ports of this host for servers that start soon.
#pragma once

#include <cstdint>

namespace parley::harness {

// A port of 127.0.0.1 that no other program is given by chance for the next minute: the kernel
// keeps it out of its automatic choice while a closed connection of it lingers (TIME_WAIT), yet a
// server that sets SO_REUSEADDR, as ZeroMQ and Asio do, may bind it. Throws std::system_error.
std::uint16_t reserve_tcp_port();

}  // namespace parley::harness
