// parley check: deterministic simulation with checkers.
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "algorithms/registry/registry.h"
#include "harness/cli/check_options.h"
#include "harness/cli/program.h"
#include "harness/cli/progress.h"
#include "harness/cluster/stop_signal.h"
#include "harness/sweep/duration_text.h"
#include "runtime/sim/check_mutants.h"
#include "runtime/sim/scaling.h"
#include "runtime/sim/trace_formats.h"

namespace parley::cli {
namespace {

constexpr std::uint64_t kUsualSeeds = 100;

nlohmann::ordered_json faults_json(const sim::FaultCounts& counts) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    json[std::string(sim::fault_name(static_cast<sim::FaultKind>(i)))] = counts[i];
  }
  return json;
}

// The least value that `share` of them do not exceed; of none 0.
template <class Value>
Value percentile(const std::vector<Value>& rising, double share) {
  if (rising.empty()) return {};
  const auto last = static_cast<double>(rising.size() - 1);
  return rising[static_cast<std::size_t>(std::ceil(share * last))];
}

double agreed_after_ms(const sim::SeedsReport& report, double share) {
  return static_cast<double>(percentile(report.agreed_after, share).count()) / 1e6;
}

nlohmann::ordered_json rounds_json(const sim::SeedsReport& report) {
  return {{"p50", percentile(report.agreed_rounds, 0.5)},
          {"p99", percentile(report.agreed_rounds, 0.99)},
          {"p999", percentile(report.agreed_rounds, 0.999)},
          {"max", percentile(report.agreed_rounds, 1)},
          {"later_than_promised", report.agreed_late},
          {"allowed", sim::late_allowed(report.seeds)}};
}

// Counts by 1000 acknowledged placements.
struct Rates {
  double lost = 0;
  double superseded = 0;
  double older_wins = 0;  // cells
  double divergent = 0;   // cells
};

Rates rates_of(const sim::Anomalies& found, std::uint64_t acknowledged) {
  const double scale = acknowledged == 0 ? 0 : 1000 / static_cast<double>(acknowledged);
  const auto rate = [scale](std::uint64_t count) { return static_cast<double>(count) * scale; };
  return {rate(found.lost), rate(found.superseded), rate(found.older_wins), rate(found.divergent)};
}

// The seeds that did not have a kind of fault.
sim::AnomalyShare rest_of(const sim::SeedsReport& report, const sim::AnomalyShare& with) {
  const auto& all = report.anomalies;
  sim::AnomalyShare rest;
  rest.seeds = report.seeds - with.seeds;
  rest.acknowledged = report.clients.acknowledged - with.acknowledged;
  rest.anomalies.lost = all.lost - with.anomalies.lost;
  rest.anomalies.superseded = all.superseded - with.anomalies.superseded;
  rest.anomalies.older_wins = all.older_wins - with.anomalies.older_wins;
  rest.anomalies.divergent = all.divergent - with.anomalies.divergent;
  return rest;
}

nlohmann::ordered_json rates_json(const sim::AnomalyShare& share) {
  const Rates rates = rates_of(share.anomalies, share.acknowledged);
  return {{"seeds", share.seeds},
          {"acknowledged", share.acknowledged},
          {"lost", rates.lost},
          {"superseded", rates.superseded},
          {"older_wins", rates.older_wins},
          {"divergent", rates.divergent}};
}

nlohmann::ordered_json by_fault_json(const sim::SeedsReport& report) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < sim::kFaultKinds; ++i) {
    const sim::AnomalyShare& with = report.with_fault[i];
    if (with.seeds == 0) continue;
    json[std::string(sim::fault_name(static_cast<sim::FaultKind>(i)))] = {
        {"with", rates_json(with)}, {"without", rates_json(rest_of(report, with))}};
  }
  return json;
}

