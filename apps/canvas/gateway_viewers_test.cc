// Viewers on WebSockets: what they are sent, and what becomes of slow and hostile ones.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/canvas/gateway.h"
#include "apps/canvas/test_tools.h"

namespace parley {
namespace {

using testing::HttpClient;
using testing::HttpReply;
using testing::ScriptedNode;
using testing::SocketFrame;
using testing::WatchingClient;
using testing::WebSocketClient;
using Json = nlohmann::json;
using std::chrono::milliseconds;

class GatewayViewersTest : public ::testing::Test {
 protected:
  GatewayViewersTest() {
    config_.viewers.min_interval = config_.viewers.max_interval = milliseconds(1);
    config_.viewers.idle_interval = milliseconds(1);
  }

  std::uint16_t start() {
    gateway_ = std::make_unique<Gateway>(canvas_, node_, config_);
    EXPECT_EQ(gateway_->start(), "");
    return gateway_->port();
  }

  // A field of /status.
  static Json status(std::uint16_t port, const char* field) {
    return Json::parse(HttpClient(port).get("/status").body)[field];
  }
  // The value of an unlabelled metric.
  static double metric(std::uint16_t port, const std::string& name) {
    const std::string text = HttpClient(port).get("/metrics").body;
    const std::size_t line = text.find("\n" + name + "{");
    return std::stod(text.substr(text.find("} ", line) + 2));
  }
  static void wait_for_metric(std::uint16_t port, const std::string& name, double at_least) {
    while (metric(port, name) < at_least) std::this_thread::yield();
  }

