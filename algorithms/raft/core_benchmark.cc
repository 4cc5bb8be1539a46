// What Raft itself costs: see BenchmarkCluster.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <vector>

#include "algorithms/contract/benchmark_cluster.h"
#include "algorithms/raft/replica.h"

namespace parley {
namespace {

constexpr std::size_t kCommandBytes = 28;  // a header and a placement of the canvas

// Node 1 leads.
std::unique_ptr<BenchmarkCluster> led_cluster() {
  OptionValues options = default_options(kRaft.options);
  options.set("max_uncommitted_bytes", std::int64_t{1} << 32);
  auto cluster = std::make_unique<BenchmarkCluster>(kRaft, options, /*cells=*/1);
  cluster->set_time(cluster->replica(0).deadline());  // it stands for election
  cluster->submit(0, {});
  return cluster;
}

// `runs` runs of `commands` commands each, submitted in one turn at `node`, until all is committed
// on every node.
void commit_runs(benchmark::State& state, std::uint32_t node) {
  const auto commands = static_cast<std::uint32_t>(state.range(0));
  const auto runs = static_cast<std::size_t>(state.range(1));
  auto cluster = led_cluster();
  std::uint64_t number = 0;
  std::uint64_t steps = 0;
  std::vector<CommandRun> batch(runs);
  for (auto _ : state) {
    if (number >= 100'000 || number * commands * kCommandBytes > (32U << 20)) {
      // The log is kept in memory.
      state.PauseTiming();
      cluster = led_cluster();
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
  state.counters["log_bytes_per_entry"] =
      static_cast<double>(cluster->replica(0).status().log_bytes) /
      static_cast<double>(cluster->replica(0).status().last.value);
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
