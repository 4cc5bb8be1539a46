// What a write and a freeze of the store cost.
#include "algorithms/contract/store.h"

#include <benchmark/benchmark.h>

#include "algorithms/contract/random.h"

namespace parley {
namespace {

constexpr std::uint32_t kKeys = 1000 * 1000;

void BM_StoreWrite(benchmark::State& state) {
  Store store(kKeys);
  Random random(1);
  std::uint64_t index = 0;
  for (auto _ : state) {
    const Key key{static_cast<std::uint32_t>(random.below(kKeys))};
    benchmark::DoNotOptimize(store.write(key, index, {++index, 0}, {1, 1}));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_StoreWrite);

void BM_StoreFreeze(benchmark::State& state) {
  const auto side = static_cast<std::uint32_t>(state.range(0));
  Store store(side * side);
  for (std::uint32_t key = 0; key < side * side; key += kCellsPerTile) {
    store.write(Key{key}, 1, {1, 0}, {1, 1});
  }
  for (auto _ : state) benchmark::DoNotOptimize(store.freeze());
}
BENCHMARK(BM_StoreFreeze)->Arg(1000)->Arg(2000)->Arg(4096)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace parley
