#include "runtime/live/transport.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <memory>
#include <string>

#include "runtime/live/sockets.h"
#include "runtime/live/test_folder.h"
#include "runtime/live/waiter.h"

namespace parley {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

// A strategy of which only the check of frames matters: "!" begins the headers it refuses.
const Algorithm kTestAlgorithm{.name = "test",
                               .summary = "",
                               .guarantee = {},
                               .options = {},
                               .verify = [](const Block& header, const Block&) {
                                 return !header.empty() && *header.data() != std::byte{'!'};
                               }};

Block block_of(std::string_view text) {
  return Block::copy_of(std::as_bytes(std::span(text)));
}

std::string text_of(const Block& block) {
  return {reinterpret_cast<const char*>(block.data()), block.size()};
}

// Waits for something to become true; fails the test if it takes absurdly long.
void await(const std::function<bool()>& done) {
  const Instant give_up = monotonic_now() + seconds(60);
  while (!done()) {
    ASSERT_LT(monotonic_now(), give_up) << "it never happened";
    usleep(200);
  }
}

struct Endpoint {
  Endpoint(zmq::context_t& context, std::uint32_t id, std::uint64_t incarnation = 1,
           TransportOptions options = {})
      : transport(context, kTestAlgorithm, replica(id, incarnation), options) {}

  static ReplicaConfig replica(std::uint32_t id, std::uint64_t incarnation) {
    ReplicaConfig config;
    config.group = GroupId{1};
    config.self = NodeId{id};
    config.incarnation = Incarnation{incarnation};
    config.members = {NodeId{1}, NodeId{2}, NodeId{3}};
    return config;
  }

  void send(std::uint32_t to, std::string_view header, std::string_view body = {}) {
    Effects effects;
    if (!body.empty()) effects.bodies.push_back(block_of(body));
    effects.send_now.push_back({NodeId{to}, block_of(header), {0, body.empty() ? 0U : 1U}});
    transport.send(monotonic_now(), effects.bodies, effects.send_now);
  }

  // Takes in what came and returns how many frames there are in all.
  std::size_t poll() {
    transport.receive(monotonic_now(), 1000, 1U << 30, frames);
    return frames.size();
  }

  PeerTraffic traffic(std::uint32_t peer) const {
    for (const PeerTraffic& traffic : transport.traffic()) {
      if (traffic.id == NodeId{peer}) return traffic;
    }
    return {};
  }

  std::uint64_t refused(FrameFault fault) const {
    return transport.refused()[static_cast<std::size_t>(fault)];
  }

  // Sends a frame that is not dropped; `other` makes room for it.
  void send_surely(std::uint32_t to, std::string_view header, Endpoint& other) {
    await([&] {
      const std::uint64_t dropped = traffic(to).dropped;
      send(to, header);
      other.poll();
      return traffic(to).dropped == dropped;
    });
  }

  // Sends pings until one arrives: from then on the link is up.
  void link_up(std::uint32_t to, Endpoint& other) {
    await([&] {
      send(to, "ping");
      return other.poll() > 0;
    });
    // What else is on its way comes before this.
    send_surely(to, "last ping", other);
    await([&] {
      other.poll();
      return text_of(other.frames.back().header) == "last ping";
    });
    other.frames.clear();
  }

