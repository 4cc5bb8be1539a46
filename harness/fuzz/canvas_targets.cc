// What the canvas takes: bodies, headers and queries of HTTP, whole connections, WebSockets among
// them, and the frames that viewers are sent.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "apps/canvas/canvas.h"
#include "apps/canvas/gateway.h"
#include "apps/canvas/gateway_json.h"
#include "apps/canvas/http_text.h"
#include "apps/canvas/test_tools.h"
#include "apps/canvas/update_stream.h"
#include "harness/fuzz/bytes.h"
#include "harness/fuzz/connection.h"
#include "harness/fuzz/target.h"
#include "harness/terminal/picture.h"

namespace parley::fuzz {
namespace {

constexpr CanvasSize kSize{100, 50};

// --- bodies ---

void check_complaint(const std::optional<Complaint>& complaint, const PlaceRequest& place) {
  if (complaint) {
    require(!complaint->error.empty() && !complaint->reason.empty(), "a refusal says why");
    require(!complaint_json(*complaint).empty(), "a refusal can be written");
    return;
  }
  require(place.x < kSize.width && place.y < kSize.height && place.color <= kMaxColor,
          "what is accepted is in range");
}

void run_place_body(Bytes input) {
  PlaceRequest place;
  check_complaint(parse_place(text_of(input), kSize, place), place);
}

void run_course_body(Bytes input) {
  PlaceRequest place;
  check_complaint(parse_course_place(text_of(input), kSize, place), place);
  std::string error;
  const CourseMessage message = parse_course_message(text_of(input), error);
  require((message == CourseMessage::bad) == !error.empty(), "a bad message is told so");
  require(!course_error_json(error).empty(), "an error can be written");
}

std::vector<std::string> place_bodies() {
  return {
      R"({"x":50,"y":30,"color":"#FF5733"})",
      R"({"x":0,"y":49,"color":"#000000","user":4294967295,"client":9007199254740991,"seq":1})"};
}

std::vector<std::string> course_bodies() {
  return {R"({"user_id":"ann","x":50,"y":30,"color":16734003})",
          R"({"user_id":7,"x":0,"y":0,"color":0})", R"({"type":"connect"})", R"({"type":"ping"})"};
}

void run_member_change(Bytes input) {
  const std::vector<NodeId> nodes{NodeId{1}, NodeId{2}, NodeId{4}};
  MemberChange change;
  if (const auto complaint = parse_member_change(text_of(input), nodes, change)) {
    require(!complaint->reason.empty(), "a refusal says why");
    return;
  }
  require(change.add != kNoNode || change.remove != kNoNode, "a change changes something");
  const bool known = std::find(nodes.begin(), nodes.end(), change.add) != nodes.end();
  require(change.add == kNoNode || known, "who is added can be");
}

std::vector<std::string> member_changes() {
  return {R"({"add":2,"disk":"8417"})", R"({"remove":2})",
          R"({"add":4,"disk":"18446744073709551615","remove":1})"};
}

// --- the text of headers and queries ---

void run_http_text(Bytes input) {
  static constexpr std::string_view kOffered[] = {"application/json", "application/octet-stream",
                                                  "image/png"};
  const std::string_view text = text_of(input);
  const std::string host = host_of(text);
  require(host.size() <= text.size(), "a host is a part of its authority");
  is_loopback_host(host);
  is_loopback_host(text);
  host_of(origin_authority(text));
  const int choice = choose_media_type(text, kOffered);
  require(choice >= -1 && choice < 3, "a media type that is chosen was offered");
  etag_matches(text, "\"abc\"");
  for (const auto& [name, value] : query_parameters(text)) {
    std::uint64_t number = 0;
    if (parse_number(value, number)) require(!value.empty(), "no text is no number");
    Stamp stamp;
    if (parse_version(value, stamp)) require(version_text(stamp).size() == 32, "a stamp is a text");
    std::uint32_t color = 0;
    if (parse_color(name, color)) require(color <= kMaxColor, "a colour is in range");
  }
  CanvasSize size;
  if (parse_canvas_size(text, size).empty()) {
    require(size.width >= 1 && size.width <= kMaxCanvasSide && size.height >= 1 &&
                size.height <= kMaxCanvasSide,
            "a size that is accepted is in range");
  }
}

std::vector<std::string> http_texts() {
  return {"localhost:8080",
          "[::1]:8080",
          "127.0.0.1",
          "https://example.org:443",
          "text/html, application/json;q=0.9, */*;q=0.1",
          "W/\"abc\", \"def\"",
          "x=1&y=2&read=linearizable&seen=" + version_text({1234, 7}),
          "1000x1000",
          "#FF5733=1"};
}

// --- whole connections ---

struct ServedCanvas {
  ServedCanvas() : node(canvas), gateway(canvas, node, config()) {
    const std::string problem = gateway.start();
    require(problem.empty(), "a gateway starts");
  }
  static GatewayConfig config() {
    GatewayConfig config = testing::patient_config();
    config.faults = [](const std::string&, const auto& done) { done(200, "{}"); };
    config.http.socket_read_bytes_per_s = 1U << 30;
    return config;
  }
  Canvas canvas{kSize};
  testing::ScriptedNode node;
  Gateway gateway;
};

// What is sent at once, and what follows when there is an answer: that of a WebSocket.
void run_gateway(Bytes input) {
  constexpr int kPatienceMs = 3;
  static ServedCanvas served;
  const Connection connection(served.gateway.port());
  InputReader reader(input);
  connection.send(reader.piece());  // it may close before it has read all
  const Bytes rest = reader.rest();
  if (!rest.empty()) {
    connection.wait_for_answer(kPatienceMs);
    connection.send(rest);
  }
  const std::string answer = connection.read_to_end();
  if (answer.empty()) return;
  // 1.0 is answered in kind.
  const bool is_http = answer.starts_with("HTTP/1.1 ") || answer.starts_with("HTTP/1.0 ");
  require(is_http && answer.size() > 12, "an answer is one of HTTP");
  const int status = std::atoi(answer.c_str() + 9);
  // 500: the handler threw; 504: there was no answer of a node that always gives one.
  require(status >= 100 && status < 600 && status != 500 && status != 504,
          "an answer has a status that says what is wrong");
}

// As a client sends it, with a mask that changes nothing.
std::string socket_frame(unsigned first_byte, std::string_view text) {
  std::string frame;
  frame += static_cast<char>(first_byte);
  frame += static_cast<char>(0x80 | text.size());
  frame += std::string(4, '\0');
  return frame + std::string(text);
}

std::vector<std::string> connections() {
  const auto sent = [](const std::string& request, const std::string& after = "") {
    InputWriter writer;
    writer.piece(bytes_of(request));
    writer.rest(bytes_of(after));
    return writer.take();
  };
  const auto get = [&sent](const std::string& target, const std::string& headers = "") {
    return sent("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
  };
  const auto post = [&sent](const std::string& target, const std::string& body) {
    return sent("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  const std::string viewer = testing::WebSocketClient::request("/ws");
  const std::string course = testing::WebSocketClient::request("/ws/");
  const std::string version = version_text({1234, 7});
  return {get("/"),
          get("/canvas", "Accept: application/octet-stream\r\n"),
          get("/canvas", "If-None-Match: \"1\"\r\n"),
          get("/pixel?x=1&y=2&read=linearizable"),
          get("/pixel?x=1&y=2&read=local&seen=" + version),
          get("/status", "Origin: http://localhost:8080\r\n"),
          sent("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /metrics HTTP/1.0\r\n\r\n"),
          get("/metrics"),
          get("/client/pixels"),
          get("/client/status"),
          get("/members"),
          post("/members", member_changes()[0]),
          post("/pixel", place_bodies()[0]),
          post("/pixel", place_bodies()[1]),
          post("/client/pixel", course_bodies()[0]),
          post("/faults", R"({"fault":"heal"})"),
          sent("POST /pixel HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"
               "{\"x\":\r\n0\r\n\r\n"),
          sent(viewer, socket_frame(0x89, "ping") + socket_frame(0x88, "\x03\xe8")),
          sent(viewer, socket_frame(0x82, "binary")),
          sent(course, socket_frame(0x81, course_bodies()[2]) +
                           socket_frame(0x81, course_bodies()[3]) + socket_frame(0x88, "\x03\xe8")),
          sent(course, socket_frame(0x01, "{\"type\":") + socket_frame(0x80, "\"ping\"}"))};
}

// --- what viewers are sent ---

void run_update_frame(Bytes input) {
  try {
    FrameReader reader(text_of(input));
    if (reader.header().kind == FrameKind::picture) {
      const std::size_t bytes =
          std::size_t{reader.header().size.width} * reader.header().size.height * 3;
      require(reader.picture().size() == bytes, "a picture has all cells");
      return;
    }
    PixelChange change;
    std::size_t changes = 0;
    while (reader.next(change)) {
      ++changes;
      require(change.x < reader.header().size.width && change.y < reader.header().size.height,
              "a change is on the canvas");
    }
    require(changes <= input.size(), "a frame has no more changes than bytes");
  } catch (const FrameError& error) {
    require(error.what()[0] != '\0', "a frame that is refused says why");
  }
}

// Several frames, as `parley watch` takes them, each behind its length.
void run_watched(Bytes input) {
  terminal::Picture picture;
  InputReader reader(input);
  while (!reader.done()) {
    try {
      picture.take(text_of(reader.piece()), [&picture](const PixelChange& change) {
        const CanvasSize size = picture.header().size;
        require(change.x < size.width && change.y < size.height, "a change is on the canvas");
      });
    } catch (const FrameError& error) {
      require(error.what()[0] != '\0', "a frame that is refused says why");
      return;
    }
    const terminal::Window window{8, 4, 1, 1, 1};
    require(!picture.draw(window).empty(), "what was taken in can be drawn");
  }
}

std::vector<std::string> watched() {
  FrameHeader header;
  header.size = {4, 3};
  header.sequence = 76;
  header.kind = FrameKind::picture;
  InputWriter writer;
  writer.piece(bytes_of(encode_header(header) + std::string(std::size_t{4} * 3 * 3, 'x')));
  header.kind = FrameKind::changes;
  for (const std::uint32_t color : {0xff0000U, 0x00ff00U}) {
    ++header.sequence;
    const std::vector<PixelChange> changes{{1, 1, color}, {3, 2, color}};
    writer.piece(bytes_of(encode_changes(header, changes)));
  }
  return {writer.take()};
}

std::vector<std::string> update_frames() {
  FrameHeader header;
  header.size = kSize;
  header.sequence = 77;
  header.viewers = 3;
  const std::vector<PixelChange> changes{
      {1, 1, 0xff0000}, {2, 1, 0xff0000}, {3, 1, 0x00ff00}, {99, 49, 0xffffff}};
  FrameHeader picture = header;
  picture.kind = FrameKind::picture;
  return {encode_changes(header, {}), encode_changes(header, changes),
          encode_header(picture) + std::string(std::size_t{kSize.width} * kSize.height * 3, 'x')};
}

}  // namespace

void add_canvas_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"place_body", run_place_body, place_bodies, 20'000});
  targets.push_back({"course_body", run_course_body, course_bodies, 20'000});
  targets.push_back({"http_text", run_http_text, http_texts, 20'000});
  targets.push_back({"gateway", run_gateway, connections, 5000});
  targets.push_back({"member_change_body", run_member_change, member_changes, 20'000});
  targets.push_back({"watched_frames", run_watched, watched, 10'000});
  targets.push_back({"update_frame", run_update_frame, update_frames, 20'000});
}

}  // namespace parley::fuzz
