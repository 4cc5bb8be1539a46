#include "harness/run/simulated.h"

#include <fmt/format.h>

#include "algorithms/contract/node_port.h"
#include "harness/cluster/links.h"
#include "harness/load/histogram.h"
#include "harness/load/router.h"
#include "runtime/sim/simulation.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;

constexpr Duration kBefore = 2s;  // the measured window, for the first leader
constexpr double kLongestS = 600;
constexpr Duration kLatencyWindow = 10s;
constexpr std::uint32_t kClients = 64;
constexpr std::uint32_t kOperationsPerS = 200;

// What the generator of load would see if it asked the nodes all the time.
class Watch final : public sim::TraceSink {
 public:
  Watch(std::uint32_t nodes, Sightings& seen) : seen_(seen), named_(nodes) {}

  void begin(const sim::TraceStart&) override {}
  void end(Instant) override {}
  void take(const sim::Fact& fact, std::string_view) override {
    switch (fact.kind) {
      case sim::FactKind::status:
        return named(fact, NodeId{static_cast<std::uint32_t>(fact.b)}, Epoch{fact.a});
      case sim::FactKind::crash:
        return named(fact, kNoNode, {});
      case sim::FactKind::result:
        if (fact.asked.time_since_epoch() >= kBefore)
          seen_.successes.push_back({in_window(fact.asked), in_window(fact.when), {fact.node}});
        return;
      case sim::FactKind::refused:
        if (fact.c == static_cast<std::uint64_t>(RefusedBecause::no_leader))
          seen_.refusals.push_back({in_window(fact.when), {fact.node}});
        return;
      default:
        return;
    }
  }

  static Duration in_window(Instant when) { return when.time_since_epoch() - kBefore; }

 private:
  void named(const sim::Fact& fact, NodeId leader, Epoch epoch) {
    NodeId& before = named_[fact.node - 1];
    if (before == leader) return;
    before = leader;
    seen_.leaders.push_back({.at = in_window(fact.when),
                             .node = {fact.node},
                             .leader = leader,
                             .by_most = load::named_by_most(named_),
                             .epoch = epoch});
  }

  Sightings& seen_;
  std::vector<NodeId> named_;  // by node
};

// Takes the latency of all placements that are asked for from kBefore on.
class Stopwatch final : public sim::TraceSink {
 public:
  void begin(const sim::TraceStart&) override {}
  void end(Instant) override {}
  void take(const sim::Fact& fact, std::string_view) override {
    if (fact.kind != sim::FactKind::result || fact.asked.time_since_epoch() < kBefore) return;
    latency_.add((fact.when - fact.asked).count());
  }
  [[nodiscard]] const load::LatencyHistogram& latency() const { return latency_; }

 private:
  load::LatencyHistogram latency_;
};

// What both kinds of simulated runs have in common.
sim::SimOptions options_for(const RunSpec& spec, Duration window, sim::TraceSink& trace) {
  sim::SimOptions options;
  options.seed = spec.seed;
  options.nodes = spec.nodes;
  options.duration = kBefore + window;
  options.faults = sim::FaultSet::none();
  options.application = sim::ApplicationChoice::canvas;
  options.vary_limits = false;
  options.clients = kClients;
  options.operations_per_s = kOperationsPerS;
  options.trace = &trace;
  return options;
}

}  // namespace

SimulatedRun simulate_run(const RunSpec& spec, const FaultSchedule& schedule) {
  SimulatedRun run;
  if (spec.duration_s > kLongestS) {
    run.problem = fmt::format("a window of {} s is longer than {} s", spec.duration_s, kLongestS);
    return run;
  }
  const Duration window =
      std::chrono::round<Duration>(std::chrono::duration<double>(spec.duration_s));
  run.sightings.window = window;
  Watch watch(spec.nodes, run.sightings);
  sim::SimOptions options = options_for(spec, window, watch);
  options.schedule = {spec.faults, schedule};
  for (ScheduledFault& fault : options.schedule->faults) fault.at += kBefore;
  run.problem = sim::check_sim_options(*spec.algorithm, options);
  if (!run.problem.empty()) return run;
  const sim::SimResult result = sim::simulate(*spec.algorithm, spec.options, options);
  for (std::size_t place = 0; place < result.struck.size(); ++place) {
    const sim::StruckFault& struck = result.struck[place];
    if (!struck.begun) continue;
    FaultSeen seen{schedule[place].name(), struck.node, Watch::in_window(*struck.begun), {}};
    if (struck.ended) seen.ended = Watch::in_window(*struck.ended);
    run.sightings.faults.push_back(std::move(seen));
  }
  if (!result.violations.empty()) run.problem = result.violations.front();
  if (run.problem.empty() && !result.missed.empty()) run.problem = result.missed.front();
  return run;
}

SimulatedLatency simulate_latency(const RunSpec& spec) {
  SimulatedLatency predicted;
  Stopwatch stopwatch;
  sim::SimOptions options = options_for(spec, kLatencyWindow, stopwatch);
  options.schedule = {"none", {}};  // for disks and clocks that are quick
  options.links = load_network_profile(spec.links);
  predicted.problem = sim::check_sim_options(*spec.algorithm, options);
  if (!predicted.problem.empty()) return predicted;
  const sim::SimResult result = sim::simulate(*spec.algorithm, spec.options, options);
  if (!result.violations.empty()) predicted.problem = result.violations.front();
  predicted.placements = stopwatch.latency().count();
  if (predicted.placements == 0) predicted.problem = "nothing was placed";
  predicted.p50_us = stopwatch.latency().percentile(0.5, 0).us;
  predicted.p99_us = stopwatch.latency().percentile(0.99, 0).us;
  return predicted;
}

bool predicts_latency(const RunSpec& spec) {
  return spec.links != RunSpec{}.links && spec.faults == "none" && spec.read_share == 0;
}

}  // namespace parley::harness
