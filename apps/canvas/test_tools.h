// What the tests of the gateway share: nodes to put behind it, and a plain HTTP client.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "algorithms/contract/node_port.h"
#include "apps/canvas/canvas.h"
#include "apps/canvas/gateway.h"
#include "apps/canvas/update_stream.h"
#include "runtime/driver.h"

namespace parley::testing {

// Whose time-outs are an hour: what a test does not mean to time out must not, however slow the
// machine.
GatewayConfig patient_config();

// A real unreplicated node without sockets: a driver in a thread.
class DriverNode final : public NodePort {
 public:
  explicit DriverNode(const Canvas& canvas);
  ~DriverNode() override;

  void submit(std::vector<std::byte> body, ResultsCallback done) override;
  void query(std::vector<std::byte> query, ReadMode mode, std::vector<Seen> seen,
             QueryCallback done) override;
  void freeze(FreezeCallback done) override;
  void report(ReportCallback done) override;
  void change_members(const MemberChange& change, ChangeCallback done) override;

  // How often its state was frozen.
  [[nodiscard]] int freezes() const { return freezes_; }

 private:
  using Work = std::function<void(Driver&)>;
  void enqueue(Work work);
  void run();
  void step(Driver& driver);

  Driver driver_;
  std::uint64_t next_request_ = 0;  // in the thread only, as the maps
  std::map<std::uint64_t, ResultsCallback> submits_;
  std::map<std::uint64_t, QueryCallback> queries_;
  std::map<std::uint64_t, ChangeCallback> changes_;
  std::atomic<int> freezes_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> work_;
  bool stopping_ = false;
  std::thread thread_;
};

// A node that answers as it is told, at once and in the caller's thread.
class ScriptedNode final : public NodePort {
 public:
  explicit ScriptedNode(const Canvas& canvas) : canvas_(canvas), store_(canvas.key_count()) {}

  void submit(std::vector<std::byte> body, ResultsCallback done) override;
  void query(std::vector<std::byte> query, ReadMode mode, std::vector<Seen> seen,
             QueryCallback done) override;
  void freeze(FreezeCallback done) override;
  void report(ReportCallback done) override;
  void change_members(const MemberChange& change, ChangeCallback done) override;

  // What it says to placements and queries; may be called while it is in use.
  void say(Outcome outcome, RefusedBecause reason);
  void set_leader(NodeId leader);
  // What it says to changes of members; `reason` is empty when done.
  void say_to_changes(ControlReply::Outcome outcome, std::string reason);
  // The last change that it was asked for.
  [[nodiscard]] MemberChange asked_change();
  // Answers nothing from now on, and keeps what it is asked.
  void fall_silent();
  // Refuses what it is asked as a node does whose queue is full.
  void fill_queue();
  [[nodiscard]] std::size_t unanswered();
  // What the last query named as seen.
  [[nodiscard]] std::vector<Seen> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  // How often its state was asked for.
  [[nodiscard]] int freezes() const { return freezes_; }
  // Calls `done` of everything that was left unanswered.
  void answer_late();
  // Writes a cell; only while nobody else uses it.
  void paint(std::uint32_t x, std::uint32_t y, std::uint32_t color);
  // Writes the first rows, all at once.
  void paint_rows(std::uint32_t rows, std::uint32_t color);

 private:
  enum class Mood { obliging, silent, full };
  Result result(Outcome outcome) const;

  const Canvas& canvas_;
  std::mutex mutex_;
  Store store_;
  std::atomic<int> freezes_{0};
  Mood mood_ = Mood::obliging;
  Outcome outcome_ = Outcome::ok;
  RefusedBecause reason_ = RefusedBecause::none;
  NodeId leader_{1};
  std::vector<Seen> seen_;
  std::uint64_t applied_ = 0;
  ControlReply change_reply_;
  MemberChange asked_change_;
  std::vector<std::function<void()>> late_;
};

struct HttpReply {
  int status = 0;                              // 0: the connection was closed without one
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Far longer than any answer takes, also where everything is slow.
inline constexpr int kPatienceMs = 60'000;

// A blocking connection to 127.0.0.1.
class HttpClient {
 public:
  // `receive_buffer` is that of the socket, in bytes; 0 leaves it to the system.
  explicit HttpClient(std::uint16_t port, int receive_buffer = 0);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // False if the other side has closed.
  bool send(std::string_view bytes);
  // Reads a response; `head` says that it has no body.
  HttpReply receive(bool head = false);
  // Whether there is something to receive, or the end, within a time.
  bool wait(int timeout_ms = kPatienceMs) const;
  // Whether the other side closes without a further byte.
  bool closed();

  // Reads so many bytes; false if the other side closes before.
  bool read(std::size_t size, std::string& bytes);

  HttpReply get(const std::string& target, const std::string& headers = "");
  HttpReply post(const std::string& target, const std::string& body,
                 const std::string& headers = "");

 private:
  bool fill();

  int socket_;
  std::string buffer_;
};

struct SocketFrame {
  enum Kind : std::uint8_t {
    none = 16,
    more = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10
  };
  Kind kind = none;  // none: the connection ended without a further frame
  bool last = true;
  std::string bytes;
  // Of a close frame.
  [[nodiscard]] int code() const;
};

// A blocking WebSocket client that answers nothing by itself.
class WebSocketClient {
 public:
  // Asks for `target`; throws unless it gets a WebSocket.
  explicit WebSocketClient(std::uint16_t port, const std::string& target = "/ws",
                           int receive_buffer = 0);

  // The request for a WebSocket, for those who send it themselves.
  static std::string request(const std::string& target, const std::string& headers = "",
                             const std::string& host = "localhost");

  bool send(SocketFrame::Kind kind, std::string_view bytes, bool last = true);
  bool text(std::string_view bytes) { return send(SocketFrame::text, bytes); }
  SocketFrame receive();
  HttpClient& http() { return http_; }

 private:
  HttpClient http_;
};

// What a viewer sees that follows the binary frames.
class WatchingClient {
 public:
  explicit WatchingClient(std::uint16_t port, const std::string& target = "/ws",
                          int receive_buffer = 0)
      : socket(port, target, receive_buffer) {}

  // Reads a frame and takes it in; false at the end. Checks that frames fit each other.
  bool step();
  // Reads frames until a cell has a colour; false at the end.
  bool wait_for(std::uint32_t x, std::uint32_t y, std::uint32_t color);
  [[nodiscard]] std::uint32_t at(std::uint32_t x, std::uint32_t y) const;

  WebSocketClient socket;
  FrameHeader header;  // of the latest frame
  std::string rgb;
  int pictures = 0;
  int frames = 0;
};

}  // namespace parley::testing
