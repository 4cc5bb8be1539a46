// What `parley compare` measures.
#include "algorithms/registry/registry.h"
#include "harness/sweep/sweep_spec.h"

namespace parley::harness {
namespace {

using Names = std::vector<std::string_view>;
using Counts = std::vector<std::uint32_t>;

// Spread over more than a decade; the highest is within reach of three nodes on two cores.
const std::vector<double> kRates{10'000, 50'000, 150'000};
const std::vector<double> kMiddleRate{50'000};
const std::vector<double> kRecordedRate{10'000};
constexpr std::uint32_t kRepetitions = 3;

SweepSpec open_loop(std::string name, const Names& algorithms, Counts nodes,
                    std::vector<double> rates) {
  SweepSpec spec;
  spec.name = std::move(name);
  for (const std::string_view algorithm : algorithms)
    spec.algorithms.push_back(find_algorithm(algorithm));
  spec.nodes = std::move(nodes);
  spec.rate = std::move(rates);
  return spec;
}

// Clients speak to the leader directly, as on the bare path that these points are compared with.
SweepSpec closed_loop(std::string name, const Names& algorithms, Counts nodes, std::uint32_t window,
                      std::uint32_t batch) {
  SweepSpec spec = open_loop(std::move(name), algorithms, std::move(nodes), {});
  spec.closed_loop = true;
  spec.window = {window};
  spec.batch = {batch};
  spec.routing = {"leader"};
  return spec;
}

// Every operation is recorded and checked; there is time to come back after the fault.
SweepSpec killed_leader(Counts nodes) {
  SweepSpec spec = open_loop("killed-leader", {"raft"}, std::move(nodes), kRecordedRate);
  spec.faults = {"kill-leader"};
  spec.duration_s = 15;
  spec.record = "all";
  return spec;
}

}  // namespace

std::vector<SweepSpec> compare_specs(bool quick) {
  std::vector<SweepSpec> specs{open_loop("control", {"unreplicated"}, {1}, kRates)};
  if (quick) {
    specs.push_back(open_loop("raft-3-nodes", {"raft"}, {3}, kRates));
    specs.push_back(open_loop("raft-5-nodes", {"raft"}, {5}, kMiddleRate));
  } else {
    specs.push_back(open_loop("raft", {"raft"}, {1, 3, 5, 7}, kRates));
  }
  specs.push_back(killed_leader(quick ? Counts{3} : Counts{3, 5, 7}));
  // The strategies that cannot run on three nodes are left out there.
  specs.push_back(closed_loop("saturation", {"unreplicated", "raft"}, {1, 3}, 1024, 1));
  specs.push_back(closed_loop("one-in-flight", {"unreplicated", "raft"}, {1, 3}, 1, 1));
  if (!quick) specs.push_back(closed_loop("batched", {"raft"}, {3}, 65'536, 64));
  for (SweepSpec& spec : specs) spec.repetitions = quick ? 1 : kRepetitions;
  return specs;
}

}  // namespace parley::harness
