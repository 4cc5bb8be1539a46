#include "runtime/sim/scaling.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace parley::sim {
namespace {

using std::chrono::seconds;

ScheduledFault two_halves(std::uint32_t nodes) {
  ScheduledFault fault;
  fault.at = seconds(1);
  fault.kind = ScheduledFault::Kind::cut;
  fault.lasts = seconds(3);
  fault.cut.groups.resize(2);
  for (std::uint32_t id = 1; id <= nodes; ++id) fault.cut.groups[id % 2].push_back({id});
  return fault;
}

// "region_size 32; relays 3", without a comma.
std::string changed_options(const Algorithm& algorithm, const OptionValues& values) {
  std::string text;
  for (const OptionSpec& option : algorithm.options) {
    if (values.at(option.name) == option.fallback) continue;
    if (!text.empty()) text += "; ";
    text += option.name + " " + option_text(algorithm.options, option.name, values);
  }
  return text;
}

}  // namespace

std::vector<std::uint32_t> scaling_sizes(const Algorithm& algorithm) {
  std::vector<std::uint32_t> sizes;
  for (const std::uint32_t nodes : {10U, 32U, 100U, 316U, 1000U}) {
    if (nodes <= algorithm.max_nodes) sizes.push_back(nodes);
  }
  return sizes;
}

ScalingPoint measure_scaling(const Algorithm& algorithm, const OptionValues& values,
                             std::uint32_t nodes, std::uint64_t seed) {
  SimOptions options;
  options.seed = seed;
  options.nodes = nodes;
  options.duration = seconds(4);
  options.faults = FaultSet::none();
  options.schedule = {"two-halves", {two_halves(nodes)}};
  options.vary_limits = false;
  options.clients = 8;
  options.operations_per_s = 100;
  options.regions = (nodes + kRegion - 1) / kRegion;
  const SimResult result = simulate(algorithm, values, options);
  if (!result.violations.empty()) {
    throw std::runtime_error(fmt::format("{} nodes: {}", nodes, result.violations.front()));
  }
  const auto in_rounds = [&result](Duration duration) {
    return static_cast<double>(duration.count()) / static_cast<double>(result.round.count());
  };
  ScalingPoint point;
  point.nodes = nodes;
  point.seed = seed;
  point.agreed_after = result.agreed_after;
  point.rounds = in_rounds(result.agreed_after);
  point.promised_rounds = result.promised_rounds;
  point.bytes_to_agree = static_cast<double>(result.bytes_to_agree) / nodes;
  const double calm_s = std::chrono::duration<double>(kCalm).count();
  point.idle_bytes_per_s = static_cast<double>(result.idle_bytes) / nodes / calm_s;
  const auto writes = std::max<std::uint64_t>(result.clients.acknowledged, 1);
  point.crossings_per_write =
      static_cast<double>(result.writes_crossed) / static_cast<double>(writes);
  point.idle_crossings_per_s = static_cast<double>(result.idle_crossings) / calm_s;
  return point;
}

std::string scaling_csv(const Algorithm& algorithm, const OptionValues& values,
                        const std::vector<ScalingPoint>& points) {
  const std::string options = changed_options(algorithm, values);
  std::string csv =
      "algorithm,options,nodes,seed,agreed_after_ms,rounds,promised_rounds,bytes_to_agree,"
      "idle_bytes_per_s,crossings_per_write,idle_crossings_per_s\n";
  for (const ScalingPoint& point : points) {
    csv += fmt::format("{},{},{},{},{:.3f},{:.3f},{},{:.0f},{:.0f},{:.2f},{:.0f}\n", algorithm.name,
                       options, point.nodes, point.seed,
                       static_cast<double>(point.agreed_after.count()) / 1e6, point.rounds,
                       point.promised_rounds, point.bytes_to_agree, point.idle_bytes_per_s,
                       point.crossings_per_write, point.idle_crossings_per_s);
  }
  return csv;
}

}  // namespace parley::sim
