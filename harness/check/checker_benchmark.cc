// What checking a recorded run costs, per operation.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/check/checker.h"
#include "harness/check/json_io.h"

namespace parley::history {
namespace {

constexpr std::uint32_t kClients = 1024;
constexpr std::uint32_t kWidth = 1000;

// The i-th operation of a run on 1000 x 1000 cells with a hot spot: nine placements, then a local
// read of the cell placed last.
Operation operation(std::uint32_t i) {
  const std::uint32_t place = i % 10 == 9 ? i - 1 : i;
  Operation op;
  op.client = i % kClients;
  op.seq = i / kClients + 1;
  op.outcome = Outcome::ok;
  const std::uint32_t cell = place % 4 == 0 ? place % 64 : place * 2654435761u % (kWidth * kWidth);
  op.x = cell % kWidth;
  op.y = cell / kWidth;
  op.color = place & 0xFFFFFF;
  op.invoke_ns = std::int64_t{i} * 1000;
  op.return_ns = op.invoke_ns + 500'000 + place % 1000;
  op.node = 1 + i % 3;
  op.version = {place + 1, 0};
  if (place != i) {
    op.kind = Kind::read;
    op.read_mode = ReadMode::local;
    op.invoke_ns += 1'000'000;
    op.return_ns += 1'000'000;
    op.writer = Writer{place % kClients, place / kClients + 1};
  }
  return op;
}

// The history alone, with stale reads, in memory.
void BM_CheckOperations(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    Checker checker(CheckOptions{});
    checker.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) checker.add(operation(i), i + 1);
    const CheckResult result = checker.finish();
    if (result.verdict != Verdict::pass) state.SkipWithError("the history is correct");
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(BM_CheckOperations)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

// With the journals of three replicas.
void BM_CheckWithJournals(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    CheckOptions options;
    options.canvas_width = kWidth;
    Checker checker(options);
    checker.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) checker.add(operation(i), i + 1);
    for (std::uint32_t node = 1; node <= 3; ++node) {
      checker.begin_journal(node);
      for (std::uint32_t i = 0; i < count; ++i) {
        const Operation op = operation(i);
        if (op.kind == Kind::read) continue;
        checker.add_applied({op.version, {op.client, op.seq}, op.y * kWidth + op.x}, i);
      }
    }
    const CheckResult result = checker.finish();
    if (result.verdict != Verdict::pass) state.SkipWithError("the run is correct");
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(BM_CheckWithJournals)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void BM_FormatLine(benchmark::State& state) {
  const Operation op = operation(8);
  std::string text;
  for (auto _ : state) {
    text.clear();
    format_operation(op, text);
    benchmark::DoNotOptimize(text.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_FormatLine);

void BM_ParseLine(benchmark::State& state) {
  std::string text;
  format_operation(operation(9), text);
  text.pop_back();  // the newline
  OperationParser parser;
  Operation op;
  MalformedLine error;
  for (auto _ : state) {
    if (!parser.parse(text, op, error)) state.SkipWithError("the line is correct");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ParseLine);

}  // namespace
}  // namespace parley::history
