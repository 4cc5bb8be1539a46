// What one run measures: a point of a sweep's cross product.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/options.h"
#include "apps/canvas/canvas.h"
#include "harness/cluster/config_file.h"
#include "runtime/driver.h"

namespace parley::harness {

// Stands for "search": the highest rate that meets the objective.
inline constexpr double kSearchedRate = 0;

struct RunSpec {
  const Algorithm* algorithm = nullptr;  // never null in a spec that is run
  OptionValues options;                  // complete
  std::uint32_t nodes = 3;
  bool closed_loop = false;
  double rate = 10'000;          // operations per second (open loop), or kSearchedRate
  std::string objective;         // of a search, see harness/sweep/knee.h
  std::uint32_t window = 1024;   // operations in flight over all clients (closed loop)
  std::uint32_t batch = 1;       // commands per client message
  std::uint32_t clients = 1024;  // sessions
  std::string durability = "none";
  std::uint64_t snapshot_bytes = DriverLimits{}.snapshot_bytes;  // see node_config.h
  std::string links = "loopback";    // or a path, see load_network_profile
  std::string faults = "none";       // a schedule's name or a path, see load_faults
  std::string workload = "uniform";  // see load::WorkloadSpec
  double speed = 1;                  // of a replay
  double read_share = 0;
  std::string read_mode = "local";  // local | linearizable
  std::string routing = "any";      // any | leader
  CanvasSize canvas;
  double warmup_s = 2;
  std::optional<double> warmup_max_s;  // see most_warmup_s
  double duration_s = 10;
  std::string record = "none";  // none | all | N%
  std::uint64_t seed = 1;
  std::uint32_t repetition = 1;
  bool baseline = false;  // shows what the machine did, see harness/sweep/baseline.h
};

// Whether the rate is to be found.
inline bool searches(const RunSpec& spec) {
  return !spec.closed_loop && spec.rate == kSearchedRate && !spec.objective.empty();
}

// How long the warm-up may last at most where it does not end steady: twice as long as asked,
// unless the spec says otherwise.
inline double most_warmup_s(const RunSpec& spec) {
  return spec.warmup_max_s.value_or(2 * spec.warmup_s);
}

// The share of the cells that `record` keeps: 0 for "none", 1 for "all", N/100 for "N%". Throws
// ConfigError for anything else.
double recorded_share(std::string_view record);

// Why no version of this strategy can run the spec, or empty: such runs are left out of a sweep
// with this reason.
std::string impossible_because(const RunSpec& spec);

// Throws ConfigError when the spec asks for something that is unknown, out of range, or belongs to
// a later version. Reads the files that the spec names.
void check_run(const RunSpec& spec);

// The name of a run's folder: "007-raft-n3-r10000-kill-leader-rep2". Axes at their defaults are
// left out.
std::string run_name(const RunSpec& spec, std::uint32_t number);

// About how long the run takes with everything around the measurement.
double estimated_seconds(const RunSpec& spec);

}  // namespace parley::harness
