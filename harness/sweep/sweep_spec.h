// A sweep's spec: the axes of its cross product and what all its runs share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/options.h"
#include "apps/canvas/canvas.h"
#include "harness/cluster/config_file.h"
#include "harness/run/run_spec.h"
#include "runtime/driver.h"

namespace parley::harness {

// The keys of SPEC.toml with their defaults; algorithms and nodes have none, nor has rate in an
// open loop.
struct SweepSpec {
  std::string name = "sweep";  // of its folder, where several sweeps share one
  // The axes.
  std::vector<const Algorithm*> algorithms;
  std::vector<std::uint32_t> nodes;
  std::vector<double> rate;  // empty: not used (closed loop, replay); kSearchedRate: "search"
  std::vector<std::string> durability{"none"};
  std::vector<std::string> links{"loopback"};
  std::vector<std::string> faults{"none"};
  std::vector<std::string> workload{"uniform"};
  std::vector<double> read_share{0};
  std::vector<std::string> read_mode{"local"};
  std::vector<std::string> routing{"any"};
  std::vector<std::uint32_t> window{1024};
  std::vector<std::uint32_t> batch{1};
  // The same for all runs.
  bool closed_loop = false;
  std::string objective = "p99<=10ms";  // of rate = "search"
  CanvasSize canvas;
  std::uint32_t clients = 1024;
  std::uint64_t snapshot_bytes = DriverLimits{}.snapshot_bytes;  // see node_config.h
  double speed = 1;                                              // of a replay
  double warmup_s = 2;
  std::optional<double> warmup_max_s;  // nothing: twice warmup_s, see most_warmup_s
  double duration_s = 10;
  std::uint32_t repetitions = 3;
  std::string record = "none";
  std::uint64_t seed = 1;  // of the first repetition; the others count up from it
  bool baseline = true;    // with runs that show the machine's noise, see baseline.h
  // By algorithm; complete. An option with several values makes an axis of its own.
  std::map<std::string, std::vector<OptionValues>, std::less<>> options;
};

// Reads a spec. Relative paths in it are taken from its own folder. Throws ConfigError with the
// file, the line, the key and what is allowed, also for what belongs to a later version.
SweepSpec parse_sweep_spec(const std::filesystem::path& path);
SweepSpec parse_sweep_spec_text(std::string_view text, const std::string& name);

struct PlannedRun {
  std::string name;  // of its folder
  RunSpec spec;
  std::uint32_t number = 0;  // from 1 on, in the order of the keys; baseline runs come last
};

// A point of the cross product that cannot be run. Points that differ only in what the reason does
// not depend on (rate, workload, ...) are there once, as the first of them.
struct SkippedRun {
  RunSpec spec;
  std::string reason;
};

struct SweepPlan {
  std::vector<PlannedRun> runs;  // in the order in which they are carried out
  std::vector<SkippedRun> skipped;
};

// The cross product times the repetitions; each repetition goes through all points before the next
// begins, so that slow changes of the machine spread over all of them, and in an order of chance
// (by the spec's seed), so that what one run leaves behind does not always meet the same other one.
// Throws ConfigError when a point is not allowed, or nothing remains to be run.
SweepPlan plan_sweep(const SweepSpec& spec);

// The plans of sweeps that are carried out one after the other, with the runs of their common
// baseline between those of plan_sweep (baseline.h).
std::vector<SweepPlan> plan_sweeps(const std::vector<SweepSpec>& specs);

// What all runs will take, about.
double estimated_seconds(const SweepPlan& plan);

// What `parley compare` measures: the strategies at several node counts and rates, a killed leader
// and a partition with every operation recorded and checked, what reads see under contention,
// saturation, and one operation in flight. `quick` measures for about four minutes; otherwise
// there are also a killed majority, 1 and 7 nodes and three repetitions.
std::vector<SweepSpec> compare_specs(bool quick);

}  // namespace parley::harness
