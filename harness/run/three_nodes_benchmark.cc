// What bounds a strategy on three nodes, apart from the machine that runs it: the CPU time of a
// placement for what its nodes compute, and for that with real clients.
#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include "algorithms/registry/registry.h"
#include "harness/load/load.h"
#include "harness/run/three_nodes.h"
#include "runtime/live/client_port.h"
#include "runtime/live/transport.h"
#include "runtime/live/waiter.h"

namespace parley::harness {
namespace {

// Only what the nodes compute: no sockets, no clients.
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

// The nodes with a client port and a transport each, over loopback tcp, served by one thread.
class ServedNodes {
 public:
  explicit ServedNodes(const Algorithm& algorithm) : nodes_(algorithm, monotonic_now()) {
    for (std::uint32_t node = 0; node < ThreeNodes::kNodes; ++node) {
      desks_[node] = std::make_unique<Desk>(algorithm, nodes_.driver(node), NodeId{node + 1});
      ports_[node] = std::make_unique<ClientPort>(contexts_[node], nodes_.application(),
                                                  *desks_[node], ClientOptions{});
      ports_[node]->bind("tcp://127.0.0.1:0");
      transports_[node] = std::make_unique<Transport>(
          contexts_[node], algorithm, nodes_.config_of(node + 1), TransportOptions{});
      transports_[node]->bind("tcp://127.0.0.1:0");
    }
    connect();
    nodes_.send_by([this](std::uint32_t node, std::span<const Block> bodies,
                          std::span<const Message> messages) {
      transports_[node]->send(monotonic_now(), bodies, messages);
    });
    nodes_.after_step([this](std::uint32_t node) { settle(node); });
    thread_ = std::thread([this] { serve(); });
  }
  ~ServedNodes() {
    stopping_.store(true);
    bell_.ring();
    thread_.join();
  }
  ServedNodes(const ServedNodes&) = delete;
  ServedNodes& operator=(const ServedNodes&) = delete;

  [[nodiscard]] std::vector<load::Target> targets() const {
    std::vector<load::Target> targets;
    for (std::uint32_t node = 0; node < ThreeNodes::kNodes; ++node) {
      targets.push_back({NodeId{node + 1}, ports_[node]->endpoints().front()});
    }
    return targets;
  }

 private:
  // As a live node takes them in a turn (runtime/live/node.cc).
  static constexpr std::size_t kTurnRequests = 8192;
  static constexpr std::size_t kTurnRequestBytes = 96U << 10;
  static constexpr std::size_t kTurnFrames = 4096;
  static constexpr std::size_t kTurnFrameBytes = 8U << 20;

  class Desk final : public NodeDesk {
   public:
    Desk(const Algorithm& algorithm, Driver& driver, NodeId id)
        : algorithm_(algorithm), driver_(driver), id_(id) {}
    [[nodiscard]] Greeting greeting() const override {
      const Status status = driver_.replica().status();
      return {id_,
              {1},
              status.leader,
              status.epoch,
              {},
              algorithm_.name,
              !algorithm_.guarantee.ordered};
    }
    [[nodiscard]] std::string report() const override { return "{}"; }

   private:
    const Algorithm& algorithm_;
    Driver& driver_;
    NodeId id_;
  };

  void connect() {
    for (std::uint32_t from = 0; from < ThreeNodes::kNodes; ++from) {
      for (std::uint32_t to = 0; to < ThreeNodes::kNodes; ++to) {
        if (from != to) transports_[from]->connect(NodeId{to + 1}, transports_[to]->endpoint());
      }
    }
  }

  void serve() {
    std::vector<zmq::socket_t*> sockets;
    for (const auto& port : ports_) sockets.push_back(&port->socket());
    for (const auto& transport : transports_) sockets.push_back(&transport->inbox());
    Waiter waiter(sockets, bell_);
    while (!stopping_.load()) {
      bool more = false;
      for (std::uint32_t node = 0; node < ThreeNodes::kNodes; ++node) {
        more |= take_frames(node);
        more |= ports_[node]->receive(nodes_.driver(node), kTurnRequests, kTurnRequestBytes);
      }
      nodes_.turn(monotonic_now());
      for (const auto& port : ports_) port->flush();
      waiter.used_all();
      if (!more) waiter.wait(nodes_.deadline() - monotonic_now());
    }
  }

  bool take_frames(std::uint32_t node) {
    frames_.clear();
    const bool more =
        transports_[node]->receive(monotonic_now(), kTurnFrames, kTurnFrameBytes, frames_);
    for (Frame& frame : frames_) nodes_.driver(node).receive(std::move(frame));
    return more;
  }

  void settle(std::uint32_t node) {
    const Driver& driver = nodes_.driver(node);
    for (const SettledSubmit& settled : driver.submits()) {
      ports_[node]->settle(settled, driver.results());
    }
  }

  std::array<zmq::context_t, ThreeNodes::kNodes> contexts_;
  ThreeNodes nodes_;
  std::array<std::unique_ptr<Desk>, ThreeNodes::kNodes> desks_;
  std::array<std::unique_ptr<ClientPort>, ThreeNodes::kNodes> ports_;
  std::array<std::unique_ptr<Transport>, ThreeNodes::kNodes> transports_;
  std::vector<Frame> frames_;
  Bell bell_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// The same with the load generator's clients, one placement a message, and the nodes' client ports
// and transports: a live cluster differs in that its nodes are three processes, which take turns on
// the cores and displace each other's caches. The CPU time is the whole process's.
void BM_ThreeNodesServe(benchmark::State& state, const char* name) {
  load::LoadResult result;
  for (auto _ : state) {
    const ServedNodes nodes(*find_algorithm(name));
    load::LoadSpec spec;
    spec.targets = nodes.targets();
    spec.loop = load::Loop::closed;
    spec.window = static_cast<std::uint32_t>(state.range(0));
    spec.clients = 1024;
    spec.sessions_of_nodes = !find_algorithm(name)->guarantee.ordered;
    spec.warmup = std::chrono::milliseconds(500);
    spec.duration = std::chrono::seconds(2);
    try {
      result = load::run_load(spec);
    } catch (const load::LoadError& error) {
      return state.SkipWithError(error.what());
    }
    if (result.refused + result.unknown > 0) return state.SkipWithError("not all were placed");
  }
  state.counters["ops_per_s"] = result.achieved_ops_per_s;
  state.counters["cpu_s_per_mops"] =
      result.generator.cpu_seconds * 1e6 / static_cast<double>(result.completed);
}
BENCHMARK_CAPTURE(BM_ThreeNodesServe, bully_2pc, "bully_2pc")->Arg(1024)->Iterations(1);
BENCHMARK_CAPTURE(BM_ThreeNodesServe, raft, "raft")->Arg(1024)->Iterations(1);
BENCHMARK_CAPTURE(BM_ThreeNodesServe, gossip_lww, "gossip_lww")->Arg(1024)->Iterations(1);

}  // namespace
}  // namespace parley::harness
