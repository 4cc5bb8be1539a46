// What gossip itself costs: three replicas with their stores in one thread, without sockets and
// disks. Bodies are copied once for each receiver, as a transport does.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "algorithms/contract/random.h"
#include "algorithms/gossip_lww/replica.h"

namespace parley {
namespace {

constexpr std::uint32_t kNodes = 3;
constexpr std::uint32_t kCells = 1'000'000;  // the usual canvas

class Cluster {
 public:
  Cluster() {
    for (std::uint32_t i = 0; i < kNodes; ++i) {
      ReplicaConfig config;
      config.self = NodeId{i + 1};
      config.incarnation = {1};
      config.members = {NodeId{1}, NodeId{2}, NodeId{3}};
      config.options = default_options(kGossipLww.options);
      config.seed = i + 1;
      nodes_.emplace_back().replica = kGossipLww.make(config, {});
    }
    for (std::uint32_t i = 0; i < kNodes; ++i) step(i, {});  // pings: clocks become known
    settle();
  }

  // Hands runs to a node and goes on until all nodes have nothing left to say.
  void submit(std::uint32_t node, std::span<const CommandRun> runs) {
    now_ += std::chrono::microseconds(1);
    step(node, runs);
    settle();
  }

  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] bool equal() const {
    return nodes_[0].store.digest() == nodes_[1].store.digest() &&
           nodes_[0].store.digest() == nodes_[2].store.digest();
  }

 private:
  struct Node {
    std::unique_ptr<Replica> replica;
    Store store{kCells};
    Ticket durable;
    std::vector<Frame> inbox;
  };

  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (std::uint32_t i = 0; i < kNodes; ++i) {
        if (nodes_[i].inbox.empty()) continue;
        step(i, {});
        busy = true;
      }
    }
  }

  // A turn with all that waits, and the one that follows when something was written.
  void step(std::uint32_t i, std::span<const CommandRun> runs) {
    Node& node = nodes_[i];
    frames_.swap(node.inbox);
    step_once(i, frames_, runs);
    frames_.clear();
    if (!effects_.writes.empty()) {
      node.durable = effects_.writes.back().ticket;
      step_once(i, {}, {});
    }
  }

  void step_once(std::uint32_t i, std::span<const Frame> frames, std::span<const CommandRun> runs) {
    Node& node = nodes_[i];
    Turn turn;
    turn.now = now_;
    turn.wall = WallTime(now_.time_since_epoch());
    turn.durable_through = node.durable;
    turn.frames = frames;
    turn.commands = runs;
    effects_.clear();
    node.replica->step(turn, node.store, effects_);
    for (const MergeCandidate& c : effects_.merge) {
      node.store.write(c.key, c.value, c.stamp, c.writer);
    }
    acknowledged_ += effects_.replies.size();
    for (const Message& message : effects_.send_now) send(i, message);
    for (const Message& message : effects_.send_when_durable) send(i, message);
  }

  void send(std::uint32_t from, const Message& message) {
    std::size_t size = 0;
    const auto parts = std::span(effects_.bodies).subspan(message.body.first, message.body.count);
    for (const Block& part : parts) size += part.size();
    const Block body = Block::make(size, [&](std::byte* to) {
      for (const Block& part : parts) {
        std::memcpy(to, part.data(), part.size());
        to += part.size();
      }
    });
    if (!kGossipLww.verify(message.header, body)) std::abort();
    nodes_[message.to.value - 1].inbox.push_back({{}, NodeId{from + 1}, {1}, message.header, body});
  }

  std::deque<Node> nodes_;
  Instant now_{std::chrono::seconds(1)};
  Effects effects_;
  std::vector<Frame> frames_;
  std::uint64_t acknowledged_ = 0;
};

CommandRun random_run(Random& random, std::uint64_t number, std::uint32_t writes) {
  return {{NodeId{1}, {1}, number}, writes, Block::make(writes * sizeof(CellWrite), [&](auto* to) {
            for (std::uint32_t i = 0; i < writes; ++i) {
              const Key key{static_cast<std::uint32_t>(random.below(kCells))};
              const CellWrite write{key, 0, number, {1, static_cast<std::uint32_t>(number)}};
              std::memcpy(to + i * sizeof(write), &write, sizeof(write));
            }
          })};
}

// A run of so many writes at one node, until it is acknowledged and all nodes have it.
void BM_WriteEverywhere(benchmark::State& state) {
  const auto writes = static_cast<std::uint32_t>(state.range(0));
  Cluster cluster;
  Random random(1);
  std::uint64_t number = 0;
  for (auto _ : state) {
    const CommandRun run = random_run(random, ++number, writes);
    cluster.submit(0, std::span(&run, 1));
  }
  if (cluster.acknowledged() != number) state.SkipWithError("not everything was acknowledged");
  if (!cluster.equal()) state.SkipWithError("the stores differ");
  state.counters["writes"] =
      benchmark::Counter(static_cast<double>(number * writes), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_WriteEverywhere)->ArgName("writes")->Arg(1)->Arg(8)->Arg(64)->Arg(1024);

// The same writes into three stores and nothing else: what no strategy can save.
void BM_StoresAlone(benchmark::State& state) {
  std::deque<Store> stores;
  for (std::uint32_t i = 0; i < kNodes; ++i) stores.emplace_back(kCells);
  Random random(1);
  std::uint64_t time = 0;
  for (auto _ : state) {
    const Key key{static_cast<std::uint32_t>(random.below(kCells))};
    ++time;
    for (Store& store : stores) store.write(key, time, {time, 1}, {1, 1});
  }
  state.counters["writes"] =
      benchmark::Counter(static_cast<double>(time), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_StoresAlone);

}  // namespace
}  // namespace parley