// Each seed leaves out some kinds at random, so seeds with a kind and without it differ in nothing
// else, on average.
void print_by_fault(const sim::SeedsReport& report) {
  const Rates all = rates_of(report.anomalies, report.clients.acknowledged);
  fmt::print(
      "\n  of 1000 acknowledged placements {:.2f} lost, {:.2f} superseded; {:.2f} cells in which "
      "an "
      "older one won, {:.2f} divergent before healing",
      all.lost, all.superseded, all.older_wins, all.divergent);
  fmt::print(
      "\n  the same in seeds with a kind of fault / without it:\n    {:<12} {:>15} {:>17} "
      "{:>15} {:>15} {:>13}",
      "", "lost", "superseded", "older wins", "divergent", "seeds");
  for (std::size_t i = 0; i < sim::kFaultKinds; ++i) {
    const sim::AnomalyShare& with = report.with_fault[i];
    if (with.seeds == 0) continue;
    const sim::AnomalyShare rest = rest_of(report, with);
    const Rates a = rates_of(with.anomalies, with.acknowledged);
    const Rates b = rates_of(rest.anomalies, rest.acknowledged);
    fmt::print(
        "\n    {:<12} {:>7.2f}/{:>7.2f} {:>8.2f}/{:>8.2f} {:>7.2f}/{:>7.2f} "
        "{:>7.2f}/{:>7.2f} {:>6}/{:>6}",
        sim::fault_name(static_cast<sim::FaultKind>(i)), a.lost, b.lost, a.superseded, b.superseded,
        a.older_wins, b.older_wins, a.divergent, b.divergent, with.seeds, rest.seeds);
  }
}

void print_json(const Algorithm& algorithm, const sim::SeedsReport& report) {
  nlohmann::ordered_json json{
      {"algorithm", algorithm.name},
      {"seeds", report.seeds},
      {"violations", report.violations},
      {"failing_seeds", report.failing_seeds},
      {"seeds_per_s", report.seeds_per_s},
      {"events_per_s", report.events_per_s},
      {"simulated_to_real", report.simulated_to_real},
      {"faults", faults_json(report.faults)},
      {"placements",
       {{"acknowledged", report.clients.acknowledged}, {"fewest", report.fewest_placements}}},
      {"fewest_faults", report.fewest_faults},
      {"commits", report.commits},
      {"snapshots", report.snapshots},
      {"snapshots_installed", report.installs},
      {"sessions_expired", report.clients.expired},
      {"trace_hash", fmt::format("{:016x}", report.trace_hash)},
      {"anomalies",
       {{"stale_reads", report.anomalies.stale_reads},
        {"duplicates", report.anomalies.duplicates},
        {"superseded", report.anomalies.superseded},
        {"lost", report.anomalies.lost},
        {"older_wins", report.anomalies.older_wins},
        {"divergent", report.anomalies.divergent}}},
      {"agreed_after_ms",
       {{"p50", agreed_after_ms(report, 0.5)},
        {"p99", agreed_after_ms(report, 0.99)},
        {"p999", agreed_after_ms(report, 0.999)},
        {"max", agreed_after_ms(report, 1)}}},
  };
  if (!algorithm.guarantee.keeps_acknowledged) json["anomalies_per_1000"] = by_fault_json(report);
  if (!report.agreed_rounds.empty()) json["agreed_after_rounds"] = rounds_json(report);
  fmt::print("{}\n", json.dump());
}

// A weak guarantee gets rates, not a verdict alone.
void print_weak(const sim::SeedsReport& report) {
  const sim::Anomalies& found = report.anomalies;
  fmt::print(
      "\n  anomalies: {} superseded, {} lost, {} older wins, {} duplicates, {} stale reads, {} "
      "cells divergent before healing",
      found.superseded, found.lost, found.older_wins, found.duplicates, found.stale_reads,
      found.divergent);
  fmt::print(
      "\n  after healing a write was everywhere in p50 {:.0f} ms, p99 {:.0f} ms, p99.9 {:.0f} ms, "
      "at "
      "most {:.0f} ms",
      agreed_after_ms(report, 0.5), agreed_after_ms(report, 0.99), agreed_after_ms(report, 0.999),
      agreed_after_ms(report, 1));
  if (report.agreed_rounds.empty()) return;
  fmt::print(
      "\n  in rounds: p50 {:.1f}, p99 {:.1f}, p99.9 {:.1f}, at most {:.1f}; {} seeds took more "
      "than "
      "promised, allowed are {}",
      percentile(report.agreed_rounds, 0.5), percentile(report.agreed_rounds, 0.99),
      percentile(report.agreed_rounds, 0.999), percentile(report.agreed_rounds, 1),
      report.agreed_late, sim::late_allowed(report.seeds));
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
  fmt::print("\n  {} placements acknowledged, at least {} a seed, which had at least {} faults",
             report.clients.acknowledged, report.fewest_placements, report.fewest_faults);
  fmt::print("\n  {} commits, {} snapshots made, {} installed, {} sessions expired", report.commits,
             report.snapshots, report.installs, report.clients.expired);
  if (!algorithm.guarantee.ordered) print_weak(report);
  if (!algorithm.guarantee.keeps_acknowledged) print_by_fault(report);
  fmt::print("\n  trace hash {:016x}\n", report.trace_hash);
}

