// The endpoints over real HTTP, with a real node behind them.
#include "apps/canvas/gateway.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/canvas/page.h"
#include "apps/canvas/test_tools.h"

namespace parley {
namespace {

using testing::DriverNode;
using testing::HttpClient;
using testing::HttpReply;
using testing::ScriptedNode;
using Json = nlohmann::json;

constexpr char kRgb[] = "Accept: application/octet-stream\r\n";
constexpr char kPng[] = "Accept: image/png\r\n";

class GatewayTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(gateway_.start(), ""); }

  HttpClient client() { return HttpClient(gateway_.port()); }

  Canvas canvas_{{100, 50}};
  DriverNode node_{canvas_};
  Gateway gateway_{canvas_, node_, {}};
};

void expect_error(const HttpReply& reply, int status, const std::string& field) {
  EXPECT_EQ(reply.status, status) << reply.body;
  EXPECT_EQ(reply.headers.at("content-type"), "application/json");
  const Json json = Json::parse(reply.body);
  EXPECT_EQ(json.value("field", ""), field) << reply.body;
  EXPECT_NE(json.value("error", ""), "");
  EXPECT_NE(json.value("reason", ""), "");
}

TEST_F(GatewayTest, PlacesAPixelAndShowsIt) {
  HttpClient http(gateway_.port());
  const HttpReply placed = http.post("/pixel", R"({"x":50,"y":30,"color":"#FF5733","user":9})");
  ASSERT_EQ(placed.status, 200) << placed.body;
  EXPECT_EQ(placed.headers.at("content-type"), "application/json");
  const Json answer = Json::parse(placed.body);
  const std::string version = answer["version"];
  EXPECT_EQ(version.size(), 32U);
  EXPECT_EQ(answer["color"], "#FF5733");

  for (const char* read : {"", "&read=local", "&read=linearizable"}) {
    const HttpReply shown = http.get(std::string("/pixel?x=50&y=30") + read);
    ASSERT_EQ(shown.status, 200) << shown.body;
    const Json pixel = Json::parse(shown.body);
    EXPECT_EQ(pixel["color"], "#FF5733");
    EXPECT_EQ(pixel["version"], version);
    EXPECT_EQ(pixel["user"], 9);
    EXPECT_EQ(pixel["painted"], true);
  }
  const HttpReply canvas = http.get("/canvas");
  ASSERT_EQ(canvas.status, 200);
  const Json picture = Json::parse(canvas.body);
  EXPECT_EQ(picture["width"], 100);
  EXPECT_EQ(picture["height"], 50);
  EXPECT_EQ(picture["pixels"], Json({{"50,30", "#FF5733"}}));
  ASSERT_EQ(picture["version"].size(), 1U);
}

TEST_F(GatewayTest, ShowsACellThatWasNeverPainted) {
  const Json pixel = Json::parse(client().get("/pixel?x=0&y=0").body);
  EXPECT_EQ(pixel["painted"], false);
  EXPECT_TRUE(pixel["color"].is_null());
  EXPECT_EQ(pixel["version"], std::string(32, '0'));
}

TEST_F(GatewayTest, AcknowledgedPlacementsAreInTheNextCanvas) {
  HttpClient http(gateway_.port());
  for (int x = 0; x < 50; ++x) {
    ASSERT_EQ(
        http.post("/pixel", R"({"x":)" + std::to_string(x) + R"(,"y":0,"color":"#000000"})").status,
        200);
    const std::string rgb = http.get("/canvas", kRgb).body;
    ASSERT_EQ(rgb.size(), 100U * 50 * 3);
    ASSERT_EQ(rgb.substr(static_cast<std::size_t>(x) * 3, 6), std::string("\0\0\0\xff\xff\xff", 6));
  }
}

TEST_F(GatewayTest, ViewersShareOneFrozenState) {
  GatewayConfig config;
  config.view_max_age = std::chrono::hours(1);
  config.viewers.idle_interval = std::chrono::hours(1);
  DriverNode node(canvas_);
  Gateway gateway(canvas_, node, config);
  ASSERT_EQ(gateway.start(), "");
  HttpClient http(gateway.port());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(http.get("/canvas").status, 200);
  EXPECT_EQ(node.freezes(), 1);
}

TEST_F(GatewayTest, AnUnchangedCanvasIsNotSentTwice) {
  HttpClient http(gateway_.port());
  for (const char* accept : {"", kRgb, kPng}) {
    http.post("/pixel", R"({"x":1,"y":1,"color":"#111111"})");
    const std::string tag = http.get("/canvas", accept).headers.at("etag");
    const HttpReply again =
        http.get("/canvas", std::string(accept) + "If-None-Match: " + tag + "\r\n");
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.headers.at("etag"), tag);
    http.post("/pixel", R"({"x":1,"y":1,"color":"#222222"})");
    EXPECT_EQ(http.get("/canvas", std::string(accept) + "If-None-Match: " + tag + "\r\n").status,
              200);
  }
}

TEST_F(GatewayTest, OffersTheCanvasInThreeFormats) {
  HttpClient http(gateway_.port());
  EXPECT_EQ(http.get("/canvas", kRgb).headers.at("content-type"), "application/octet-stream");
  EXPECT_EQ(http.get("/canvas", "Accept: text/html, */*;q=0.1\r\n").headers.at("content-type"),
            "application/json");
  const HttpReply png = http.get("/canvas", kPng);
  EXPECT_EQ(png.status, 200);
  EXPECT_EQ(png.headers.at("content-type"), "image/png");
  EXPECT_EQ(png.body.substr(0, 8), "\x89PNG\r\n\x1a\n");
  const HttpReply other = http.get("/canvas", "Accept: text/html\r\n");
  expect_error(other, 406, "Accept");
  EXPECT_EQ(Json::parse(other.body)["allowed"],
            "application/json, application/octet-stream, image/png");
}

TEST_F(GatewayTest, HasMetrics) {
  HttpClient http(gateway_.port());
  http.post("/pixel", R"({"x":1,"y":1,"color":"#111111"})");
  const HttpReply reply = http.get("/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  for (const char* line :
       {"\nparley_commands_applied_total{node=\"1\",algorithm=\"unreplicated\"} 1\n",
        "\nparley_placements_total{node=\"1\",algorithm=\"unreplicated\",outcome=\"ok\"} 1\n",
        "\nparley_http_requests_total{node=\"1\",algorithm=\"unreplicated\"} 2\n"}) {
    EXPECT_NE(reply.body.find(line), std::string::npos) << line << reply.body;
  }
}

TEST_F(GatewayTest, RecognisesARetryOfANumberedPlacement) {
  HttpClient http(gateway_.port());
  const std::string body = R"({"x":1,"y":1,"color":"#111111","client":77,"seq":1})";
  const Json first = Json::parse(http.post("/pixel", body).body);
  EXPECT_EQ(http.post("/pixel", R"({"x":1,"y":1,"color":"#222222","client":77,"seq":2})").status,
            200);
  // Through another gateway of the node, as after a failure of the first.
  Gateway other(canvas_, node_, {});
  ASSERT_EQ(other.start(), "");
  const Json retried = Json::parse(HttpClient(other.port()).post("/pixel", body).body);
  EXPECT_EQ(retried["version"], first["version"]);
  EXPECT_EQ(Json::parse(http.get("/pixel?x=1&y=1").body)["color"], "#222222");
}

TEST_F(GatewayTest, ANumberFarBehindIsUnknown) {
  HttpClient http(gateway_.port());
  http.post("/pixel", R"({"x":1,"y":1,"color":"#111111","client":77,"seq":100})");
  expect_error(http.post("/pixel", R"({"x":1,"y":1,"color":"#111111","client":77,"seq":1})"), 504,
               "seq");
}

TEST_F(GatewayTest, ManyPlacementsAtOnceAreAllDoneOnce) {
  constexpr int kConnections = 100;
  constexpr int kRounds = 10;
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < kConnections; ++i) {
    clients.push_back(std::make_unique<HttpClient>(gateway_.port()));
  }
  for (int round = 0; round < kRounds; ++round) {
    const std::string body = R"({"x":)" + std::to_string(round) + R"(,"y":0,"color":"#123456"})";
    for (const auto& http : clients) {
      http->send("POST /pixel HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                 std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    for (const auto& http : clients) EXPECT_EQ(http->receive().status, 200);
  }
  const Json status = Json::parse(clients.front()->get("/status").body);
  EXPECT_EQ(status["commands_applied"], kConnections * kRounds);
}

TEST_F(GatewayTest, NamesTheFieldAtFault) {
  HttpClient http(gateway_.port());
  expect_error(http.post("/pixel", R"({"x":100,"y":1,"color":"#111111"})"), 400, "x");
  expect_error(http.post("/pixel", R"({"x":1,"y":50,"color":"#111111"})"), 400, "y");
  expect_error(http.post("/pixel", R"({"x":1,"y":1,"color":"blue"})"), 400, "color");
  expect_error(http.post("/pixel", "no json"), 400, "body");
  expect_error(http.post("/pixel", ""), 400, "body");
  expect_error(http.get("/pixel?x=100&y=1"), 400, "x");
  expect_error(http.get("/pixel?x=1&y=one"), 400, "y");
  expect_error(http.get("/pixel?x=1"), 400, "y");
  expect_error(http.get("/pixel"), 400, "x");
  expect_error(http.get("/pixel?x=1&y=1&read=dirty"), 400, "read");
  expect_error(http.get("/pixel?x=1&y=1&z=1"), 400, "query");
}

TEST_F(GatewayTest, KnowsItsPathsAndMethods) {
  HttpClient http(gateway_.port());
  expect_error(http.get("/nothing"), 404, "path");
  const HttpReply wrong = http.post("/canvas", "");
  expect_error(wrong, 405, "method");
  EXPECT_EQ(wrong.headers.at("allow"), "GET, HEAD");
  http.send("DELETE /pixel HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(http.receive().headers.at("allow"), "GET, HEAD, POST");
  for (const char* path : {"/ws", "/ws/"}) expect_error(http.get(path), 426, "Upgrade");
  expect_error(http.post("/faults", "{}"), 403, "faults");
}

TEST(GatewayFaults, AreHandedOnWhereTheyAreAllowed) {
  const Canvas canvas({8, 8});
  DriverNode node(canvas);
  GatewayConfig config = testing::patient_config();
  std::string asked;
  config.faults = [&asked](std::string body, const std::function<void(int, std::string)>& done) {
    asked = std::move(body);
    done(409, R"({"error":"as it is"})");
  };
  {
    Gateway gateway(canvas, node, config);
    ASSERT_EQ(gateway.start(), "");
    HttpClient http(gateway.port());
    const HttpReply reply = http.post("/faults", R"({"fault":"heal"})");
    EXPECT_EQ(reply.status, 409);
    EXPECT_EQ(reply.body, R"({"error":"as it is"})");
    EXPECT_EQ(asked, R"({"fault":"heal"})");
    EXPECT_NE(http.get("/status").body.find("\"takes_faults\":true"), std::string::npos);
  }
  config.address = "0.0.0.0";
  Gateway gateway(canvas, node, config);
  ASSERT_EQ(gateway.start(), "");
  HttpClient http(gateway.port());
  expect_error(http.post("/faults", "{}"), 403, "faults");
  EXPECT_NE(http.get("/status").body.find("\"takes_faults\":false"), std::string::npos);
}

TEST_F(GatewayTest, AStrategyWithoutChangesOfMembersSaysSo) {
  HttpClient http(gateway_.port());
  const HttpReply refused = http.post("/members", R"({"remove":1})");
  EXPECT_EQ(refused.status, 501);
  EXPECT_EQ(Json::parse(refused.body)["reason"], "not_offered");
  const Json members = Json::parse(http.get("/members").body);
  EXPECT_EQ(members["change"], false);
  EXPECT_EQ(members["members"]["voters"], Json({1}));
}

TEST(GatewayMembers, AreChangedOverALoopbackAddress) {
  const Canvas canvas({8, 8});
  testing::ScriptedNode node(canvas);
  GatewayConfig config = testing::patient_config();
  {
    Gateway gateway(canvas, node, config);
    ASSERT_EQ(gateway.start(), "");
    HttpClient http(gateway.port());
    const HttpReply done = http.post("/members", R"({"add":2,"disk":"9007199254740993"})");
    EXPECT_EQ(done.status, 200);
    EXPECT_EQ(Json::parse(done.body)["outcome"], "done");
    EXPECT_EQ(Json::parse(done.body)["members"]["voters"], Json({1, 2}));
    EXPECT_EQ(node.asked_change().add, NodeId{2});
    EXPECT_EQ(node.asked_change().disk, DiskId{9007199254740993});

    node.say_to_changes(ControlReply::Outcome::refused, "node 2 leads, not this one");
    node.set_leader(NodeId{2});
    const HttpReply refused = http.post("/members", R"({"remove":1})");
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(Json::parse(refused.body)["error"], "members: node 2 leads, not this one");
    EXPECT_EQ(Json::parse(refused.body)["leader"], 2);
    node.say_to_changes(ControlReply::Outcome::unknown, "it leads no more");
    EXPECT_EQ(http.post("/members", R"({"remove":1})").status, 504);

    expect_error(http.post("/members", R"({"add":7,"disk":"1"})"), 400, "add");
    node.fill_queue();
    EXPECT_EQ(http.post("/members", R"({"remove":1})").status, 429);
    EXPECT_EQ(http.get("/members").status, 429);
  }
  config.address = "0.0.0.0";
  Gateway gateway(canvas, node, config);
  ASSERT_EQ(gateway.start(), "");
  HttpClient http(gateway.port());
  expect_error(http.post("/members", R"({"remove":1})"), 403, "members");
}

TEST_F(GatewayTest, ServesThePage) {
  HttpClient http(gateway_.port());
  const HttpReply page = http.get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_NE(page.body.find("<!doctype html>"), std::string::npos);
  ASSERT_EQ(page_files().size(), 6U);
  for (const PageFile& file : page_files()) {
    EXPECT_EQ(http.get(std::string(file.path)).body, file.content);
  }
  EXPECT_EQ(http.get("/", "If-None-Match: " + page.headers.at("etag") + "\r\n").status, 304);
}

TEST_F(GatewayTest, ReportsStatusAndHealth) {
  HttpClient http(gateway_.port());
  const Json status = Json::parse(http.get("/status").body);
  EXPECT_EQ(status["algorithm"], "unreplicated");
  EXPECT_EQ(status["role"], "standalone");
  EXPECT_EQ(status["canvas"]["width"], 100);
  EXPECT_EQ(status["http"]["connections"], 1);
  const HttpReply health = http.get("/health");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(Json::parse(health.body)["status"], "ok");
}

TEST_F(GatewayTest, HeadHasTheHeadersOfGet) {
  HttpClient http(gateway_.port());
  const HttpReply get = http.get("/style.css");
  http.send("HEAD /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const HttpReply head = http.receive(/*head=*/true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers, get.headers);
  EXPECT_EQ(http.get("/health").status, 200) << "the connection is still in step";
}

TEST_F(GatewayTest, KeepsConnectionsAndClosesOnRequest) {
  HttpClient http(gateway_.port());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(http.get("/health").status, 200);
  EXPECT_EQ(http.get("/health", "Connection: close\r\n").status, 200);
  EXPECT_TRUE(http.closed());
  HttpClient old(gateway_.port());
  old.send("GET /health HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.receive().status, 200) << "without a Host, as health checks of old send it";
  EXPECT_TRUE(old.closed());
  HttpClient pipelining(gateway_.port());
  const std::string get = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
  pipelining.send(get + get + get);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pipelining.receive().status, 200);
}

TEST_F(GatewayTest, AnswersForItsOwnNamesOnly) {
  HttpClient http(gateway_.port());
  const auto get = [&](const std::string& host) {
    http.send("GET /health HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return http.receive();
  };
  for (const char* host : {"localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:1"}) {
    EXPECT_EQ(get(host).status, 200) << host;
  }
  expect_error(get("evil.example:8080"), 403, "Host");
  expect_error(get("127.0.0.1.evil.example"), 403, "Host");

  GatewayConfig config;
  config.allowed_hosts = {"canvas.example"};
  Gateway named(canvas_, node_, config);
  ASSERT_EQ(named.start(), "");
  HttpClient other(named.port());
  other.send("GET /health HTTP/1.1\r\nHost: canvas.example\r\n\r\n");
  EXPECT_EQ(other.receive().status, 200);
}

TEST_F(GatewayTest, ForeignPagesMayNotUseIt) {
  HttpClient http(gateway_.port());
  const std::string body = R"({"x":1,"y":1,"color":"#111111"})";
  for (const char* origin : {"https://evil.example", "null", "http://localhost.evil.example"}) {
    const std::string header = std::string("Origin: ") + origin + "\r\n";
    expect_error(http.post("/pixel", body, header), 403, "Origin");
    const HttpReply read = http.get("/canvas", header);
    expect_error(read, 403, "Origin");
    EXPECT_FALSE(read.headers.contains("access-control-allow-origin"));
  }
  const HttpReply loopback = http.post("/pixel", body, "Origin: http://localhost:3000\r\n");
  EXPECT_EQ(loopback.status, 200);
  EXPECT_EQ(loopback.headers.at("access-control-allow-origin"), "http://localhost:3000");
  const HttpReply own = http.post("/pixel", body, "Origin: http://localhost\r\n");
  EXPECT_EQ(own.status, 200);
  EXPECT_FALSE(own.headers.contains("access-control-allow-origin")) << "not cross-origin";

  http.send(
      "OPTIONS /pixel HTTP/1.1\r\nHost: localhost\r\nOrigin: http://127.0.0.1:3000\r\n"
      "Access-Control-Request-Method: POST\r\n\r\n");
  const HttpReply preflight = http.receive();
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.at("access-control-allow-origin"), "http://127.0.0.1:3000");
}

TEST_F(GatewayTest, ThePagesOfItsPeersMayUseItAndItsOwnMayUseThem) {
  GatewayConfig config;
  config.pages = {{NodeId{2}, "http://node2.example:8080/"}, {NodeId{3}, "https://node3.example/"}};
  Gateway member(canvas_, node_, config);
  ASSERT_EQ(member.start(), "");
  HttpClient http(member.port());
  const HttpReply page = http.get("/");
  EXPECT_TRUE(page.headers.at("content-security-policy")
                  .ends_with("connect-src 'self' http://node2.example:8080/ "
                             "ws://node2.example:8080/ https://node3.example/ "
                             "wss://node3.example/"));

  const HttpReply peer = http.get("/status", "Origin: https://node3.example\r\n");
  EXPECT_EQ(peer.status, 200);
  EXPECT_EQ(peer.headers.at("access-control-allow-origin"), "https://node3.example");
  for (const char* origin : {"http://node3.example", "https://node3.example:8080"}) {
    expect_error(http.get("/status", std::string("Origin: ") + origin + "\r\n"), 403, "Origin");
  }
}

TEST(GatewayCooldown, RefusesUsersWhoDoNotWait) {
  const Canvas canvas({100, 50}, std::chrono::hours(1));
  DriverNode node(canvas);
  Gateway gateway(canvas, node, {});
  ASSERT_EQ(gateway.start(), "");
  HttpClient http(gateway.port());
  EXPECT_EQ(Json::parse(http.get("/status").body)["canvas"]["cooldown_ms"], 3'600'000);
  expect_error(http.post("/pixel", R"({"x":1,"y":1,"color":"#111111"})"), 400, "user");
  expect_error(http.post("/client/pixel", R"({"x":1,"y":1,"color":17})"), 400, "user");

  const std::string first = R"({"x":1,"y":1,"color":"#111111","user":9,"client":4,"seq":1})";
  EXPECT_EQ(http.post("/pixel", first).status, 200);
  EXPECT_EQ(http.post("/pixel", first).status, 200) << "a retry is the same placement";
  const std::string second = R"({"x":2,"y":1,"color":"#222222","user":9,"client":4,"seq":2})";
  for (int attempt = 0; attempt < 2; ++attempt) {
    const HttpReply early = http.post("/pixel", second);
    expect_error(early, 429, "user");
    EXPECT_EQ(Json::parse(early.body)["reason"], "cooldown");
    const int wait_s = std::stoi(early.headers.at("retry-after"));
    EXPECT_GT(wait_s, 3500);
    EXPECT_LE(wait_s, 3600);
  }
  EXPECT_EQ(http.post("/client/pixel", R"({"user_id":10,"x":3,"y":1,"color":17})").status, 200);

  const Json picture = Json::parse(http.get("/canvas").body);
  EXPECT_EQ(picture["pixels"], Json({{"1,1", "#111111"}, {"3,1", "#000011"}}))
      << "and the users' times are no part of it";
  EXPECT_EQ(http.get("/canvas", kRgb).body.size(), 100U * 50 * 3);
}

TEST(GatewayStart, SaysWhyItCannot) {
  const Canvas canvas({10, 10});
  ScriptedNode node(canvas);
  GatewayConfig config;
  config.address = "somewhere";
  EXPECT_NE(Gateway(canvas, node, config).start().find("\"somewhere\""), std::string::npos);

  Gateway first(canvas, node, {});
  ASSERT_EQ(first.start(), "");
  EXPECT_EQ(first.url(), "http://127.0.0.1:" + std::to_string(first.port()) + "/");
  config.address = "127.0.0.1";
  config.port = first.port();
  EXPECT_NE(Gateway(canvas, node, config).start().find(std::to_string(first.port())),
            std::string::npos);
}

TEST(GatewayJsonLimit, AskForBytesBeyondAMillionPixels) {
  const Canvas canvas({1001, 1000});
  ScriptedNode node(canvas);
  GatewayConfig config;
  config.view_max_age = std::chrono::milliseconds(0);
  Gateway gateway(canvas, node, config);
  for (std::uint32_t i = 0; i < 1'000'000; ++i) node.paint(i % 1000, i / 1000, i);
  ASSERT_EQ(gateway.start(), "");
  HttpClient http(gateway.port());
  EXPECT_EQ(http.get("/canvas").status, 200);
  node.paint(1000, 0, 1);
  const HttpReply reply = http.get("/canvas");
  expect_error(reply, 406, "Accept");
  EXPECT_EQ(Json::parse(reply.body)["allowed"], "application/octet-stream, image/png");
  EXPECT_EQ(http.get("/canvas", kRgb).body.size(), 1001U * 1000 * 3);
}

}  // namespace
}  // namespace parley
