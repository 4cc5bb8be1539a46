// What carrying out a placement costs, less sessions and replication.
#include <benchmark/benchmark.h>

#include "algorithms/contract/random.h"
#include "apps/canvas/canvas.h"
#include "apps/canvas/canvas_view.h"

namespace parley {
namespace {

class StoreSink final : public WriteSink, public ReplySink {
 public:
  explicit StoreSink(Store& store) : store_(store) {}
  void put(const Command& command, Key key, std::uint64_t value) override {
    store_.write(key, value, {index, command.offset}, {command.header.session, 1});
  }
  void set(const Command&, std::uint16_t, std::uint64_t) override {}
  std::uint64_t index = 0;

 private:
  Store& store_;
};

// Runs of placements that are uniform over a square canvas of the given side.
void BM_CanvasExecute(benchmark::State& state) {
  const auto side = static_cast<std::uint32_t>(state.range(0));
  constexpr std::uint32_t kRun = 1024;
  constexpr std::size_t kRuns = 64;
  const Canvas canvas({side, side});
  Random random(1);
  std::vector<std::vector<std::byte>> bodies(kRuns);
  std::vector<std::vector<Command>> runs(kRuns);
  for (std::size_t r = 0; r < kRuns; ++r) {
    for (std::uint32_t i = 0; i < kRun; ++i) {
      const auto x = static_cast<std::uint16_t>(random.below(side));
      const auto y = static_cast<std::uint16_t>(random.below(side));
      encode_place({1}, i + 1, {x, y, i, 0}, bodies[r]);
    }
    CommandReader reader(bodies[r]);
    Command command;
    while (reader.next(command)) runs[r].push_back(command);
  }
  Store store(canvas.key_count());
  StoreSink sink(store);
  // The first write of a tile allocates it.
  for (const std::vector<Command>& run : runs) canvas.execute(store, run, sink, sink);
  std::size_t next = 0;
  for (auto _ : state) {
    ++sink.index;
    canvas.execute(store, runs[next++ % kRuns], sink, sink);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * kRun);
}
BENCHMARK(BM_CanvasExecute)->Arg(64)->Arg(1000)->Arg(4096);

// What a change of the canvas costs the gateway when somebody looks: all tiles changed.
void BM_CanvasView(benchmark::State& state) {
  const auto side = static_cast<std::uint32_t>(state.range(0));
  const Canvas canvas({side, side});
  Store store(canvas.key_count());
  CanvasView view(canvas, 1U << 30);
  std::uint64_t index = 0;
  for (auto _ : state) {
    state.PauseTiming();
    ++index;
    for (std::uint32_t y = 0; y < side; y += Canvas::kTileSide) {
      for (std::uint32_t x = 0; x < side; x += Canvas::kTileSide) {
        store.write(canvas.key_of(x, y), pack_pixel(0x123456, 0), {index, 0}, {});
      }
    }
    const FrozenStore frozen = store.freeze();
    state.ResumeTiming();
    view.update(frozen, {index}, 1);
    benchmark::DoNotOptimize(view.rgb());
  }
}
BENCHMARK(BM_CanvasView)->Arg(1000)->Arg(4096)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley
