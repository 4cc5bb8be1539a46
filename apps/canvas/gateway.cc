#include "apps/canvas/gateway.h"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <utility>

#include "apps/canvas/canvas_view.h"
#include "apps/canvas/gateway_json.h"
#include "apps/canvas/http_text.h"
#include "apps/canvas/page.h"

namespace parley {
namespace {

using Clock = std::chrono::steady_clock;
using Responder = HttpHandler::Responder;

constexpr std::string_view kJsonType = "application/json";
constexpr std::uint32_t kMaxJsonPixels = 1'000'000;
constexpr std::size_t kMaxViewWaiters = 4096;
constexpr std::array<std::string_view, 2> kCanvasTypes{"application/json",
                                                       "application/octet-stream"};

HttpResponse json_response(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = kJsonType;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::make_shared<const std::string>(std::move(body));
  return response;
}

HttpResponse complaint_response(int status, const Complaint& complaint) {
  HttpResponse response = json_response(status, complaint_json(complaint));
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

// What was refused was not done: 429 where waiting a moment is enough, 503 where the cluster or the
// node has to recover first.
HttpResponse refusal_response(RefusedBecause reason) {
  const std::string word(reason_word(reason));
  switch (reason) {
    case RefusedBecause::invalid:
      return complaint_response(400, {"the node found the request invalid", word, {}, {}});
    case RefusedBecause::overloaded:
      return complaint_response(429, {"too much at once; nothing was done", word, {}, {}});
    case RefusedBecause::no_leader:
      return complaint_response(503, {"no leader is known; nothing was done", word, {}, {}});
    case RefusedBecause::stopping:
      return complaint_response(503, {"the node is stopping; nothing was done", word, {}, {}});
    case RefusedBecause::too_many_sessions:
      return complaint_response(
          503, {"no more clients can be told apart; nothing was done", word, "client", {}});
    default:
      return complaint_response(503, {"refused; nothing was done", word, {}, {}});
  }
}

HttpResponse unknown_response(RefusedBecause reason) {
  const std::string word(reason_word(reason));
  if (reason == RefusedBecause::too_old) {
    return complaint_response(
        504, {"seq: is too far behind the client's latest; whether it was done is forgotten",
              word,
              "seq",
              {}});
  }
  return complaint_response(504,
                            {"no answer in time; it may or may not have been done", word, {}, {}});
}

std::string fnv_etag(std::string_view content) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return "\"" + version_text({0, hash}).substr(16) + "\"";
}

}  // namespace

class Gateway::Impl final : public HttpHandler {
 public:
  Impl(const Canvas& canvas, NodePort& node, GatewayConfig config);

  std::string start();
  void stop() { server_.stop(); }
  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] std::string url() const;

  void handle(const HttpRequest& request, Responder respond) override;
  HttpResponse failure(HttpFailure kind, const HttpRequest* request) override;

 private:
  using Serve = void (Impl::*)(const HttpRequest&, const Responder&);
  struct Route {
    std::string_view path;
    std::string_view method;
    Serve serve;
  };
  struct ViewWaiter {
    std::uint64_t
        after;  // the view must have been taken when this many placements were acknowledged
    std::function<void(bool)> ready;
  };

  std::optional<Complaint> check_host(const HttpRequest& request) const;
  std::optional<Complaint> check_origin(const HttpRequest& request, bool& cross) const;
  void route(const HttpRequest& request, const Responder& respond);
  void answer_preflight(const Responder& respond) const;

  void get_canvas(const HttpRequest& request, const Responder& respond);
  void get_health(const HttpRequest& request, const Responder& respond);
  void get_page(const HttpRequest& request, const Responder& respond);
  void get_pixel(const HttpRequest& request, const Responder& respond);
  void get_status(const HttpRequest& request, const Responder& respond);
  void post_pixel(const HttpRequest& request, const Responder& respond);
  void not_yet(const HttpRequest& request, const Responder& respond);

  std::optional<Complaint> parse_pixel_query(const HttpRequest& request, std::uint32_t& x,
                                             std::uint32_t& y, ReadMode& mode) const;
  HttpResponse canvas_response(int type, const std::string& if_none_match);
  void with_view(std::function<void(bool)> ready);
  void freeze();
  void on_frozen(const FrozenStore& store, const NodeReport& report, std::uint64_t acknowledged);

