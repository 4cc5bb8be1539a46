// The API of the course project distri-place, spoken by a client as its own page does.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/canvas/gateway.h"
#include "apps/canvas/gateway_json.h"
#include "apps/canvas/test_tools.h"

namespace parley {
namespace {

using testing::DriverNode;
using testing::HttpClient;
using testing::HttpReply;
using testing::ScriptedNode;
using testing::SocketFrame;
using testing::WebSocketClient;
using Json = nlohmann::json;

constexpr char kOrigin[] = "Origin: http://localhost:5500\r\n";

// Connects, asks for the pixels once it is connected, and follows the messages.
class CoursePage {
 public:
  CoursePage(std::uint16_t port, CanvasSize size)
      : size_(size), http_(port), socket_(port, "/ws/") {
    socket_.text(R"({"type":"connect","content":{"user_id":"e0b1c9a2"}})");
    const Json connected = next("connected");
    node = connected["content"]["node"];
    const HttpReply reply = http_.get("/client/pixels", kOrigin);
    EXPECT_EQ(reply.headers.at("access-control-allow-origin"), "http://localhost:5500");
    pixels = Json::parse(reply.body)["pixels"].get<std::vector<std::uint32_t>>();
  }

  bool place(std::uint32_t x, std::uint32_t y, std::uint32_t color) {
    const Json body{{"user_id", "e0b1c9a2"}, {"x", x}, {"y", y}, {"color", color}};
    const HttpReply reply = http_.post("/client/pixel", body.dump(),
                                       std::string(kOrigin) + "Content-Type: application/json\r\n");
    return reply.status == 200 && Json::parse(reply.body) == Json({{"success", true}});
  }

  void wait_for(std::uint32_t x, std::uint32_t y, std::uint32_t color) {
    while (pixels.at(y * size_.width + x) != color) next("pixel");
  }

  // Reads messages, and takes pixels in, until one is of a type.
  Json next(const std::string& type) {
    for (;;) {
      const SocketFrame frame = socket_.receive();
      if (frame.kind != SocketFrame::text) throw std::runtime_error("the end");
      Json message = Json::parse(frame.bytes);
      if (message["type"] == "pixel") {
        const Json& content = message["content"];
        pixels.at(content["y"].get<std::uint32_t>() * size_.width +
                  content["x"].get<std::uint32_t>()) = content["color"].get<std::uint32_t>();
      }
      if (message["type"] == type) return message;
    }
  }

  WebSocketClient& socket() { return socket_; }

  Json node;
  std::vector<std::uint32_t> pixels;

 private:
  CanvasSize size_;
  HttpClient http_;
  WebSocketClient socket_;
};

class GatewayCourseTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(gateway_.start(), ""); }

  Canvas canvas_{{64, 64}};
  DriverNode node_{canvas_};
  Gateway gateway_{canvas_, node_, {}};
};

TEST_F(GatewayCourseTest, ItsPageWorks) {
  CoursePage eve(gateway_.port(), canvas_.size());
  EXPECT_EQ(eve.node["id"], 1);
  EXPECT_EQ(eve.node["role"], "standalone");
  EXPECT_EQ(eve.pixels, std::vector<std::uint32_t>(64 * 64, 0));
  ASSERT_TRUE(eve.place(63, 62, 0xFF5733));
  eve.wait_for(63, 62, 0xFF5733);

  CoursePage bob(gateway_.port(), canvas_.size());
  EXPECT_EQ(bob.pixels, eve.pixels);
  for (std::uint32_t i = 1; i < 20; ++i) ASSERT_TRUE(bob.place(i, 0, i * 1000));
  for (std::uint32_t i = 1; i < 20; ++i) eve.wait_for(i, 0, i * 1000);
  bob.socket().text(R"({"type":"ping"})");
  EXPECT_EQ(bob.next("pong")["content"]["status"], "ok");
}

TEST_F(GatewayCourseTest, IsHealthy) {
  HttpClient http(gateway_.port());
  for (const char* path : {"/client/status", "/client/health"}) {
    const HttpReply reply = http.get(path, kOrigin);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, R"({"status":"ok"})");
  }
}

TEST_F(GatewayCourseTest, PagesMayAskBeforeTheyPost) {
  HttpClient http(gateway_.port());
  http.send(std::string("OPTIONS /client/pixel HTTP/1.1\r\nHost: localhost:8080\r\n") + kOrigin +
            "Access-Control-Request-Method: POST\r\n"
            "Access-Control-Request-Headers: content-type\r\n\r\n");
  const HttpReply reply = http.receive();
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.headers.at("access-control-allow-origin"), "http://localhost:5500");
  EXPECT_NE(reply.headers.at("access-control-allow-headers").find("Content-Type"),
            std::string::npos);
  EXPECT_EQ(http.get("/client/pixels", "Origin: https://evil.example\r\n").status, 403);
}

