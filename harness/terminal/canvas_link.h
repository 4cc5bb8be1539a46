// What a terminal asks of a node that serves the canvas (apps/canvas/README.md), over HTTP and
// WebSocket. Everything blocks, for a bounded time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace parley::terminal {

// The node could not be reached, or went away; says which, and why.
struct LinkError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Address {
  std::string host;
  std::string port;
};

// Reads "HOST:PORT" or "http://HOST:PORT/"; empty if it is neither.
std::optional<Address> parse_address(std::string_view text);

struct HttpAnswer {
  unsigned status = 0;
  std::string body;  // up to 1 MiB
};

// Sends GET, or POST with a JSON body. Throws LinkError, also when there is no answer after
// `timeout`.
HttpAnswer get(const Address& node, const std::string& path, std::chrono::milliseconds timeout);
HttpAnswer post(const Address& node, const std::string& path, const std::string& body,
                std::chrono::milliseconds timeout);

// A viewer of a node's canvas. Used by one thread.
class Watching {
 public:
  // Throws LinkError if there is no such node within `timeout`.
  Watching(const Address& node, std::chrono::milliseconds timeout);
  ~Watching();
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

  // The next frame (apps/canvas/update_stream.h); none if none came for `patience`, after which it
  // can be asked again. Valid until the next call. Throws LinkError when the node has gone away.
  std::optional<std::string_view> next(std::chrono::milliseconds patience);

 private:
  struct Socket;
  std::unique_ptr<Socket> socket_;
};

}  // namespace parley::terminal
