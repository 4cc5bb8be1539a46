// Carrying a schedule of faults out on real nodes, and keeping account of it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/cluster/cluster.h"
#include "harness/cluster/rolling_restart.h"
#include "runtime/fault_schedule.h"

namespace parley::harness {

// A node that was away, or was to go. Times are milliseconds after the start of the measured
// window.
struct NodeAbsence {
  NodeId node;
  double from_ms = 0;
  std::optional<double> until_ms{};      // when it was started again; nothing: it was not
  std::optional<double> caught_up_ms{};  // of a rolling restart
};

// What became of a fault.
struct InjectedFault {
  std::string fault;
  NodeId node;             // whom it hit, of a majority its leader; kNoNode if nobody, of links by
                           // groups, or of a rolling restart
  double injected_ms = 0;  // after the start of the measured window
  std::string problem;     // why it was not done, or could not be ended; else empty
  // When it was over, counted likewise; of a kill nothing.
  std::optional<double> ended_ms{};
  // All nodes that it hit, in rising order: of a majority all, of a cut or slow links those on the
  // target's side; none by groups.
  std::vector<NodeId> nodes{};
  std::vector<DirectedLink> links{};    // that were cut or slow
  std::vector<NodeAbsence> absences{};  // of nodes that were away because of it
  std::string detail{};                 // how bad it was, in words without commas; of kinds that
                                        // have that
};

// Called when nodes are about to end or to be started again because of a fault. Any may be null; a
// rolling restart calls them in a thread of its own.
struct InjectorHooks {
  std::function<void()> before_end;
  std::function<void(NodeId)> before_start;
};

// Used by one thread at a time.
class FaultInjector {
 public:
  // `cluster` must outlive the injector.
  FaultInjector(Cluster& cluster, const FaultSchedule& schedule, InjectorHooks hooks = {});

  // The measured window begins at `zero`.
  void start(std::chrono::steady_clock::time_point zero) { zero_ = zero; }
  // Does the fault of that place in the schedule now, or, if it is for the leader and there is
  // none, as soon as there is one, for which it waits up to 10 s.
  void begin(std::size_t place);
  // It is over: the node is started again or goes on, the links pass again. A rolling restart that
  // is not done by then has a problem.
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
    std::unique_ptr<RollingRestart> rolling;
  };

  [[nodiscard]] double in_window(std::chrono::steady_clock::time_point time) const {
    return std::chrono::duration<double, std::milli>(time - zero_).count();
  }
  [[nodiscard]] std::vector<NodeId> connected_with(NodeId node,
                                                   const std::vector<DirectedLink>& cut);
  void begin_rolling(std::size_t place);
  void end_rolling(std::size_t place);
  Cluster::Struck strike(const ScheduledFault& fault, std::vector<DirectedLink>& links);
  Cluster::Struck strike_at_once(const ScheduledFault& fault, std::vector<DirectedLink>& links);
  void undo(const ScheduledFault& fault, const InjectedFault& account);

  Cluster& cluster_;
  const FaultSchedule schedule_;
  const InjectorHooks hooks_;
  std::chrono::steady_clock::time_point zero_{};
  std::vector<Progress> progress_;
  std::vector<InjectedFault> faults_;
};

}  // namespace parley::harness
