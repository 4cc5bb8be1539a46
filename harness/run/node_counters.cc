#include "harness/run/node_counters.h"

#include <nlohmann/json.hpp>

namespace parley::harness {
namespace {

using Report = nlohmann::json;

std::uint64_t count(const Report& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
}

// A counter of a process that is the same one never falls; the guard is for a reading that failed.
std::uint64_t grown(std::uint64_t before, std::uint64_t after) {
  return after > before ? after - before : 0;
}

double grown(double before, double after) {
  return after > before ? after - before : 0;
}

NodeCost used_between(const ProcessUsage& before, const ProcessUsage& after) {
  NodeCost cost;
  cost.cpu_s = grown(before.cpu_s, after.cpu_s);
  cost.user_s = grown(before.user_s, after.user_s);
  cost.system_s = grown(before.system_s, after.system_s);
  cost.voluntary_switches = grown(before.voluntary_switches, after.voluntary_switches);
  cost.involuntary_switches = grown(before.involuntary_switches, after.involuntary_switches);
  if (before.written_bytes && after.written_bytes) {
    cost.written_bytes = grown(*before.written_bytes, *after.written_bytes);
  }
  return cost;
}

void add_node(const NodeCost& node, ClusterCost& cost) {
  cost.cpu_s += node.cpu_s;
  cost.user_s += node.user_s;
  cost.system_s += node.system_s;
  cost.voluntary_switches += node.voluntary_switches;
  cost.involuntary_switches += node.involuntary_switches;
  if (node.written_bytes) {
    cost.written_bytes = cost.written_bytes.value_or(0) + *node.written_bytes;
  }
}

std::uint64_t messages_of(const NodeCounters& counters) {
  const std::uint64_t all = counters.peer_messages + counters.peer_received +
                            counters.client_messages + counters.client_requests;
  return all - std::min(all, counters.probes);
}

void add_counters(const NodeCounters& before, const NodeCounters& after, ClusterCost& cost) {
  const std::uint64_t messages = grown(before.peer_messages, after.peer_messages) +
                                 grown(before.client_messages, after.client_messages) +
                                 grown(before.client_requests, after.client_requests);
  const std::uint64_t bytes = grown(before.peer_bytes, after.peer_bytes) +
                              grown(before.client_bytes, after.client_bytes) +
                              grown(before.client_request_bytes, after.client_request_bytes);
  // What the generator asks to see how the nodes fare is no cost of the operations.
  cost.messages += messages - std::min(messages, grown(before.probes, after.probes));
  cost.bytes += bytes - std::min(bytes, grown(before.probe_bytes, after.probe_bytes));
  cost.elections += grown(before.elections, after.elections);
  cost.blockings += grown(before.blockings, after.blockings);
  cost.blocked_ms += grown(before.blocked_ms, after.blocked_ms);
  cost.dropped += grown(before.dropped, after.dropped);
}

}  // namespace

NodeCounters operator+(const NodeCounters& earlier, NodeCounters now) {
  now.peer_messages += earlier.peer_messages;
  now.peer_bytes += earlier.peer_bytes;
  now.peer_received += earlier.peer_received;
  now.client_messages += earlier.client_messages;
  now.client_bytes += earlier.client_bytes;
  now.client_requests += earlier.client_requests;
  now.client_request_bytes += earlier.client_request_bytes;
  now.probes += earlier.probes;
  now.probe_bytes += earlier.probe_bytes;
  now.elections += earlier.elections;
  now.blockings += earlier.blockings;
  now.blocked_ms += earlier.blocked_ms;
  now.dropped += earlier.dropped;
  now.frames_refused += earlier.frames_refused;
  return now;  // `applied` and `log_bytes` are as they are now
}

bool parse_report(std::string_view json, NodeCounters& counters) {
  const Report report = Report::parse(json, nullptr, false);
  if (!report.is_object()) return false;
  counters = {};
  counters.elections = count(report, "elections");
  counters.blockings = count(report, "blockings");
  counters.blocked_ms = count(report, "blocked_ms");
  counters.applied = count(report, "applied");
  counters.log_bytes = count(report, "log_bytes");
  counters.frames_refused = count(report, "frames_refused");
  if (const auto clients = report.find("clients");
      clients != report.end() && clients->is_object()) {
    counters.client_messages = count(*clients, "replies");
    counters.client_bytes = count(*clients, "sent_bytes");
    counters.client_requests = count(*clients, "requests");
    counters.client_request_bytes = count(*clients, "received_bytes");
    counters.dropped = count(*clients, "replies_dropped");
    counters.probes = count(*clients, "hellos") + count(*clients, "welcomes");
    counters.probe_bytes = count(*clients, "hello_bytes");
  }
  if (const auto peers = report.find("peers"); peers != report.end() && peers->is_array()) {
    for (const Report& peer : *peers) {
      counters.peer_messages += count(peer, "sent");
      counters.peer_bytes += count(peer, "sent_bytes");
      counters.peer_received += count(peer, "received");
      counters.dropped += count(peer, "dropped");
    }
  }
  return true;
}

ClusterCost cost_between(const ClusterSample& before, const ClusterSample& after) {
  ClusterCost cost;
  for (const auto& [node, usage] : after.usage) {
    const auto earlier = before.usage.find(node);
    if (earlier != before.usage.end()) {
      cost.nodes[node] = used_between(earlier->second, usage);
      add_node(cost.nodes[node], cost);
    }
    cost.peak_rss_bytes[node] = usage.peak_rss_bytes;
    const auto counted_before = before.counters.find(node);
    const auto counted_after = after.counters.find(node);
    if (counted_before == before.counters.end() || counted_after == after.counters.end() ||
        before.silent.contains(node) || after.silent.contains(node)) {
      cost.without_counters.push_back(node);
    } else {
      add_counters(counted_before->second, counted_after->second, cost);
      if (const auto own = cost.nodes.find(node); own != cost.nodes.end()) {
        own->second.messages =
            grown(messages_of(counted_before->second), messages_of(counted_after->second));
      }
    }
  }
  return cost;
}

}  // namespace parley::harness