  Canvas canvas_{{100, 50}};
  ScriptedNode node_{canvas_};
  GatewayConfig config_ = testing::patient_config();
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(GatewayViewersTest, AreSentThePictureAndThenItsChanges) {
  node_.paint(3, 4, 0x123456);
  WatchingClient viewer(start());
  ASSERT_TRUE(viewer.step());
  EXPECT_EQ(viewer.header.kind, FrameKind::picture);
  EXPECT_EQ(viewer.header.size, canvas_.size());
  EXPECT_EQ(viewer.at(3, 4), 0x123456U);
  EXPECT_EQ(viewer.at(0, 0), 0xFFFFFFU);
  for (std::uint32_t color = 1; color <= 20; ++color) {
    node_.paint(99, 49, color);
    ASSERT_TRUE(viewer.wait_for(99, 49, color));
  }
  EXPECT_EQ(viewer.pictures, 1);
}

TEST_F(GatewayViewersTest, SeeWhatIsPlacedOverHttp) {
  const Canvas canvas({100, 50});
  testing::DriverNode node(canvas);
  Gateway gateway(canvas, node, config_);
  ASSERT_EQ(gateway.start(), "");
  WatchingClient viewer(gateway.port());
  HttpClient http(gateway.port());
  ASSERT_EQ(http.post("/pixel", R"({"x":7,"y":8,"color":"#ABCDEF"})").status, 200);
  EXPECT_TRUE(viewer.wait_for(7, 8, 0xABCDEF));
  const Json pixel = Json::parse(http.get("/pixel?x=7&y=8").body);
  EXPECT_EQ(pixel["when"].get<std::string>().size(), 20U) << pixel;
}

TEST_F(GatewayViewersTest, AreToldHowManyTheyAre) {
  const std::uint16_t port = start();
  WatchingClient first(port);
  std::vector<std::unique_ptr<WatchingClient>> others;
  for (int i = 0; i < 4; ++i) others.push_back(std::make_unique<WatchingClient>(port));
  do {
    ASSERT_TRUE(first.step());
  } while (first.header.viewers != 5);
  EXPECT_EQ(status(port, "viewers"), 5);
  others.clear();
  do {
    ASSERT_TRUE(first.step());
  } while (first.header.viewers != 1);
}

TEST_F(GatewayViewersTest, WhoComesBackIsToldWhatWasMissed) {
  const std::uint16_t port = start();
  std::uint64_t seen = 0;
  {
    WatchingClient viewer(port);
    node_.paint(1, 1, 1);
    ASSERT_TRUE(viewer.wait_for(1, 1, 1));
    seen = viewer.header.sequence;
  }
  WatchingClient witness(port);
  for (std::uint32_t i = 2; i < 6; ++i) {
    node_.paint(i, i, i);
    ASSERT_TRUE(witness.wait_for(i, i, i));
  }
  WatchingClient back(port, "/ws?since=" + std::to_string(seen));
  for (std::uint32_t i = 2; i < 6; ++i) ASSERT_TRUE(back.wait_for(i, i, i));
  EXPECT_EQ(back.pictures, 0);
  EXPECT_GE(back.frames, 4);
}

TEST_F(GatewayViewersTest, WhoMissedNothingIsToldSo) {
  const std::uint16_t port = start();
  WatchingClient viewer(port);
  ASSERT_TRUE(viewer.step());
  WatchingClient again(port, "/ws?since=" + std::to_string(viewer.header.sequence));
  ASSERT_TRUE(again.step());
  EXPECT_EQ(again.pictures, 0);
  EXPECT_GE(again.header.sequence, viewer.header.sequence);
}

TEST_F(GatewayViewersTest, NumbersThatAreNotKnownGetThePicture) {
  config_.viewers.stream.max_ring_bytes = 200;
  const std::uint16_t port = start();
  WatchingClient viewer(port);
  ASSERT_TRUE(viewer.step());
  const std::uint64_t old = viewer.header.sequence;
  for (std::uint32_t i = 0; i < 20; ++i) {
    node_.paint(i, 0, i + 1);
    ASSERT_TRUE(viewer.wait_for(i, 0, i + 1));
  }
  for (const std::uint64_t since : {old, old + 1'000'000, std::uint64_t{0}, kMaxSequence}) {
    WatchingClient other(port, "/ws?since=" + std::to_string(since));
    ASSERT_TRUE(other.step());
    EXPECT_EQ(other.pictures, 1) << since - old;
    EXPECT_EQ(other.rgb, viewer.rgb);
  }
}

TEST_F(GatewayViewersTest, TooManyChangesForAFrameAreAPicture) {
  config_.viewers.stream.max_frame_bytes = 100;
  WatchingClient viewer(start());
  ASSERT_TRUE(viewer.step());
  for (std::uint32_t i = 0; i < 5000; ++i) node_.paint(i % 100, i / 100, i + 1);
  ASSERT_TRUE(viewer.wait_for(99, 49, 5000));
  EXPECT_GT(viewer.pictures, 1);
}

TEST_F(GatewayViewersTest, ASlowReaderIsSentAFreshPicture) {
  const Canvas canvas({2048, 2048});  // 12 MB a picture: more than the sockets' buffers take
  ScriptedNode node(canvas);
  config_.viewers.stream.max_ring_bytes = 100;
  Gateway gateway(canvas, node, config_);
  ASSERT_EQ(gateway.start(), "");
  WatchingClient slow(gateway.port(), "/ws", 4096);
  WatchingClient quick(gateway.port());
  // Until its picture is under way, there is nothing that it could be slow at.
  ASSERT_TRUE(slow.socket.http().wait());
  for (std::uint32_t i = 0; i < 50; ++i) {
    node.paint(i, 0, i + 1);
    ASSERT_TRUE(quick.wait_for(i, 0, i + 1));
  }
  EXPECT_EQ(quick.pictures, 1);
  ASSERT_TRUE(slow.wait_for(49, 0, 50));
  EXPECT_EQ(slow.pictures, 2);
  EXPECT_LT(slow.frames, 50);
  EXPECT_EQ(slow.rgb, quick.rgb);
  EXPECT_GE(metric(gateway.port(), "parley_viewers_resynchronised_total"), 1);
}

TEST_F(GatewayViewersTest, WhoHoldsTooMuchIsCutOff) {
  const Canvas canvas({512, 512});
  ScriptedNode node(canvas);
  config_.viewers.stream.max_ring_bytes = 1;
  config_.viewers.max_held_bytes = 100'000;
  Gateway gateway(canvas, node, config_);
  ASSERT_EQ(gateway.start(), "");
  WatchingClient quick(gateway.port());
  WatchingClient slow(gateway.port(), "/ws", 4096);
  ASSERT_TRUE(slow.step());
  // Until the slow one's buffers are full and a large frame is stuck.
  std::uint32_t color = 0;
  while (metric(gateway.port(), "parley_viewers_cut_off_total") == 0) {
    ++color;
    node.paint_rows(200, color);  // one frame, however slow the machine
    ASSERT_TRUE(quick.wait_for(511, 199, color));
  }
  EXPECT_THROW(
      {
        while (slow.step()) {
        }
        throw std::runtime_error("the end");
      },
      std::runtime_error);
  ++color;
  node.paint(0, 0, color);
  EXPECT_TRUE(quick.wait_for(0, 0, color)) << "others are not disturbed";
}

TEST_F(GatewayViewersTest, WhoTakesNothingForTooLongIsCutOff) {
  const Canvas canvas({2048, 2048});
  ScriptedNode node(canvas);
  config_.http.write_timeout = milliseconds(50);
  Gateway gateway(canvas, node, config_);
  ASSERT_EQ(gateway.start(), "");
  WebSocketClient slow(gateway.port(), "/ws", 4096);
  while (status(gateway.port(), "viewers") != 0) std::this_thread::yield();
  EXPECT_EQ(slow.receive().kind, SocketFrame::none);
}

TEST_F(GatewayViewersTest, TheSilentArePingedAndCutOff) {
  config_.http.socket_idle_timeout = milliseconds(100);
  WebSocketClient silent(start());
  EXPECT_EQ(silent.receive().kind, SocketFrame::binary);
  SocketFrame frame = silent.receive();
  while (frame.kind == SocketFrame::binary) frame = silent.receive();
  EXPECT_EQ(frame.kind, SocketFrame::ping);
  while (frame.kind != SocketFrame::none) frame = silent.receive();
}

TEST_F(GatewayViewersTest, PingsAreAnswered) {
  WebSocketClient client(start());
  EXPECT_EQ(client.receive().kind, SocketFrame::binary);
  client.send(SocketFrame::ping, "hello");
  SocketFrame frame = client.receive();
  while (frame.kind == SocketFrame::binary) frame = client.receive();
  EXPECT_EQ(frame.kind, SocketFrame::pong);
  EXPECT_EQ(frame.bytes, "hello");
}

// Reads until the end, and returns the code of the close frame; 0 if there was none.
int close_code(WebSocketClient& client) {
  int code = 0;
  for (SocketFrame frame = client.receive(); frame.kind != SocketFrame::none;
       frame = client.receive()) {
    if (frame.kind != SocketFrame::close) continue;
    code = frame.code();
    client.send(SocketFrame::close, frame.bytes);
  }
  return code;
}

TEST_F(GatewayViewersTest, ViewersHaveNothingToSay) {
  const std::uint16_t port = start();
  {
    WebSocketClient client(port);
    client.text("hello");
    EXPECT_EQ(close_code(client), 1008);
    WebSocketClient leaving(port);
    leaving.send(SocketFrame::close, "\x03\xe8");
    EXPECT_EQ(close_code(leaving), 1000);
  }
  while (status(port, "viewers") != 0) std::this_thread::yield();
}

TEST_F(GatewayViewersTest, MessagesThatAreTooLargeEndIt) {
  const std::uint16_t port = start();
  for (const std::string target : {"/ws", "/ws/"}) {
    WebSocketClient whole(port, target);
    whole.text(std::string(4097, ' '));
    EXPECT_EQ(close_code(whole), 1009) << target;
    WebSocketClient pieces(port, target);
    for (int i = 0; i < 50; ++i) {
      pieces.send(i == 0 ? SocketFrame::text : SocketFrame::more, std::string(100, ' '), false);
    }
    EXPECT_EQ(close_code(pieces), 1009) << target;
  }
}

TEST_F(GatewayViewersTest, BrokenFramesEndIt) {
  const std::uint16_t port = start();
  const auto ends = [port](const std::string& bytes) {
    WebSocketClient client(port);
    client.http().send(bytes);
    return close_code(client);
  };
  EXPECT_EQ(ends(std::string("\x81\x02hi", 4)), 1002) << "not masked";
  EXPECT_EQ(ends(std::string("\x83\x80\0\0\0\0", 6)), 1002) << "a kind that is not defined";
  EXPECT_EQ(ends(std::string("\xC1\x80\0\0\0\0", 6)), 1002) << "a reserved bit";
  EXPECT_EQ(ends(std::string("\x80\x80\0\0\0\0", 6)), 1002) << "goes on with nothing";
  EXPECT_EQ(ends(std::string("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14)), 1009)
      << "a size beyond 63 bits";
  EXPECT_EQ(ends(std::string("\x81\x82\0\0\0\0\xc3\x28", 8)), 1007) << "not UTF-8";
  EXPECT_EQ(status(port, "node"), 1);
}

TEST_F(GatewayViewersTest, FloodsWaitInTheClientsOwnBuffers) {
  config_.http.socket_read_bytes_per_s = 1000;
  const std::uint16_t port = start();
  WebSocketClient flood(port, "/ws/");
  WebSocketClient empty(port, "/ws/");
  empty.send(SocketFrame::text, "", false);
  std::thread flooding([&] {
    for (int i = 0; i < 5000; ++i) {
      if (!flood.text(R"({"type":"ping"})")) break;
    }
  });
  std::thread fragments([&] {
    for (int i = 0; i < 5000; ++i) {
      if (!empty.send(SocketFrame::more, "", false)) break;
    }
  });
  WatchingClient viewer(port);
  for (std::uint32_t i = 1; i < 20; ++i) {
    node_.paint(i, 0, i);
    ASSERT_TRUE(viewer.wait_for(i, 0, i));
  }
  // As many as 1000 bytes a second hold, were it ever so slow here.
  EXPECT_LT(metric(port, "parley_websocket_messages_received_total"), 5000);
  gateway_->stop();
  flooding.join();
  fragments.join();
}

TEST_F(GatewayViewersTest, ForeignPagesGetNone) {
  const std::uint16_t port = start();
  const auto asked = [port](const std::string& target, const std::string& headers,
                            const std::string& host = "localhost") {
    HttpClient http(port);
    http.send(WebSocketClient::request(target, headers, host));
    return http.receive(/*head=*/true).status;
  };
  for (const std::string target : {"/ws", "/ws/"}) {
    EXPECT_EQ(asked(target, ""), 101);
    EXPECT_EQ(asked(target, "Origin: http://localhost:3000\r\n"), 101);
    EXPECT_EQ(asked(target, "Origin: https://evil.example\r\n"), 403);
    EXPECT_EQ(asked(target, "Origin: null\r\n"), 403);
    EXPECT_EQ(asked(target, "", "evil.example"), 403);
  }
  EXPECT_EQ(asked("/", ""), 404);
  EXPECT_EQ(asked("/ws?since=x", ""), 400);
  EXPECT_EQ(asked("/ws?since=-1", ""), 400);
  EXPECT_EQ(asked("/ws?since=9007199254740992", ""), 400);
  EXPECT_EQ(asked("/ws?until=1", ""), 400);
}

TEST_F(GatewayViewersTest, RefusalsNameTheFieldAndKeepTheConnection) {
  HttpClient http(start());
  http.send(WebSocketClient::request("/ws?since=x"));
  HttpReply reply = http.receive();
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(Json::parse(reply.body)["field"], "since");
  reply = http.get("/ws");
  EXPECT_EQ(reply.status, 426);
  EXPECT_EQ(reply.headers.at("upgrade"), "websocket");
  EXPECT_EQ(http.get("/health").status, 200);
}

TEST_F(GatewayViewersTest, FramesBeforeTheAnswerAreRefused) {
  HttpClient http(start());
  http.send(WebSocketClient::request("/ws") + std::string("\x81\x80\0\0\0\0", 6));
  const HttpReply reply = http.receive();
  // Should the frame have come in a packet of its own, then the viewer had nothing to say.
  EXPECT_TRUE(reply.status == 400 || reply.status == 101) << reply.status;
}

TEST_F(GatewayViewersTest, TheirNumberIsBounded) {
  config_.http.max_sockets = 3;
  config_.http.max_connections = 8;
  const std::uint16_t port = start();
  std::vector<std::unique_ptr<WebSocketClient>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(std::make_unique<WebSocketClient>(port));
  HttpClient http(port);
  http.send(WebSocketClient::request("/ws"));
  EXPECT_EQ(http.receive().status, 503);
  EXPECT_EQ(http.get("/health").status, 200) << "they take no place of others";
  clients.pop_back();
  wait_for_metric(port, "parley_websockets_refused_total", 1);
  while (metric(port, "parley_websockets") != 2) std::this_thread::yield();
  WatchingClient next(port);
  EXPECT_TRUE(next.step());
}

TEST_F(GatewayViewersTest, ManyShareWhatTheyAreSent) {
  const std::uint16_t port = start();
  constexpr int kViewers = 300;
  std::vector<std::unique_ptr<WatchingClient>> viewers;
  for (int i = 0; i < kViewers; ++i) viewers.push_back(std::make_unique<WatchingClient>(port));
  for (const auto& viewer : viewers) ASSERT_TRUE(viewer->step());
  for (std::uint32_t i = 1; i <= 5; ++i) {
    node_.paint(i, 0, i);
    for (const auto& viewer : viewers) ASSERT_TRUE(viewer->wait_for(i, 0, i));
  }
  for (const auto& viewer : viewers) EXPECT_EQ(viewer->rgb, viewers.front()->rgb);
}

TEST_F(GatewayViewersTest, EndWithTheGateway) {
  WatchingClient viewer(start());
  ASSERT_TRUE(viewer.step());
  gateway_->stop();
  while (viewer.step()) {
  }
  node_.fall_silent();
  gateway_ = std::make_unique<Gateway>(canvas_, node_, config_);
  ASSERT_EQ(gateway_->start(), "");
  WebSocketClient waiting(gateway_->port());
  while (node_.unanswered() == 0) std::this_thread::yield();
  gateway_.reset();
  node_.answer_late();
}

}  // namespace
}  // namespace parley
