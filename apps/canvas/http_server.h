// A small HTTP/1.1 and WebSocket server with limits on everything; knows nothing of canvases.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley {

struct HttpLimits {
  std::uint32_t max_connections = 1024;
  std::uint32_t max_in_flight = 512;  // requests handed to the handler and not yet answered
  std::uint32_t max_header_bytes = 16U << 10;
  std::uint32_t max_body_bytes = 64U << 10;
  std::chrono::milliseconds request_timeout{10'000};  // from its first to its last byte
  std::chrono::milliseconds idle_timeout{30'000};     // between two requests of a connection
  std::chrono::milliseconds answer_timeout{8'000};    // of the handler
  std::chrono::milliseconds write_timeout{60'000};    // of one response or message
  // WebSockets, which are not counted as connections.
  std::uint32_t max_sockets = 8192;
  std::uint32_t max_socket_message_bytes = 4096;  // of a client's message, all fragments together
  // What is read of one client's frames, pings and empty fragments too; more has to wait.
  std::uint32_t socket_read_bytes_per_s = 16U << 10;
  // A client that says nothing is sent a ping after half of it, and cut off after all of it.
  std::chrono::milliseconds socket_idle_timeout{60'000};
};

struct HttpRequest {
  std::string method;  // "GET" for HEAD too: the server leaves the body out
  std::string path;    // up to '?'
  std::string query;   // after '?'
  std::string body;
  std::string host;
  std::string origin;
  std::string accept;
  std::string if_none_match;
};

// A message to a WebSocket client: `head` followed by `body`, either of which may be null. Shared
// with other clients.
struct SocketMessage {
  std::shared_ptr<const std::string> head;
  std::shared_ptr<const std::string> body;
  bool text = false;
  [[nodiscard]] bool empty() const { return head == nullptr && body == nullptr; }
};

// The server's side of a WebSocket. Used in the server's thread only.
class Socket {
 public:
  Socket() = default;
  virtual ~Socket() = default;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Why the server closes a WebSocket (RFC 6455, 7.4.1).
  enum class Close : std::uint16_t { unsupported = 1003, policy = 1008, try_again = 1013 };

  // Says that there may be something to send.
  virtual void wake() = 0;
  // Nothing is received, and nothing further asked for, after it.
  virtual void close(Close code, const std::string& reason) = 0;
  // Ends the connection without a word, and lets go of what is being sent.
  virtual void cut_off() = 0;
};

// The handler's side of a WebSocket; called in the server's thread only. It goes when the
// connection has ended.
class SocketSession {
 public:
  SocketSession() = default;
  virtual ~SocketSession() = default;
  SocketSession(const SocketSession&) = delete;
  SocketSession& operator=(const SocketSession&) = delete;

  // The connection stands. `socket` lives as long as the session.
  virtual void opened(Socket& socket) = 0;
  // What to send next; empty if there is nothing at the moment. The server asks when the client has
  // taken all before, so that nothing queues up for a slow one.
  virtual SocketMessage next() = 0;
  virtual void received(std::string_view message, bool text) = 0;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<const std::string> body;  // shared with other responses; may be null
};

// What the server answers by itself.
enum class HttpFailure : std::uint8_t {
  malformed,         // 400
  header_too_large,  // 431
  body_too_large,    // 413
  overloaded,        // 503: too many requests in flight or connections
  timed_out,         // the handler gave no answer in time
  broken,            // 500: the handler threw
};

// Answers requests; called in the server's thread only.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  // Sends a response; in the server's thread, at any time, once. Later calls do nothing.
  using Responder = std::function<void(HttpResponse)>;
  virtual void handle(const HttpRequest& request, Responder respond) = 0;

  // A client asks for a WebSocket. Returns null with the answer in `refusal` if it gets none.
  virtual std::unique_ptr<SocketSession> open_socket(const HttpRequest& request,
                                                     HttpResponse& refusal) = 0;

  // The response to a failure; `request` is null where none could be read.
  virtual HttpResponse failure(HttpFailure kind, const HttpRequest* request) = 0;
};

struct HttpCounters {
  std::uint32_t connections = 0;  // open
  std::uint32_t in_flight = 0;
  std::uint64_t accepted = 0;     // connections
  std::uint64_t turned_away = 0;  // connections, at the limit
  std::uint64_t requests = 0;
  std::uint64_t malformed = 0;  // requests
  std::uint64_t timed_out = 0;  // requests that came too slowly, and answers that did
  std::uint32_t sockets = 0;    // open
  std::uint64_t sockets_opened = 0;
  std::uint64_t sockets_refused = 0;  // by the handler or at the limit
  std::uint64_t messages_sent = 0;    // on WebSockets
  std::uint64_t message_bytes_sent = 0;
  std::uint64_t messages_received = 0;
};

// One thread serves all connections.
class HttpServer {
 public:
  // `handler` must outlive the server.
  HttpServer(HttpLimits limits, HttpHandler& handler);
  // Stops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds to a numeric address; port 0 takes any free one. Returns empty, or what went wrong.
  std::string listen(const std::string& address, std::uint16_t port);
  [[nodiscard]] std::uint16_t port() const;

  // Starts the thread.
  void start();
  // Closes everything and ends the thread. Requests without an answer get none.
  void stop();

  // A function that runs others in the server's thread; callable from any thread, also after the
  // server is gone: then it does nothing.
  using Poster = std::function<void(std::function<void()>)>;
  [[nodiscard]] Poster poster() const;

  // Runs `work` in the server's thread after a while, if the server still runs; in its thread only,
  // or before it starts.
  void run_after(std::chrono::milliseconds delay, std::function<void()> work);

  // In the server's thread only.
  [[nodiscard]] const HttpCounters& counters() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace parley
