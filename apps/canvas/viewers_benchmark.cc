// What a canvas costs those who paint and those who watch: the latency of POST /pixel, and of the
// way from a placement to each viewer's WebSocket, at a given rate with a given number of viewers.
//
// An open loop: placements are due at fixed times, and latencies count from these. They begin when
// every viewer has its first picture. Each has a colour of its own, by which viewers tell it, and
// none that an earlier run is likely to have left in its cell. One thread does it all, with
// everything asynchronous.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "apps/canvas/update_stream.h"

namespace parley {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

struct Plan {
  std::vector<std::string> watched = {"127.0.0.1:8080"};  // viewers are spread over these
  std::string painted = "127.0.0.1:8080";
  std::uint32_t viewers = 1000;
  double rate = 500;
  double seconds = 10;
  std::uint32_t connections = 16;
  bool json = false;
};

tcp::endpoint endpoint_of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) throw std::runtime_error(text + ": is not HOST:PORT");
  return {asio::ip::make_address(text.substr(0, colon)),
          static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1)))};
}

// Latencies in microseconds.
class Sample {
 public:
  void add(Clock::duration time) {
    values_.push_back(static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(time).count()));
  }
  [[nodiscard]] std::size_t count() const { return values_.size(); }
  // {p50, p99, max}
  nlohmann::ordered_json percentiles() {
    std::sort(values_.begin(), values_.end());
    const auto at = [this](double share) {
      if (values_.empty()) return 0U;
      return values_[std::min(
          values_.size() - 1,
          static_cast<std::size_t>(share * static_cast<double>(values_.size())))];
    };
    return {{"p50", at(0.5)}, {"p99", at(0.99)}, {"max", at(1)}};
  }

 private:
  std::vector<std::uint32_t> values_;
};

// The placements: number n has the colour n + 1.
constexpr std::uint32_t kColors = 1U << 24;

struct Placements {
  std::vector<Clock::time_point> due;
  std::uint32_t first_color = std::random_device()() % kColors;  // of the first placement
  std::uint32_t viewers_ready = 0;                               // who have the picture
  std::uint64_t posted = 0;
  std::uint64_t failed = 0;
  std::uint64_t viewers_lost = 0;  // who were cut off
  std::string why_lost;            // the latest
  Sample post;
  Sample delivery;
};

class Viewer : public std::enable_shared_from_this<Viewer> {
 public:
  Viewer(asio::io_context& context, Placements& placements)
      : socket_(context), placements_(placements) {}

  void connect(const tcp::endpoint& to) {
    beast::get_lowest_layer(socket_).connect(to);
    socket_.handshake("localhost", "/ws");
    socket_.binary(true);
    read();
  }

 private:
  void read() {
    socket_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error) {
        ++self->placements_.viewers_lost;
        self->placements_.why_lost = error.message();
        return;
      }
      self->take();
    });
  }

  void take() {
    const Clock::time_point now = Clock::now();
    const auto data = buffer_.cdata();
    FrameReader reader({static_cast<const char*>(data.data()), data.size()});
    if (!std::exchange(ready_, true)) ++placements_.viewers_ready;
    PixelChange change;
    while (reader.header().kind == FrameKind::changes && reader.next(change)) {
      const std::uint32_t placement = (change.color - placements_.first_color) % kColors;
      if (placement >= placements_.due.size()) continue;
      placements_.delivery.add(now - placements_.due[placement]);
    }
    buffer_.consume(buffer_.size());
    read();
  }

  beast::websocket::stream<beast::tcp_stream> socket_;
  Placements& placements_;
  bool ready_ = false;
  beast::flat_buffer buffer_;
};

// Connections that place what is due, each one at a time.
class Painter {
 public:
  Painter(asio::io_context& context, const Plan& plan, Placements& placements)
      : plan_(plan), placements_(placements), timer_(context) {
    for (std::uint32_t i = 0; i < plan.connections; ++i) {
      auto& connection = connections_.emplace_back(std::make_unique<Connection>(context));
      connection->stream.connect(endpoint_of(plan.painted));
      idle_.push_back(connection.get());
    }
  }

  void start() {
    begin_ = Clock::now();
    next_due();
  }
  [[nodiscard]] bool done() const {
    return next_ == placements_.due.size() && waiting_.empty() &&
           idle_.size() == connections_.size();
  }

 private:
  struct Connection {
    explicit Connection(asio::io_context& context) : stream(context) {}
    beast::tcp_stream stream;
    http::request<http::string_body> request;
    http::response<http::string_body> response;
    beast::flat_buffer buffer;
    std::size_t placement = 0;
  };

