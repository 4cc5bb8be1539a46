// One run: a cluster, load, faults, checks, and the folder of results that it leaves.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/run/host.h"
#include "harness/run/run_spec.h"

namespace parley::harness {

// What runs of one sweep share.
struct RunEnvironment {
  // How nodes are started, see ClusterSpec.
  std::filesystem::path executable = "/proc/self/exe";
  std::vector<std::string> arguments{"node", "--config"};
  std::filesystem::path bare_path;  // the program; empty: beside the one that runs
  SoftwareInfo software;
  HostInfo host;
  // What the load generator can do at most on this host with the run's batch (measure_ceiling); 0:
  // not known.
  double ceiling_ops_per_s = 0;
  // Ends the run early when true; may be null.
  const std::atomic<bool>* stop = nullptr;
  // Called as the run goes through its phases ("starting", "measuring", ...); may be empty.
  std::function<void(std::string_view phase)> on_phase;
};

enum class RunState : std::uint8_t {
  done,     // measured; the figures are in the folder
  failed,   // something went wrong: `reason`, and in the folder what there is
  stopped,  // the user ended it: what there is in the folder is not a result
};

struct RunOutcome {
  RunState state = RunState::done;
  std::string reason;         // of failed
  bool check_failed = false;  // the recorded history breaks what the strategy promises
};

// Carries out `spec` and leaves its results in `folder`, which is made anew. What goes wrong on the
// way is in the outcome and in the folder's manifest; throws only ConfigError (check_run) and what
// the file system throws when `folder` cannot be written.
RunOutcome execute_run(const RunSpec& spec, const std::filesystem::path& folder,
                       const RunEnvironment& environment);

}  // namespace parley::harness
