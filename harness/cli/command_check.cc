// parley check: deterministic simulation with checkers.
#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "algorithms/registry/registry.h"
#include "harness/cli/commands.h"
#include "harness/cli/progress.h"
#include "harness/cluster/stop_signal.h"
#include "harness/sweep/sweep.h"
#include "runtime/sim/check_seeds.h"
#include "runtime/sim/trace_formats.h"

namespace parley::cli {
namespace {

nlohmann::ordered_json faults_json(const sim::FaultCounts& counts) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    json[std::string(sim::fault_name(static_cast<sim::FaultKind>(i)))] = counts[i];
  }
  return json;
}

void print_json(const Algorithm& algorithm, const sim::SeedsReport& report) {
  const nlohmann::ordered_json json{
      {"algorithm", algorithm.name},
      {"seeds", report.seeds},
      {"violations", report.violations},
      {"failing_seeds", report.failing_seeds},
      {"seeds_per_s", report.seeds_per_s},
      {"events_per_s", report.events_per_s},
      {"simulated_to_real", report.simulated_to_real},
      {"faults", faults_json(report.faults)},
      {"commits", report.commits},
      {"snapshots", report.snapshots},
      {"snapshots_installed", report.installs},
      {"sessions_expired", report.clients.expired},
      {"trace_hash", fmt::format("{:016x}", report.trace_hash)},
      {"anomalies",
       {{"stale_reads", report.anomalies.stale_reads},
        {"duplicates", report.anomalies.duplicates},
        {"superseded", report.anomalies.superseded},
        {"lost", report.anomalies.lost}}},
  };
  fmt::print("{}\n", json.dump());
}

void print_report(const Algorithm& algorithm, const sim::SeedsReport& report) {
  for (const sim::Failure& failure : report.failures) fmt::print("{}\n", sim::describe(failure));
  fmt::print("{}: {} seeds, {} violations in {} of them\n", algorithm.name, report.seeds,
             report.violations, report.failing_seeds.size());
  fmt::print("  {:.1f} seeds/s, {:.0f} events/s, {:.0f}x real time, in {}\n", report.seeds_per_s,
             report.events_per_s, report.simulated_to_real,
             harness::duration_text(report.elapsed_s));
  fmt::print("  faults:");
  for (std::size_t i = 0; i < report.faults.size(); ++i) {
    fmt::print(" {} {}", report.faults[i], sim::fault_name(static_cast<sim::FaultKind>(i)));
  }
  fmt::print("\n  {} commits, {} snapshots made, {} installed, {} sessions expired", report.commits,
             report.snapshots, report.installs, report.clients.expired);
  fmt::print("\n  trace hash {:016x}\n", report.trace_hash);
}

// Fills the options, or says what is wrong.
std::string read_options(const CheckOptions& options, const Algorithm& algorithm,
                         OptionValues& values, sim::SimOptions& sim) {
  values = default_options(algorithm.options);
  for (const std::string& option : options.options) {
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos) return "option: \"" + option + "\" is not NAME=VALUE";
    std::string problem =
        set_option(algorithm.options, option.substr(0, equals), option.substr(equals + 1), values);
    if (!problem.empty()) return problem;
  }
  if (algorithm.check_options != nullptr) {
    if (std::string problem = algorithm.check_options(values); !problem.empty()) return problem;
  }
  sim.seed = options.common.seed.value_or(1);
  sim.nodes = options.nodes;
  sim.duration = std::chrono::seconds(options.seconds);
  if (std::string problem = sim::parse_faults(options.faults, sim.faults); !problem.empty()) {
    return "faults: " + problem;
  }
  if (options.application == "canvas") sim.application = sim::ApplicationChoice::canvas;
  if (options.application == "counter") sim.application = sim::ApplicationChoice::counter;
  return sim::check_sim_options(algorithm, sim);
}

}  // namespace

int run_check(const CheckOptions& options) {
  if (!known_algorithm(options.algorithm)) return kUsage;
  const Algorithm& algorithm = *find_algorithm(options.algorithm);
  OptionValues values;
  sim::SeedsOptions seeds;
  if (const std::string problem = read_options(options, algorithm, values, seeds.each);
      !problem.empty()) {
    complain(problem);
    return kUsage;
  }
  std::ofstream trace_file;
  std::unique_ptr<sim::TraceSink> trace;
  if (!options.trace_out.empty()) {
    if (options.seeds != 1) {
      complain("trace-out: needs --seeds 1, one execution to be traced");
      return kUsage;
    }
    trace_file.open(options.trace_out);
    if (!trace_file) {
      complain(fmt::format("trace-out: {} cannot be written: {}", options.trace_out,
                           std::strerror(errno)));
      return kUsage;
    }
    trace = sim::make_trace(options.trace_out, trace_file);
    seeds.each.trace = trace.get();
  }
  const harness::StopSignal stop_signal;
  seeds.seeds = options.seeds;
  seeds.stop = &harness::StopSignal::requested();
  sim::SeedsReport report;
  {
    Progress progress;
    seeds.progress = [&progress](const sim::SeedsProgress& now) {
      progress.show(static_cast<double>(now.done) / static_cast<double>(now.seeds),
                    fmt::format("{} of {} seeds, {} failed", now.done, now.seeds, now.failed));
    };
    report = sim::check_seeds(algorithm, values, seeds);
  }
  if (options.common.json) {
    print_json(algorithm, report);
  } else {
    print_report(algorithm, report);
  }
  if (!trace_file) {
    complain("trace-out: " + options.trace_out + " is not complete: writing to it failed");
    return kFailed;
  }
  return report.violations == 0 && report.seeds == options.seeds ? kDone : kFailed;
}

}  // namespace parley::cli
