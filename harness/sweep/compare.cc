// What `parley compare` measures.
#include "algorithms/registry/registry.h"
#include "harness/run/bare_path.h"
#include "harness/sweep/sweep_spec.h"

namespace parley::harness {
namespace {

using Algorithms = std::vector<const Algorithm*>;
using Counts = std::vector<std::uint32_t>;

// Spread over more than a decade; the highest is within reach of three nodes on two cores.
const std::vector<double> kRates{10'000, 50'000, 150'000};
const std::vector<double> kMiddleRate{50'000};
const std::vector<double> kRecordedRate{10'000};
constexpr std::uint32_t kRepetitions = 3;

// Those that run on one node only, as a control, or those that coordinate several.
Algorithms registered(bool several_nodes) {
  Algorithms found;
  for (const Algorithm* algorithm : algorithms()) {
    if ((algorithm->max_nodes > 1) == several_nodes) found.push_back(algorithm);
  }
  return found;
}

// Everything that is registered, and the ceiling.
Algorithms all_and_bare_path() {
  Algorithms all(algorithms().begin(), algorithms().end());
  all.push_back(&bare_path());
  return all;
}

SweepSpec open_loop(std::string name, Algorithms algorithms, Counts nodes,
                    std::vector<double> rates) {
  SweepSpec spec;
  spec.name = std::move(name);
  spec.algorithms = std::move(algorithms);
  spec.nodes = std::move(nodes);
  spec.rate = std::move(rates);
  return spec;
}

// Clients speak to the leader directly, as on the bare path that these points are compared with.
SweepSpec closed_loop(std::string name, Counts nodes, std::uint32_t window, std::uint32_t batch) {
  SweepSpec spec = open_loop(std::move(name), all_and_bare_path(), std::move(nodes), {});
  spec.closed_loop = true;
  spec.window = {window};
  spec.batch = {batch};
  spec.routing = {"leader"};
  return spec;
}

// What a strategy does to data shows where many meet on one cell: every operation is recorded and
// checked, and reads are among them, each of one node's own state.
void show_consequences(SweepSpec& spec, double read_share) {
  spec.record = "all";
  spec.workload = {"zipf"};
  spec.read_share = {read_share};
}

SweepSpec staleness(std::string name, Algorithms algorithms, Counts nodes) {
  SweepSpec spec =
      open_loop(std::move(name), std::move(algorithms), std::move(nodes), kRecordedRate);
  show_consequences(spec, 0.5);
  return spec;
}

// Every operation is recorded and checked; there is time to come back after the fault.
SweepSpec with_fault(std::string name, std::string fault, Counts nodes, double duration_s) {
  SweepSpec spec = open_loop(std::move(name), registered(true), std::move(nodes), kRecordedRate);
  spec.faults = {std::move(fault)};
  spec.duration_s = duration_s;
  spec.record = "all";
  return spec;
}

}  // namespace

std::vector<SweepSpec> compare_specs(bool quick) {
  std::vector<SweepSpec> specs{open_loop("control", registered(false), {1}, kRates)};
  if (quick) {
    specs.push_back(open_loop("three-nodes", registered(true), {3}, kRates));
    specs.push_back(open_loop("five-nodes", registered(true), {5}, kMiddleRate));
  } else {
    specs.push_back(open_loop("strategies", registered(true), {1, 3, 5, 7}, kRates));
  }
  specs.push_back(with_fault("killed-leader", "kill-leader", quick ? Counts{3} : Counts{3, 5, 7},
                             quick ? 12 : 15));
  // A partition lasts a quarter of the window.
  specs.push_back(quick ? with_fault("partition", "partition", {3}, 10)
                        : with_fault("partition", "partition", {5}, 40));
  show_consequences(specs.back(), 0.2);
  if (!quick) specs.push_back(with_fault("killed-majority", "kill-majority", {5}, 15));
  specs.push_back(staleness("staleness-control", registered(false), {1}));
  specs.push_back(staleness("staleness", registered(true), quick ? Counts{3} : Counts{3, 5}));
  // The strategies that cannot run on three nodes are left out there.
  specs.push_back(closed_loop("saturation", {1, 3}, 1024, 1));
  specs.push_back(closed_loop("one-in-flight", {1, 3}, 1, 1));
  if (!quick) specs.push_back(closed_loop("batched", {3}, 65'536, 64));
  for (SweepSpec& spec : specs) {
    spec.repetitions = quick ? 1 : kRepetitions;
    // There are many of these, and they settle soon.
    if (quick && spec.faults == std::vector<std::string>{"none"}) {
      spec.warmup_s = 1;
      spec.duration_s = spec.closed_loop ? 2 : 3;
    }
  }
  return specs;
}

}  // namespace parley::harness