  void next_due() {
    if (next_ == placements_.due.size()) return;
    const std::chrono::duration<double> after(static_cast<double>(next_) / plan_.rate);
    placements_.due[next_] = begin_ + std::chrono::duration_cast<Clock::duration>(after);
    timer_.expires_at(placements_.due[next_]);
    timer_.async_wait([this](beast::error_code) {
      waiting_.push_back(next_++);
      send();
      next_due();
    });
  }

  void send() {
    while (!waiting_.empty() && !idle_.empty()) {
      Connection& connection = *idle_.back();
      idle_.pop_back();
      connection.placement = waiting_.front();
      waiting_.pop_front();
      post(connection);
    }
  }

  void post(Connection& connection) {
    const std::size_t n = connection.placement;
    std::array<char, 96> body{};
    std::snprintf(body.data(), body.size(), R"({"x":%zu,"y":%zu,"color":"#%06zX"})", n % 500,
                  n / 500 % 500, (placements_.first_color + n) % kColors);
    connection.request = {http::verb::post, "/pixel", 11, body.data()};
    connection.request.set(http::field::host, "localhost");
    connection.request.set(http::field::content_type, "application/json");
    connection.request.prepare_payload();
    http::async_write(connection.stream, connection.request,
                      [this, &connection](beast::error_code error, std::size_t) {
                        if (error) return finish(connection, 0);
                        connection.response = {};
                        http::async_read(
                            connection.stream, connection.buffer, connection.response,
                            [this, &connection](beast::error_code failed, std::size_t) {
                              finish(connection, failed ? 0 : connection.response.result_int());
                            });
                      });
  }

  void finish(Connection& connection, unsigned status) {
    if (status == 200) {
      ++placements_.posted;
      placements_.post.add(Clock::now() - placements_.due[connection.placement]);
    } else {
      ++placements_.failed;
    }
    idle_.push_back(&connection);
    send();
  }

  const Plan& plan_;
  Placements& placements_;
  asio::steady_timer timer_;
  Clock::time_point begin_;
  std::size_t next_ = 0;
  std::deque<std::size_t> waiting_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_;
};

int measure(const Plan& plan) {
  asio::io_context context;
  Placements placements;
  placements.due.resize(static_cast<std::size_t>(plan.rate * plan.seconds));
  for (std::uint32_t i = 0; i < plan.viewers; ++i) {
    const auto viewer = std::make_shared<Viewer>(context, placements);
    viewer->connect(endpoint_of(plan.watched[i % plan.watched.size()]));
  }
  const auto patience = Clock::now() + std::chrono::seconds(60);
  while (placements.viewers_ready < plan.viewers && Clock::now() < patience) {
    context.run_for(std::chrono::milliseconds(50));
  }
  Painter painter(context, plan, placements);
  painter.start();
  const auto deadline = Clock::now() + std::chrono::duration<double>(plan.seconds + 5);
  const auto wanted = placements.due.size() * plan.viewers;
  while (Clock::now() < deadline) {
    context.run_for(std::chrono::milliseconds(50));
    if (painter.done() && placements.delivery.count() >= wanted) break;
  }
  const nlohmann::ordered_json summary{{"viewers", plan.viewers},
                                       {"viewers_lost", placements.viewers_lost},
                                       {"why_lost", placements.why_lost},
                                       {"rate", plan.rate},
                                       {"placed", placements.posted},
                                       {"failed", placements.failed},
                                       {"post_us", placements.post.percentiles()},
                                       {"deliveries", placements.delivery.count()},
                                       {"deliveries_wanted", wanted},
                                       {"delivery_us", placements.delivery.percentiles()}};
  std::printf("%s\n", summary.dump(plan.json ? -1 : 2).c_str());
  return placements.failed == 0 && placements.delivery.count() == wanted ? 0 : 1;
}

}  // namespace
}  // namespace parley

int main(int argc, char** argv) {
  parley::Plan plan;
  CLI::App app("What a canvas costs those who paint and those who watch.");
  app.add_option("--watch", plan.watched, "HOST:PORT of the nodes that are watched")
      ->delimiter(',');
  app.add_option("--paint", plan.painted, "HOST:PORT of the node that is painted at");
  app.add_option("--viewers", plan.viewers, "WebSockets")->check(CLI::Range(0U, 20'000U));
  app.add_option("--rate", plan.rate, "placements a second")->check(CLI::Range(1.0, 100'000.0));
  app.add_option("--seconds", plan.seconds, "how long")->check(CLI::Range(0.1, 3600.0));
  app.add_flag("--json", plan.json, "the summary on one line");
  CLI11_PARSE(app, argc, argv);
  try {
    return parley::measure(plan);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "parley_viewers: %s\n", error.what());
    return 1;
  }
}
