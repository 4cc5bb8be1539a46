#include "apps/canvas/http_server.h"

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <thread>

namespace parley {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

std::string text_of(beast::string_view text) {
  return {text.data(), text.size()};
}

using Request = http::request<http::string_body>;

HttpRequest plain_request(Request& message) {
  HttpRequest request;
  request.method = message.method() == http::verb::head ? "GET" : text_of(message.method_string());
  const std::string target = text_of(message.target());
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  request.host = text_of(message[http::field::host]);
  request.origin = text_of(message[http::field::origin]);
  request.accept = text_of(message[http::field::accept]);
  request.if_none_match = text_of(message[http::field::if_none_match]);
  request.body = std::move(message.body());
  return request;
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(HttpLimits limits, HttpHandler& handler) : limits_(limits), handler_(handler) {}

  std::string listen(const std::string& address, std::uint16_t port);
  void start();
  void stop();
  void post(std::function<void()> work) { asio::post(context_, std::move(work)); }
  void run_after(std::chrono::milliseconds delay, std::function<void()> work);
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const HttpCounters& counters() const { return counters_; }

 private:
  class Connection;
  class WebConnection;

  void accept();
  void admit(tcp::socket socket);
  bool close_an_idle_connection();

  const HttpLimits limits_;
  HttpHandler& handler_;
  HttpCounters counters_;
  std::set<Connection*> connections_;  // outlives the context, whose handlers own the connections
  std::set<WebConnection*> sockets_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  asio::steady_timer accept_again_{context_};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

// One client's connection: waits for a request, reads it, waits for its answer, writes that, and so
// on. Each wait has a limit of time.
class HttpServer::Impl::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Impl& server, tcp::socket socket)
      : server_(server), stream_(std::move(socket)), answer_timer_(server.context_) {
    server_.connections_.insert(this);
    server_.counters_.connections = static_cast<std::uint32_t>(server_.connections_.size());
  }
  ~Connection() {
    answered();
    server_.connections_.erase(this);
    server_.counters_.connections = static_cast<std::uint32_t>(server_.connections_.size());
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start() { await_request(server_.limits_.request_timeout); }
  void turn_away() {
    keep_alive_ = false;
    write(server_.handler_.failure(HttpFailure::overloaded, nullptr));
  }
  void close() {
    idle_ = false;
    error_code ignored;
    stream_.socket().close(ignored);
    answer_timer_.cancel();
  }
  [[nodiscard]] bool idle() const { return idle_; }
  [[nodiscard]] std::chrono::steady_clock::time_point since() const { return since_; }

 private:
  // Takes a member function as the handler of an operation, which keeps the connection alive.
  template <class Member>
  auto then(Member member) {
    return [self = shared_from_this(), member](auto&&... arguments) {
      ((*self).*member)(arguments...);
    };
  }

  void await_request(std::chrono::milliseconds limit) {
    idle_ = true;
    since_ = std::chrono::steady_clock::now();
    if (buffer_.size() > 0) return read_request();
    stream_.expires_after(limit);
    stream_.async_read_some(buffer_.prepare(4096), then(&Connection::on_first_bytes));
  }

  void on_first_bytes(error_code error, std::size_t size) {
    if (error) return;
    buffer_.commit(size);
    read_request();
  }

  void read_request() {
    idle_ = false;
    parser_.emplace();
    parser_->header_limit(server_.limits_.max_header_bytes);
    parser_->body_limit(server_.limits_.max_body_bytes);
    // One limit for the whole request, however its bytes trickle in.
    stream_.expires_after(server_.limits_.request_timeout);
    http::async_read(stream_, buffer_, *parser_, then(&Connection::on_request));
  }

  void on_request(error_code error, std::size_t) {
    if (error) return on_unreadable(error);
    ++server_.counters_.requests;
    stream_.expires_never();
    head_only_ = parser_->get().method() == http::verb::head;
    keep_alive_ = parser_->keep_alive();
    version_ = parser_->get().version();
    request_ = plain_request(parser_->get());
    if (websocket::is_upgrade(parser_->get())) return open_socket();
    parser_.reset();
    if (server_.counters_.in_flight >= server_.limits_.max_in_flight) {
      return write(server_.handler_.failure(HttpFailure::overloaded, &request_));
    }
    hand_over();
  }

  void open_socket();

  void on_unreadable(error_code error) {
    if (error == beast::error::timeout) ++server_.counters_.timed_out;
    // Everything that is not http::error is about the connection: nobody to answer.
    if (error.category() != make_error_code(http::error::bad_method).category()) return;
    if (error == http::error::end_of_stream || error == http::error::partial_message) return;
    ++server_.counters_.malformed;
    keep_alive_ = false;
    auto kind = HttpFailure::malformed;
    if (error == http::error::body_limit) kind = HttpFailure::body_too_large;
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      kind = HttpFailure::header_too_large;
    }
    write(server_.handler_.failure(kind, nullptr));
  }

