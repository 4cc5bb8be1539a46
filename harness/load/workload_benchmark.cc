// What it costs to make up the placements of each workload.
#include <benchmark/benchmark.h>

#include "harness/load/workload.h"

namespace parley::load {
namespace {

void source_take(benchmark::State& state, const char* workload) {
  LoadSpec spec;
  spec.workload = workload;
  spec.rate = 1e6;
  const auto source = make_source(spec);
  std::vector<canvas::Place> places(1);
  for (auto _ : state) benchmark::DoNotOptimize(source->take(places));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(source_take, uniform, "uniform");
BENCHMARK_CAPTURE(source_take, zipf, "zipf");
BENCHMARK_CAPTURE(source_take, hotspot, "hotspot");
BENCHMARK_CAPTURE(source_take, rplace, "rplace");

}  // namespace
}  // namespace parley::load
