#include "harness/terminal/canvas_link.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/canvas/gateway.h"
#include "apps/canvas/test_tools.h"
#include "harness/terminal/picture.h"

namespace parley::terminal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::DriverNode;
using testing::patient_config;

constexpr CanvasSize kSize{64, 64};

TEST(Addresses, AreAHostAndAPort) {
  const auto plain = parse_address("127.0.0.1:8080");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->host, "127.0.0.1");
  EXPECT_EQ(plain->port, "8080");
  EXPECT_EQ(parse_address("http://localhost:8081/")->port, "8081");
  for (const char* wrong : {"", "8080", ":8080", "host:", "host:0", "host:65536", "host:80a"}) {
    EXPECT_FALSE(parse_address(wrong).has_value()) << wrong;
  }
}

struct ServedCanvas {
  Canvas canvas{kSize};
  DriverNode node{canvas};
  Gateway gateway{canvas, node, patient_config()};
  Address address;

  ServedCanvas() {
    EXPECT_EQ(gateway.start(), "");
    address = {"127.0.0.1", std::to_string(gateway.port())};
  }
};

TEST(CanvasLink, WhatOnePaintsTheOtherSees) {
  ServedCanvas served;
  Watching watching(served.address, seconds(60));
  Picture picture;
  const auto first = watching.next(seconds(60));
  ASSERT_TRUE(first.has_value());
  picture.take(*first, [](const PixelChange&) { ADD_FAILURE() << "nothing is painted yet"; });
  EXPECT_EQ(picture.header().size, kSize);
  EXPECT_EQ(
      post(served.address, "/pixel", R"({"x":5,"y":7,"color":"#00FF00"})", seconds(60)).status,
      200U);
  std::vector<PixelChange> told;
  while (told.empty()) {
    const auto frame = watching.next(seconds(60));
    ASSERT_TRUE(frame.has_value());
    picture.take(*frame, [&told](const PixelChange& change) { told.push_back(change); });
  }
  EXPECT_EQ(told, (std::vector<PixelChange>{{5, 7, 0x00FF00}}));
}

TEST(CanvasLink, PassesOnWhatTheNodeSays) {
  ServedCanvas served;
  const HttpAnswer answer =
      post(served.address, "/pixel", R"({"x":64,"y":7,"color":"#00FF00"})", seconds(60));
  EXPECT_EQ(answer.status, 400U);
  EXPECT_NE(answer.body.find("0 to 63"), std::string::npos) << answer.body;
}

TEST(CanvasLink, AQuietNodeIsNotAnError) {
  ServedCanvas served;
  Watching watching(served.address, seconds(60));
  ASSERT_TRUE(watching.next(seconds(60)).has_value());
  EXPECT_FALSE(watching.next(milliseconds(20)).has_value());
}

TEST(CanvasLink, SaysThatANodeIsNotThereOrGone) {
  Address gone;
  {
    auto served = std::make_unique<ServedCanvas>();
    gone = served->address;
    Watching watching(gone, seconds(60));
    ASSERT_TRUE(watching.next(seconds(60)).has_value());
    served.reset();
    EXPECT_THROW(while (watching.next(seconds(60))){}, LinkError);
  }
  EXPECT_THROW(post(gone, "/pixel", "{}", seconds(60)), LinkError);
  EXPECT_THROW(Watching(gone, seconds(60)), LinkError);
}

// A port that takes connections and says nothing, as of a stopped process.
TEST(CanvasLink, DoesNotWaitForEver) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener, 8), 0);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const Address silent{"127.0.0.1", std::to_string(ntohs(address.sin_port))};
  EXPECT_THROW(post(silent, "/pixel", "{}", milliseconds(50)), LinkError);
  EXPECT_THROW(Watching(silent, milliseconds(50)), LinkError);
  ::close(listener);
}

}  // namespace
}  // namespace parley::terminal
