// The files of a run's folder that this module writes: manifest.json, summary.json, faults.csv,
// events.csv, simulated.csv.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/check/checker.h"
#include "harness/load/load.h"
#include "harness/load/recovery.h"
#include "harness/run/events.h"
#include "harness/run/fault_injector.h"
#include "harness/run/node_counters.h"
#include "harness/run/run.h"
#include "harness/run/simulated.h"

namespace parley::harness {

// How the cluster came back from a fault that was done.
struct RecoveryFigures {
  InjectedFault fault;
  load::Recovery after;
  // From its end until every live replica held what any held then; nothing: never, or not measured.
  std::optional<double> converged_ms{};
  // The longest time without an answer that shows that the cluster works (load::unavailable_ms),
  // from its beginning until the next fault begins or the window ends.
  std::optional<double> unavailable_ms{};
};

// What a run found out, as far as it came.
struct RunFindings {
  std::string started_at;  // UTC, as 2026-01-31T12:00:00Z
  std::vector<std::string> notes;
  load::LoadSpec load_spec;  // as the load was driven
  load::LoadResult load;
  ClusterCost cost;
  // Of what clients placed in the measured window, if nothing but that is written to disk (there is
  // storage, and no recording); nothing otherwise.
  std::optional<std::uint64_t> user_bytes;
  double unavailable_ms = 0;  // the longest of the measured window, as of RecoveryFigures
  // Elections while the leader was there (elections.h); nothing where there are no leaders.
  std::optional<std::uint64_t> false_elections;
  std::vector<RecoveryFigures> recovery;
  std::vector<RunEvent> events;                       // of a run with faults
  std::vector<RunEvent> simulated;                    // the same faults in the simulator
  std::optional<SimulatedLatency> simulated_latency;  // over links that take their time
  std::optional<Comparison> as_simulated;             // the two; nothing: there is only one
  std::string consistency;  // a JSON object (parley::history::consistency_json); empty: not checked
  // Until all replicas were equal: by the journals from the last write on, see Convergence, or
  // without them from the end of the load on, by asking.
  std::optional<double> converged_ms;
  std::optional<std::uint64_t> divergent_cells_max;  // of a strategy that merges, by the journals
  std::optional<bool> quiescent;  // whether what was left at the end is final, once checked
  std::vector<history::Departure> departures;  // of nodes whose state a fault took
};

// The present time as RunFindings::started_at has it.
std::string utc_now();

// All throw std::system_error when the file cannot be written.
void write_manifest(const std::filesystem::path& folder, const RunSpec& spec,
                    const RunEnvironment& environment, const RunFindings& findings);
void write_summary(const std::filesystem::path& folder, const RunFindings& findings);
void write_text(const std::filesystem::path& path, const std::string& text);
void write_faults(const std::filesystem::path& folder,
                  const std::vector<RecoveryFigures>& recovery);
// events.csv and simulated.csv, those that have events.
void write_events(const std::filesystem::path& folder, const RunFindings& findings);

}  // namespace parley::harness
