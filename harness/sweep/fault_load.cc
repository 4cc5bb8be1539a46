#include "harness/sweep/fault_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace parley::harness {
namespace {

constexpr double kReached = 0.98;  // of what was offered

// What two runs must have in common for the saturation of one to be that of the other.
std::string conditions_of(const RunSpec& spec) {
  std::string text = fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}", spec.algorithm->name, spec.nodes,
                                 spec.durability, spec.links, spec.workload, spec.read_share,
                                 spec.read_mode, spec.routing, spec.batch);
  for (const OptionSpec& option : spec.algorithm->options)
    text += fmt::format("|{}", spec.options.at(option.name));
  return text;
}

// What the run shows of saturation, if anything.
std::optional<double> saturation_shown(const ResultRow& row) {
  if (row.record.run.spec.faults != "none" || row.record.state != RecordState::done)
    return std::nullopt;
  if (const auto searched = number_of(row, "search.saturation_ops_per_s")) return searched;
  const auto achieved = number_of(row, "achieved_ops_per_s");
  if (row.record.run.spec.closed_loop || !achieved) return achieved;
  const bool reached = *achieved >= kReached * number_of(row, "offered_ops_per_s").value_or(0);
  return reached ? std::nullopt : achieved;
}

}  // namespace

std::vector<LoadedRun> loaded_fault_runs(const std::vector<ResultRow>& rows) {
  std::map<std::string, double> known;
  for (const ResultRow& row : rows) {
    if (row.record.run.spec.baseline) continue;
    const auto shown = saturation_shown(row);
    if (!shown || !(*shown > 0)) continue;
    double& most = known[conditions_of(row.record.run.spec)];
    most = std::max(most, *shown);
  }
  std::vector<LoadedRun> loaded;
  for (const ResultRow& row : rows) {
    const RunSpec& spec = row.record.run.spec;
    if (spec.faults == "none") continue;
    const auto saturation = known.find(conditions_of(spec));
    if (saturation == known.end()) continue;
    // A closed loop is always at saturation.
    const double rate = spec.closed_loop ? saturation->second : spec.rate;
    if (rate > kMostOfSaturation * saturation->second)
      loaded.push_back({row.record.run.name, rate, saturation->second});
  }
  return loaded;
}

std::string to_text(const LoadedRun& run) {
  return fmt::format(
      "{}: faults at {:.0f} % of saturation ({:.0f} of {:.0f} operations/s): above {:.0f} % "
      "recovery and elections are those of an overloaded cluster",
      run.name, 100 * run.rate / run.saturation, run.rate, run.saturation, 100 * kMostOfSaturation);
}

}  // namespace parley::harness
