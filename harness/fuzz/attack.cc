#include "harness/fuzz/attack.h"

#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <zmq.hpp>

#include "algorithms/contract/command.h"
#include "algorithms/contract/random.h"
#include "harness/fuzz/bytes.h"
#include "harness/fuzz/connection.h"
#include "harness/fuzz/target.h"
#include "runtime/client_generated.h"
#include "runtime/live/client_port.h"
#include "runtime/wire_frame.h"

namespace parley::fuzz {
namespace {

using harness::Member;

constexpr std::uint32_t kStranger = 99;    // is no member
constexpr std::uint64_t kOtherStart = 77;  // no incarnation of a member: those have 62 random bits
constexpr int kLoiterersAPort = 16;

std::uint16_t port_of(const std::string& endpoint) {
  return static_cast<std::uint16_t>(std::stoul(endpoint.substr(endpoint.rfind(':') + 1)));
}

std::string random_text(std::size_t max, Random& random) {
  std::string text(random.below(max + 1), '\0');
  for (char& byte : text) byte = static_cast<char>(random.below(256));
  return text;
}

// --- peers ---

// Part one of a frame which is right but for what `change` makes of its header.
template <class Change>
std::string frame(const std::string& own, Change&& change) {
  WireHeader header;
  header.group = 1;
  header.from = kStranger;
  header.incarnation = kOtherStart;
  header.header_size = static_cast<std::uint32_t>(own.size());
  change(header);
  InputWriter writer;
  writer.number(header);
  writer.rest(bytes_of(own));
  return writer.take();
}

// One way of being wrong. What it says itself may be right.
std::string bad_frame(NodeId to, const AttackPlan& plan, Random& random) {
  const std::string own =
      random.below(4) == 0 ? random_text(64, random) : plan.valid[random.below(plan.valid.size())];
  switch (random.below(8)) {
    case 0:
      return random_text(200, random);
    case 1:
      return frame(own, [](WireHeader&) {});
    case 2:
      return frame(own, [&](WireHeader& header) { header.from = to.value; });
    case 3:
      return frame(own, [&](WireHeader& header) { header.from = plan.heard.at(to).value; });
    case 4:
      return frame(own, [](WireHeader& header) { header.group = 2; });
    case 5:
      return frame(own, [](WireHeader& header) { header.version = 9; });
    case 6:
      return frame(own, [](WireHeader& header) { header.body_size = 1U << 31; });
    default: {
      std::string cut = frame(own, [](WireHeader&) {});
      cut.resize(random.below(cut.size()));
      return cut;
    }
  }
}

// --- clients ---

std::string bad_request(Random& random) {
  flatbuffers::FlatBufferBuilder builder;
  InputWriter commands;
  switch (random.below(4)) {
    case 0:
      return random_text(300, random);
    case 1:  // a command cut short
      commands.number(CommandHeader{1, 1, 400, 0});
      break;
    case 2:  // a payload that is none
      commands.number(CommandHeader{1, 1, 4, static_cast<std::uint16_t>(CommandKind::application)});
      commands.number(std::uint32_t{7});
      break;
    default:  // larger than a request may be
      commands.rest(bytes_of(std::string(ClientOptions{}.max_request_bytes, 'x')));
  }
  const std::string body = commands.take();
  const auto bytes =
      builder.CreateVector(reinterpret_cast<const std::uint8_t*>(body.data()), body.size());
  builder.Finish(client::CreateRequest(builder, 7, client::RequestKind::submit,
                                       client::ReadMode::local, bytes));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

// --- the web ---

std::string post(const std::string& body, const std::string& headers = "Host: localhost\r\n") {
  return "POST /pixel HTTP/1.1\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string bad_web(Random& random) {
  static const std::string good = R"({"x":1,"y":1,"color":"#111111"})";
  static const std::array<std::string, 12> kBad = {
      post("not JSON"),
      post(R"({"x":100000,"y":1,"color":"#111111"})"),
      post(R"({"x":1,"y":1,"color":"red"})"),
      post(good, "Host: localhost\r\nOrigin: http://evil.example\r\n"),
      post(good, "Host: evil.example\r\n"),
      post(std::string(70'000, '[')),
      "POST /pixel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
      "POST /faults HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16\r\n\r\n{\"fault\":\"kill\"}",
      "GET /pixel?x=1&y=-1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n",
      "GET /ws HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nConnection: "
      "Upgrade\r\n"
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      "BREW /pot HTCPCP/1.0\r\n\r\n"};
  const std::uint64_t way = random.below(kBad.size() + 1);
  return way == kBad.size() ? random_text(200, random) : kBad[way];
}

bool is_taken(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 1") || answer.starts_with("HTTP/1.1 2");
}

// The sockets to one node.
struct Front {
  Front(zmq::context_t& context, const Member& target)
      : member(target),
        peer(context, zmq::socket_type::push),
        client(context, zmq::socket_type::dealer) {
    // A node that has died is a finding, not a reason to wait for ever.
    constexpr int kLingerMs = 30'000;
    peer.set(zmq::sockopt::linger, kLingerMs);
    client.set(zmq::sockopt::linger, kLingerMs);
    peer.connect(member.peer_endpoint);
    client.connect(member.client_endpoint);
  }

  // Answers pile up otherwise, until the node drops them.
  void read_replies() {
    zmq::message_t reply;
    while (client.recv(reply, zmq::recv_flags::dontwait)) {
    }
  }

  Member member;
  zmq::socket_t peer;
  zmq::socket_t client;
};

void send(zmq::socket_t& socket, const std::string& text) {
  socket.send(zmq::buffer(text), zmq::send_flags::none);
}

void send_connection(const Front& front, Random& random) {
  static const std::string kGreeting("\xff\0\0\0\0\0\0\0\x01\x7f\x03", 11);
  const bool to_peers = random.below(2) == 0;
  const Connection connection(
      port_of(to_peers ? front.member.peer_endpoint : front.member.client_endpoint));
  if (random.below(2) == 0) connection.send(bytes_of(kGreeting));
  connection.send(bytes_of(random_text(300, random)));
}

void send_one(Front& front, const AttackPlan& plan, AttackCounts& counts, Random& random) {
  const std::uint64_t way = random.below(10);
  if (way < 6) {
    ++counts.frames;
    const std::string bad = bad_frame(front.member.id, plan, random);
    send(front.peer, bad);
  } else if (way < 8) {
    ++counts.requests;
    send(front.client, bad_request(random));
    front.read_replies();
  } else if (way < 9) {
    ++counts.connections;
    send_connection(front, random);
  } else {
    ++counts.web;
    const Connection connection(front.member.http_port);
    connection.send(bytes_of(bad_web(random)));
    if (is_taken(connection.read_to_end())) ++counts.web_taken;
  }
}

}  // namespace

Loiterers::Loiterers(const std::vector<Member>& members) {
  static constexpr std::string_view kHalfARequest = "POST /pixel HTTP/1.1\r\nHost: loc";
  for (const Member& member : members) {
    for (int i = 0; i < kLoiterersAPort; ++i) {
      for (const std::uint16_t port :
           {port_of(member.peer_endpoint), port_of(member.client_endpoint), member.http_port}) {
        Connection connection(port);
        if (i % 2 == 0) connection.send(bytes_of(kHalfARequest.substr(0, i + 1)));
        sockets_.push_back(connection.release());
      }
    }
  }
}

Loiterers::~Loiterers() {
  for (const int socket : sockets_) ::close(socket);
}

AttackCounts attack(const AttackPlan& plan) {
  zmq::context_t context;
  std::vector<Front> fronts;
  for (const Member& member : plan.members) fronts.emplace_back(context, member);
  Random random(plan.seed);
  AttackCounts counts;
  for (std::uint64_t i = 0; i < plan.count; ++i) {
    Front& front = fronts[i % fronts.size()];
    send_one(front, plan, counts, random);
  }
  return counts;  // what is still queued is sent before the context ends
}

}  // namespace parley::fuzz