// A file, or one of the schedules that runs on real nodes have as well; most names have hyphens.
bool names_schedule(const std::string& faults) {
  return faults.find_first_of("-/.:") != std::string::npos || faults == "random" ||
         faults == "flap";
}

// Fills the options, or says what is wrong, or throws it as std::runtime_error.
std::string read_options(const CheckOptions& options, const Algorithm& algorithm,
                         OptionValues& values, sim::SimOptions& sim) {
  if (std::string problem = parse_options(options.options, algorithm, values); !problem.empty()) {
    return problem;
  }
  sim.seed = options.common.seed.value_or(1);
  sim.nodes = options.nodes;
  const bool mutants = options.mutants || !options.mutant.empty();
  sim.duration =
      std::chrono::seconds(options.seconds.value_or(mutants ? kMutantSeconds : kUsualSeconds));
  if (std::string problem = sim::parse_faults(options.faults, sim.faults); !problem.empty()) {
    if (!names_schedule(options.faults)) return problem;
    sim.schedule = {options.faults, load_schedule(options)};
    sim.faults = sim::FaultSet::none();
  }
  if (!options.links.empty()) sim.links = load_links(options);
  if (options.application == "canvas") sim.application = sim::ApplicationChoice::canvas;
  if (options.application == "counter") sim.application = sim::ApplicationChoice::counter;
  if (!options.reduced.empty()) {
    if (options.seeds.value_or(kUsualSeeds) != 1) {
      return "reduced: needs --seeds 1, the execution that it is a part of";
    }
    std::string problem = sim::parse_reduction(options.reduced, sim.reduction.emplace());
    if (!problem.empty()) return problem;
  }
  return sim::check_sim_options(with_options(algorithm, values), sim);
}

// Whether the strategy can do what this kind asks of it.
bool offers(const Algorithm& algorithm, sim::FaultKind kind) {
  if (kind == sim::FaultKind::members) return algorithm.changes_members;
  if (kind == sim::FaultKind::handover) return algorithm.hands_over;
  return true;
}

// What the command claims to have tried and did not: of "all" what the strategy offers. With few
// seeds and all kinds allowed, which are drawn, it claims nothing, nor with a part of one.
std::vector<std::string> never_injected(const CheckOptions& options, const Algorithm& algorithm,
                                        const sim::SeedsOptions& seeds,
                                        const sim::SeedsReport& report) {
  std::vector<std::string> missing = report.missed;
  if (seeds.each.schedule || seeds.each.reduction ||
      (options.faults == "all" && seeds.seeds < kUsualSeeds))
    return missing;
  const bool alone = options.nodes == 1 || algorithm.max_nodes == 1;
  for (std::size_t i = 0; i < sim::kFaultKinds; ++i) {
    const auto kind = static_cast<sim::FaultKind>(i);
    const bool possible =
        (!alone || !sim::needs_peers(kind)) && (options.faults != "all" || offers(algorithm, kind));
    if (seeds.each.faults.has(kind) && possible && report.faults[i] == 0) {
      missing.emplace_back(sim::fault_name(kind));
    }
  }
  return missing;
}

int check_strategy(const CheckOptions& options, const Algorithm& algorithm,
                   const OptionValues& values, sim::SeedsOptions seeds) {
  seeds.seeds = options.seeds.value_or(kUsualSeeds);
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
  const std::vector<std::string> missing = never_injected(options, algorithm, seeds, report);
  for (const std::string& fault : missing) complain("faults: never injected: " + fault);
  const bool late = report.agreed_late > sim::late_allowed(report.seeds);
  if (late) complain("convergence: more seeds took longer than promised than are allowed");
  const bool sound =
      report.violations == 0 && report.seeds == seeds.seeds && missing.empty() && !late;
  return sound ? kDone : kFailed;
}

