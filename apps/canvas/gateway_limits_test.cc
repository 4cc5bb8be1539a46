// What the gateway does with refusals, silence, and hostile clients.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/canvas/gateway.h"
#include "apps/canvas/test_tools.h"

namespace parley {
namespace {

using testing::HttpClient;
using testing::HttpReply;
using testing::ScriptedNode;
using Json = nlohmann::json;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr char kPlacement[] = R"({"x":1,"y":1,"color":"#111111"})";

class GatewayLimitsTest : public ::testing::Test {
 protected:
  GatewayLimitsTest() {
    // The gateway does not look at the node by itself in between.
    config_.viewers.idle_interval = hours(1);
    config_.view_max_age = milliseconds(0);
  }

  std::uint16_t start() {
    gateway_ = std::make_unique<Gateway>(canvas_, node_, config_);
    EXPECT_EQ(gateway_->start(), "");
    // Its first look at the node is not to be taken for what a test asks.
    while (node_.freezes() == 0) std::this_thread::yield();
    return gateway_->port();
  }

  Canvas canvas_{{100, 50}};
  ScriptedNode node_{canvas_};
  GatewayConfig config_ = testing::patient_config();
  std::unique_ptr<Gateway> gateway_;
};

void expect_answer(const HttpReply& reply, int status, const std::string& reason) {
  EXPECT_EQ(reply.status, status) << reply.body;
  EXPECT_EQ(reply.headers.at("content-type"), "application/json");
  EXPECT_EQ(Json::parse(reply.body)["reason"], reason);
  EXPECT_EQ(reply.headers.contains("retry-after"), status == 429 || status == 503);
}

TEST_F(GatewayLimitsTest, RefusalsSayWhyAndWhenToRetry) {
  HttpClient http(start());
  node_.say(Outcome::refused, RefusedBecause::no_leader);
  expect_answer(http.post("/pixel", kPlacement), 503, "no_leader");
  expect_answer(http.get("/pixel?x=1&y=1&read=linearizable"), 503, "no_leader");
  node_.say(Outcome::refused, RefusedBecause::overloaded);
  expect_answer(http.post("/pixel", kPlacement), 429, "overloaded");
  expect_answer(http.get("/pixel?x=1&y=1"), 429, "overloaded");
  node_.say(Outcome::refused, RefusedBecause::stopping);
  expect_answer(http.post("/pixel", kPlacement), 503, "stopping");
  node_.say(Outcome::refused, RefusedBecause::too_many_sessions);
  expect_answer(http.post("/pixel", kPlacement), 503, "too_many_sessions");
  node_.say(Outcome::refused, RefusedBecause::clock);
  expect_answer(http.post("/pixel", kPlacement), 503, "clock");
  node_.say(Outcome::refused, RefusedBecause::not_offered);
  expect_answer(http.get("/pixel?x=1&y=1&read=linearizable"), 400, "not_offered");
  node_.say(Outcome::unknown, RefusedBecause::timed_out);
  expect_answer(http.post("/pixel", kPlacement), 504, "timed_out");
  expect_answer(http.get("/pixel?x=1&y=1"), 504, "timed_out");
}

TEST_F(GatewayLimitsTest, WhatAClientHasSeenIsPassedOn) {
  HttpClient http(start());
  const std::string first = version_text({1234, (std::uint64_t{2} << 32) | 7});
  const std::string second = version_text({99, std::uint64_t{3} << 32});
  EXPECT_EQ(http.get("/pixel?x=1&y=1&seen=" + first + "," + second).status, 200);
  const std::vector<Seen> seen = node_.seen();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].node, NodeId{2});
  EXPECT_EQ(seen[0].time, 1234U);
  EXPECT_EQ(seen[1].node, NodeId{3});
  for (const char* wrong : {"", "12", "zz", ","}) {
    expect_answer(http.get(std::string("/pixel?x=1&y=1&seen=") + wrong), 400, "invalid");
  }
  node_.say(Outcome::refused, RefusedBecause::behind);
  expect_answer(http.get("/pixel?x=1&y=1&seen=" + first), 503, "behind");
  node_.say(Outcome::refused, RefusedBecause::unanswered);
  expect_answer(http.get("/pixel?x=1&y=1"), 503, "unanswered");
}

