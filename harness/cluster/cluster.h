// A cluster of node processes on this machine.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/options.h"
#include "harness/cluster/links.h"
#include "harness/cluster/node_config.h"
#include "harness/cluster/process.h"
#include "runtime/driver.h"
#include "runtime/fault_schedule.h"

namespace parley::harness {

// The cluster did not do what was asked of it: it did not start, or has no leader to kill.
class ClusterError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The fault is to hit the leader, and there is none at this moment.
class NoLeaderError : public ClusterError {
 public:
  using ClusterError::ClusterError;
};

enum class PeerTransport : std::uint8_t { ipc, tcp };

struct ClusterSpec {
  // Started once a node as `executable arguments... <node.toml>`; this program if nothing else is
  // said.
  std::filesystem::path executable = "/proc/self/exe";
  std::vector<std::string> arguments{"node", "--config"};
  // Logs and journals go to folder/nodes, which is made; <id>.log and <id>.applied.csv.
  std::filesystem::path folder;
  std::uint32_t nodes = 3;
  // So many more, with the numbers after theirs, wait until they are added as members. Faults for
  // a follower or a majority are for the first `nodes`.
  std::uint32_t spares = 0;
  // Those of `nodes` that have lost their folders and wait likewise, as other members.
  std::set<NodeId> rejoin;
  const Algorithm* algorithm = nullptr;
  OptionValues options;  // complete
  CanvasSize canvas;
  std::chrono::milliseconds cooldown{0};  // between two placements of a user
  std::string durability = "none";
  std::filesystem::path data;  // holds a folder for each node's storage; not for "none"
  std::uint64_t snapshot_bytes = DriverLimits{}.snapshot_bytes;  // see node_config.h
  NetworkProfile links;
  PeerTransport peers = PeerTransport::ipc;
  bool journal = false;
  // A folder that gets <id>.jsonl of each node (docs/protocol_trace.md); empty: none.
  std::filesystem::path traces;
  bool control = false;         // whether links can be cut while the nodes run (node_control.h)
  std::string fault_endpoint;   // of a FaultDesk; empty: the nodes take no requests for faults
  std::uint16_t http_port = 0;  // of node 1; node i has this + i - 1; 0: no web pages
  std::string http_address = "127.0.0.1";
  std::uint64_t seed = 1;
};

// Throws ConfigError, which names the field.
void check_cluster(const ClusterSpec& spec);

// "leader", "follower", "majority" or a node's number; nothing if it is none of them.
std::optional<NodeTarget> parse_target(std::string_view text);

struct Member {
  NodeId id;
  std::string client_endpoint;
  std::string peer_endpoint;
  std::uint16_t http_port = 0;  // 0: none
  pid_t pid = -1;
  bool running = false;
  bool paused = false;
};

// Starts the nodes when made and ends all of them when destroyed; if this process dies before, the
// kernel ends them (harness/cluster/process.h). All functions may be called from any thread.
class Cluster {
 public:
  // Throws ConfigError when the spec asks for what this version or the algorithm cannot do, and
  // std::system_error when a process or file cannot be made.
  explicit Cluster(const ClusterSpec& spec);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Waits until every node answers and, if the algorithm has leaders, all who vote name the same
  // one but for those who have come back with another disk. Throws ClusterError with the end of a
  // log if a node ends or `limit` passes. Returns early, without an error, once `stop` is true.
  void wait_ready(std::chrono::milliseconds limit, const std::atomic<bool>* stop = nullptr);

  [[nodiscard]] const Algorithm& algorithm() const;
  // So many nodes, from 1 on, were members when the cluster was first started.
  [[nodiscard]] std::uint32_t first_members() const;
  // Whether nodes have storage, so that they can be started again.
  [[nodiscard]] bool keeps_state() const;
  [[nodiscard]] std::vector<Member> members();
  [[nodiscard]] std::vector<NodeId> running();
  // The leader that most working nodes name and which works: it runs and is not paused. Nothing if
  // there is none.
  std::optional<NodeId> leader(std::chrono::milliseconds limit);
  // The reports of the working nodes (JSON text); nodes that do not answer in time are absent.
  std::map<NodeId, std::string> reports(std::chrono::milliseconds limit);

  // The node that a fault is for, of a majority its leader. Throws ClusterError when nobody fits:
  // the node does not run or is paused, nobody is known to lead (NoLeaderError) or to follow, or
  // too few work for a majority.
  NodeId find(const NodeTarget& target);

  struct Struck {
    NodeId node;
    std::vector<NodeId> others;  // of a majority
    std::chrono::steady_clock::time_point at;
  };
  // kill -9; `at` is just before the signal. Throws as find().
  Struck kill(const NodeTarget& target);

  // Stops the process (SIGSTOP) until resume(); it stands still from `at` on. Throws as find().
  Struck pause(const NodeTarget& target);
  // Lets a paused node go on, with its links as they are now. Nothing happens if it is not paused
  // or has been killed meanwhile. Throws ClusterError when it does not take the links over.
  void resume(NodeId node);

  // Cuts links until they have been healed as often as they were cut. What is sent from the
  // returned moment on does not pass; a node that is started or goes on later finds its links cut.
  // Throws ClusterError when a node does not take it over or has no control.
  std::chrono::steady_clock::time_point cut(const std::vector<DirectedLink>& links);
  void heal(const std::vector<DirectedLink>& links);
  // Adds delay, jitter and loss to what the links are like, until that has been taken away as often
  // as it was added; else as cut() and heal().
  std::chrono::steady_clock::time_point slow(const std::vector<DirectedLink>& links,
                                             const LinkShape& by);
  void speed_up(const std::vector<DirectedLink>& links, const LinkShape& by);
  // Delays all links, instead of what the profile says of them, until heal_links().
  void delay(const LinkShape& shape);
  // All links are as at the start again.
  void heal_links();

  // Makes the clock and the disk of a node wrong: in force from `at` on, also after a restart of
  // the node. Several of them add up. A node that its full disk ends is no casualty. Throws as
  // find(), and ClusterError when the node does not take it over, has no control or no disk.
  Struck inject(const NodeTarget& target, const NodeFaults& faults);
  // Takes them away again. A node that its full disk has ended meanwhile is started once there is
  // room; one that is dead or paused finds it so later.
  void withdraw(NodeId node, const NodeFaults& faults);
  // The same for all nodes and all that is wrong with them.
  void withdraw_all();

  // Asks the node to stop (SIGTERM), without waiting for it: a leader hands over first where the
  // strategy has that. Throws as find().
  std::chrono::steady_clock::time_point ask_to_stop(NodeId node);

  // Starts a node that has ended again, with the storage that it left. Throws ClusterError if it
  // runs or all have been stopped; ConfigError with durability "none": the node would have
  // forgotten its votes and could, as the same voter, help to lose acknowledged writes.
  void restart(NodeId node);

  // What each process has used; of one that was killed, until then.
  std::map<NodeId, ProcessUsage> usage();

  // Nodes that ended though nobody asked them to, in words with the ends of their logs.
  std::vector<std::string> casualties();

  // Puts a line into cluster.log, as of now.
  void note(const std::string& text);

  // Ends all nodes, also paused ones: SIGTERM first, kill -9 for those that have not ended after
  // `grace`. Returns what is worth a note: nodes that had to be killed or ended with an error.
  // Later calls do nothing.
  std::vector<std::string> stop(std::chrono::milliseconds grace = std::chrono::seconds(3));

  // Merges the logs of all nodes and the notes into folder/cluster.log. After stop().
  void merge_logs();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parley::harness
