// What a node's sockets take: the gate for peers' frames, requests of clients, and replies of nodes
// at the load generator.
#include <array>
#include <memory>
#include <zmq.hpp>

#include "algorithms/raft/codec.h"
#include "algorithms/raft/replica.h"
#include "algorithms/unreplicated/replica.h"
#include "apps/canvas/canvas.h"
#include "harness/fuzz/bytes.h"
#include "harness/fuzz/target.h"
#include "harness/load/client_wire.h"
#include "runtime/driver.h"
#include "runtime/live/client_port.h"
#include "runtime/live/sockets.h"
#include "runtime/live/transport.h"
#include "runtime/wire_frame.h"

namespace parley::fuzz {
namespace {

constexpr CanvasSize kCanvasSize{64, 64};

ReplicaConfig config_of(const Algorithm& algorithm, std::uint32_t nodes) {
  ReplicaConfig config;
  config.group = GroupId{1};
  config.self = NodeId{1};
  config.incarnation = Incarnation{1};
  for (std::uint32_t node = 1; node <= nodes; ++node) config.members.push_back(NodeId{node});
  config.options = default_options(algorithm.options);
  return config;
}

// --- the gate for frames ---

struct PeerPort {
  PeerPort() : transport(context, kRaft, config_of(kRaft, 3), limits()) {
    transport.bind("inproc://peers");
    peer.connect("inproc://peers");
  }
  static TransportOptions limits() {
    TransportOptions options;
    options.max_frame_bytes = 1U << 16;
    return options;
  }

  zmq::context_t context{0};
  Transport transport;
  zmq::socket_t peer{context, zmq::socket_type::push};
  std::uint64_t taken = 0;
};

// How many parts, the first one behind its length, then the second; more are empty.
void run_peer_port(Bytes input) {
  static PeerPort port;
  InputReader reader(input);
  const std::uint32_t parts = 1 + reader.number<std::uint8_t>() % 4;
  std::array<zmq::message_t, 4> messages;
  const Bytes first = reader.piece();
  const Bytes second = reader.rest();
  messages[0] = zmq::message_t(first.data(), first.size());
  if (parts > 1) messages[1] = zmq::message_t(second.data(), second.size());
  for (std::uint32_t i = 0; i < parts; ++i) {
    const bool sent = try_send(port.peer, messages[i], i + 1 < parts) == SendResult::sent;
    require(sent, "the port takes what comes");
  }
  std::vector<Frame> frames;
  const std::uint64_t refused = port.transport.refused_total();
  port.transport.receive(Instant{}, 16, 1U << 20, frames);
  require(frames.size() + (port.transport.refused_total() - refused) == 1,
          "a frame is either taken or refused and counted");
  if (frames.empty()) return;
  require(frames[0].from == NodeId{2} || frames[0].from == NodeId{3},
          "a frame that is taken is another member's");
  require(raft::verify(frames[0].header, frames[0].body), "a frame that is taken is valid");
}

std::vector<std::string> peer_port_seeds() {
  raft::Encoder encoder;
  const Block headers[] = {
      encoder.encode(raft::VoteReply{Epoch{3}, false, true}, DiskId{}),
      encoder.encode(raft::VoteRequest{Epoch{2}, LogIndex{1}, Epoch{1}}, DiskId{}),
      encoder.encode(raft::TimeoutNow{Epoch{5}, LogIndex{9}}, DiskId{})};
  std::vector<std::string> seeds;
  for (const Block& header : headers) {
    for (std::uint32_t from = 0; from <= 4; ++from) {
      WireHeader wire;
      wire.group = 1;
      wire.from = from;
      wire.incarnation = 1;
      wire.header_size = static_cast<std::uint32_t>(header.size());
      InputWriter first;
      first.number(wire);
      first.rest(header.bytes());
      InputWriter writer;
      writer.number(std::uint8_t{0});
      writer.piece(bytes_of(first.take()));
      seeds.push_back(writer.take());
    }
  }
  return seeds;
}

// --- clients ---

class Desk final : public NodeDesk {
 public:
  [[nodiscard]] Greeting greeting() const override {
    return {NodeId{1}, Incarnation{1}, NodeId{1}, Epoch{1}, LogIndex{}, "unreplicated"};
  }
  [[nodiscard]] std::string report() const override { return "{}"; }
};

struct Server {
  explicit Server(std::chrono::milliseconds cooldown)
      : canvas(kCanvasSize, cooldown),
        port(context, canvas, desk, limits()),
        driver(kUnreplicated, canvas, config_of(kUnreplicated, 1), {}, {}, nullptr) {
    port.bind("inproc://clients");
    client.connect("inproc://clients");
  }
  static ClientOptions limits() {
    ClientOptions options;
    options.max_request_bytes = 1U << 14;
    return options;
  }
  // Steps until nothing is under way, and settles what came of it.
  void work() {
    for (int turn = 0; turn < 3; ++turn) {
      const Effects& effects = driver.step(now, WallTime(now.time_since_epoch()));
      for (const SettledSubmit& submit : driver.submits()) port.settle(submit, driver.results());
      for (const SettledQuery& query : driver.queries()) port.settle(query, driver.answer_bytes());
      if (!effects.writes.empty()) driver.durable_through(effects.writes.back().ticket);
      now += std::chrono::milliseconds(1);
    }
    port.flush();
  }

