// What the strategy itself costs: see BenchmarkCluster.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <vector>

#include "algorithms/bully_2pc/replica.h"
#include "algorithms/contract/benchmark_cluster.h"

namespace parley {
namespace {

constexpr std::size_t kCommandBytes = 28;  // a header and a placement of the canvas
constexpr std::uint32_t kCoordinator = 2;  // of the highest id

std::unique_ptr<BenchmarkCluster> led_cluster() {
  OptionValues options = default_options(kBully2pc.options);
  options.set("max_undecided_bytes", std::int64_t{1} << 32);
  auto cluster = std::make_unique<BenchmarkCluster>(kBully2pc, options, /*cells=*/1);
  for (int i = 0; i < 1000 && cluster->replica(kCoordinator).status().role != "coordinator"; ++i) {
    cluster->set_time(cluster->time() + std::chrono::milliseconds(1));
    cluster->submit(kCoordinator, {});
  }
  return cluster;
}

// `runs` runs of `commands` commands each, submitted in one turn at `node`, until all is committed
// on every node.
void commit_runs(benchmark::State& state, std::uint32_t node) {
  const auto commands = static_cast<std::uint32_t>(state.range(0));
  const auto runs = static_cast<std::size_t>(state.range(1));
  auto cluster = led_cluster();
  std::uint64_t number = 0;
  std::vector<CommandRun> batch(runs);
  for (auto _ : state) {
    if (number >= 100'000 || number * commands * kCommandBytes > (32U << 20)) {
      // The log is kept in memory.
      state.PauseTiming();
      cluster = led_cluster();
      number = 0;
      state.ResumeTiming();
    }
    for (CommandRun& run : batch) {
      run = {{NodeId{node + 1}, {1}, ++number},
             commands,
             Block::make(commands * kCommandBytes,
                         [](std::byte* to) { std::memset(to, 1, kCommandBytes); })};
    }
    cluster->submit(node, batch);
  }
  if (cluster->committed(kCoordinator) != number + 1) {
    state.SkipWithError("not everything was committed");
  }
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["commands"] = benchmark::Counter(rounds * static_cast<double>(runs * commands),
                                                  benchmark::Counter::kIsRate);
}

void BM_CommitAtTheCoordinator(benchmark::State& state) {
  commit_runs(state, kCoordinator);
}
BENCHMARK(BM_CommitAtTheCoordinator)
    ->ArgNames({"commands", "runs"})
    ->Args({1, 1})
    ->Args({64, 1})
    ->Args({1, 64})
    ->Args({64, 64});

void BM_CommitThroughAParticipant(benchmark::State& state) {
  commit_runs(state, 0);
}
BENCHMARK(BM_CommitThroughAParticipant)
    ->ArgNames({"commands", "runs"})
    ->Args({1, 1})
    ->Args({1, 64});

}  // namespace
}  // namespace parley
