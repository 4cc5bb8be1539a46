#include "runtime/live/report_json.h"

#include <nlohmann/json.hpp>

namespace parley {
namespace {

using Json = nlohmann::ordered_json;

Json peers_json(const NodeFigures& figures) {
  Json peers = Json::array();
  for (const PeerTraffic& peer : figures.peers) {
    bool connected = false;
    for (const PeerReport& report : figures.node.peers) {
      if (report.id == peer.id) connected = report.connected;
    }
    peers.push_back({{"id", peer.id.value},
                     {"connected", connected},
                     {"sent", peer.sent},
                     {"sent_bytes", peer.sent_bytes},
                     {"received", peer.received},
                     {"received_bytes", peer.received_bytes},
                     {"dropped", peer.dropped},
                     {"shaped", peer.shaped}});
  }
  return peers;
}

Json refused_json(const NodeFigures& figures) {
  Json refused = Json::object();
  for (std::size_t i = 1; i < kFrameFaults; ++i) {
    refused[std::string(frame_fault_name(static_cast<FrameFault>(i)))] = figures.refused[i];
  }
  return refused;
}

Json clients_json(const ClientTraffic& clients) {
  return {{"connections", clients.connections},
          {"requests", clients.requests},
          {"requests_refused", clients.requests_refused},
          {"commands", clients.commands},
          {"commands_refused", clients.commands_refused},
          {"received_bytes", clients.received_bytes},
          {"replies", clients.replies},
          {"replies_dropped", clients.replies_dropped},
          {"sent_bytes", clients.sent_bytes},
          {"in_flight", clients.in_flight},
          {"hellos", clients.hellos},
          {"welcomes", clients.welcomes},
          {"hello_bytes", clients.hello_bytes}};
}

Json process_json(const ProcessFigures& process) {
  return {{"user_us", process.user_us},
          {"system_us", process.system_us},
          {"rss_bytes", process.rss_bytes},
          {"peak_rss_bytes", process.peak_rss_bytes},
          {"voluntary_switches", process.voluntary_switches},
          {"involuntary_switches", process.involuntary_switches}};
}

std::uint64_t blocked_ms(const Status& status) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(status.blocked_time).count());
}

}  // namespace

std::string report_json(const NodeFigures& figures) {
  const NodeReport& node = figures.node;
  const Json json = {
      {"node", node.node.value},
      {"incarnation", node.incarnation.value},
      {"algorithm", node.algorithm},
      {"role", node.role},
      {"epoch", node.status.epoch.value},
      {"leader", node.status.leader.value},
      {"commit", node.status.commit.value},
      {"last", node.status.last.value},
      {"applied", node.applied.value},
      {"part", part_of(node)},
      {"voters", numbers_of(node.members.voters)},
      {"outgoing", numbers_of(node.members.outgoing)},
      {"learners", numbers_of(node.members.learners)},
      {"disk", std::to_string(node.disk.value)},
      {"digest", node.digest},
      {"written_cells", node.written_cells},
      {"sessions", node.sessions},
      {"commands_applied", node.commands_applied},
      {"log_bytes", node.status.log_bytes},
      {"snapshot",
       {{"index", node.status.snapshot.value},
        {"bytes", node.snapshot_bytes},
        {"made", node.snapshots_made},
        {"installed", node.snapshots_installed},
        {"error", node.snapshot_error}}},
      {"elections", node.status.elections},
      {"held_runs", node.status.held_runs},
      {"superseded", node.status.superseded},
      {"in_doubt", node.status.in_doubt},
      {"blocked", node.status.blocked},
      {"blockings", node.status.blockings},
      {"blocked_ms", blocked_ms(node.status)},
      {"concurrent", node.status.concurrent},
      {"client_endpoint", node.client_endpoint},
      {"frames_refused", node.frames_refused},
      {"frames_refused_by_kind", refused_json(figures)},
      {"frames_delayed", figures.delayed_frames},
      {"peers", peers_json(figures)},
      {"clients", clients_json(figures.clients)},
      {"loop", {{"turns", figures.loop.turns}, {"waits", figures.loop.waits}}},
      {"process", process_json(figures.process)},
      {"journal_error", figures.journal_error},
      {"monotonic_ns", figures.monotonic_ns},
  };
  return json.dump();
}

}  // namespace parley
