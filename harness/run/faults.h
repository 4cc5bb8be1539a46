// Faults of a run on real nodes: the schedules that there are, and carrying one out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/cluster/cluster.h"
#include "harness/run/run_spec.h"
#include "runtime/fault_schedule.h"

namespace parley::harness {

// The faults that `spec.faults` names, over the measured window:
//   none
//   kill-leader, kill-follower          in the middle of the window
//   kill-majority                       likewise all but a minority at once, the leader among them
//   restart-leader, restart-follower    likewise, and back a second later
//   pause-leader                        likewise stopped for two seconds (SIGSTOP)
//   isolate-leader                      likewise cut from all others for two seconds
//   one-way                             likewise the leader is not heard, but hears
//   partition                           likewise the leader and others, a minority, and the rest
//   flap                                from the middle on four times in a row: whoever leads is
//   cut
//                                       from all others for 0.4 s, every 0.8 s
//   random, random:COUNT                drawn by the run's seed, see random_faults; one every two
//                                       seconds where nothing else is said
// or the path of a TOML file:
//   [[fault]]
//   at_s = 2.5            # after the start of the measured window and before its end
//   kind = "restart"      # kill, restart, pause, cut
//   node = "leader"       # leader, follower, majority (not of a cut), or a node's number
//   down_s = 1.0          # of "restart": how long it is away
//   [[fault]]
//   at_s = 5
//   kind = "cut"
//   node = "leader"       # cut off are its links,
//   side = "alone"        # or those of a "minority" that it is in,
//   direction = "both"    # or only what comes "in" or goes "out"
//   for_s = 2             # of "pause" and "cut": how long
//   [[fault]]
//   at_s = 8
//   kind = "cut"
//   groups = [[1, 2, 3], [2, 4], [3, 5]]    # connected is whom some group holds both
// Throws ConfigError.
FaultSchedule load_faults(const RunSpec& spec);

// Whether a node is started again, which needs a durable mode: without, it has forgotten its votes
// and may not return as the same voter.
bool restarts(const FaultSchedule& faults);
bool has_cuts(const FaultSchedule& faults);
// Why a cluster of `nodes` cannot have these faults, or empty.
std::string impossible_for(const FaultSchedule& faults, std::uint32_t nodes);

// What became of a fault.
struct InjectedFault {
  std::string fault;
  NodeId node;             // whom it hit, of a majority its leader; kNoNode if nobody, or of a cut
                           // by groups
  double injected_ms = 0;  // after the start of the measured window
  std::string problem;     // why it was not done, or could not be ended; else empty
  // When it was over, counted likewise; of a kill nothing.
  std::optional<double> ended_ms{};
  // All nodes that it hit, in rising order: of a majority all, of a cut those on the target's side;
  // none of a cut by groups.
  std::vector<NodeId> nodes{};
};

// Carries out a schedule and keeps account of it. Used by one thread at a time.
class FaultInjector {
 public:
  // `cluster` must outlive the injector.
  FaultInjector(Cluster& cluster, const FaultSchedule& schedule);

  // The measured window begins at `zero`.
  void start(std::chrono::steady_clock::time_point zero) { zero_ = zero; }
  // Does the fault of that place in the schedule now, or, if it is for the leader and there is
  // none, as soon as there is one, for which it waits up to 10 s.
  void begin(std::size_t place);
  // It is over: the node is started again or goes on, the links pass again.
  void end(std::size_t place);
  // After the measured window: ends what still lasts, and says what that was. A fault that was not
  // due by then has a problem.
  std::vector<std::string> finish();
  // What became of each fault of the schedule, by its place.
  [[nodiscard]] const std::vector<InjectedFault>& faults() const { return faults_; }

 private:
  enum class Phase : std::uint8_t { due, lasts, over };
  struct Progress {
    Phase phase = Phase::due;
    std::vector<DirectedLink> links;  // that were cut
  };

  [[nodiscard]] double in_window(std::chrono::steady_clock::time_point time) const {
    return std::chrono::duration<double, std::milli>(time - zero_).count();
  }
  [[nodiscard]] std::vector<NodeId> connected_with(NodeId node,
                                                   const std::vector<DirectedLink>& cut);
  Cluster::Struck strike(const ScheduledFault& fault, std::vector<DirectedLink>& links);

  Cluster& cluster_;
  const FaultSchedule schedule_;
  std::chrono::steady_clock::time_point zero_{};
  std::vector<Progress> progress_;
  std::vector<InjectedFault> faults_;
};

}  // namespace parley::harness
