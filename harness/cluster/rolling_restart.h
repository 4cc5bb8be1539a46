// Restarts the nodes of a cluster one after the other, as for a new version of the program.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "harness/cluster/cluster.h"

namespace parley::harness {

struct RollingRestartOptions {
  std::chrono::milliseconds down{0};  // how long each node is away between its end and its start
  // For each node to end, and to catch up.
  std::chrono::milliseconds patience = std::chrono::seconds(30);
  // Called in the thread of the restarts, before a node is asked to stop and before it is started
  // again; must not throw. May be null.
  std::function<void(NodeId)> before_stop;
  std::function<void(NodeId)> before_start;
  // Called once at the end, in the same thread, with what went wrong or empty; must not throw. May
  // be null.
  std::function<void(const std::string& problem)> ended = nullptr;
};

// A node's turn.
struct NodeRestart {
  using Time = std::chrono::steady_clock::time_point;
  NodeId node;
  Time asked;      // to stop
  Time started;    // again
  Time caught_up;  // with what the others had applied when it answered for the first time
};

// Each node, in rising order: it is asked to stop (a leader hands over first), started again, and
// waited for until it has applied what any other had applied when it first answered, and knows a
// leader where there are leaders. Of a strategy that merges: until it holds as many cells. A node
// that is no member is waited for until it answers.
class RollingRestart {
 public:
  // Begins at once, in a thread of its own. `cluster` must outlive it.
  RollingRestart(Cluster& cluster, RollingRestartOptions options);
  // As cut_short().
  ~RollingRestart();
  RollingRestart(const RollingRestart&) = delete;
  RollingRestart& operator=(const RollingRestart&) = delete;

  // Whether every node had its turn, or one of them failed.
  [[nodiscard]] bool over() const { return over_.load(); }
  // A node that is away is started again, and no other one stopped. Returns when that is so.
  void cut_short();

  // Those who have caught up, in their order. After cut_short() or when it is over.
  [[nodiscard]] const std::vector<NodeRestart>& restarts() const { return restarts_; }
  // What went wrong, or empty. Likewise.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  void run();
  void restart(NodeId node);
  void await_end(NodeId node) const;
  void await_caught_up(NodeId node) const;
  void pause(std::chrono::milliseconds time) const;

  Cluster& cluster_;
  const RollingRestartOptions options_;
  std::vector<NodeRestart> restarts_;
  std::string problem_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> over_{false};
  std::thread thread_;  // last: it uses the others
};

}  // namespace parley::harness
