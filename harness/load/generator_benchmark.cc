// The generator's own ceiling: closed loop against a peer that only echoes, in another thread.
#include <benchmark/benchmark.h>

#include "harness/load/fake_node.h"
#include "harness/load/histogram.h"

namespace parley::load {
namespace {

// Arguments: operations in flight, commands per message.
void closed_loop_against_echo(benchmark::State& state) {
  LoadResult result;
  for (auto _ : state) {
    FakeNode node({1});
    LoadSpec spec;
    spec.targets = {node.target()};
    spec.loop = Loop::closed;
    spec.window = static_cast<std::uint32_t>(state.range(0));
    spec.batch = static_cast<std::uint32_t>(state.range(1));
    spec.warmup = std::chrono::milliseconds(200);
    spec.duration = std::chrono::seconds(1);
    result = run_load(spec);
  }
  const double limit_us = result.operation_timeout_us;
  state.counters["ops_per_s"] = result.achieved_ops_per_s;
  state.counters["generator_cpu_share"] = result.generator.cpu_share;
  // What the generator could do with a whole core of its own.
  state.counters["ops_per_core_s"] = result.achieved_ops_per_s / result.generator.cpu_share;
  state.counters["p50_us"] = result.latency.percentile(0.5, limit_us).us;
  state.counters["p99_us"] = result.latency.percentile(0.99, limit_us).us;
}
BENCHMARK(closed_loop_against_echo)
    ->Args({1, 1})
    ->Args({1024, 1})
    ->Args({16384, 1})
    ->Args({65536, 64})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

void histogram_add(benchmark::State& state) {
  LatencyHistogram histogram;
  std::int64_t latency_ns = 0;
  for (auto _ : state) {
    latency_ns = (latency_ns * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFF;
    histogram.add(latency_ns);
  }
  benchmark::DoNotOptimize(histogram.count());
}
BENCHMARK(histogram_add);

}  // namespace
}  // namespace parley::load
