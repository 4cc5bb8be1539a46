// Many executions of one strategy, over consecutive seeds, on several threads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/sim/reduce.h"

namespace parley::sim {

struct SeedsProgress {
  std::uint64_t done = 0;
  std::uint64_t seeds = 0;
  std::uint64_t failed = 0;
  double elapsed_s = 0;
};

struct SeedsOptions {
  SimOptions each;             // its seed is the first one; its trace only with one seed
  std::uint64_t seeds = 1;     // above 0
  std::uint32_t threads = 0;   // 0: as many as the machine has
  bool until_failure = false;  // leaves out the seeds after the first that fails
  bool reduce = false;         // the first seed that fails
  // Called by the working threads, one at a time, about ten times a second and at the end.
  std::function<void(const SeedsProgress&)> progress;
  // Ends the work early when it becomes true; may be null.
  const std::atomic<bool>* stop = nullptr;
};

// One seed that failed.
struct Failure {
  std::uint64_t seed = 0;
  std::vector<std::string> violations;
  std::vector<std::string> story;  // how it came to it, or the smaller one; see Story
  std::string replay;              // the command that shows it again
  std::optional<Reduced> reduced;  // a smaller execution that fails by the same check
  std::string replay_reduced;      // the command that shows that one
};

// What a weak guarantee allowed in some of the seeds.
struct AnomalyShare {
  std::uint64_t seeds = 0;
  std::uint64_t acknowledged = 0;  // placements
  Anomalies anomalies;
};

struct SeedsReport {
  std::uint64_t seeds = 0;                   // that were run
  std::uint64_t violations = 0;              // over all seeds
  std::vector<std::uint64_t> failing_seeds;  // all of them, rising
  std::vector<Failure> failures;             // the first ones in full
  double elapsed_s = 0;
  double seeds_per_s = 0;
  double events_per_s = 0;
  double simulated_to_real = 0;  // virtual seconds of all executions by real seconds
  FaultCounts faults{};
  std::vector<std::string> missed;  // the first faults of a schedule that hit nobody
  Anomalies anomalies;
  std::array<AnomalyShare, kFaultKinds> with_fault;  // of the seeds that had a kind of fault
  std::vector<Duration> agreed_after;                // of each seed that agreed, rising
  std::vector<double> agreed_rounds;  // the same where a strategy promises it by rounds, rising
  std::uint64_t agreed_late = 0;      // seeds of these that took longer than promised
  ClientCounts clients;
  std::uint64_t fewest_placements = 0;  // acknowledged writes of the seed that had fewest
  std::uint64_t fewest_faults = 0;      // likewise of faults
  std::uint64_t events = 0;
  std::uint64_t turns = 0;
  std::uint64_t messages = 0;
  std::uint64_t commits = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t installs = 0;
  std::uint64_t trace_hash = 0;  // of all executions; whatever the number of threads
};

// How many seeds may take longer than promised: one in a thousand, and of fewer seeds, one.
constexpr std::uint64_t late_allowed(std::uint64_t seeds) {
  return seeds < 1000 ? 1 : seeds / 1000;
}

// Runs the seeds; see `simulate` for what must hold of the arguments. Does not throw.
SeedsReport check_seeds(const Algorithm& algorithm, const OptionValues& values,
                        const SeedsOptions& options);

// The failure as lines for people: seed, violations, story, and the command that replays it.
std::string describe(const Failure& failure);

}  // namespace parley::sim
