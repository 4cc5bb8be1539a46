// What gossip itself costs, the stores included: see BenchmarkCluster.
#include <benchmark/benchmark.h>

#include <cstring>
#include <deque>

#include "algorithms/contract/benchmark_cluster.h"
#include "algorithms/contract/random.h"
#include "algorithms/gossip_lww/replica.h"

namespace parley {
namespace {

constexpr std::uint32_t kCells = 1'000'000;  // the usual canvas

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
  BenchmarkCluster cluster(kGossipLww, default_options(kGossipLww.options), kCells);
  for (std::uint32_t i = 0; i < BenchmarkCluster::kNodes; ++i) cluster.submit(i, {});  // pings
  Random random(1);
  std::uint64_t number = 0;
  for (auto _ : state) {
    const CommandRun run = random_run(random, ++number, writes);
    cluster.set_time(cluster.time() + std::chrono::microseconds(1));
    cluster.submit(0, std::span(&run, 1));
  }
  if (cluster.replies() != number) state.SkipWithError("not everything was acknowledged");
  for (std::uint32_t i = 1; i < BenchmarkCluster::kNodes; ++i) {
    const bool equal = cluster.store(i).digest() == cluster.store(0).digest();
    if (!equal) state.SkipWithError("the stores differ");
  }
  state.counters["writes"] =
      benchmark::Counter(static_cast<double>(number * writes), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_WriteEverywhere)->ArgName("writes")->Arg(1)->Arg(8)->Arg(64)->Arg(1024);

// The same writes into three stores and nothing else: what no strategy can save.
void BM_StoresAlone(benchmark::State& state) {
  std::deque<Store> stores;
  for (std::uint32_t i = 0; i < BenchmarkCluster::kNodes; ++i) stores.emplace_back(kCells);
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
