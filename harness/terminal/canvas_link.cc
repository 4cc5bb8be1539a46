#include "harness/terminal/canvas_link.h"

#include <fmt/core.h>

#include <utility>  // before Asio, which lacks it

#include <boost/asio.hpp>
#include <boost/beast.hpp>

#include "apps/canvas/canvas.h"
#include "apps/canvas/http_text.h"
#include "apps/canvas/update_stream.h"

namespace parley::terminal {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using std::chrono::milliseconds;

constexpr std::size_t kMaxAnswerBytes = 1U << 20;
// The largest frame is a picture of the largest canvas.
constexpr std::size_t kMaxFrameBytes =
    kFrameHeaderBytes + std::size_t{3} * kMaxCanvasSide * kMaxCanvasSide;

std::string name_of(const Address& node) {
  return node.host + ":" + node.port;
}

// Runs what was begun until `done` or the time is over; says which.
template <class Done>
bool run_until(asio::io_context& context, milliseconds patience, Done done) {
  const auto end = std::chrono::steady_clock::now() + patience;
  context.restart();
  while (!done()) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= left.zero() || context.run_one_for(left) == 0) return done();
  }
  return true;
}

// An operation on the way: what came of it, once something did.
struct Pending {
  std::optional<beast::error_code> error;
  auto handler() {
    return [this](beast::error_code code, auto&&...) { error = code; };
  }
  [[nodiscard]] auto done() const {
    return [this] { return error.has_value(); };
  }
};

// Waits for one operation of a stream, and throws if it fails or takes too long.
void finish(asio::io_context& context, beast::tcp_stream& stream, Pending& pending,
            milliseconds timeout, const Address& node) {
  if (!run_until(context, timeout, pending.done())) {
    stream.close();
    run_until(context, timeout, pending.done());
    throw LinkError(fmt::format("{} does not answer", name_of(node)));
  }
  if (*pending.error) {
    throw LinkError(fmt::format("{}: {}", name_of(node), pending.error->message()));
  }
}

void connect(asio::io_context& context, beast::tcp_stream& stream, milliseconds timeout,
             const Address& node) {
  beast::error_code error;
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(node.host, node.port, error);
  if (error) throw LinkError(fmt::format("{}: {}", name_of(node), error.message()));
  Pending pending;
  stream.async_connect(found, pending.handler());
  finish(context, stream, pending, timeout, node);
}

HttpAnswer ask(const Address& node, http::request<http::string_body>& request,
               milliseconds timeout) {
  asio::io_context context;
  beast::tcp_stream stream(context);
  connect(context, stream, timeout, node);
  request.set(http::field::host, name_of(node));
  request.prepare_payload();
  Pending sent;
  http::async_write(stream, request, sent.handler());
  finish(context, stream, sent, timeout, node);
  http::response_parser<http::string_body> answer;
  answer.body_limit(kMaxAnswerBytes);
  beast::flat_buffer buffer;
  Pending read;
  http::async_read(stream, buffer, answer, read.handler());
  finish(context, stream, read, timeout, node);
  return {answer.get().result_int(), answer.get().body()};
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  if (text.starts_with("http://")) {
    text.remove_prefix(7);
    if (text.ends_with('/')) text.remove_suffix(1);
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  std::uint64_t port = 0;
  const std::string_view digits = text.substr(colon + 1);
  if (!parse_number(digits, port) || port == 0 || port > 65535) return {};
  return Address{std::string(text.substr(0, colon)), std::string(digits)};
}

HttpAnswer get(const Address& node, const std::string& path, milliseconds timeout) {
  http::request<http::string_body> request(http::verb::get, path, 11);
  return ask(node, request, timeout);
}

HttpAnswer post(const Address& node, const std::string& path, const std::string& body,
                milliseconds timeout) {
  http::request<http::string_body> request(http::verb::post, path, 11);
  request.set(http::field::content_type, "application/json");
  request.body() = body;
  return ask(node, request, timeout);
}

struct Watching::Socket {
  explicit Socket(Address address) : node(std::move(address)) {}

  Address node;
  asio::io_context context;
  beast::websocket::stream<beast::tcp_stream> stream{context};
  beast::flat_buffer buffer;
  Pending read;
  bool reading = false;
};

Watching::Watching(const Address& node, milliseconds timeout)
    : socket_(std::make_unique<Socket>(node)) {
  beast::tcp_stream& lowest = beast::get_lowest_layer(socket_->stream);
  connect(socket_->context, lowest, timeout, node);
  socket_->stream.read_message_max(kMaxFrameBytes);
  Pending greeted;
  socket_->stream.async_handshake(name_of(node), "/ws", greeted.handler());
  finish(socket_->context, lowest, greeted, timeout, node);
}

Watching::~Watching() {
  // What is still being read ends before its buffer does.
  beast::get_lowest_layer(socket_->stream).close();
  if (socket_->reading) run_until(socket_->context, std::chrono::seconds(1), socket_->read.done());
}

std::optional<std::string_view> Watching::next(milliseconds patience) {
  Socket& socket = *socket_;
  if (!socket.reading) {
    socket.buffer.consume(socket.buffer.size());
    socket.read = {};
    socket.reading = true;
    socket.stream.async_read(socket.buffer, socket.read.handler());
  }
  if (!run_until(socket.context, patience, socket.read.done())) return {};
  socket.reading = false;
  if (*socket.read.error) {
    throw LinkError(
        fmt::format("{} has gone away: {}", name_of(socket.node), socket.read.error->message()));
  }
  const auto bytes = socket.buffer.cdata();
  return std::string_view(static_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace parley::terminal