  void hand_over() {
    awaiting_ = true;
    ++server_.counters_.in_flight;
    const std::uint64_t number = ++request_number_;
    answer_timer_.expires_after(server_.limits_.answer_timeout);
    answer_timer_.async_wait([self = shared_from_this(), number](error_code error) {
      if (error || !self->awaiting_ || number != self->request_number_) return;
      ++self->server_.counters_.timed_out;
      self->respond(number,
                    self->server_.handler_.failure(HttpFailure::timed_out, &self->request_));
    });
    const auto responder = [weak = weak_from_this(), number](HttpResponse response) {
      if (const auto self = weak.lock()) self->respond(number, std::move(response));
    };
    try {
      server_.handler_.handle(request_, responder);
    } catch (const std::exception&) {
      respond(number, server_.handler_.failure(HttpFailure::broken, &request_));
    }
  }

  void respond(std::uint64_t number, HttpResponse response) {
    if (!awaiting_ || number != request_number_) return;
    answered();
    answer_timer_.cancel();
    write(std::move(response));
  }

  void answered() {
    if (!awaiting_) return;
    awaiting_ = false;
    --server_.counters_.in_flight;
  }

  void write(HttpResponse response) {
    body_ = std::move(response.body);
    static const std::string kNoBody;
    const std::string& body = body_ == nullptr ? kNoBody : *body_;
    head_.emplace();
    head_->version(version_);
    head_->result(static_cast<unsigned>(response.status));
    if (!response.content_type.empty())
      head_->set(http::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) head_->set(name, value);
    head_->keep_alive(keep_alive_);
    const bool may_have_body = response.status != 204 && response.status != 304;
    if (may_have_body) head_->content_length(body.size());
    stream_.expires_after(server_.limits_.write_timeout);
    head_->body() = may_have_body && !head_only_ ? beast::span<const char>(body.data(), body.size())
                                                 : beast::span<const char>();
    serializer_.emplace(*head_);
    http::async_write(stream_, *serializer_, then(&Connection::on_written));
  }

  void on_written(error_code error, std::size_t) {
    serializer_.reset();
    head_.reset();
    body_.reset();
    head_only_ = false;
    if (error) return;
    if (keep_alive_) return await_request(server_.limits_.idle_timeout);
    // Closing while the client still sends would make the system discard the response: say that
    // nothing more comes, and read a little of what is left.
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(std::chrono::seconds(2));
    discard();
  }

  void discard() { stream_.async_read_some(asio::buffer(scrap_), then(&Connection::on_discarded)); }

  void on_discarded(error_code error, std::size_t size) {
    constexpr std::size_t kMaxDiscarded = 1U << 20;
    discarded_ += size;
    if (!error && discarded_ < kMaxDiscarded) discard();
  }

  Impl& server_;
  beast::tcp_stream stream_;
  asio::steady_timer answer_timer_;
  beast::flat_buffer buffer_{256U << 10};
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;
  std::optional<http::response<http::span_body<const char>>> head_;
  std::optional<http::response_serializer<http::span_body<const char>>> serializer_;
  std::shared_ptr<const std::string> body_;
  std::chrono::steady_clock::time_point since_;
  std::uint64_t request_number_ = 0;
  unsigned version_ = 11;
  std::size_t discarded_ = 0;
  std::array<char, 4096> scrap_{};
  bool idle_ = false;
  bool awaiting_ = false;  // the handler's answer
  bool head_only_ = false;
  bool keep_alive_ = true;
};

// A stream of which so many bytes are read in a second and no more: whatever a client floods us
// with, pings and empty fragments too, costs little and waits in its own buffers.
using LimitedStream = beast::basic_stream<tcp, asio::any_io_executor, beast::simple_rate_policy>;

