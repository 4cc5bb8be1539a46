// A small HTTP/1.1 server with limits on everything; knows nothing of canvases.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
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
  std::chrono::milliseconds write_timeout{60'000};    // of one response
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

  // In the server's thread only.
  [[nodiscard]] const HttpCounters& counters() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace parley
