// What three nodes compute for a placement, without sockets, threads and clients: their drivers
// with the canvas, sessions and stores, in one thread, messages copied as a transport does.
// Together with what the bare path takes (parley_bare_path) this is a strategy's CPU time per
// placement.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "algorithms/registry/registry.h"
#include "apps/canvas/canvas.h"
#include "runtime/driver.h"

namespace parley {
namespace {

constexpr std::uint32_t kNodes = 3;
constexpr std::uint32_t kSessions = 1024;
constexpr CanvasSize kSize;

class ThreeNodes {
 public:
  explicit ThreeNodes(const Algorithm& algorithm) : canvas_(kSize), algorithm_(algorithm) {
    for (std::uint32_t i = 1; i <= kNodes; ++i) {
      ReplicaConfig config;
      config.self = {i};
      config.incarnation = {1};
      for (std::uint32_t member = 1; member <= kNodes; ++member) config.members.push_back({member});
      config.options = default_options(algorithm.options);
      config.seed = i;
      DriverLimits limits;
      limits.session_idle = Duration{};
      limits.snapshot_bytes = 0;
      nodes_.emplace_back(
          std::make_unique<Driver>(algorithm, canvas_, config, Recovered{}, limits, nullptr));
    }
  }

  // Elects, and opens the sessions at the node that leads, or at the first where nobody has to;
  // false if nobody does.
  bool begin() {
    if (!algorithm_.guarantee.ordered) leader_ = 0;
    for (int i = 0; i < 5000 && leader_ == kNodes; ++i) {
      pass(std::chrono::milliseconds(1));
      const NodeId named = nodes_[0].driver->replica().status().leader;
      if (named != kNoNode) leader_ = named.value - 1;
    }
    if (leader_ == kNodes) return false;
    for (std::uint64_t nonce = 1; nonce <= kSessions; ++nonce) {
      CommandHeader header;
      header.kind = static_cast<std::uint16_t>(CommandKind::open_session);
      header.payload_size = sizeof(nonce);
      std::vector<std::byte> body(sizeof(header) + sizeof(nonce));
      std::memcpy(body.data(), &header, sizeof(header));
      std::memcpy(body.data() + sizeof(header), &nonce, sizeof(nonce));
      nodes_[leader_].driver->submit({1, nonce}, body, 1);
    }
    opening_ = true;
    for (int i = 0; i < 100 && sessions_.size() < kSessions; ++i) {
      pass(std::chrono::milliseconds(1));
    }
    opening_ = false;
    return sessions_.size() == kSessions;
  }

  // Places `count` pixels in one turn of the leader, until each is answered.
  bool place(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t session = next_++ % kSessions;
      // Spread over the canvas, as uniform load is.
      const std::uint32_t cell =
          static_cast<std::uint32_t>(next_ * 2654435761U) % (kSize.width * kSize.height);
      body_.clear();
      encode_place({sessions_[session]}, ++sequences_[session],
                   {static_cast<std::uint16_t>(cell % kSize.width),
                    static_cast<std::uint16_t>(cell / kSize.width), next_ & kMaxColor, 1},
                   body_);
      nodes_[leader_].driver->submit({1, next_}, body_, 1);
    }
    answered_ = 0;
    for (int i = 0; i < 100 && answered_ < count; ++i) pass(std::chrono::microseconds(100));
    return answered_ == count;
  }

 private:
  struct Node {
    explicit Node(std::unique_ptr<Driver> made) : driver(std::move(made)) {}
    std::unique_ptr<Driver> driver;
    Ticket durable;
  };

  // Time passes, and everyone has turns until there is nothing left to say.
  void pass(Duration time) {
    now_ += time;
    for (Node& node : nodes_) step(node);
    for (bool busy = true; busy;) {
      busy = false;
      for (Node& node : nodes_) {
        if (!node.driver->has_input()) continue;
        step(node);
        busy = true;
      }
    }
  }

  void step(Node& node) {
    const auto from = static_cast<std::uint32_t>(&node == &nodes_[0]   ? 1
                                                 : &node == &nodes_[1] ? 2
                                                                       : 3);
    const Effects& effects = node.driver->decide(now_, WallTime(now_.time_since_epoch()));
    for (const Message& message : effects.send_now) send(from, message, effects);
    for (const Message& message : effects.send_when_durable) send(from, message, effects);
    if (!effects.writes.empty()) node.driver->durable_through(effects.writes.back().ticket);
    node.driver->carry_out();
    answered_ += static_cast<std::uint32_t>(node.driver->submits().size());
    if (!opening_) return;
    for (const Result& result : node.driver->results()) {
      sessions_.push_back(static_cast<std::uint32_t>(result.value));
    }
  }

  void send(std::uint32_t from, const Message& message, const Effects& effects) {
    std::size_t size = 0;
    const auto parts = std::span(effects.bodies).subspan(message.body.first, message.body.count);
    for (const Block& part : parts) size += part.size();
    const Block body = Block::make(size, [&](std::byte* to) {
      for (const Block& part : parts) {
        std::memcpy(to, part.data(), part.size());
        to += part.size();
      }
    });
    const Block header = Block::copy_of(message.header.bytes());
    if (!algorithm_.verify(header, body)) std::abort();
    nodes_[message.to.value - 1].driver->receive({{}, {from}, {1}, header, body});
  }

  Canvas canvas_;
  const Algorithm& algorithm_;
  std::deque<Node> nodes_;
  Instant now_{std::chrono::seconds(1)};
  std::uint32_t leader_ = kNodes;
  bool opening_ = false;
  std::vector<std::uint32_t> sessions_;
  std::vector<std::uint32_t> sequences_ = std::vector<std::uint32_t>(kSessions);
  std::uint32_t next_ = 0;
  std::uint32_t answered_ = 0;
  std::vector<std::byte> body_;
};

void BM_ThreeNodesPlace(benchmark::State& state, const char* name) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  auto nodes = std::make_unique<ThreeNodes>(*find_algorithm(name));
  if (!nodes->begin()) return state.SkipWithError("nobody leads, or sessions are missing");
  std::uint64_t placed = 0;
  for (auto _ : state) {
    if (placed > 2'000'000) {  // the log is kept in memory
      state.PauseTiming();
      nodes = std::make_unique<ThreeNodes>(*find_algorithm(name));
      if (!nodes->begin()) return state.SkipWithError("nobody leads");
      placed = 0;
      state.ResumeTiming();
    }
    if (!nodes->place(count)) return state.SkipWithError("a placement was not answered");
    placed += count;
  }
  const double all = static_cast<double>(state.iterations()) * count;
  state.counters["cpu_s_per_mops"] =
      benchmark::Counter(all / 1e6, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(BM_ThreeNodesPlace, bully_2pc, "bully_2pc")->Arg(64)->Arg(256)->Arg(1024);
BENCHMARK_CAPTURE(BM_ThreeNodesPlace, raft, "raft")->Arg(64)->Arg(256)->Arg(1024);
BENCHMARK_CAPTURE(BM_ThreeNodesPlace, gossip_lww, "gossip_lww")->Arg(64)->Arg(256)->Arg(1024);

}  // namespace
}  // namespace parley