TEST_F(GatewayLimitsTest, AFullNodeIsSaidToBeOverloaded) {
  HttpClient http(start());
  node_.fill_queue();
  expect_answer(http.post("/pixel", kPlacement), 429, "overloaded");
  expect_answer(http.get("/canvas"), 429, "overloaded");
  expect_answer(http.get("/status"), 429, "overloaded");
  expect_answer(http.get("/health"), 503, "overloaded");
}

TEST_F(GatewayLimitsTest, IsUnhealthyWithoutALeader) {
  HttpClient http(start());
  EXPECT_EQ(http.get("/health").status, 200);
  node_.set_leader(kNoNode);
  expect_answer(http.get("/health"), 503, "no_leader");
  EXPECT_TRUE(Json::parse(http.get("/status").body)["leader"].is_null());
}

TEST_F(GatewayLimitsTest, ASilentNodeMakesOutcomesUnknown) {
  config_.http.answer_timeout = milliseconds(50);
  HttpClient http(start());
  node_.fall_silent();
  expect_answer(http.post("/pixel", kPlacement), 504, "timed_out");
  expect_answer(http.get("/pixel?x=1&y=1"), 504, "timed_out");
  expect_answer(http.get("/canvas"), 504, "timed_out");
  expect_answer(http.get("/status"), 504, "timed_out");
  expect_answer(http.get("/health"), 503, "timed_out");
  // Answers that come late disturb nothing. (This one may be late as well on a busy machine.)
  node_.answer_late();
  int status = 0;
  for (int i = 0; i < 100 && status != 200; ++i) status = http.get("/health").status;
  EXPECT_EQ(status, 200);
}

TEST_F(GatewayLimitsTest, AnswersAfterItsEndDoNothing) {
  HttpClient http(start());
  node_.fall_silent();
  http.send("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
  while (node_.unanswered() == 0) std::this_thread::yield();
  gateway_->stop();
  EXPECT_TRUE(http.closed());
  node_.answer_late();
  gateway_.reset();
}

TEST_F(GatewayLimitsTest, CallbacksMayOutliveIt) {
  HttpClient http(start());
  node_.fall_silent();
  http.send("GET /canvas HTTP/1.1\r\nHost: localhost\r\n\r\n");
  while (node_.unanswered() == 0) std::this_thread::yield();
  gateway_.reset();
  node_.answer_late();
}

TEST_F(GatewayLimitsTest, BoundsTheRequestsInFlight) {
  config_.http.max_in_flight = 2;
  const std::uint16_t port = start();
  node_.fall_silent();
  HttpClient first(port);
  HttpClient second(port);
  for (HttpClient* http : {&first, &second}) {
    http->send("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  while (node_.unanswered() < 2) std::this_thread::yield();
  HttpClient third(port);
  expect_answer(third.get("/status"), 503, "overloaded");
  node_.answer_late();
  EXPECT_EQ(first.receive().status, 200);
  EXPECT_EQ(second.receive().status, 200);
  EXPECT_EQ(third.get("/status").status, 200);
}

TEST_F(GatewayLimitsTest, RefusesBodiesThatAreTooLarge) {
  const std::uint16_t port = start();
  const std::string largest(64U << 10, ' ');
  EXPECT_EQ(HttpClient(port).post("/pixel", largest).status, 400) << "read, but no JSON";
  HttpClient http(port);
  expect_answer(http.post("/pixel", largest + ' '), 413, "too_large");
  EXPECT_TRUE(http.closed());
  HttpClient announced(port);
  announced.send(
      "POST /pixel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n");
  expect_answer(announced.receive(), 413, "too_large");
  HttpClient chunked(port);
  chunked.send(
      "POST /pixel HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "20000\r\n" +
      std::string(0x20000, ' ') + "\r\n0\r\n\r\n");
  expect_answer(chunked.receive(), 413, "too_large");
}

TEST_F(GatewayLimitsTest, RefusesHeadersThatAreTooLarge) {
  HttpClient http(start());
  http.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(64U << 10, 'x') + "\r\n\r\n");
  expect_answer(http.receive(), 431, "too_large");
  EXPECT_TRUE(http.closed());
}

TEST_F(GatewayLimitsTest, RefusesGarbage) {
  const std::uint16_t port = start();
  for (const std::string& garbage :
       {std::string("hello\r\n\r\n"), std::string(100, '\0'), std::string("GET\r\n\r\n"),
        std::string("GET / HTTP/9.9\r\n\r\n"), std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8),
        std::string("POST /pixel HTTP/1.1\r\nContent-Length: -5\r\n\r\n")}) {
    HttpClient http(port);
    http.send(garbage);
    expect_answer(http.receive(), 400, "malformed");
    EXPECT_TRUE(http.closed());
  }
  EXPECT_EQ(HttpClient(port).get("/health").status, 200);
}

TEST_F(GatewayLimitsTest, SlowRequestsAreCutOff) {
  config_.http.request_timeout = milliseconds(50);
  const std::uint16_t port = start();
  HttpClient silent(port);
  HttpClient slow(port);
  HttpClient bodyless(port);
  slow.send("GET /health HTTP/1.1\r\nHost: loc");
  bodyless.send("POST /pixel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_TRUE(slow.closed());
  EXPECT_TRUE(bodyless.closed());
  EXPECT_TRUE(silent.closed());
}

TEST_F(GatewayLimitsTest, TricklingDoesNotProlongARequest) {
  config_.http.request_timeout = milliseconds(50);
  HttpClient http(start());
  http.send("GET /health HTTP/1.1\r\n");
  // A field every 5 ms: in time each, and far too few for the limit on the size of headers.
  int fields = 0;
  while (!http.wait(5) && fields < 2000) {
    http.send("X: y\r\n");
    ++fields;
  }
  EXPECT_LT(fields, 2000);
  EXPECT_TRUE(http.closed());
}

TEST_F(GatewayLimitsTest, IdleConnectionsEnd) {
  config_.http.idle_timeout = milliseconds(20);
  HttpClient http(start());
  EXPECT_EQ(http.get("/health").status, 200);
  EXPECT_TRUE(http.closed());
}

TEST_F(GatewayLimitsTest, IdleConnectionsMakeRoomForNewOnes) {
  config_.http.max_connections = 3;
  const std::uint16_t port = start();
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<HttpClient>(port));
    EXPECT_EQ(clients.back()->get("/health").status, 200);
  }
  EXPECT_TRUE(clients.front()->closed());
}

