// What Raft itself costs: three replicas in one thread, without sockets and disks. Bodies are
// copied once for each receiver, as a transport does.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "algorithms/raft/replica.h"

namespace parley {
namespace {

constexpr std::uint32_t kNodes = 3;
constexpr std::size_t kCommandBytes = 28;  // a header and a placement of the canvas

class Cluster {
 public:
  Cluster() {
    for (std::uint32_t i = 0; i < kNodes; ++i) {
      ReplicaConfig config;
      config.self = NodeId{i + 1};
      config.incarnation = {1};
      config.members = {NodeId{1}, NodeId{2}, NodeId{3}};
      config.options = default_options(kRaft.options);
      config.options.set("max_uncommitted_bytes", std::int64_t{1} << 32);
      config.seed = i + 1;
      nodes_[i].replica = kRaft.make(config, {});
    }
    now_ = nodes_[0].replica->deadline();  // node 1 stands for election
    step(0, {});
    settle();
  }

  // Hands runs to a node and goes on until all nodes have nothing left to say.
  void submit(std::uint32_t node, std::span<const CommandRun> runs) {
    step(node, runs);
    settle();
  }

  [[nodiscard]] std::uint64_t committed(std::uint32_t node) const { return nodes_[node].committed; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] Status status(std::uint32_t node) const { return nodes_[node].replica->status(); }

 private:
  struct Node {
    std::unique_ptr<Replica> replica;
    Ticket durable;
    std::vector<Frame> inbox;
    std::uint64_t committed = 0;
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
    turn.durable_through = node.durable;
    turn.frames = frames;
    turn.commands = runs;
    effects_.clear();
    node.replica->step(turn, store_, effects_);
    ++steps_;
    node.committed += effects_.commit.size();
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
    if (!kRaft.verify(message.header, body)) std::abort();
    nodes_[message.to.value - 1].inbox.push_back({{}, NodeId{from + 1}, {1}, message.header, body});
  }

  std::array<Node, kNodes> nodes_;
  Instant now_;
  Store store_{1};
  Effects effects_;
  std::vector<Frame> frames_;
  std::uint64_t steps_ = 0;
};

// `runs` runs of `commands` commands each, submitted in one turn at `node`, until all is committed
// on every node.
void commit_runs(benchmark::State& state, std::uint32_t node) {
  const auto commands = static_cast<std::uint32_t>(state.range(0));
  const auto runs = static_cast<std::size_t>(state.range(1));
  auto cluster = std::make_unique<Cluster>();
  std::uint64_t number = 0;
  std::uint64_t steps = 0;
  std::vector<CommandRun> batch(runs);
  for (auto _ : state) {
    if (number >= 100'000 || number * commands * kCommandBytes > (32U << 20)) {
      // The log is kept in memory.
      state.PauseTiming();
      cluster = std::make_unique<Cluster>();
      number = 0;
      state.ResumeTiming();
    }
    const std::uint64_t before = cluster->steps();
    for (CommandRun& run : batch) {
      run = {{NodeId{node + 1}, {1}, ++number},
             commands,
             Block::make(commands * kCommandBytes,
                         [](std::byte* to) { std::memset(to, 1, kCommandBytes); })};
    }
    cluster->submit(node, batch);
    steps += cluster->steps() - before;
  }
  if (cluster->committed(0) != number + 1) state.SkipWithError("not everything was committed");
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["runs"] =
      benchmark::Counter(rounds * static_cast<double>(runs), benchmark::Counter::kIsRate);
  state.counters["commands"] = benchmark::Counter(rounds * static_cast<double>(runs * commands),
                                                  benchmark::Counter::kIsRate);
  state.counters["turns_per_round"] = static_cast<double>(steps) / rounds;
  state.counters["log_bytes_per_entry"] = static_cast<double>(cluster->status(0).log_bytes) /
                                          static_cast<double>(cluster->status(0).last.value);
}

void BM_CommitAtTheLeader(benchmark::State& state) {
  commit_runs(state, 0);
}
BENCHMARK(BM_CommitAtTheLeader)
    ->ArgNames({"commands", "runs"})
    ->Args({1, 1})
    ->Args({64, 1})
    ->Args({1, 64})
    ->Args({64, 64});

void BM_CommitThroughAFollower(benchmark::State& state) {
  commit_runs(state, 1);
}
BENCHMARK(BM_CommitThroughAFollower)->ArgNames({"commands", "runs"})->Args({1, 1})->Args({1, 64});

}  // namespace
}  // namespace parley