// A WebSocket: reads messages one after the other, and has at most one on its way to the client.
class HttpServer::Impl::WebConnection final : public Socket,
                                              public std::enable_shared_from_this<WebConnection> {
  template <class Member>
  auto then(Member member) {
    return [self = shared_from_this(), member](auto&&... arguments) {
      ((*self).*member)(arguments...);
    };
  }

 public:
  WebConnection(Impl& server, tcp::socket socket, std::unique_ptr<SocketSession> session)
      : server_(server),
        session_(std::move(session)),
        stream_(std::move(socket)),
        write_timer_(server.context_) {
    server_.sockets_.insert(this);
    server_.counters_.sockets = static_cast<std::uint32_t>(server_.sockets_.size());
  }
  ~WebConnection() override {
    server_.sockets_.erase(this);
    server_.counters_.sockets = static_cast<std::uint32_t>(server_.sockets_.size());
  }

  void start(const Request& request) {
    const HttpLimits& limits = server_.limits_;
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = limits.request_timeout;
    timeout.idle_timeout = limits.socket_idle_timeout;
    timeout.keep_alive_pings = true;
    stream_.set_option(timeout);
    stream_.read_message_max(limits.max_socket_message_bytes);
    // One frame a message, written from where it stands.
    stream_.auto_fragment(false);
    stream_.next_layer().rate_policy().read_limit(limits.socket_read_bytes_per_s);
    stream_.async_accept(request, then(&WebConnection::on_accepted));
  }

  void wake() override {
    if (state_ != State::open || writing_) return;
    message_ = session_->next();
    if (message_.empty()) return;
    writing_ = true;
    write_timer_.expires_after(server_.limits_.write_timeout);
    write_timer_.async_wait([weak = weak_from_this()](error_code error) {
      if (const auto self = weak.lock(); self && !error) self->cut_off();
    });
    stream_.text(message_.text);
    const auto bytes = [](const auto& part) {
      return part == nullptr ? asio::const_buffer() : asio::buffer(*part);
    };
    stream_.async_write(std::array{bytes(message_.head), bytes(message_.body)},
                        then(&WebConnection::on_written));
  }

  void close(Close code, const std::string& reason) override {
    if (state_ != State::open) return;
    state_ = State::closing;
    stream_.async_close({static_cast<websocket::close_code>(code), reason.c_str()},
                        [self = shared_from_this()](error_code) {});
  }

  // The last that the handler hears of it.
  void release() { session_.reset(); }

  void cut_off() override {
    state_ = State::closing;
    error_code ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
    write_timer_.cancel();
  }

 private:
  enum class State : std::uint8_t { opening, open, closing };

  void on_accepted(error_code error) {
    if (error || state_ != State::opening) return;
    state_ = State::open;
    ++server_.counters_.sockets_opened;
    read();
    session_->opened(*this);
  }

  void read() { stream_.async_read(buffer_, then(&WebConnection::on_read)); }

  void on_read(error_code error, std::size_t) {
    // Also after a goodbye: what is still on its way has no reader.
    if (error) return cut_off();
    if (state_ == State::open) {
      ++server_.counters_.messages_received;
      const asio::const_buffer message = buffer_.data();
      session_->received({static_cast<const char*>(message.data()), message.size()},
                         stream_.got_text());
    }
    buffer_.consume(buffer_.size());
    // Beyond a close of ours, what the client still sends is read by that operation.
    if (state_ == State::open) read();
  }

  void on_written(error_code error, std::size_t size) {
    writing_ = false;
    message_ = {};
    write_timer_.cancel();
    if (error) return;
    ++server_.counters_.messages_sent;
    server_.counters_.message_bytes_sent += size;
    wake();
  }

  Impl& server_;
  std::unique_ptr<SocketSession> session_;
  websocket::stream<LimitedStream> stream_;
  asio::steady_timer write_timer_;
  beast::flat_buffer buffer_;
  SocketMessage message_;  // on its way
  State state_ = State::opening;
  bool writing_ = false;
};