// --- scaling ---

int check_scaling(const CheckOptions& options, const Algorithm& algorithm,
                  const OptionValues& values) {
  constexpr std::uint64_t kSeeds = 3;
  if (algorithm.guarantee.ordered || algorithm.merge_promise == nullptr ||
      algorithm.merge_promise(values, 10).rounds == 0) {
    complain("scaling: " + options.algorithm +
             " promises nothing of rounds, with these options; a strategy that merges does");
    return kUsage;
  }
  std::ofstream file(options.scaling);
  std::vector<sim::ScalingPoint> points;
  bool late = false;
  for (const std::uint32_t nodes : sim::scaling_sizes(algorithm)) {
    for (std::uint64_t i = 0; i < options.seeds.value_or(kSeeds); ++i) {
      if (harness::StopSignal::requested().load()) return kFailed;
      const sim::ScalingPoint& point = points.emplace_back(
          sim::measure_scaling(algorithm, values, nodes, options.common.seed.value_or(1) + i));
      late = late || point.rounds > point.promised_rounds;
      fmt::print(stderr,
                 "{} nodes: all agree {:.0f} ms after healing, {:.1f} rounds of {}; a node sends "
                 "{:.0f} bytes until then, {:.0f} a second afterwards; between regions of {} a "
                 "write takes {:.1f} messages, and {:.0f} a second pass afterwards\n",
                 nodes, static_cast<double>(point.agreed_after.count()) / 1e6, point.rounds,
                 point.promised_rounds, point.bytes_to_agree, point.idle_bytes_per_s, sim::kRegion,
                 point.crossings_per_write, point.idle_crossings_per_s);
    }
  }
  file << sim::scaling_csv(algorithm, values, points) << std::flush;
  if (!file) {
    complain("scaling: " + options.scaling + " cannot be written");
    return kFailed;
  }
  if (late) complain("convergence: a cluster took longer than promised");
  return late ? kFailed : kDone;
}

// --- mutants ---

constexpr std::uint64_t kMutantSeeds = 1000;
// Guards whose absence only some late seed of a thousand shows (docs/mutants.md): not drawn by the
// date, since an alarm that may not ring is none.
constexpr std::string_view kHardlyShown[] = {"lease_remembered"};

// The guards to leave out; empty, and why in `problem`, if there is none of the name asked for.
std::vector<const Guard*> chosen_guards(const CheckOptions& options, const Algorithm& algorithm,
                                        std::string& problem) {
  std::vector<const Guard*> all = sim::guards_of(algorithm);
  if (all.empty()) problem = "mutants: " + options.algorithm + " names no guards";
  if (options.mutants || all.empty()) return all;
  if (options.mutant == "today") {
    std::erase_if(all, [](const Guard* guard) {
      return std::ranges::find(kHardlyShown, guard->name) != std::end(kHardlyShown);
    });
    const auto day = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    return {all[static_cast<std::size_t>(day.time_since_epoch().count()) % all.size()]};
  }
  std::string names = "today";
  for (const Guard* guard : all) {
    if (guard->name == options.mutant) return {guard};
    names += ", " + std::string(guard->name);
  }
  problem = "mutant: \"" + options.mutant + "\" is not one of " + names;
  return {};
}

void print_mutant(const sim::MutantResult& mutant) {
  fmt::print("{:<26} {}\n", mutant.guard->name,
             mutant.caught ? fmt::format("caught by {} at seed {}", mutant.check, mutant.seeds)
                           : fmt::format("NOT CAUGHT in {} seeds", mutant.seeds));
  std::fflush(stdout);
}

nlohmann::ordered_json json_of(const sim::MutantResult& mutant) {
  return {{"name", mutant.guard->name},
          {"rule", mutant.guard->rule},
          {"caught", mutant.caught},
          {"seeds", mutant.seeds},
          {"checker", mutant.check}};
}

