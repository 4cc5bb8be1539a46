// What snapshots cost: on the loop, a freeze and the copies after it; elsewhere, encoding and
// decoding.
#include <benchmark/benchmark.h>

#include "algorithms/contract/random.h"
#include "runtime/snapshot.h"

namespace parley {
namespace {

// A canvas of which every cell was painted, and sessions that were all used.
struct State {
  State(std::uint32_t side, std::uint32_t session_count)
      : store(side * side), sessions(session_count) {
    for (std::uint32_t i = 1; i <= session_count; ++i) {
      Result result;
      result.session = sessions.open(i);
      result.sequence = 1;
      sessions.record(result);
    }
    Random random(1);
    for (std::uint32_t key = 0; key < side * side; ++key) {
      const auto session = 1 + static_cast<std::uint32_t>(random.below(session_count));
      store.write(Key{key}, random.below(32), {1 + random.below(1'000'000), random.below(100)},
                  {session, 1 + static_cast<std::uint32_t>(random.below(1000))});
    }
  }
  FrozenState freeze() { return {LogIndex{1}, 0, store.freeze(), sessions.freeze()}; }

  Store store;
  SessionTable sessions;
};

// What the loop stands still for. (side of the canvas, sessions)
void BM_SnapshotFreeze(benchmark::State& state) {
  State all(static_cast<std::uint32_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(all.freeze());
}
BENCHMARK(BM_SnapshotFreeze)
    ->Args({1000, 1024})
    ->Args({2000, 65536})
    ->Args({4096, 65536})
    ->Unit(benchmark::kMicrosecond);

// The first placement in a tile, by a session, after a freeze: copies both.
void BM_SnapshotFirstWriteAfterFreeze(benchmark::State& state) {
  State all(1000, 1024);
  std::uint64_t index = 2'000'000;
  for (auto _ : state) {
    state.PauseTiming();
    const FrozenState frozen = all.freeze();
    state.ResumeTiming();
    Result result;
    result.session = 7;
    result.sequence = static_cast<std::uint32_t>(index);
    all.sessions.record(result);
    all.store.write(Key{77}, 1, {++index, 0}, {7, 1});
  }
}
BENCHMARK(BM_SnapshotFirstWriteAfterFreeze)->Iterations(2000)->Unit(benchmark::kMicrosecond);

void BM_SnapshotEncode(benchmark::State& state) {
  State all(1000, 1024);
  const FrozenState frozen = all.freeze();
  std::uint64_t bytes = 0;
  for (auto _ : state) bytes = encode_snapshot(frozen).bytes;
  state.SetItemsProcessed(state.iterations() * 1000 * 1000);
  state.counters["bytes_per_cell"] = static_cast<double>(bytes) / 1e6;
}
BENCHMARK(BM_SnapshotEncode)->Unit(benchmark::kMillisecond);

void BM_SnapshotDecode(benchmark::State& state) {
  State all(1000, 1024);
  const Snapshot snapshot = encode_snapshot(all.freeze());
  std::string error;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        decode_snapshot(snapshot.id, snapshot.parts, {1000 * 1000, 1024, 0}, error));
  }
  state.SetItemsProcessed(state.iterations() * 1000 * 1000);
}
BENCHMARK(BM_SnapshotDecode)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley
