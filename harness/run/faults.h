// Faults at given times of a run.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/cluster/cluster.h"

namespace parley::harness {

// A node is killed with kill -9 and, if it is to return, started again.
struct FaultEvent {
  double at_s = 0;  // after the start of the measured window
  NodeTarget node;
  std::optional<double> down_s;  // until it is started again; none: it stays away
  std::string name;              // for faults.csv: "kill-leader"
};

struct FaultPlan {
  std::string name = "none";
  std::vector<FaultEvent> events;  // in the order of their times

  // Whether a node is started again, which needs a durable mode: without, it has forgotten its
  // votes and may not return as the same voter.
  [[nodiscard]] bool restarts() const;
  // How many nodes are killed for good.
  [[nodiscard]] std::size_t never_return() const;
};

// The faults of a schedule: "none"; "kill-leader" or "kill-follower", in the middle of the measured
// window; "restart-leader" or "restart-follower", likewise and back a second later; or the path of
// a TOML file:
//   [[fault]]
//   at_s = 2.5            # after the start of the measured window and before its end
//   kind = "restart"      # or "kill"
//   node = "leader"       # leader, follower, or a node's number
//   down_s = 1.0          # of "restart": how long it is away
// Throws ConfigError.
FaultPlan load_faults(const std::string& name_or_path, double duration_s);

// A fault that was done, or was due and could not be.
struct InjectedFault {
  std::string fault;
  NodeId node;             // kNoNode if it could not be killed
  double injected_ms = 0;  // after the start of the measured window
  std::string problem;     // why it could not be done
};

// Carries out faults and keeps account of them. Used by one thread at a time.
class FaultInjector {
 public:
  // `cluster` must outlive the injector.
  explicit FaultInjector(Cluster& cluster) : cluster_(cluster) {}

  // The measured window begins at `zero`.
  void start(std::chrono::steady_clock::time_point zero) { zero_ = zero; }
  // Kills now, or, if the fault is for the leader and there is none, as soon as there is one, for
  // which it waits up to 10 s. The node, or kNoNode if it could not be done.
  NodeId inject(const FaultEvent& event);
  // Starts a node again that was killed.
  void revive(NodeId node);
  // What was done, in order.
  [[nodiscard]] const std::vector<InjectedFault>& done() const { return done_; }

 private:
  Cluster::Killed kill(const NodeTarget& target);

  Cluster& cluster_;
  std::chrono::steady_clock::time_point zero_{};
  std::vector<InjectedFault> done_;
};

}  // namespace parley::harness