int check_mutants(const CheckOptions& options, const Algorithm& algorithm,
                  const OptionValues& values, sim::SeedsOptions seeds) {
  std::string problem;
  const std::vector<const Guard*> guards = chosen_guards(options, algorithm, problem);
  if (!problem.empty()) {
    complain(problem);
    return kUsage;
  }
  seeds.seeds = options.seeds.value_or(kMutantSeeds);
  std::vector<std::uint64_t> caught;  // after how many seeds
  nlohmann::ordered_json mutants = nlohmann::ordered_json::array();
  for (const Guard* guard : guards) {
    const sim::MutantResult mutant = sim::check_mutant(algorithm, values, seeds, *guard);
    if (seeds.stop->load()) return kFailed;  // not to be taken for one that was not caught
    if (mutant.caught) caught.push_back(mutant.seeds);
    mutants.push_back(json_of(mutant));
    if (options.common.json) continue;
    if (guards.size() == 1 && mutant.caught) fmt::print("{}\n", sim::describe(mutant.failure));
    print_mutant(mutant);
  }
  if (options.common.json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"mutants", mutants}}.dump());
  } else if (guards.size() > 1) {
    std::sort(caught.begin(), caught.end());
    fmt::print("{} of {} mutants caught", caught.size(), guards.size());
    if (!caught.empty()) {
      fmt::print("; seeds until then: median {}, most {}", caught[caught.size() / 2],
                 caught.back());
    }
    fmt::print("\n");
  }
  return caught.size() == guards.size() ? kDone : kFailed;
}

// The program beside this one in which guards can be left out.
int run_mutants_program(const CheckOptions& options) {
  const auto program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "parley_mutants";
  if (!std::filesystem::exists(program)) {
    complain("mutants: " + program.string() +
             " is not built; ./parley in the repository builds it, or: cmake --build DIR --target "
             "parley_mutants");
    return kUsage;
  }
  std::vector<std::string> arguments = arguments_of(options);
  arguments.insert(arguments.begin(), program.string());
  return run_program(std::move(arguments), /*output_to_stderr=*/false);
}

}  // namespace

int run_check(const CheckOptions& options) {
  if (!known_algorithm(options.algorithm)) return kUsage;
  const Algorithm& named = *find_algorithm(options.algorithm);
  OptionValues values;
  sim::SeedsOptions seeds;
  std::string problem;
  try {
    problem = read_options(options, named, values, seeds.each);
  } catch (const std::runtime_error& error) {
    problem = error.what();
  }
  if (!problem.empty()) {
    complain(problem);
    return kUsage;
  }
  const Algorithm& algorithm = with_options(named, values);
  if (!options.scaling.empty()) {
    const harness::StopSignal stop_signal;
    try {
      return check_scaling(options, algorithm, values);
    } catch (const std::runtime_error& error) {
      complain(std::string("scaling: ") + error.what());
      return kFailed;
    }
  }
  const bool mutants = options.mutants || !options.mutant.empty();
  if (mutants && !kGuardsCanBeLeftOut) return run_mutants_program(options);
  std::ofstream trace_file;
  std::unique_ptr<sim::TraceSink> trace;
  if (!options.trace_out.empty()) {
    if (options.seeds.value_or(kUsualSeeds) != 1) {
      complain("trace-out: needs --seeds 1, one execution to be traced");
      return kUsage;
    }
    trace_file.open(options.trace_out);
    if (!trace_file) {
      complain(fmt::format("trace-out: {} cannot be written: {}", options.trace_out,
                           std::generic_category().message(errno)));
      return kUsage;
    }
    trace = sim::make_trace(options.trace_out, trace_file);
    seeds.each.trace = trace.get();
  }
  const harness::StopSignal stop_signal;
  seeds.stop = &harness::StopSignal::requested();
  seeds.reduce = !options.no_reduce && options.reduced.empty() && !options.mutants;
  const int status = mutants ? check_mutants(options, algorithm, values, seeds)
                             : check_strategy(options, algorithm, values, seeds);
  if (trace_file) return status;
  complain("trace-out: " + options.trace_out + " is not complete: writing to it failed");
  return kFailed;
}

}  // namespace parley::cli
