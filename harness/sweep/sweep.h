// Carries out sweeps, one run after the other, and can be resumed.
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/run/run.h"
#include "harness/sweep/results.h"
#include "harness/sweep/sweep_spec.h"

namespace parley::harness {

// Where a sweep, or several after each other, stand.
struct SweepProgress {
  std::size_t finished = 0;  // runs, those of an earlier start included
  std::size_t total = 0;
  double seconds_left = 0;
  std::string_view run;    // the name of the one at hand
  std::string_view phase;  // of it
};

// All may be empty.
struct SweepCallbacks {
  std::function<void(const SweepProgress&)> on_phase;
  std::function<void(const SweepProgress&, const ResultRow&)> on_run;  // after each run
  std::function<void(const SkippedRun&)> on_skipped;
};

// Carries out one run in `folder`, and calls `on_phase` as it goes on.
using PhaseCallback = std::function<void(std::string_view phase)>;
using RunFunction = std::function<RunOutcome(const RunSpec&, const std::filesystem::path& folder,
                                             const PhaseCallback& on_phase)>;
// The real one: execute_run, judged by what the load generator can do at most, which is measured
// before the first run with each batch.
RunFunction live_runs(RunEnvironment environment);

struct SweepOptions {
  std::filesystem::path out;
  bool resume = false;                      // go on with what is in `out`
  const std::atomic<bool>* stop = nullptr;  // ends the sweep when true; what is done stays
};

struct SweepResult {
  std::vector<ResultRow> rows;    // of all runs, done or not
  bool stopped = false;           // before the end; --resume goes on
  std::size_t failed = 0;         // runs
  std::size_t checks_failed = 0;  // runs whose recorded history breaks what the strategy promises
};

// Carries out the sweeps in their order, each in a folder of its own: `out` itself if there is only
// one, else out/<name of the spec>. After each run sweep.json and results.csv are up to date, so
// that a sweep that is killed loses at most the run in flight; done and failed runs are not
// repeated. Throws ConfigError when `out` holds results already and `resume` is false, or when it
// holds another sweep's; std::system_error when it cannot be written.
SweepResult run_sweeps(const std::vector<SweepSpec>& specs, const SweepOptions& options,
                       const RunFunction& run, const SweepCallbacks& callbacks);

// What --dry-run prints: every run with its seconds, what is left out and why, and the sum.
std::string price_list(const std::vector<SweepSpec>& specs);

// Callbacks that print to standard error: a line that is rewritten on a terminal, plain lines
// elsewhere.
SweepCallbacks progress_printer();

}  // namespace parley::harness