  Transport transport;
  std::vector<Frame> frames;
};

class OverEveryWay : public testing::TestWithParam<const char*> {
 protected:
  std::string endpoint() const {
    const std::string kind = GetParam();
    if (kind == "tcp") return "tcp://127.0.0.1:0";
    if (kind == "ipc") return "ipc://" + (folder_.path() / "peer").string();
    return "inproc://peer";
  }
  TestFolder folder_;
  zmq::context_t context_;
};

TEST_P(OverEveryWay, FramesArriveWholeAndInOrder) {
  Endpoint one(context_, 1, 10);
  Endpoint two(context_, 2);
  two.transport.bind(endpoint());
  one.transport.connect(NodeId{2}, two.transport.endpoint());
  one.link_up(2, two);
  const std::uint64_t before = one.traffic(2).sent;

  const std::string large(3'000'000, 'x');
  one.send(2, "a");
  one.send(2, "b", "body of b");
  one.send(2, "c", large);
  await([&] { return two.poll() == 3; });
  EXPECT_EQ(text_of(two.frames[0].header), "a");
  EXPECT_TRUE(two.frames[0].body.empty());
  EXPECT_EQ(text_of(two.frames[1].header), "b");
  EXPECT_EQ(text_of(two.frames[1].body), "body of b");
  EXPECT_EQ(text_of(two.frames[2].body), large);
  for (const Frame& frame : two.frames) {
    EXPECT_EQ(frame.from, NodeId{1});
    EXPECT_EQ(frame.group, GroupId{1});
    EXPECT_EQ(frame.incarnation, Incarnation{10});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame.header.data()) % 8, 0u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame.body.data()) % 8, 0u);
  }
  EXPECT_EQ(one.traffic(2).sent, before + 3);
  EXPECT_EQ(one.traffic(2).sent, two.traffic(1).received);
  EXPECT_EQ(one.traffic(2).sent_bytes, two.traffic(1).received_bytes);
  EXPECT_EQ(two.transport.refused_total(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, OverEveryWay, testing::Values("tcp", "ipc", "inproc"),
                         [](const auto& kind) { return std::string(kind.param); });

class TransportTest : public testing::Test {
 protected:
  // Two ends over tcp, linked from one to two.
  void link(Endpoint& one, Endpoint& two) {
    two.transport.bind("tcp://127.0.0.1:0");
    one.transport.connect(NodeId{2}, two.transport.endpoint());
    one.link_up(2, two);
  }
  zmq::context_t context_;
};

TEST_F(TransportTest, BodiesOfARangeArePutTogetherAndShared) {
  Endpoint one(context_, 1);
  Endpoint two(context_, 2);
  Endpoint three(context_, 3);
  link(one, two);
  three.transport.bind("tcp://127.0.0.1:0");
  one.transport.connect(NodeId{3}, three.transport.endpoint());
  one.link_up(3, three);

  Effects effects;
  for (const char* text : {"a", "bc", "def"}) effects.bodies.push_back(block_of(text));
  effects.send_when_durable.push_back({NodeId{2}, block_of("h"), {0, 3}});
  effects.send_when_durable.push_back({NodeId{3}, block_of("h"), {0, 3}});
  effects.send_when_durable.push_back({NodeId{3}, block_of("h"), {1, 1}});
  one.transport.send(monotonic_now(), effects.bodies, effects.send_when_durable);
  await([&] { return two.poll() == 1 && three.poll() == 2; });
  EXPECT_EQ(text_of(two.frames[0].body), "abcdef");
  EXPECT_EQ(text_of(three.frames[0].body), "abcdef");
  EXPECT_EQ(text_of(three.frames[1].body), "bc");
}

TEST_F(TransportTest, ReceivingStopsAtItsBounds) {
  Endpoint one(context_, 1);
  Endpoint two(context_, 2);
  link(one, two);
  for (int i = 0; i < 10; ++i) one.send(2, "message");
  await([&] { return has_input(two.transport.inbox()); });
  std::vector<Frame> frames;
  await([&] {
    const std::size_t before = frames.size();
    const bool more = two.transport.receive(monotonic_now(), 3, 1U << 20, frames);
    EXPECT_LE(frames.size(), before + 3);
    EXPECT_EQ(more, frames.size() == before + 3);
    return frames.size() == 10;
  });
}

TEST_F(TransportTest, APeerThatIsNotThereCostsNothing) {
  Endpoint one(context_, 1);
  Endpoint two(context_, 2);
  two.transport.bind("tcp://127.0.0.1:0");
  // Node 2 listens at another place, so nobody is where node 1 looks for it; of node 3 nothing is
  // known at all.
  const TestFolder folder;
  one.transport.connect(NodeId{2}, "ipc://" + (folder.path() / "nobody").string());
  for (int i = 0; i < 5000; ++i) {
    one.send(2, "header", "body");
    one.send(3, "header");
  }
  EXPECT_EQ(one.traffic(2).dropped, 5000u);
  EXPECT_EQ(one.traffic(3).dropped, 5000u);
  EXPECT_EQ(one.traffic(2).sent, 0u);
}

TEST_F(TransportTest, WhatWasMeantForADeadPeerDoesNotFloodItAfterItsReturn) {
  const TestFolder folder;
  const std::string endpoint = "ipc://" + (folder.path() / "two").string();
  Endpoint one(context_, 1);
  one.transport.connect(NodeId{2}, endpoint);
  {
    zmq::context_t own;
    Endpoint two(own, 2);
    two.transport.bind(endpoint);
    one.link_up(2, two);
  }
  const std::uint64_t alive = one.traffic(2).dropped;
  await([&] {  // until the connection's end is noticed
    one.send(2, "stale");
    return one.traffic(2).dropped > alive;
  });
  const std::uint64_t dropped = one.traffic(2).dropped;
  for (int i = 0; i < 3000; ++i) one.send(2, "stale");
  EXPECT_EQ(one.traffic(2).dropped, dropped + 3000);

  Endpoint back(context_, 2);
  back.transport.bind(endpoint);
  await([&] {
    one.send(2, "fresh");
    return back.poll() > 0;
  });
  for (const Frame& frame : back.frames) EXPECT_EQ(text_of(frame.header), "fresh");
}

TEST_F(TransportTest, AFullQueueDropsAndCounts) {
  TransportOptions options;
  options.high_water_mark = 4;
  Endpoint one(context_, 1, 1, options);
  Endpoint two(context_, 2, 1, options);
  link(one, two);
  const std::uint64_t before = one.traffic(2).sent;
  // Node 2 does not read; sooner or later all buffers on the way are full.
  const std::string body(100'000, 'x');
  await([&] {
    one.send(2, "header", body);
    return one.traffic(2).dropped >= 10;
  });
  const std::uint64_t sent = one.traffic(2).sent - before;
  await([&] { return two.poll() == sent; });
  one.send_surely(2, "end", two);
  await([&] {
    two.poll();
    return text_of(two.frames.back().header) == "end";
  });
  EXPECT_EQ(two.frames.size(), sent + 1);
}

TEST_F(TransportTest, ForeignFramesAreRefusedByKind) {
  TransportOptions options;
  options.max_frame_bytes = 10'000;
  Endpoint two(context_, 2, 1, options);
  two.transport.bind("tcp://127.0.0.1:0");
  zmq::socket_t push(context_, zmq::socket_type::push);
  push.set(zmq::sockopt::linger, 0);
  push.connect(two.transport.endpoint());
  const auto send = [&](const std::function<void(WireHeader&)>& change, std::string_view own,
                        std::string_view body = {}) {
    WireHeader header;
    header.group = 1;
    header.from = 1;
    header.incarnation = 5;
    header.forgets = 1;
    header.header_size = static_cast<std::uint32_t>(own.size());
    header.body_size = static_cast<std::uint32_t>(body.size());
    if (change) change(header);
    std::string part(sizeof(header), '\0');
    std::memcpy(part.data(), &header, sizeof(header));
    part += own;
    push.send(zmq::buffer(part), body.empty() ? zmq::send_flags::none : zmq::send_flags::sndmore);
    if (!body.empty()) push.send(zmq::buffer(body), zmq::send_flags::none);
  };
  send(nullptr, "good");
  send([](WireHeader& header) { header.magic = 0; }, "bad");
  send(nullptr, "large", std::string(10'001, 'x'));
  send([](WireHeader& header) { header.group = 2; }, "bad");
  send([](WireHeader& header) { header.from = 4; }, "bad");
  send([](WireHeader& header) { header.from = 2; }, "in the receiver's own name");
  send([](WireHeader& header) { header.incarnation = 6; }, "another start of node 1");
  send([](WireHeader& header) { header.incarnation = 0; }, "bad");
  send(nullptr, "!refused by the algorithm");
  push.send(zmq::str_buffer("x"), zmq::send_flags::none);
  for (int i = 0; i < 3; ++i) push.send(zmq::str_buffer("part"), zmq::send_flags::sndmore);
  push.send(zmq::str_buffer("last"), zmq::send_flags::none);
  send(nullptr, "good", "again");

  await([&] { return two.poll() == 2; });
  EXPECT_EQ(two.refused(FrameFault::malformed), 3u);
  EXPECT_EQ(two.refused(FrameFault::oversized), 1u);
  EXPECT_EQ(two.refused(FrameFault::group), 1u);
  EXPECT_EQ(two.refused(FrameFault::foreign), 2u);
  EXPECT_EQ(two.refused(FrameFault::incarnation), 2u);
  EXPECT_EQ(two.refused(FrameFault::invalid), 1u);
  EXPECT_EQ(two.transport.refused_total(), 10u);
  EXPECT_EQ(text_of(two.frames[1].body), "again");
}

// Where members keep their state they come back, as a later start of themselves. Until links have
// keys anybody may say so in their name, and is heard; the member itself is not, until it has
// started as often.
TEST_F(TransportTest, AMemberThatReturnsIsHeardAndWhatItWasBeforeIsNot) {
  Endpoint two(context_, 2);
  two.transport.bind("tcp://127.0.0.1:0");
  zmq::socket_t push(context_, zmq::socket_type::push);
  push.set(zmq::sockopt::linger, 0);
  push.connect(two.transport.endpoint());
  const auto send = [&](std::uint64_t incarnation, std::string_view own,
                        std::uint16_t forgets = 0) {
    WireHeader header;
    header.forgets = forgets;
    header.group = 1;
    header.from = 1;
    header.incarnation = incarnation;
    header.header_size = static_cast<std::uint32_t>(own.size());
    std::string part(sizeof(header), '\0');
    std::memcpy(part.data(), &header, sizeof(header));
    push.send(zmq::buffer(part += own), zmq::send_flags::none);
  };
  send(5, "first start");
  send(7, "!refused by the algorithm");
  send(5, "goes on");
  send(6, "second start");
  send(5, "late");
  send(9, "a start without its state", 1);
  send(6, "the same one says that it forgets", 1);
  send(6, "last");
  await([&] { return two.poll() == 4; });
  EXPECT_EQ(text_of(two.frames[1].header), "goes on") << "what is refused says nothing of a start";
  EXPECT_EQ(text_of(two.frames[3].header), "last");
  EXPECT_EQ(two.refused(FrameFault::invalid), 1U);
  EXPECT_EQ(two.refused(FrameFault::incarnation), 3U);
}

// A plain TCP connection to an endpoint tcp://127.0.0.1:port.
int raw_connection(const std::string& endpoint) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port =
      htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
  EXPECT_EQ(connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return descriptor;
}

TEST_F(TransportTest, RawConnectionsAndWildlyLargeFramesDisturbNobody) {
  TransportOptions options;
  options.max_frame_bytes = 10'000;
  Endpoint one(context_, 1);
  Endpoint two(context_, 2, 1, options);
  two.transport.bind("tcp://127.0.0.1:0");
  const int idle = raw_connection(two.transport.endpoint());
  const int noisy = raw_connection(two.transport.endpoint());
  const std::string garbage(4096, 'G');
  EXPECT_GT(send(noisy, garbage.data(), garbage.size(), MSG_NOSIGNAL), 0);

  one.transport.connect(NodeId{2}, two.transport.endpoint());
  one.link_up(2, two);
  one.send(2, "header", std::string(1'000'000, 'x'));  // ends the connection, which comes back
  one.link_up(2, two);
  EXPECT_EQ(two.transport.refused_total(), 0u);
  close(idle);
  close(noisy);
}

TEST_F(TransportTest, ACutOneWayLeavesTheOtherWay) {
  Endpoint one(context_, 1);
  Endpoint two(context_, 2);
  link(one, two);
  one.transport.bind("tcp://127.0.0.1:0");
  two.transport.connect(NodeId{1}, one.transport.endpoint());
  two.link_up(1, one);

  one.transport.shape(NodeId{2}, {.cut = true});
  for (int i = 0; i < 10; ++i) one.send(2, "lost");
  EXPECT_EQ(one.traffic(2).shaped, 10u);
  two.send(1, "back");
  await([&] { return one.poll() == 1; });

  one.transport.shape(NodeId{2}, {});
  one.send(2, "healed");
  await([&] { return two.poll() > 0; });
  ASSERT_EQ(two.frames.size(), 1u);
  EXPECT_EQ(text_of(two.frames[0].header), "healed");
}

TEST_F(TransportTest, DelayedFramesLeaveWhenDueAndNotBefore) {
  TransportOptions options;
  options.max_delayed = 3;
  Endpoint one(context_, 1, 1, options);
  Endpoint two(context_, 2);
  link(one, two);
  one.transport.shape(NodeId{2}, {.delay = seconds(1000)});
  const std::uint64_t before = one.traffic(2).sent;
  const Instant now = monotonic_now();
  Effects effects;
  effects.bodies.push_back(block_of("body"));
  for (int i = 0; i < 4; ++i) effects.send_now.push_back({NodeId{2}, block_of("late"), {0, 1}});
  one.transport.send(now, effects.bodies, effects.send_now);
  EXPECT_EQ(one.transport.delayed(), 3u);  // the fourth is one too many
  EXPECT_EQ(one.traffic(2).shaped, 1u);
  EXPECT_EQ(one.transport.next_due(), now + seconds(1000));
  one.transport.send_due(now + seconds(999));
  EXPECT_EQ(one.traffic(2).sent, before);
  one.transport.send_due(now + seconds(1000));
  EXPECT_EQ(one.traffic(2).sent, before + 3);
  EXPECT_EQ(one.transport.next_due(), kNever);
  await([&] { return two.poll() == 3; });
  EXPECT_EQ(text_of(two.frames[2].body), "body");
}

TEST_F(TransportTest, BadEndpointsAreNamed) {
  Endpoint one(context_, 1);
  try {
    one.transport.bind("tcp://999.1.1.1:5");
    FAIL() << "it was bound";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("tcp://999.1.1.1:5"));
  }
  EXPECT_THROW(one.transport.connect(NodeId{2}, "nonsense"), std::runtime_error);
  EXPECT_THROW(one.transport.connect(NodeId{7}, "tcp://127.0.0.1:1"), std::runtime_error);
  EXPECT_THROW(one.transport.connect(NodeId{1}, "tcp://127.0.0.1:1"), std::runtime_error);
}

}  // namespace
}  // namespace parley
