// A plain TCP connection to this machine.
#pragma once

#include <cstdint>
#include <string>

#include "algorithms/contract/block.h"

namespace parley::fuzz {

class Connection {
 public:
  // Throws Finding when nobody takes it.
  explicit Connection(std::uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // False if the other side has closed.
  bool send(Bytes bytes) const;
  // For so long at most.
  void wait_for_answer(int milliseconds) const;
  // Says that nothing more will be sent, then reads to the end. Throws Finding if there is none in
  // half a minute.
  std::string read_to_end() const;
  // The socket is the caller's from now on.
  int release();

 private:
  int socket_;
};

}  // namespace parley::fuzz