TEST_F(GatewayCourseTest, ErrorsNameTheField) {
  HttpClient http(gateway_.port());
  const auto field = [&](const std::string& body) {
    const HttpReply reply = http.post("/client/pixel", body);
    EXPECT_EQ(reply.status, 400);
    const Json json = Json::parse(reply.body);
    EXPECT_EQ(json["success"], false);
    return json["field"].get<std::string>();
  };
  EXPECT_EQ(field("[]"), "body");
  EXPECT_EQ(field(std::string(60000, '[')), "body");
  EXPECT_EQ(field(R"({"user_id":"a","x":64,"y":0,"color":0})"), "x");
  EXPECT_EQ(field(R"({"user_id":"a","x":0,"y":-1,"color":0})"), "y");
  EXPECT_EQ(field(R"({"user_id":"a","x":0,"y":0,"color":16777216})"), "color");
  EXPECT_EQ(field(R"({"user_id":"a","x":0,"y":0,"color":"#FFFFFF"})"), "color");
  EXPECT_EQ(field(R"({"user_id":{},"x":0,"y":0,"color":0})"), "user_id");
  EXPECT_EQ(http.post("/client/pixel", R"({"x":0,"y":0,"color":0,"user_id":7,"z":1})").status, 200);
}

TEST_F(GatewayCourseTest, MessagesThatAreNoneAreAnsweredSo) {
  CoursePage page(gateway_.port(), canvas_.size());
  for (const char* bad : {"", "{", "[]", "{}", "7", R"({"type":7})", R"({"type":"paint"})",
                          R"({"type":["connect"]})"}) {
    page.socket().text(bad);
    EXPECT_FALSE(page.next("error")["message"].get<std::string>().empty()) << bad;
  }
  page.socket().text(std::string(4096, '['));
  EXPECT_NE(page.next("error")["message"].get<std::string>().find("JSON object"),
            std::string::npos);
  page.socket().text(R"({"type":"ping"})");
  page.next("pong");
  page.socket().send(SocketFrame::binary, "hello");
  SocketFrame frame = page.socket().receive();
  EXPECT_EQ(frame.code(), 1003);
}

TEST(GatewayCourse, WhoFallsBehindIsSentEveryPaintedCell) {
  const Canvas canvas({64, 64});
  ScriptedNode node(canvas);
  GatewayConfig config;
  config.viewers.min_interval = config.viewers.max_interval = std::chrono::milliseconds(1);
  config.viewers.stream.max_frame_bytes = 50;
  Gateway gateway(canvas, node, config);
  ASSERT_EQ(gateway.start(), "");
  CoursePage page(gateway.port(), canvas.size());
  for (std::uint32_t i = 0; i < 64 * 64; ++i) node.paint(i % 64, i / 64, i + 1);
  for (std::uint32_t i = 0; i < 64 * 64; ++i) page.wait_for(i % 64, i / 64, i + 1);
  node.paint(1, 1, 5);
  page.wait_for(1, 1, 5);
}

TEST(GatewayCourse, LargeCanvasesAreNotListed) {
  const Canvas canvas({1001, 1000});
  ScriptedNode node(canvas);
  Gateway gateway(canvas, node, {});
  ASSERT_EQ(gateway.start(), "");
  const HttpReply reply = HttpClient(gateway.port()).get("/client/pixels");
  EXPECT_EQ(reply.status, 406);
  EXPECT_EQ(Json::parse(reply.body)["allowed"], "application/octet-stream, image/png");
}

TEST(GatewayCourse, RefusalsAreNoSuccess) {
  const Canvas canvas({64, 64});
  ScriptedNode node(canvas);
  Gateway gateway(canvas, node, {});
  ASSERT_EQ(gateway.start(), "");
  HttpClient http(gateway.port());
  node.say(Outcome::refused, RefusedBecause::no_leader);
  node.set_leader(kNoNode);
  const HttpReply reply = http.post("/client/pixel", R"({"x":0,"y":0,"color":0})");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers.at("retry-after"), "1");
  EXPECT_EQ(Json::parse(reply.body)["success"], false);
  EXPECT_EQ(http.get("/client/health").status, 503);
}

TEST(CourseJson, UsersAreTextsOrNumbers) {
  const auto user = [](const char* id) {
    PlaceRequest place;
    EXPECT_FALSE(parse_course_place(std::string(R"({"x":0,"y":0,"color":0,"user_id":)") + id + "}",
                                    {64, 64}, place));
    return place.user;
  };
  EXPECT_EQ(user("7"), 7U);
  EXPECT_EQ(user("null"), 0U);
  EXPECT_EQ(user("\"eve\""), user("\"eve\""));
  EXPECT_NE(user("\"eve\""), user("\"bob\""));
}

}  // namespace
}  // namespace parley
