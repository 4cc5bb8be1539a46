// Runs whole clusters in one thread under virtual time, from one seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "runtime/fault_schedule.h"
#include "runtime/links.h"
#include "runtime/sim/checker.h"
#include "runtime/sim/clients.h"
#include "runtime/sim/faults.h"
#include "runtime/sim/reduction.h"

namespace parley::sim {

enum class ApplicationChoice : std::uint8_t {
  any,      // drawn by the seed; the canvas for strategies that merge
  canvas,   // cells that are set
  counter,  // cells that are added to, or compared and set; not for strategies that merge
};

struct NamedSchedule {
  std::string name;  // as --faults spells it
  FaultSchedule faults;
};

struct SimOptions {
  std::uint64_t seed = 1;
  std::uint32_t nodes = 0;  // 1 to 16 and within the strategy's limit; 0: drawn by the seed
  Duration duration = std::chrono::seconds(60);       // of phase one, in virtual time; above 0
  Duration healing_bound = std::chrono::seconds(20);  // of phase two; above 0
  FaultSet faults = FaultSet::all();                  // what may happen; each seed leaves some out
  // Instead of `faults`, which is none: these and no others, in a quick network, for clusters of
  // `nodes` or of kScheduledNodes. What is killed stays away until everything heals.
  std::optional<NamedSchedule> schedule;
  // The network as it is without faults, instead of one drawn by the seed.
  std::optional<NetworkProfile> links;
  ApplicationChoice application = ApplicationChoice::any;
  // Nodes are in so many regions, in turn: counted is what goes from one to another.
  std::uint32_t regions = 1;
  bool vary_limits = true;  // the seed also draws limits of the strategy; neither choices nor times
  std::uint32_t clients = 0;           // 1 to 1000; 0: drawn by the seed
  std::uint32_t operations_per_s = 0;  // of all clients, about; to 1'000'000; 0: drawn
  // Less of it: between bouts everything is whole for a second, whatever was acknowledged.
  std::optional<Reduction> reduction;
  TraceSink* trace = nullptr;  // gets everything that happens; may be null
};

inline constexpr std::uint32_t kMaxSimulatedNodes = 16;
inline constexpr std::uint32_t kScheduledNodes = 5;  // of a cluster that follows a schedule

// Whether the options fit together and fit the strategy: empty, or what is wrong and what is
// allowed.
std::string check_sim_options(const Algorithm& algorithm, const SimOptions& options);

inline constexpr Duration kNotAgreed = Duration::max();

// Of strategies that merge: for so long nodes that agree are watched, at the end.
inline constexpr Duration kCalm = std::chrono::seconds(2);

struct SimResult {
  std::vector<std::string> violations;  // empty if all is well; an execution stops at the first
  std::uint64_t trace_hash = 0;         // see Trace
  std::uint64_t events = 0;
  std::uint64_t turns = 0;      // of all nodes
  std::uint64_t messages = 0;   // that arrived
  std::uint64_t commits = 0;    // of the node that has committed most
  std::uint64_t snapshots = 0;  // saved by the nodes that made them
  std::uint64_t installs = 0;   // of others' snapshots
  Duration virtual_time{};
  // kNotAgreed if the nodes never did. Of strategies with one order: from healing, or the last
  // write acknowledged after it, until all nodes held the same. Of those that merge: the longest
  // that a write took to be everywhere, see Checker::slowest_spread.
  Duration agreed_after = kNotAgreed;
  // What the strategy promises of that, if it does: so many rounds, each so long.
  Duration round{};
  std::uint32_t promised_rounds = 0;
  std::uint64_t bytes_to_agree = 0;  // sent by all nodes from healing until they agreed
  std::uint64_t idle_bytes = 0;      // of merge strategies: in kCalm, when they agree
  // Messages from one region to another: those that carry writes, and likewise in kCalm all.
  std::uint64_t writes_crossed = 0;
  std::uint64_t idle_crossings = 0;
  std::uint32_t nodes = 0;
  Duration broken{};  // the part of phase one that is behind, without rests; see Reduction
  FaultCounts faults{};
  std::vector<std::uint32_t> strikes;  // of the nemesis, by number
  std::vector<std::string> missed;     // faults of the schedule that hit nobody, and why
  std::vector<StruckFault> struck;     // what became of each fault of the schedule, by its place
  Anomalies anomalies;
  ClientCounts clients;
};

// One execution. Phase one breaks things, in bouts between which the clients get their work done,
// and checks safety all along; phase two heals everything and requires progress (every client gets
// one more write and read through) and convergence (every node holds the same state) within the
// bound. `algorithm`'s `values` must be complete, and `check_sim_options` content.
SimResult simulate(const Algorithm& algorithm, const OptionValues& values,
                   const SimOptions& options);

// What to type to see an execution again.
std::string replay_command(const Algorithm& algorithm, const OptionValues& values,
                           const SimOptions& options);

}  // namespace parley::sim