  static const std::array<Route, 16> kRoutes;

  const Canvas& canvas_;
  NodePort& node_;
  const GatewayConfig config_;
  CanvasView view_;
  std::optional<Clock::time_point> view_taken_;
  std::uint64_t view_acknowledged_ = 0;  // what `acknowledged_` was when the view was asked for
  std::uint64_t acknowledged_ = 0;       // placements through this gateway that were done
  bool freezing_ = false;
  std::vector<ViewWaiter> view_waiters_;
  HttpServer server_;
  HttpServer::Poster post_;
  Placer placer_;
  bool loopback_only_ = false;
};

const std::array<Gateway::Impl::Route, 16> Gateway::Impl::kRoutes{{
    {"/", "GET", &Impl::get_page},
    {"/style.css", "GET", &Impl::get_page},
    {"/page.js", "GET", &Impl::get_page},
    {"/canvas", "GET", &Impl::get_canvas},
    {"/pixel", "GET", &Impl::get_pixel},
    {"/pixel", "POST", &Impl::post_pixel},
    {"/status", "GET", &Impl::get_status},
    {"/health", "GET", &Impl::get_health},
    {"/ws", "GET", &Impl::not_yet},
    {"/ws/", "GET", &Impl::not_yet},
    {"/metrics", "GET", &Impl::not_yet},
    {"/faults", "POST", &Impl::not_yet},
    {"/client/pixels", "GET", &Impl::not_yet},
    {"/client/pixel", "POST", &Impl::not_yet},
    {"/client/status", "GET", &Impl::not_yet},
    {"/client/health", "GET", &Impl::not_yet},
}};

Gateway::Impl::Impl(const Canvas& canvas, NodePort& node, GatewayConfig config)
    : canvas_(canvas),
      node_(node),
      config_(std::move(config)),
      view_(canvas, config_.max_body_bytes),
      server_(config_.http, *this),
      post_(server_.poster()),
      placer_(
          [this](std::vector<std::byte> body, Placer::Done done) {
            node_.submit(std::move(body),
                         [post = post_, done = std::move(done)](std::span<const Result> results) {
                           const Result result = results.empty() ? Result{} : results.front();
                           post([done, result] { done(result); });
                         });
          },
          config_.placer,
          [] {
            std::random_device random;
            const std::uint64_t high = random();
            return (high << 32) | random();
          }()) {}

std::string Gateway::Impl::start() {
  loopback_only_ = is_loopback_host(config_.address);
  std::string error = server_.listen(config_.address, config_.port);
  if (error.empty()) server_.start();
  return error;
}

std::string Gateway::Impl::url() const {
  std::string host = config_.address;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(port()) + "/";
}

// --- before the routes: who asks, and from where ---

std::optional<Complaint> Gateway::Impl::check_host(const HttpRequest& request) const {
  const std::string host = host_of(request.host);
  const auto& allowed = config_.allowed_hosts;
  // Without a Host it is no browser.
  if (request.host.empty() || is_loopback_host(host)) return std::nullopt;
  if (std::find(allowed.begin(), allowed.end(), host) != allowed.end()) return std::nullopt;
  if (!loopback_only_ && allowed.empty()) return std::nullopt;
  std::string names = "localhost, 127.0.0.1, [::1]";
  for (const std::string& name : allowed) names += ", " + name;
  return Complaint{"Host: this server does not answer for that name", "foreign_host", "Host",
                   names};
}

// `cross` says whether the page comes from another origin than this server, and may use it.
std::optional<Complaint> Gateway::Impl::check_origin(const HttpRequest& request,
                                                     bool& cross) const {
  if (request.origin.empty()) return std::nullopt;
  const std::string_view authority = origin_authority(request.origin);
  if (!authority.empty() && authority == request.host) return std::nullopt;
  const auto& allowed = config_.allowed_origins;
  cross = is_loopback_host(host_of(authority)) ||
          std::find(allowed.begin(), allowed.end(), request.origin) != allowed.end();
  if (cross) return std::nullopt;
  std::string names = "the page of this server, pages of loopback addresses";
  for (const std::string& name : allowed) names += ", " + name;
  return Complaint{"Origin: pages of that origin may not use this server", "foreign_origin",
                   "Origin", names};
}