// Defined here, where the connection that takes over is known.
void HttpServer::Impl::Connection::open_socket() {
  HttpResponse refusal;
  std::unique_ptr<SocketSession> session;
  // A client that sends frames before it has the answer breaks the protocol (RFC 6455, 4.1).
  if (buffer_.size() > 0) {
    refusal = server_.handler_.failure(HttpFailure::malformed, &request_);
  } else if (server_.sockets_.size() >= server_.limits_.max_sockets) {
    refusal = server_.handler_.failure(HttpFailure::overloaded, &request_);
  } else {
    session = server_.handler_.open_socket(request_, refusal);
  }
  if (session == nullptr) {
    ++server_.counters_.sockets_refused;
    parser_.reset();
    return write(std::move(refusal));
  }
  std::make_shared<WebConnection>(server_, stream_.release_socket(), std::move(session))
      ->start(parser_->get());
}

std::string HttpServer::Impl::listen(const std::string& address, std::uint16_t port) {
  error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return "address: \"" + address + "\" is not a numeric IPv4 or IPv6 address";
  const tcp::endpoint endpoint(ip, port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    error_code ignored;
    acceptor_.close(ignored);
    return "cannot listen on " + address + " port " + std::to_string(port) + ": " + error.message();
  }
  port_ = acceptor_.local_endpoint().port();
  return {};
}

void HttpServer::Impl::start() {
  accept();
  thread_ = std::thread([this] { context_.run(); });
}

void HttpServer::Impl::stop() {
  if (!thread_.joinable()) return;
  asio::post(context_, [this] {
    error_code ignored;
    acceptor_.close(ignored);
    accept_again_.cancel();
    // Handlers that are still queued hold the connections, so nothing goes while this runs.
    for (Connection* connection : connections_) connection->close();
    for (WebConnection* socket : sockets_) socket->cut_off();
    context_.stop();
  });
  thread_.join();
  // Not later: the context, and what its queue owns, may end in the thread of a late poster.
  for (WebConnection* socket : sockets_) socket->release();
}

void HttpServer::Impl::run_after(std::chrono::milliseconds delay, std::function<void()> work) {
  const auto timer = std::make_shared<asio::steady_timer>(context_, delay);
  timer->async_wait([timer, work = std::move(work)](error_code error) {
    if (!error) work();
  });
}

void HttpServer::Impl::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      admit(std::move(socket));
      return accept();
    }
    // Out of descriptors, most likely: that passes when others close.
    accept_again_.expires_after(std::chrono::milliseconds(50));
    accept_again_.async_wait([this](error_code cancelled) {
      if (!cancelled) accept();
    });
  });
}

void HttpServer::Impl::admit(tcp::socket socket) {
  ++counters_.accepted;
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const bool full = connections_.size() >= limits_.max_connections && !close_an_idle_connection();
  // Those turned away get an answer as well, unless they come in such numbers that it would cost.
  if (full) ++counters_.turned_away;
  if (connections_.size() >= limits_.max_connections + 64) return;
  const auto connection = std::make_shared<Connection>(*this, std::move(socket));
  if (full) {
    connection->turn_away();
  } else {
    connection->start();
  }
}

// Makes room by closing the connection that has waited longest for its next request.
bool HttpServer::Impl::close_an_idle_connection() {
  Connection* oldest = nullptr;
  for (Connection* connection : connections_) {
    if (!connection->idle()) continue;
    if (oldest == nullptr || connection->since() < oldest->since()) oldest = connection;
  }
  if (oldest == nullptr) return false;
  oldest->close();
  return true;
}

HttpServer::HttpServer(HttpLimits limits, HttpHandler& handler)
    : impl_(std::make_shared<Impl>(limits, handler)) {}

HttpServer::~HttpServer() {
  stop();
}

std::string HttpServer::listen(const std::string& address, std::uint16_t port) {
  return impl_->listen(address, port);
}
std::uint16_t HttpServer::port() const {
  return impl_->port();
}
void HttpServer::start() {
  impl_->start();
}
void HttpServer::stop() {
  impl_->stop();
}

HttpServer::Poster HttpServer::poster() const {
  return [weak = std::weak_ptr<Impl>(impl_)](std::function<void()> work) {
    if (const auto impl = weak.lock()) impl->post(std::move(work));
  };
}

void HttpServer::run_after(std::chrono::milliseconds delay, std::function<void()> work) {
  impl_->run_after(delay, std::move(work));
}

const HttpCounters& HttpServer::counters() const {
  return impl_->counters();
}

}  // namespace parley
