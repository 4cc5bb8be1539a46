// What a node is told at its start: node.toml.
//
//   node = 1                              # required: this node, 1 to 64
//   algorithm = "raft"                    # required: as `parley algorithms` lists them
//   group = 1                             # the replication group, 1 to 4294967295
//   seed = 1                              # of the replica's random numbers
//   application = "canvas"
//   canvas = "1000x1000"                  # the same on all nodes, as the next one
//   cooldown_s = 0                        # between two placements of a user, up to 86400; 0: none
//   client_endpoint = "tcp://127.0.0.1:7001"    # required: where clients connect (ZeroMQ)
//   http_address = "127.0.0.1"            # of the web page, in numbers
//   http_port = 0                         # of the web page; 0: none
//   durability = "none"                   # or async, group_commit: what counts as stored
//   data = "data/node-1"                  # the folder of its storage; none with "none"
//   snapshot_bytes = 134217728            # of runs until the next snapshot; 0: never one
//   session_idle_s = 3600                 # after which a session may expire; 0: never
//   journal = "nodes/1.applied.csv"       # records what is applied; none when absent
//   trace = "nodes/1.jsonl"               # see docs/protocol_trace.md; none when absent
//   log = ""                              # a file; standard error when absent
//   control_endpoint = "ipc:///tmp/x/1"   # where its links can be changed while it runs
//                                         # (node_control.h), ipc only; none when absent
//   fault_endpoint = "ipc:///tmp/x/f"     # whom to hand POST /faults to (fault_desk.h), ipc only,
//                                         # with a loopback http_address; none when absent
//   members = [1, 2, 3]                   # the first members, the same on all nodes; absent: all
//                                         # of [peers]. The others wait until they are added
//                                         # (parley members), where the strategy has that
//   rejoin = false                        # whether this node, a first member that has lost its
//                                         # folder, waits likewise, to be removed and added again
//   [peers]                               # every node's endpoint for its peers, its own too;
//   1 = "ipc:///tmp/x/1"                  # absent for a single node
//   [pages]                               # where browsers find the members' web pages, which go on
//   1 = "http://127.0.0.1:8080/"          # with another node when theirs dies; absent: unknown
//   [options]                             # the algorithm's own
//   election_timeout_min_ms = 150
//   [[link]]                              # how messages from here to `to` (0: to all) fare
//   to = 2
//   delay_ms = 20
//   jitter_ms = 5
//   loss = 0.01
//   cut = false
//   [faults]                              # what is wrong on purpose with the node's own things
//   clock_step_ms = 0                     # how far its clock is ahead, -1e9 to 1e9
//   disk_delay_ms = 0                     # how much longer each write takes, up to 60000; not with
//                                         # durability "none", as the next one
//   disk_full = false                     # nothing more is taken
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/options.h"
#include "apps/canvas/canvas.h"
#include "harness/cluster/config_file.h"
#include "harness/cluster/links.h"
#include "runtime/driver.h"
#include "runtime/live/node_faults.h"

namespace parley::harness {

inline constexpr std::uint32_t kMaxNodes = 64;
inline constexpr double kMaxClockStepMs = 1e9;  // eleven days
inline constexpr double kMaxWriteDelayMs = 60'000;

// The layout of a line of a node's log: the time first, in UTC, of a fixed width, so that the logs
// of many nodes can be merged by comparing text. For spdlog, with pattern_time_type::utc.
inline constexpr const char* kNodeLogPattern = "%Y-%m-%dT%H:%M:%S.%fZ %l %v";

struct NodeSettings {
  GroupId group{1};
  NodeId node;
  std::uint64_t seed = 1;
  const Algorithm* algorithm = nullptr;  // never null after parse_node_config
  OptionValues options;                  // complete
  std::string application = "canvas";
  CanvasSize canvas;
  std::chrono::milliseconds cooldown{0};
  std::map<NodeId, std::string> peers;  // of every node; only this node's own may be empty
  std::map<NodeId, std::string> pages;  // of nodes: "http://127.0.0.1:8080/"
  std::vector<NodeId> members;          // rising: the first ones; empty: all nodes
  bool rejoin = false;                  // this node has lost its state and waits to be added
  std::string client_endpoint;
  std::string http_address = "127.0.0.1";
  std::uint16_t http_port = 0;  // 0: none
  std::string durability = "none";
  std::filesystem::path data;  // empty for durability "none"
  std::uint64_t snapshot_bytes = DriverLimits{}.snapshot_bytes;
  std::uint32_t session_idle_s = 3600;
  std::string control_endpoint;  // empty: none
  std::string fault_endpoint;    // empty: none
  std::vector<LinkRule> links;   // `from` is this node
  NodeFaults faults;
  std::filesystem::path journal;  // empty: none
  std::filesystem::path trace;    // empty: none
  std::filesystem::path log;      // empty: standard error

  // All nodes of the cluster in rising order, members or not.
  [[nodiscard]] std::vector<NodeId> nodes() const;
  // Those that are members from the beginning as far as this node may know: without itself if it
  // waits to be added.
  [[nodiscard]] std::vector<NodeId> first_members() const;
};

// Reads node.toml. Throws ConfigError with the file, the line, the key and what is allowed.
NodeSettings parse_node_config(const std::filesystem::path& path);
NodeSettings parse_node_config_text(std::string_view text, const std::string& name);

// Has the node wait to be added again, as `rejoin = true` does. Throws ConfigError where members do
// not change, and with durability "none".
void make_rejoin(NodeSettings& settings);

// Writes what parse_node_config reads back as the same settings. Throws std::system_error.
void write_node_config(const NodeSettings& settings, const std::filesystem::path& path);
std::string node_config_text(const NodeSettings& settings);

// The [[link]] tables of a node's file: those of the links from `node`.
std::vector<LinkRule> read_links(ConfigReader& reader, NodeId node);
std::string links_text(const std::vector<LinkRule>& links);

// The [faults] table of a node's file, for which it may need a disk.
NodeFaults read_node_faults(ConfigReader& reader, const std::string& durability);
std::string node_faults_text(const NodeFaults& faults);

// A number that no earlier start has used, with overwhelming probability: 62 random bits, not 0.
Incarnation random_incarnation();

// Reads the size of a canvas ("1000x1000") if `key` is there.
void read_canvas_size(ConfigReader& reader, std::string_view key, CanvasSize& size);
std::string to_text(const CanvasSize& size);

// Reads the keys of `reader` as options of `algorithm`; the rest keep their defaults.
OptionValues read_options(ConfigReader& reader, const Algorithm& algorithm);
// Likewise where an option may have several values, as a list: all combinations, at most 1000.
std::vector<OptionValues> read_option_lists(ConfigReader& reader, const Algorithm& algorithm);

// The algorithm of that name. Throws ConfigError naming the nearest known one.
const Algorithm& algorithm_named(const std::string& name, const std::string& where);

inline constexpr std::string_view kDurabilities[] = {"none", "async", "group_commit"};

}  // namespace parley::harness