  Canvas canvas;
  Desk desk;
  zmq::context_t context{0};
  ClientPort port;
  Driver driver;
  zmq::socket_t client{context, zmq::socket_type::dealer};
  load::ReplyReader replies;
  Instant now{};
};

// A request; what was done so far stays. With a cooldown commands have another form.
template <int kCooldownMs>
void run_client_port(Bytes input) {
  static std::unique_ptr<Server> server;
  static std::uint32_t served = 0;
  // The log has no snapshots here, and grows.
  if (server == nullptr || ++served % 20'000 == 0)
    server = std::make_unique<Server>(std::chrono::milliseconds(kCooldownMs));
  zmq::message_t request(input.data(), input.size());
  require(try_send(server->client, request, false) == SendResult::sent,
          "the port takes what comes");
  server->port.receive(server->driver, 16, 1U << 20);
  server->work();
  require(server->driver.broken_invariant().empty(), "no client can break a node");
  zmq::message_t message;
  require(try_receive(server->client, message), "every request is answered");
  const client::Reply* reply = server->replies.read(message);
  require(reply != nullptr, "an answer is a reply");
  require(!try_receive(server->client, message), "every request is answered once");
}

std::string request_of(client::RequestKind kind, Bytes body, client::ReadMode mode,
                       const std::vector<client::Seen>& seen = {}) {
  flatbuffers::FlatBufferBuilder builder;
  const auto named = seen.empty() ? 0 : builder.CreateVectorOfStructs(seen);
  const auto bytes =
      builder.CreateVector(reinterpret_cast<const std::uint8_t*>(body.data()), body.size());
  builder.Finish(client::CreateRequest(builder, 7, kind, mode, bytes, named));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

std::vector<std::string> client_port_seeds() {
  using client::ReadMode;
  using client::RequestKind;
  InputWriter open;
  open.number(CommandHeader{0, 0, 8, static_cast<std::uint16_t>(CommandKind::open_session)});
  open.number(std::uint64_t{42});
  std::vector<std::byte> places;
  for (std::uint32_t i = 1; i <= 3; ++i) {
    encode_place(SessionId{1}, i, canvas::Place(static_cast<std::uint16_t>(i), 2, 0xff00ff, 9),
                 places);
  }
  std::vector<std::byte> timed;
  encode_timed_place(SessionId{1}, 4, canvas::Place(4, 2, 0xff00ff, 9), 1234, timed);
  std::vector<std::byte> cells;
  encode_cell_ref(1, 2, cells);
  encode_cell_ref(63, 63, cells);
  const std::vector<client::Seen> seen{{12, 1, 0}, {13, 2, 0}};
  return {request_of(RequestKind::hello, {}, ReadMode::local),
          request_of(RequestKind::report, {}, ReadMode::local),
          request_of(RequestKind::submit, bytes_of(open.take()), ReadMode::local),
          request_of(RequestKind::submit, places, ReadMode::local),
          request_of(RequestKind::submit, timed, ReadMode::local),
          request_of(RequestKind::query, cells, ReadMode::local),
          request_of(RequestKind::query, cells, ReadMode::linearizable),
          request_of(RequestKind::query, cells, ReadMode::local, seen)};
}

// --- replies of nodes ---

// Results are read to their end, for the sanitizers to see; nothing can be said of the numbers.
volatile std::uint32_t last_read = 0;

void run_reply(Bytes input) {
  static load::ReplyReader reader;
  const zmq::message_t message(input.data(), input.size());
  const client::Reply* reply = reader.read(message);
  if (reply == nullptr || reply->done() == nullptr) return;
  for (const client::Done* done : *reply->done()) {
    const load::ResultRange range = load::results_of(*done, *reply);
    if (!range.valid || range.first == nullptr) continue;
    for (std::uint32_t i = 0; i < done->count(); ++i) last_read = range.first[i].sequence();
  }
}

std::vector<std::string> reply_seeds() {
  flatbuffers::FlatBufferBuilder builder;
  const std::vector<client::Done> done{{7, 1, 0, 3, ~0U, 0, 0, 0, 0}, {8, 1, 0, 2, 0, 0, 0, 0, 0}};
  const std::vector<client::Result> results{{1, 4, 0, 0, 0, 0, 1, 2, 3},
                                            {1, 5, 1, 2, 0, 0, 0, 0, 9}};
  const auto wire_done = builder.CreateVectorOfStructs(done);
  const auto wire_results = builder.CreateVectorOfStructs(results);
  builder.Finish(client::CreateReply(builder, wire_done, wire_results));
  return {{reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()}};
}

}  // namespace

void add_port_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"peer_port", run_peer_port, peer_port_seeds, 20'000});
  targets.push_back({"client_port", run_client_port<0>, client_port_seeds, 10'000});
  targets.push_back({"client_port_cooldown", run_client_port<1000>, client_port_seeds, 5000});
  targets.push_back({"client_reply", run_reply, reply_seeds, 20'000});
}

}  // namespace parley::fuzz