TEST_F(GatewayLimitsTest, TurnsConnectionsAwayWhenAllAreBusy) {
  config_.http.max_connections = 2;
  const std::uint16_t port = start();
  node_.fall_silent();
  HttpClient first(port);
  HttpClient second(port);
  for (HttpClient* http : {&first, &second}) {
    http->send("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  while (node_.unanswered() < 2) std::this_thread::yield();
  HttpClient third(port);
  expect_answer(third.receive(), 503, "overloaded");
  EXPECT_TRUE(third.closed());
  node_.answer_late();
  EXPECT_EQ(first.receive().status, 200);
  EXPECT_EQ(second.receive().status, 200);
}

TEST_F(GatewayLimitsTest, AClientThatLeavesDisturbsNobody) {
  const std::uint16_t port = start();
  node_.fall_silent();
  {
    HttpClient leaving(port);
    leaving.send("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (node_.unanswered() == 0) std::this_thread::yield();
  }
  node_.answer_late();
  EXPECT_EQ(HttpClient(port).get("/health").status, 200);
}

TEST_F(GatewayLimitsTest, SlowReadersHoldABoundedNumberOfCanvases) {
  const Canvas canvas({4096, 2048});  // 25 MB as bytes: more than the sockets' buffers take
  ScriptedNode node(canvas);
  config_.max_body_bytes = 30U << 20;
  config_.view_max_age = milliseconds(0);
  Gateway gateway(canvas, node, config_);
  ASSERT_EQ(gateway.start(), "");
  const std::string request =
      "GET /canvas HTTP/1.1\r\nHost: localhost\r\nAccept: application/octet-stream\r\n\r\n";
  HttpClient slow(gateway.port());
  slow.send(request);
  HttpClient other(gateway.port());
  // Until the slow reader's response is under way, there is nothing that could be held.
  ASSERT_TRUE(slow.wait());
  node.paint(1, 1, 1);
  expect_answer(other.get("/canvas", "Accept: application/octet-stream\r\n"), 503, "overloaded");
  EXPECT_EQ(slow.receive().body.size(), 4096U * 2048 * 3);
  EXPECT_EQ(other.get("/canvas", "Accept: application/octet-stream\r\n").status, 200);
}

}  // namespace
}  // namespace parley
