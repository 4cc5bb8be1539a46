// What the nodes counted, and what they cost, over the measured window.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/ids.h"
#include "harness/cluster/process.h"

namespace parley::harness {

// Counters of one node since its start, from its report.
struct NodeCounters {
  std::uint64_t peer_messages = 0;  // sent to other nodes
  std::uint64_t peer_bytes = 0;
  std::uint64_t peer_received = 0;    // messages from other nodes
  std::uint64_t client_messages = 0;  // replies
  std::uint64_t client_bytes = 0;
  std::uint64_t client_requests = 0;  // received
  std::uint64_t client_request_bytes = 0;
  std::uint64_t probes = 0;  // of these requests and replies: who leads, and what was applied
  std::uint64_t probe_bytes = 0;
  std::uint64_t elections = 0;  // started
  std::uint64_t blockings = 0;  // times in doubt without hearing of an outcome
  std::uint64_t blocked_ms = 0;
  std::uint64_t dropped = 0;  // messages to peers and clients that had no room
  std::uint64_t applied = 0;  // log index
  std::uint64_t log_bytes = 0;
  std::uint64_t frames_refused = 0;
};

// The counts of a node that was started again: those of the earlier process and of this one.
NodeCounters operator+(const NodeCounters& earlier, NodeCounters now);

// Reads a node's report (runtime/live/report_json.h). Counters that are absent are 0. False if it
// is not JSON.
bool parse_report(std::string_view json, NodeCounters& counters);

// The nodes at one moment.
struct ClusterSample {
  std::map<NodeId, NodeCounters> counters;  // of those that answered
  std::map<NodeId, ProcessUsage> usage;     // of all; of a dead one as it was at its end
  std::set<NodeId> silent;                  // who works, and did not answer: its counters are older
};

// What a node used between two samples.
struct NodeCost {
  double cpu_s = 0;
  double user_s = 0;  // in steps of the kernel's tick, as is system_s
  double system_s = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::optional<std::uint64_t> written_bytes{};  // see ProcessUsage
  // Sent and received, to and from nodes and clients; nothing if it did not answer both times.
  std::optional<std::uint64_t> messages{};
};

// What lies between two samples.
struct ClusterCost {
  double cpu_s = 0;  // of all nodes
  double user_s = 0;
  double system_s = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::optional<std::uint64_t> written_bytes{};
  std::map<NodeId, NodeCost> nodes;                // of those that were there both times
  std::map<NodeId, std::uint64_t> peak_rss_bytes;  // since the start of the process
  // Of nodes that answered both times; a node that was killed in between takes its counts with it.
  std::uint64_t messages = 0;  // between nodes, and to and from clients
  std::uint64_t bytes = 0;
  std::uint64_t elections = 0;
  std::uint64_t blockings = 0;
  std::uint64_t blocked_ms = 0;  // of all nodes together
  std::uint64_t dropped = 0;
  std::vector<NodeId> without_counters;
};

ClusterCost cost_between(const ClusterSample& before, const ClusterSample& after);

}  // namespace parley::harness
