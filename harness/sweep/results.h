// What a sweep's folder says about its runs: sweep.json, results.csv, and the table for a terminal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/sweep/sweep_spec.h"

namespace parley::harness {

// The state of a run within a sweep.
enum class RecordState : std::uint8_t { pending, running, done, failed };
std::string_view state_name(RecordState state);

struct RunRecord {
  PlannedRun run;
  RecordState state = RecordState::pending;
  std::string reason;  // of failed
};

// Writes folder/sweep.json, {"spec", "runs": [{"name", "state", "algorithm", "nodes", ...}],
// "skipped", "warnings"}: after a crash either the old or the new one is there. Throws
// std::system_error.
void write_sweep_json(const std::filesystem::path& folder, const SweepSpec& spec,
                      const std::vector<RunRecord>& runs, const std::vector<SkippedRun>& skipped,
                      const std::vector<std::string>& warnings);

// The states of an earlier start of the same sweep, by the runs' names. Throws ConfigError when
// folder/sweep.json is absent, is not one, or belongs to another spec.
struct EarlierRun {
  RecordState state = RecordState::pending;
  std::string reason;
};
std::map<std::string, EarlierRun> read_sweep_json(const std::filesystem::path& folder,
                                                  const SweepSpec& spec);

// The spec as one JSON object, as in sweep.json.
std::string spec_json(const SweepSpec& spec);

// The figures of a run: what its summary.json holds, flattened with dots. Percentiles above the
// time-out keep their ">".
using Figures = std::map<std::string, std::string, std::less<>>;
// Of the run in `folder`; empty if it has no summary.
Figures read_figures(const std::filesystem::path& folder);

// A run with its figures.
struct ResultRow {
  RunRecord record;
  Figures figures;
  std::filesystem::path folder;
};

// A figure of the run; nothing if it has none of that name or it is no number.
std::optional<double> number_of(const ResultRow& row, std::string_view name);

// Writes folder/results.csv, one row a run that has ended. `recovery` is there as the maxima over
// the run's faults; "inf" where it never came. Throws std::system_error.
void write_results_csv(const std::filesystem::path& folder, const std::vector<ResultRow>& rows);

// One line: "raft, 3 nodes: 49.8 k operations/s, p99 812 us, pass", or why it failed.
std::string result_line(const ResultRow& row);

// "raft, 3 nodes: <reason>".
std::string skipped_line(const SkippedRun& skipped);

// A table for people (of baseline runs only their spread, below it): algorithm, nodes, offered and
// achieved rate, p50, p99, CPU, messages, recovery and verdict. Failed runs are in it with their
// reasons, and runs that the load generator limited have a star and a line that says by what; runs
// with faults above half of saturation have a warning (fault_load.h); of runs that are still to be
// done only the number is told.
std::string results_table(const std::vector<ResultRow>& rows);

}  // namespace parley::harness
