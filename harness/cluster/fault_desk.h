// POST /faults of a canvas whose user allows it: a node cannot cut itself off from both sides, nor
// start again once it is dead, so its gateway hands the request to the process that has the
// cluster.
//
// Requests are JSON objects:
//   {"fault": "cut", "node": "leader"|"follower"|2 [, "side": "alone"|"minority"]
//                    [, "direction": "both"|"in"|"out"]}
//   {"fault": "cut", "groups": [[1, 2, 3], [3, 4, 5]]}           connected is whom a group holds
//   {"fault": "delay", "delay_ms": 50 [, "jitter_ms": 10]}       all links, until healed
//   {"fault": "pause"|"kill", "node": ... or "majority"}
//   {"fault": "slow-link", as "cut", "delay_ms": 50 [, "jitter_ms": 10] [, "loss": 0.01]}
//   {"fault": "slow-disk", "node": ... or "majority", "delay_ms": 50}   each write
//   {"fault": "full-disk", "node": ... or "majority"}     ends the node at its next write
//   {"fault": "clock-step", "node": ... or "majority", "step_ms": -2000}
//   {"fault": "rolling-restart" [, "down_ms": 500]}       begins, and goes on by itself
//   {"fault": "heal"}     links, disks and clocks are as at the start, paused nodes go on, a
//   rolling
//                         restart ends with the node at hand, dead nodes are started again if they
//                         keep their state
// Answers are an HTTP status and JSON: 200 {"done": "cut", "node": 2}, 400 with the field at fault,
// 409 when the cluster is not in a state for it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "harness/cluster/cluster.h"
#include "harness/cluster/fault_request.h"
#include "harness/cluster/request_port.h"
#include "harness/cluster/rolling_restart.h"

namespace parley::harness {

// Takes the requests; one after the other.
class FaultDesk {
 public:
  // `cluster`, which must have been started with `control`, must outlive the desk. Throws
  // std::runtime_error when the endpoint cannot be opened. `tell` is called from another thread
  // with what went wrong after a request was answered; must not throw, may be null.
  using Tell = std::function<void(const std::string& problem)>;
  FaultDesk(const std::string& endpoint, Cluster& cluster, Tell tell = nullptr);

  // "<status> <JSON>"
  std::string answer(std::string_view request);

  // Whether nodes that have ended may be about to be started again. Callable from any thread.
  [[nodiscard]] bool restarts_nodes() const { return rolls_.load(); }

 private:
  void roll(const FaultRequest& request);

  Cluster& cluster_;
  Tell tell_;
  std::atomic<bool> rolls_{false};
  std::optional<RollingRestart> rolling_;  // the latest
  RequestPort port_;                       // last: its thread uses the others
};

// The node's side: hands requests on, in a thread of its own.
class FaultRelay {
 public:
  explicit FaultRelay(std::string endpoint);
  // Requests that wait get 503, the one under way 504.
  ~FaultRelay();
  FaultRelay(const FaultRelay&) = delete;
  FaultRelay& operator=(const FaultRelay&) = delete;

  using Answered = std::function<void(int status, std::string json)>;
  // Callable from any thread. `done` is called once, from the relay's thread or at once if too many
  // requests wait.
  void ask(std::string request, Answered done);

 private:
  struct Waiting {
    std::string request;
    Answered done;
  };
  void run();
  void relay(const Waiting& waiting);
  [[nodiscard]] std::string ask_desk(const std::string& request) const;

  const std::string endpoint_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;  // guarded
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace parley::harness
