#include "apps/canvas/gateway.h"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <utility>

#include "algorithms/contract/fnv.h"
#include "apps/canvas/gateway_answers.h"
#include "apps/canvas/gateway_json.h"
#include "apps/canvas/http_text.h"
#include "apps/canvas/live_view.h"
#include "apps/canvas/metrics.h"
#include "apps/canvas/page.h"
#include "apps/canvas/png_pictures.h"

namespace parley {
namespace {

using Clock = std::chrono::steady_clock;
using Responder = HttpHandler::Responder;

constexpr std::uint32_t kMaxJsonPixels = 1'000'000;
constexpr std::array<std::string_view, 3> kCanvasTypes{"application/json",
                                                       "application/octet-stream", "image/png"};
constexpr char kCanvasTypesText[] = "application/json, application/octet-stream, image/png";
constexpr char kPathsText[] =
    "/, /side-by-side, /canvas, /pixel, /ws, /status, /health, /metrics, /members, /faults, "
    "/client/pixels, "
    "/client/pixel, "
    "/client/status, /client/health, /ws/";

// Versions with commas in between, as answers to the client said them.
bool parse_seen(std::string_view text, std::vector<Seen>& seen) {
  constexpr std::size_t kMost = 64;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    Stamp stamp;
    if (seen.size() == kMost || !parse_version(text.substr(0, comma), stamp)) return false;
    seen.push_back({NodeId{static_cast<std::uint32_t>(stamp.minor >> 32)}, 0, stamp.major});
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return true;
}

std::uint64_t random_number() {
  std::random_device random;
  const std::uint64_t high = random();
  return (high << 32) | random();
}

// The page may load from its own node only, and speak with all of them.
std::string page_policy(const std::map<NodeId, std::string>& pages) {
  std::string policy =
      "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; connect-src 'self'";
  for (const auto& [id, page] : pages) {
    const std::string rest = page.substr(page.find(':'));
    policy.append(" ").append(page);
    policy.append(page.starts_with("https:") ? " wss" : " ws").append(rest);
  }
  return policy;
}

// The page that shows several clusters speaks with those on this machine, wherever they are.
constexpr std::string_view kSideBySide = "/side-by-side";
constexpr std::string_view kSideBySidePolicy =
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; connect-src 'self' "
    "http://127.0.0.1:* ws://127.0.0.1:* http://localhost:* ws://localhost:*";

std::string fnv_etag(std::string_view content) {
  return "\"" + version_text({0, fnv1a(content)}).substr(16) + "\"";
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
  std::unique_ptr<SocketSession> open_socket(const HttpRequest& request,
                                             HttpResponse& refused) override;
  HttpResponse failure(HttpFailure kind, const HttpRequest* request) override;

 private:
  using Serve = void (Impl::*)(const HttpRequest&, const Responder&);
  struct Route {
    std::string_view path;
    std::string_view method;
    Serve serve;
  };
  using Placed = std::function<void(const std::optional<Failure>& failure, Stamp stamp)>;

  std::optional<Complaint> check_host(const HttpRequest& request) const;
  std::optional<Complaint> check_origin(const HttpRequest& request, bool& cross) const;
  void route(const HttpRequest& request, const Responder& respond);
  void answer_preflight(const Responder& respond) const;

  void get_canvas(const HttpRequest& request, const Responder& respond);
  void get_health(const HttpRequest& request, const Responder& respond);
  void get_metrics(const HttpRequest& request, const Responder& respond);
  void get_page(const HttpRequest& request, const Responder& respond);
  void get_pixel(const HttpRequest& request, const Responder& respond);
  void get_socket(const HttpRequest& request, const Responder& respond);
  void get_status(const HttpRequest& request, const Responder& respond);
  void post_pixel(const HttpRequest& request, const Responder& respond);
  void course_health(const HttpRequest& request, const Responder& respond);
  void course_pixel(const HttpRequest& request, const Responder& respond);
  void course_pixels(const HttpRequest& request, const Responder& respond);
  void post_faults(const HttpRequest& request, const Responder& respond);
  void get_members(const HttpRequest& request, const Responder& respond);
  void post_members(const HttpRequest& request, const Responder& respond);

  std::optional<Complaint> parse_pixel_query(const HttpRequest& request, std::uint32_t& x,
                                             std::uint32_t& y, ReadMode& mode,
                                             std::vector<Seen>& seen) const;
  void place(PlaceRequest place, const Placed& placed);
  void show_pixel(std::uint32_t x, std::uint32_t y, ReadMode mode, const canvas::CellState& cell,
                  const Responder& respond);
  [[nodiscard]] bool takes_faults() const { return config_.faults != nullptr && loopback_only_; }
  void with_report(std::function<void(const NodeReport&)> ready);
  // Answers itself, and goes no further, when the node is too busy to say how it fares.
  void with_known_report(const Responder& respond, std::function<void(const NodeReport&)> ready);
  void change_members(const MemberChange& change, const Responder& respond);
  void show_health(const Responder& respond, std::string (*json)(const NodeReport&));
  HttpResponse canvas_response(int type, const std::string& if_none_match);
  void png_response(const std::string& if_none_match, const Responder& respond);

  void tick();
  void tick_after(std::chrono::milliseconds delay);

  static const std::array<Route, 21> kRoutes;

  const Canvas& canvas_;
  NodePort& node_;
  const GatewayConfig config_;
  HttpServer server_;
  HttpServer::Poster post_;
  LiveView live_;
  Viewers viewers_;
  PngPictures pictures_;
  Placer placer_;
  GatewayCounters counters_;       // of placements; the rest is filled in when asked for
  const std::string page_policy_;  // what the page may load and connect to
  bool loopback_only_ = false;
  bool ticking_ = false;
  std::uint64_t tick_number_ = 0;
  std::chrono::milliseconds tick_interval_{0};
};

const std::array<Gateway::Impl::Route, 21> Gateway::Impl::kRoutes{{
    {"/", "GET", &Impl::get_page},
    {"/style.css", "GET", &Impl::get_page},
    {"/page.js", "GET", &Impl::get_page},
    {"/shared.js", "GET", &Impl::get_page},
    {kSideBySide, "GET", &Impl::get_page},
    {"/side-by-side.js", "GET", &Impl::get_page},
    {"/canvas", "GET", &Impl::get_canvas},
    {"/pixel", "GET", &Impl::get_pixel},
    {"/pixel", "POST", &Impl::post_pixel},
    {"/status", "GET", &Impl::get_status},
    {"/health", "GET", &Impl::get_health},
    {"/ws", "GET", &Impl::get_socket},
    {"/ws/", "GET", &Impl::get_socket},
    {"/metrics", "GET", &Impl::get_metrics},
    {"/members", "GET", &Impl::get_members},
    {"/members", "POST", &Impl::post_members},
    {"/faults", "POST", &Impl::post_faults},
    {"/client/pixels", "GET", &Impl::course_pixels},
    {"/client/pixel", "POST", &Impl::course_pixel},
    {"/client/status", "GET", &Impl::course_health},
    {"/client/health", "GET", &Impl::course_health},
}};

Gateway::Impl::Impl(const Canvas& canvas, NodePort& node, GatewayConfig config)
    : canvas_(canvas),
      node_(node),
      config_(std::move(config)),
      server_(config_.http, *this),
      post_(server_.poster()),
      live_(canvas, node, post_, config_.view_max_age, config_.max_body_bytes),
      viewers_(live_.view(), canvas.size(), config_.viewers, random_number() % (kMaxSequence / 2),
               [this](auto ready) { with_report(std::move(ready)); }),
      pictures_(live_.view(), canvas.size(), post_),
      placer_(
          [this](std::vector<std::byte> body, Placer::Done done) {
            node_.submit(std::move(body),
                         [post = post_, done = std::move(done)](std::span<const Result> results) {
                           const Result result = results.empty() ? Result{} : results.front();
                           post([done, result] { done(result); });
                         });
          },
          config_.placer, random_number()),
      page_policy_(page_policy(config_.pages)) {
  live_.on_update([this] { viewers_.stage(); });
  viewers_.on_first([this] {
    if (!ticking_) tick_after(viewers_.interval());
  });
}

std::string Gateway::Impl::start() {
  loopback_only_ = is_loopback_host(config_.address);
  std::string error = server_.listen(config_.address, config_.port);
  if (!error.empty()) return error;
  tick_after(std::chrono::milliseconds(0));
  server_.start();
  return {};
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
  const bool peer = std::any_of(config_.pages.begin(), config_.pages.end(), [&](const auto& page) {
    return page.second == request.origin + "/";
  });
  cross = peer || is_loopback_host(host_of(authority)) ||
          std::find(allowed.begin(), allowed.end(), request.origin) != allowed.end();
  if (cross) return std::nullopt;
  std::string names = "the pages of the nodes, pages of loopback addresses";
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
  respond(
      complaint_response(404, {"path: there is nothing here", "not_found", "path", kPathsText}));
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
      return failure_response(unknown(RefusedBecause::timed_out));
    case HttpFailure::broken:
      break;
  }
  return complaint_response(500, {"the server failed at this request", "broken", {}, {}});
}

// --- the endpoints ---

void Gateway::Impl::post_faults(const HttpRequest& request, const Responder& respond) {
  if (!takes_faults()) {
    return respond(complaint_response(
        403, {"faults: are not allowed here; `parley canvas --allow-faults` starts a cluster that "
              "takes them, over a loopback address",
              "not_allowed", "faults", "--allow-faults"}));
  }
  config_.faults(request.body, [post = post_, respond](int status, std::string json) {
    post([respond, status, json = std::move(json)]() mutable {
      respond(json_response(status, std::move(json)));
    });
  });
}

void Gateway::Impl::get_members(const HttpRequest&, const Responder& respond) {
  with_known_report(respond, [respond](const NodeReport& report) {
    respond(json_response(200, members_json(report)));
  });
}

void Gateway::Impl::post_members(const HttpRequest& request, const Responder& respond) {
  if (!loopback_only_) {
    return respond(complaint_response(
        403,
        {"members: are changed over a loopback address only, which this server is not bound to",
         "not_allowed", "members", "a loopback http_address"}));
  }
  with_known_report(respond, [this, respond, body = request.body](const NodeReport& report) {
    if (!report.changes_members) {
      return respond(complaint_response(
          501, {"members: those of " + report.algorithm + " do not change while it runs",
                std::string(reason_name(RefusedBecause::not_offered)),
                {},
                {}}));
    }
    std::vector<NodeId> nodes{report.node};
    for (const PeerReport& peer : report.peers) nodes.push_back(peer.id);
    std::sort(nodes.begin(), nodes.end());
    MemberChange change;
    if (const auto complaint = parse_member_change(body, nodes, change)) {
      return respond(complaint_response(400, *complaint));
    }
    change_members(change, respond);
  });
}

void Gateway::Impl::change_members(const MemberChange& change, const Responder& respond) {
  // What became of it is told also by a node that can no longer say how it fares.
  const auto answer = [this, respond](ControlReply::Outcome outcome, const std::string& reason) {
    with_report([respond, outcome, reason](const NodeReport& report) {
      switch (outcome) {
        case ControlReply::Outcome::done:
          return respond(json_response(200, change_json(report, "done", {})));
        case ControlReply::Outcome::refused:
          return respond(json_response(409, change_json(report, "refused", reason)));
        case ControlReply::Outcome::unknown:
          return respond(json_response(504, change_json(report, "unknown", reason)));
      }
    });
  };
  node_.change_members(
      change, [post = post_, answer](ControlReply::Outcome outcome, const std::string& reason) {
        post([answer, outcome, reason] { answer(outcome, reason); });
      });
}

void Gateway::Impl::get_page(const HttpRequest& request, const Responder& respond) {
  for (const PageFile& file : page_files()) {
    if (file.path != request.path) continue;
    HttpResponse response;
    const std::string etag = fnv_etag(file.content);
    const std::string policy(file.path == kSideBySide ? kSideBySidePolicy : page_policy_);
    response.headers = {{"ETag", etag},
                        {"Cache-Control", "no-cache"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Content-Security-Policy", policy}};
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
  PlaceRequest wish;
  if (const auto complaint = parse_place(request.body, canvas_.size(), wish)) {
    return respond(complaint_response(400, *complaint));
  }
  place(wish, [wish, respond](const std::optional<Failure>& failure, Stamp stamp) {
    respond(failure ? failure_response(*failure) : json_response(200, placed_json(wish, stamp)));
  });
}

void Gateway::Impl::place(PlaceRequest place, const Placed& placed) {
  if (canvas_.cooldown().count() != 0) {
    if (place.user == 0) {
      return placed(Failure{400,
                            {"user: is missing; users have to wait between two placements",
                             "invalid", "user", "1 to 4294967295"}},
                    {});
    }
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    place.time_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
  }
  placer_.place(place, [this, x = place.x, y = place.y, placed](const Result& result) {
    const auto reason = static_cast<RefusedBecause>(result.reason);
    switch (result.outcome) {
      case Outcome::ok:
        if (result.code != 0) {
          ++counters_.placed_refused;
          return placed(not_written(result, canvas_.cooldown()), {});
        }
        ++counters_.placed_ok;
        live_.acknowledged(x, y, result.stamp);
        return placed({}, result.stamp);
      case Outcome::refused:
        ++counters_.placed_refused;
        return placed(refusal(reason), {});
      case Outcome::unknown:
        ++counters_.placed_unknown;
        return placed(unknown(reason), {});
    }
  });
}

std::optional<Complaint> Gateway::Impl::parse_pixel_query(const HttpRequest& request,
                                                          std::uint32_t& x, std::uint32_t& y,
                                                          ReadMode& mode,
                                                          std::vector<Seen>& seen) const {
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
    } else if (name == "seen") {
      if (!parse_seen(value, seen)) {
        return invalid(name, "is not a list of ", "1 to 64 versions with commas in between");
      }
    } else {
      return Complaint{"query: unknown parameter; there are x, y, read, seen", "invalid", "query",
                       "x, y, read, seen"};
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
  std::vector<Seen> seen;
  if (const auto complaint = parse_pixel_query(request, x, y, mode, seen)) {
    return respond(complaint_response(400, *complaint));
  }
  std::vector<std::byte> query;
  encode_cell_ref(x, y, query);
  const auto answer = [this, respond, x, y, mode](const std::string& error, RefusedBecause reason,
                                                  const std::vector<canvas::CellState>& cells) {
    if (reason == RefusedBecause::timed_out) {
      return respond(
          complaint_response(504, {"no answer in time", std::string(reason_name(reason)), {}, {}}));
    }
    if (reason != RefusedBecause::none) return respond(failure_response(refusal(reason)));
    if (!error.empty() || cells.empty()) {
      return respond(complaint_response(500, {error, "broken", {}, {}}));
    }
    show_pixel(x, y, mode, cells.front(), respond);
  };
  node_.query(std::move(query), mode, std::move(seen),
              [post = post_, answer](const std::string& error, RefusedBecause reason, Bytes bytes) {
                post([answer, error, reason, cells = decode_cells(bytes, 1)] {
                  answer(error, reason, cells);
                });
              });
}

void Gateway::Impl::show_pixel(std::uint32_t x, std::uint32_t y, ReadMode mode,
                               const canvas::CellState& cell, const Responder& respond) {
  CanvasView& view = live_.view();
  const Stamp stamp{cell.stamp_major(), cell.stamp_minor()};
  // Before the first look nobody knows how long it has been there.
  if (live_.taken() && cell.painted() != 0) view.saw(x, y, stamp, LiveView::now_s());
  const CanvasView::Seconds when = view.first_seen(x, y, stamp);
  respond(json_response(200, pixel_json(x, y, cell, mode, when)));
}

void Gateway::Impl::with_report(std::function<void(const NodeReport&)> ready) {
  node_.report([post = post_, ready = std::move(ready)](NodeReport report) {
    post([ready, report = std::move(report)] { ready(report); });
  });
}

void Gateway::Impl::with_known_report(const Responder& respond,
                                      std::function<void(const NodeReport&)> ready) {
  with_report([respond, ready = std::move(ready)](const NodeReport& report) {
    if (report.node == kNoNode) {
      return respond(failure_response(refusal(RefusedBecause::overloaded)));
    }
    ready(report);
  });
}

void Gateway::Impl::get_status(const HttpRequest&, const Responder& respond) {
  with_known_report(respond, [this, respond](const NodeReport& report) {
    respond(json_response(200, status_json(report, config_.pages, canvas_, server_.counters(),
                                           viewers_.counters().viewers, takes_faults())));
  });
}

void Gateway::Impl::get_metrics(const HttpRequest&, const Responder& respond) {
  with_known_report(respond, [this, respond](const NodeReport& report) {
    GatewayCounters counters = counters_;
    counters.http = server_.counters();
    counters.viewers = viewers_.counters();
    counters.update_interval_s = std::chrono::duration<double>(tick_interval_).count();
    HttpResponse response = json_response(200, metrics_text(report, counters));
    response.content_type = kMetricsType;
    respond(std::move(response));
  });
}

void Gateway::Impl::get_health(const HttpRequest&, const Responder& respond) {
  show_health(respond, &health_json);
}

void Gateway::Impl::show_health(const Responder& respond, std::string (*json)(const NodeReport&)) {
  with_report([respond, json](const NodeReport& report) {
    if (report.node == kNoNode) {
      return respond(complaint_response(503, {"the node is overloaded", "overloaded", {}, {}}));
    }
    if (report.status.leader == kNoNode) {
      return respond(complaint_response(503, {"no leader is known", "no_leader", {}, {}}));
    }
    respond(json_response(200, json(report)));
  });
}

// --- viewers ---

void Gateway::Impl::get_socket(const HttpRequest& request, const Responder& respond) {
  HttpResponse response = complaint_response(426, {"Upgrade: " + request.path + " is a WebSocket",
                                                   "no_websocket", "Upgrade", "websocket"});
  response.headers.emplace_back("Upgrade", "websocket");
  respond(std::move(response));
}

std::unique_ptr<SocketSession> Gateway::Impl::open_socket(const HttpRequest& request,
                                                          HttpResponse& refused) {
  bool cross = false;
  std::optional<Complaint> complaint = check_host(request);
  if (!complaint) complaint = check_origin(request, cross);
  if (complaint) {
    refused = complaint_response(403, *complaint);
    return nullptr;
  }
  if (request.path == "/ws/") return viewers_.open_course();
  if (request.path != "/ws") {
    refused = complaint_response(
        404, {"path: there is no WebSocket here", "not_found", "path", "/ws, /ws/"});
    return nullptr;
  }
  std::optional<std::uint64_t> since;
  for (const auto& [name, value] : query_parameters(request.query)) {
    if (name == "since" && parse_number(value, since.emplace()) && *since <= kMaxSequence) continue;
    const std::string allowed = "0 to " + std::to_string(kMaxSequence);
    refused = name == "since"
                  ? complaint_response(400, {"since: is not a whole number from " + allowed,
                                             "invalid", "since", allowed})
                  : complaint_response(400, {"query: unknown parameter; there is since", "invalid",
                                             "query", "since"});
    return nullptr;
  }
  return viewers_.open(since);
}

// Looks at the node's state, tells the viewers, and sees when to do so again.
void Gateway::Impl::tick() {
  using std::chrono::milliseconds;
  ticking_ = true;
  live_.refresh([this](bool taken) {
    ticking_ = false;
    const Clock::time_point started = Clock::now();
    viewers_.flush();
    // At most a quarter of this thread goes into it.
    const auto spent = std::chrono::ceil<milliseconds>(Clock::now() - started) - milliseconds(1);
    // The node copies 32 KiB for each tile that changes between two looks.
    const std::size_t tiles = taken ? live_.view().tiles_read() : 0;
    const milliseconds copied(std::min<std::size_t>(tiles / 8, 250));
    tick_after(std::max({viewers_.interval(), copied, 4 * spent}));
  });
}

void Gateway::Impl::tick_after(std::chrono::milliseconds delay) {
  tick_interval_ = delay;
  server_.run_after(delay, [this, number = ++tick_number_] {
    if (number == tick_number_ && !ticking_) tick();
  });
}

// --- the API of the course project distri-place ---

void Gateway::Impl::course_health(const HttpRequest&, const Responder& respond) {
  show_health(respond, [](const NodeReport&) { return std::string(R"({"status":"ok"})"); });
}

void Gateway::Impl::course_pixel(const HttpRequest& request, const Responder& respond) {
  PlaceRequest wish;
  const auto refuse = [respond](const Failure& failure) {
    HttpResponse response = failure_response(failure);
    response.body = std::make_shared<const std::string>(course_refusal_json(failure.complaint));
    respond(std::move(response));
  };
  if (const auto complaint = parse_course_place(request.body, canvas_.size(), wish)) {
    return refuse({400, *complaint});
  }
  place(wish, [refuse, respond](const std::optional<Failure>& failure, Stamp) {
    if (failure) return refuse(*failure);
    respond(json_response(200, R"({"success":true})"));
  });
}

void Gateway::Impl::course_pixels(const HttpRequest&, const Responder& respond) {
  const auto [width, height] = canvas_.size();
  if (width * height > kMaxJsonPixels) {
    return respond(complaint_response(
        406, {"canvas: " + std::to_string(width * height) +
                  " cells are too many for JSON; ask /canvas for application/octet-stream or "
                  "image/png",
              "not_acceptable", "canvas", "application/octet-stream, image/png"}));
  }
  live_.with_fresh([this, respond](bool taken) {
    if (!taken) return respond(failure_response(refusal(RefusedBecause::overloaded)));
    HttpResponse response;
    response.content_type = kCanvasTypes[0];
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = live_.view().numbers();
    respond(response.body == nullptr ? too_many_bodies() : std::move(response));
  });
}

// --- the canvas ---

void Gateway::Impl::get_canvas(const HttpRequest& request, const Responder& respond) {
  const int type = choose_media_type(request.accept, kCanvasTypes);
  if (type < 0) {
    return respond(complaint_response(
        406, {std::string("Accept: the canvas is offered as ") + kCanvasTypesText, "not_acceptable",
              "Accept", kCanvasTypesText}));
  }
  live_.with_fresh([this, type, respond, tags = request.if_none_match](bool taken) {
    if (!taken) return respond(failure_response(refusal(RefusedBecause::overloaded)));
    if (kCanvasTypes[static_cast<std::size_t>(type)] == "image/png") {
      return png_response(tags, respond);
    }
    respond(canvas_response(type, tags));
  });
}

HttpResponse Gateway::Impl::canvas_response(int type, const std::string& if_none_match) {
  CanvasView& view = live_.view();
  const bool json = type == 0;
  if (json && view.painted() > kMaxJsonPixels) {
    constexpr char kOthers[] = "application/octet-stream, image/png";
    return complaint_response(
        406, {"Accept: " + std::to_string(view.painted()) +
                  " painted cells are too many for JSON; ask for one of " + kOthers,
              "not_acceptable", "Accept", kOthers});
  }
  HttpResponse response = tagged(view.digest(), json ? "json" : "rgb");
  if (etag_matches(if_none_match, response.headers.front().second)) {
    response.status = 304;
    return response;
  }
  response.content_type = kCanvasTypes[static_cast<std::size_t>(type)];
  response.body = json ? view.json() : view.rgb();
  return response.body == nullptr ? too_many_bodies() : response;
}

void Gateway::Impl::png_response(const std::string& if_none_match, const Responder& respond) {
  HttpResponse unchanged = tagged(live_.view().digest(), "png");
  if (etag_matches(if_none_match, unchanged.headers.front().second)) {
    unchanged.status = 304;
    return respond(std::move(unchanged));
  }
  pictures_.get([respond](const CanvasView::Body& png, std::uint64_t digest) {
    if (png == nullptr) return respond(too_many_bodies());
    HttpResponse response = tagged(digest, "png");
    response.content_type = "image/png";
    response.body = png;
    respond(std::move(response));
  });
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
