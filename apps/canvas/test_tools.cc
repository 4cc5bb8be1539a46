#include "apps/canvas/test_tools.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "algorithms/unreplicated/replica.h"

namespace parley::testing {
namespace {

constexpr std::size_t kResultsOfOne = 1;

ReplicaConfig config_of_one() {
  ReplicaConfig config;
  config.self = NodeId{1};
  config.incarnation = Incarnation{1};
  config.members = {NodeId{1}};
  return config;
}

Instant now() {
  return Instant(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

GatewayConfig patient_config() {
  using std::chrono::hours;
  GatewayConfig config;
  config.http.request_timeout = hours(1);
  config.http.idle_timeout = hours(1);
  config.http.answer_timeout = hours(1);
  config.http.write_timeout = hours(1);
  config.http.socket_idle_timeout = hours(1);
  return config;
}

DriverNode::DriverNode(const Canvas& canvas)
    : driver_(kUnreplicated, canvas, config_of_one(), {}, {}, nullptr),
      thread_([this] { run(); }) {}

DriverNode::~DriverNode() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void DriverNode::enqueue(Work work) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void DriverNode::submit(std::vector<std::byte> body, ResultsCallback done) {
  enqueue([this, body = std::move(body), done = std::move(done)](Driver& driver) {
    CommandReader reader(body);
    Command command;
    while (reader.next(command)) {
    }
    const std::uint64_t request = ++next_request_;
    submits_[request] = done;
    driver.submit({0, request}, body, reader.count());
  });
}

void DriverNode::query(std::vector<std::byte> query, ReadMode mode, std::vector<Seen> seen,
                       QueryCallback done) {
  enqueue([this, query = std::move(query), mode, seen = std::move(seen),
           done = std::move(done)](Driver& driver) {
    const std::uint64_t request = ++next_request_;
    queries_[request] = done;
    driver.query({0, request}, mode, query, seen);
  });
}

void DriverNode::freeze(FreezeCallback done) {
  enqueue([this, done = std::move(done)](Driver& driver) {
    ++freezes_;
    done(driver.freeze(), driver.report());
  });
}

void DriverNode::report(ReportCallback done) {
  enqueue([done = std::move(done)](Driver& driver) { done(driver.report()); });
}

void DriverNode::change_members(const MemberChange& change, ChangeCallback done) {
  enqueue([this, change, done = std::move(done)](Driver& driver) {
    const std::uint64_t request = ++next_request_;
    changes_[request] = done;
    driver.change_members(request, change);
  });
}

void DriverNode::run() {
  for (;;) {
    std::deque<Work> work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !work_.empty(); });
      if (stopping_) return;
      work.swap(work_);
    }
    for (const Work& one : work) one(driver_);
    while (driver_.has_input()) step(driver_);
  }
}

void DriverNode::step(Driver& driver) {
  const Effects& effects = driver.step(now(), {});
  for (const SettledSubmit& settled : driver.submits()) {
    const auto it = submits_.find(settled.tag.request);
    it->second(driver.results().subspan(settled.first, settled.count));
    submits_.erase(it);
  }
  for (const SettledQuery& settled : driver.queries()) {
    const auto it = queries_.find(settled.tag.request);
    it->second(settled.error, settled.reason,
               driver.answer_bytes().subspan(settled.first, settled.size));
    queries_.erase(it);
  }
  for (const ControlReply& reply : effects.control_replies) {
    const auto it = changes_.find(reply.id);
    it->second(reply.outcome, reply.reason);
    changes_.erase(it);
  }
  if (!effects.writes.empty()) driver.durable_through(effects.writes.back().ticket);
}

void ScriptedNode::submit(std::vector<std::byte> body, ResultsCallback done) {
  const std::lock_guard lock(mutex_);
  CommandReader reader(body);
  Command command;
  Result result = this->result(outcome_);
  if (reader.next(command) &&
      command.header.kind == static_cast<std::uint16_t>(CommandKind::open_session)) {
    result = this->result(Outcome::ok);
    result.value = 7;
  }
  if (mood_ == Mood::full) {
    result.outcome = Outcome::refused;
    result.reason = static_cast<std::uint8_t>(RefusedBecause::overloaded);
  }
  const auto answer = [done, result] { done(std::span(&result, kResultsOfOne)); };
  if (mood_ == Mood::silent) {
    late_.emplace_back(answer);
  } else {
    answer();
  }
}

void ScriptedNode::query(std::vector<std::byte> query, ReadMode, std::vector<Seen> seen,
                         QueryCallback done) {
  const std::lock_guard lock(mutex_);
  seen_ = std::move(seen);
  std::vector<std::byte> bytes;
  auto reason = reason_;
  if (mood_ == Mood::full) reason = RefusedBecause::overloaded;
  const std::string error =
      reason == RefusedBecause::none ? canvas_.query(store_, query, bytes) : std::string();
  const auto answer = [done, error, reason, bytes] { done(error, reason, bytes); };
  if (mood_ == Mood::silent) {
    late_.emplace_back(answer);
  } else {
    answer();
  }
}

void ScriptedNode::freeze(FreezeCallback done) {
  const std::lock_guard lock(mutex_);
  ++freezes_;
  NodeReport report;
  report.node = NodeId{1};
  report.applied = LogIndex{applied_};
  if (mood_ == Mood::full) return done({}, {});
  if (mood_ == Mood::silent) {
    late_.emplace_back([done, store = store_.freeze(), report] { done(store, report); });
  } else {
    done(store_.freeze(), report);
  }
}

void ScriptedNode::report(ReportCallback done) {
  const std::lock_guard lock(mutex_);
  NodeReport report;
  report.node = mood_ == Mood::full ? kNoNode : NodeId{1};
  report.algorithm = "scripted";
  report.role = "follower";
  report.status.leader = leader_;
  report.changes_members = true;
  report.members.voters = {NodeId{1}, NodeId{2}};
  report.client_endpoint = "tcp://127.0.0.1:4711";
  report.peers = {{NodeId{2}, true, 10, 11, 1}};
  if (mood_ == Mood::silent) {
    late_.emplace_back([done, report] { done(report); });
  } else {
    done(report);
  }
}

void ScriptedNode::change_members(const MemberChange& change, ChangeCallback done) {
  const std::lock_guard lock(mutex_);
  asked_change_ = change;
  if (mood_ == Mood::silent) {
    late_.emplace_back([done, reply = change_reply_] { done(reply.outcome, reply.reason); });
  } else {
    done(change_reply_.outcome, change_reply_.reason);
  }
}

void ScriptedNode::say_to_changes(ControlReply::Outcome outcome, std::string reason) {
  const std::lock_guard lock(mutex_);
  change_reply_ = {0, outcome, std::move(reason)};
}

MemberChange ScriptedNode::asked_change() {
  const std::lock_guard lock(mutex_);
  return asked_change_;
}

Result ScriptedNode::result(Outcome outcome) const {
  Result result;
  result.outcome = outcome;
  result.reason = static_cast<std::uint8_t>(reason_);
  result.stamp = {1, 0};
  return result;
}

void ScriptedNode::say(Outcome outcome, RefusedBecause reason) {
  const std::lock_guard lock(mutex_);
  outcome_ = outcome;
  reason_ = reason;
}

void ScriptedNode::set_leader(NodeId leader) {
  const std::lock_guard lock(mutex_);
  leader_ = leader;
}

void ScriptedNode::fall_silent() {
  const std::lock_guard lock(mutex_);
  mood_ = Mood::silent;
}

void ScriptedNode::fill_queue() {
  const std::lock_guard lock(mutex_);
  mood_ = Mood::full;
}

std::size_t ScriptedNode::unanswered() {
  const std::lock_guard lock(mutex_);
  return late_.size();
}

void ScriptedNode::answer_late() {
  std::vector<std::function<void()>> late;
  {
    const std::lock_guard lock(mutex_);
    mood_ = Mood::obliging;
    late.swap(late_);
  }
  for (const auto& answer : late) answer();
}

void ScriptedNode::paint(std::uint32_t x, std::uint32_t y, std::uint32_t color) {
  const std::lock_guard lock(mutex_);
  store_.write(canvas_.key_of(x, y), pack_pixel(color, 0), {++applied_, 0}, {});
}

void ScriptedNode::paint_rows(std::uint32_t rows, std::uint32_t color) {
  const std::lock_guard lock(mutex_);
  for (std::uint32_t y = 0; y < rows; ++y) {
    for (std::uint32_t x = 0; x < canvas_.size().width; ++x) {
      store_.write(canvas_.key_of(x, y), pack_pixel(color, 0), {++applied_, 0}, {});
    }
  }
}

HttpClient::HttpClient(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  if (receive_buffer > 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error("cannot connect");
  }
}

HttpClient::~HttpClient() {
  ::close(socket_);
}

bool HttpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool HttpClient::wait(int timeout_ms) const {
  pollfd ready{socket_, POLLIN, 0};
  return ::poll(&ready, 1, timeout_ms) == 1;
}

bool HttpClient::fill() {
  if (!wait()) throw std::runtime_error("no answer");
  char bytes[65536];
  const ssize_t size = ::recv(socket_, bytes, sizeof(bytes), 0);
  if (size <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(size));
  return true;
}

HttpReply HttpClient::receive(bool head) {
  HttpReply reply;
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return reply;
  }
  std::string_view lines(buffer_.data(), end + 2);
  reply.status = std::stoi(std::string(lines.substr(9, 3)));
  lines.remove_prefix(lines.find("\r\n") + 2);
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(line.size() + 2);
    std::string name(line.substr(0, line.find(':')));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    reply.headers[name] = line.substr(line.find(':') + 2);
  }
  buffer_.erase(0, end + 4);
  const bool bodyless = head || reply.status == 204 || reply.status == 304;
  const std::size_t size = bodyless ? 0 : std::stoul(reply.headers.at("content-length"));
  while (buffer_.size() < size) {
    if (!fill()) return {};
  }
  reply.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return reply;
}