void Gateway::Impl::handle(const HttpRequest& request, Responder respond) {
  bool cross = false;
  std::optional<Complaint> complaint = check_host(request);
  if (!complaint) complaint = check_origin(request, cross);
  if (complaint) return respond(complaint_response(403, *complaint));
  respond = [inner = std::move(respond), cross, origin = request.origin](HttpResponse response) {
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    if (cross) {
      response.headers.emplace_back("Access-Control-Allow-Origin", origin);
      response.headers.emplace_back("Access-Control-Expose-Headers", "ETag, Retry-After");
    }
    inner(std::move(response));
  };
  if (request.method == "OPTIONS") return answer_preflight(respond);
  route(request, respond);
}

void Gateway::Impl::answer_preflight(const Responder& respond) const {
  HttpResponse response;
  response.status = 204;
  response.headers = {{"Allow", "GET, HEAD, POST, OPTIONS"},
                      {"Access-Control-Allow-Methods", "GET, HEAD, POST"},
                      {"Access-Control-Allow-Headers", "Content-Type, If-None-Match"},
                      {"Access-Control-Max-Age", "600"}};
  respond(std::move(response));
}

void Gateway::Impl::route(const HttpRequest& request, const Responder& respond) {
  std::string methods;
  for (const Route& route : kRoutes) {
    if (route.path != request.path) continue;
    if (route.method == request.method) return (this->*route.serve)(request, respond);
    if (!methods.empty()) methods += ", ";
    methods += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  if (!methods.empty()) {
    HttpResponse response = complaint_response(
        405, {"method: " + request.path + " takes " + methods, "method", "method", methods});
    response.headers.emplace_back("Allow", methods);
    return respond(std::move(response));
  }
  respond(complaint_response(404, {"path: there is nothing here", "not_found", "path",
                                   "/, /canvas, /pixel, /status, /health"}));
}

HttpResponse Gateway::Impl::failure(HttpFailure kind, const HttpRequest* request) {
  const HttpLimits& limits = config_.http;
  switch (kind) {
    case HttpFailure::malformed:
      return complaint_response(400, {"request: is not HTTP/1.1", "malformed", "request", {}});
    case HttpFailure::header_too_large: {
      const std::string most = "at most " + std::to_string(limits.max_header_bytes) + " bytes";
      return complaint_response(431, {"header: takes " + most, "too_large", "header", most});
    }
    case HttpFailure::body_too_large: {
      const std::string most = "at most " + std::to_string(limits.max_body_bytes) + " bytes";
      return complaint_response(413, {"body: takes " + most, "too_large", "body", most});
    }
    case HttpFailure::overloaded:
      return complaint_response(
          503, {"too many requests at once; nothing was done", "overloaded", {}, {}});
    case HttpFailure::timed_out:
      if (request != nullptr && request->path == "/health") {
        return complaint_response(503, {"the node does not answer", "timed_out", {}, {}});
      }
      return unknown_response(RefusedBecause::timed_out);
    case HttpFailure::broken:
      break;
  }
  return complaint_response(500, {"the server failed at this request", "broken", {}, {}});
}

// --- the endpoints ---

void Gateway::Impl::not_yet(const HttpRequest& request, const Responder& respond) {
  respond(complaint_response(
      501, {"path: " + request.path + " is not in this version", "not_in_this_version", "path",
            "/, /canvas, /pixel, /status, /health"}));
}

void Gateway::Impl::get_page(const HttpRequest& request, const Responder& respond) {
  for (const PageFile& file : page_files()) {
    if (file.path != request.path) continue;
    HttpResponse response;
    const std::string etag = fnv_etag(file.content);
    response.headers = {{"ETag", etag},
                        {"Cache-Control", "no-cache"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Content-Security-Policy",
                         "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"}};
    if (etag_matches(request.if_none_match, etag)) {
      response.status = 304;
    } else {
      response.content_type = file.content_type;
      response.body = std::make_shared<const std::string>(file.content);
    }
    return respond(std::move(response));
  }
}

void Gateway::Impl::post_pixel(const HttpRequest& request, const Responder& respond) {
  PlaceRequest place;
  if (const auto complaint = parse_place(request.body, canvas_.size(), place)) {
    return respond(complaint_response(400, *complaint));
  }
  placer_.place(place, [this, place, respond](const Result& result) {
    const auto reason = static_cast<RefusedBecause>(result.reason);
    switch (result.outcome) {
      case Outcome::ok:
        ++acknowledged_;
        return respond(json_response(200, placed_json(place, result.stamp)));
      case Outcome::refused:
        return respond(refusal_response(reason));
      case Outcome::unknown:
        return respond(unknown_response(reason));
    }
  });
}

std::optional<Complaint> Gateway::Impl::parse_pixel_query(const HttpRequest& request,
                                                          std::uint32_t& x, std::uint32_t& y,
                                                          ReadMode& mode) const {
  const auto [width, height] = canvas_.size();
  const auto invalid = [](std::string_view field, const std::string& what,
                          const std::string& allowed) {
    return Complaint{std::string(field) + ": " + what + allowed, "invalid", std::string(field),
                     allowed};
  };
  bool has_x = false;
  bool has_y = false;
  for (const auto& [name, value] : query_parameters(request.query)) {
    if (name == "x" || name == "y") {
      const std::uint32_t highest = (name == "x" ? width : height) - 1;
      const std::string allowed = "0 to " + std::to_string(highest);
      std::uint64_t number = 0;
      if (!parse_number(value, number))
        return invalid(name, "is not a whole number from ", allowed);
      if (number > highest) {
        return invalid(name, std::to_string(number) + " is outside ", allowed);
      }
      (name == "x" ? x : y) = static_cast<std::uint32_t>(number);
      (name == "x" ? has_x : has_y) = true;
    } else if (name == "read") {
      if (value != "local" && value != "linearizable") {
        return invalid(name, "is neither of ", "local, linearizable");
      }
      mode = value == "local" ? ReadMode::local : ReadMode::linearizable;
    } else {
      return Complaint{"query: unknown parameter; there are x, y, read", "invalid", "query",
                       "x, y, read"};
    }
  }
  if (!has_x) return invalid("x", "is missing; allowed is ", "0 to " + std::to_string(width - 1));
  if (!has_y) return invalid("y", "is missing; allowed is ", "0 to " + std::to_string(height - 1));
  return std::nullopt;
}

void Gateway::Impl::get_pixel(const HttpRequest& request, const Responder& respond) {
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  ReadMode mode = ReadMode::local;
  if (const auto complaint = parse_pixel_query(request, x, y, mode)) {
    return respond(complaint_response(400, *complaint));
  }
  std::vector<std::byte> query;
  encode_cell_ref(x, y, query);
  const auto answer = [respond, x, y, mode](const std::string& error, RefusedBecause reason,
                                            const std::vector<canvas::CellState>& cells) {
    if (reason == RefusedBecause::timed_out) {
      return respond(
          complaint_response(504, {"no answer in time", std::string(reason_word(reason)), {}, {}}));
    }
    if (reason != RefusedBecause::none) return respond(refusal_response(reason));
    if (!error.empty() || cells.empty()) {
      return respond(complaint_response(500, {error, "broken", {}, {}}));
    }
    respond(json_response(200, pixel_json(x, y, cells.front(), mode)));
  };
  node_.query(std::move(query), mode,
              [post = post_, answer](const std::string& error, RefusedBecause reason, Bytes bytes) {
                post([answer, error, reason, cells = decode_cells(bytes, 1)] {
                  answer(error, reason, cells);
                });
              });
}

void Gateway::Impl::get_status(const HttpRequest&, const Responder& respond) {
  node_.report([this, post = post_, respond](NodeReport report) {
    post([this, respond, report = std::move(report)] {
      if (report.node == kNoNode) return respond(refusal_response(RefusedBecause::overloaded));
      respond(json_response(200, status_json(report, canvas_.size(), server_.counters())));
    });
  });
}

void Gateway::Impl::get_health(const HttpRequest&, const Responder& respond) {
  node_.report([post = post_, respond](NodeReport report) {
    post([respond, report = std::move(report)] {
      if (report.node == kNoNode) {
        return respond(complaint_response(503, {"the node is overloaded", "overloaded", {}, {}}));
      }
      if (report.status.leader == kNoNode) {
        return respond(complaint_response(503, {"no leader is known", "no_leader", {}, {}}));
      }
      respond(json_response(200, health_json(report)));
    });
  });
}

// --- the canvas ---

void Gateway::Impl::get_canvas(const HttpRequest& request, const Responder& respond) {
  const int type = choose_media_type(request.accept, kCanvasTypes);
  if (type < 0) {
    return respond(complaint_response(
        406, {"Accept: the canvas is offered as application/json and application/octet-stream; "
              "image/png is not in this version",
              "not_acceptable", "Accept", "application/json, application/octet-stream"}));
  }
  with_view([this, type, respond, tags = request.if_none_match](bool taken) {
    respond(taken ? canvas_response(type, tags) : refusal_response(RefusedBecause::overloaded));
  });
}

HttpResponse Gateway::Impl::canvas_response(int type, const std::string& if_none_match) {
  const bool json = type == 0;
  if (json && view_.painted() > kMaxJsonPixels) {
    return complaint_response(
        406, {"Accept: " + std::to_string(view_.painted()) +
                  " painted cells are too many for JSON; ask for application/octet-stream",
              "not_acceptable", "Accept", "application/octet-stream"});
  }
  HttpResponse response;
  const std::string etag =
      "\"" + version_text({0, view_.digest()}).substr(16) + (json ? "-json\"" : "-rgb\"");
  response.headers = {{"ETag", etag}, {"Vary", "Accept, Origin"}, {"Cache-Control", "no-cache"}};
  if (etag_matches(if_none_match, etag)) {
    response.status = 304;
    return response;
  }
  response.content_type = kCanvasTypes[static_cast<std::size_t>(type)];
  response.body = json ? view_.json() : view_.rgb();
  if (response.body == nullptr) {
    return complaint_response(
        503, {"too many slow readers hold earlier canvases", "overloaded", {}, {}});
  }
  return response;
}

// Calls `ready` once the view is fresh: not older than its limit, and not older than what this
// gateway has acknowledged. Gives false if the node would not show its state.
void Gateway::Impl::with_view(std::function<void(bool)> ready) {
  const bool young = view_taken_ && Clock::now() - *view_taken_ <= config_.view_max_age;
  if (young && view_acknowledged_ == acknowledged_) return ready(true);
  // A node that does not answer must not gather them without end.
  if (view_waiters_.size() >= kMaxViewWaiters) return ready(false);
  view_waiters_.push_back({acknowledged_, std::move(ready)});
  if (!freezing_) freeze();
}

void Gateway::Impl::freeze() {
  freezing_ = true;
  node_.freeze(
      [this, post = post_, acknowledged = acknowledged_](FrozenStore store, NodeReport report) {
        post([this, acknowledged, store = std::move(store), report = std::move(report)] {
          on_frozen(store, report, acknowledged);
        });
      });
}

void Gateway::Impl::on_frozen(const FrozenStore& store, const NodeReport& report,
                              std::uint64_t acknowledged) {
  freezing_ = false;
  const bool taken = store.key_count() == canvas_.key_count();
  if (taken) {
    view_.update(store, report.applied);
    view_taken_ = Clock::now();
    view_acknowledged_ = acknowledged;
  }
  std::vector<ViewWaiter> waiters = std::exchange(view_waiters_, {});
  for (ViewWaiter& waiter : waiters) {
    if (!taken || waiter.after <= acknowledged) {
      waiter.ready(taken);
    } else {
      view_waiters_.push_back(std::move(waiter));
    }
  }
  if (!view_waiters_.empty() && !freezing_) freeze();
}

Gateway::Gateway(const Canvas& canvas, NodePort& node, GatewayConfig config)
    : impl_(std::make_unique<Impl>(canvas, node, std::move(config))) {}

Gateway::~Gateway() {
  stop();
}

std::string Gateway::start() {
  return impl_->start();
}
void Gateway::stop() {
  impl_->stop();
}
std::uint16_t Gateway::port() const {
  return impl_->port();
}
std::string Gateway::url() const {
  return impl_->url();
}

}  // namespace parley