bool HttpClient::read(std::size_t size, std::string& bytes) {
  while (buffer_.size() < size) {
    if (!fill()) return false;
  }
  bytes = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return true;
}

bool HttpClient::closed() {
  return buffer_.empty() && !fill();
}

HttpReply HttpClient::get(const std::string& target, const std::string& headers) {
  send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
  return receive();
}

HttpReply HttpClient::post(const std::string& target, const std::string& body,
                           const std::string& headers) {
  send("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
       std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
  return receive();
}

int SocketFrame::code() const {
  if (kind != close || bytes.size() < 2) return 0;
  return static_cast<unsigned char>(bytes[0]) << 8 | static_cast<unsigned char>(bytes[1]);
}

WebSocketClient::WebSocketClient(std::uint16_t port, const std::string& target, int receive_buffer)
    : http_(port, receive_buffer) {
  http_.send(request(target));
  const HttpReply reply = http_.receive(/*head=*/true);
  if (reply.status != 101)
    throw std::runtime_error("no WebSocket: " + std::to_string(reply.status));
}

std::string WebSocketClient::request(const std::string& target, const std::string& headers,
                                     const std::string& host) {
  return "GET " + target + " HTTP/1.1\r\nHost: " + host +
         "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         headers + "\r\n";
}

bool WebSocketClient::send(SocketFrame::Kind kind, std::string_view bytes, bool last) {
  std::string frame;
  frame += static_cast<char>((last ? 0x80 : 0) | kind);
  if (bytes.size() < 126) {
    frame += static_cast<char>(0x80 | bytes.size());
  } else {
    // Sizes must be written in as few bytes as can hold them.
    const int bytes_of_size = bytes.size() < 65536 ? 2 : 8;
    frame += static_cast<char>(0x80 | (bytes_of_size == 2 ? 126 : 127));
    for (int i = bytes_of_size - 1; i >= 0; --i) {
      frame += static_cast<char>(static_cast<std::uint64_t>(bytes.size()) >> (8 * i));
    }
  }
  frame += std::string(4, '\0');  // a mask that changes nothing
  frame += bytes;
  return http_.send(frame);
}

SocketFrame WebSocketClient::receive() {
  SocketFrame frame;
  std::string head;
  if (!http_.read(2, head)) return frame;
  std::uint64_t size = static_cast<unsigned char>(head[1]);
  if (size >= 126) {
    std::string extended;
    if (!http_.read(size == 126 ? 2 : 8, extended)) return frame;
    size = 0;
    for (const char c : extended) size = size << 8 | static_cast<unsigned char>(c);
  }
  if (!http_.read(size, frame.bytes)) return frame;
  frame.kind = static_cast<SocketFrame::Kind>(head[0] & 0x0F);
  frame.last = (head[0] & 0x80) != 0;
  return frame;
}

bool WatchingClient::step() {
  const SocketFrame frame = socket.receive();
  if (frame.kind != SocketFrame::binary) return false;
  const std::uint64_t before = header.sequence;
  FrameReader reader(frame.bytes);
  header = reader.header();
  ++frames;
  if (header.kind == FrameKind::picture) {
    ++pictures;
    rgb = frame.bytes.substr(kFrameHeaderBytes);
    return rgb.size() == std::size_t{header.size.width} * header.size.height * 3;
  }
  if (frames > 1 && header.sequence != before + 1) throw std::runtime_error("a frame is missing");
  rgb.resize(std::size_t{header.size.width} * header.size.height * 3, '\xff');
  PixelChange change;
  while (reader.next(change)) {
    const std::size_t at = (std::size_t{change.y} * header.size.width + change.x) * 3;
    for (int i = 0; i < 3; ++i) rgb.at(at + i) = static_cast<char>(change.color >> (16 - 8 * i));
  }
  return true;
}

std::uint32_t WatchingClient::at(std::uint32_t x, std::uint32_t y) const {
  const std::size_t at = (std::size_t{y} * header.size.width + x) * 3;
  std::uint32_t color = 0;
  for (int i = 0; i < 3; ++i) color = color << 8 | static_cast<unsigned char>(rgb.at(at + i));
  return color;
}

bool WatchingClient::wait_for(std::uint32_t x, std::uint32_t y, std::uint32_t color) {
  while (rgb.empty() || at(x, y) != color) {
    if (!step()) return false;
  }
  return true;
}

}  // namespace parley::testing
