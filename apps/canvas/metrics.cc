#include "apps/canvas/metrics.h"

#include <prometheus/text_serializer.h>

#include <sstream>
#include <utility>
#include <vector>

namespace parley {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Label = ClientMetric::Label;

// Numbers that were counted elsewhere, as families of metrics.
class Families {
 public:
  explicit Families(const NodeReport& report)
      : common_{{"node", std::to_string(report.node.value)}, {"algorithm", report.algorithm}} {}

  Families& counter(std::string name, std::string help) {
    return family("parley_" + std::move(name) + "_total", std::move(help), MetricType::Counter);
  }
  Families& gauge(std::string name, std::string help) {
    return family("parley_" + std::move(name), std::move(help), MetricType::Gauge);
  }
  // Adds a value to the latest family.
  Families& is(double value, std::vector<Label> labels = {}) {
    ClientMetric metric;
    metric.label = common_;
    for (Label& label : labels) metric.label.push_back(std::move(label));
    (families_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) =
        value;
    families_.back().metric.push_back(std::move(metric));
    return *this;
  }
  Families& is(std::uint64_t value, std::vector<Label> labels = {}) {
    return is(static_cast<double>(value), std::move(labels));
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  Families& family(std::string name, std::string help, MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
    return *this;
  }

  std::vector<Label> common_;
  std::vector<MetricFamily> families_;
};

void add_node(const NodeReport& report, Families& to) {
  const bool led = report.status.leader != kNoNode;
  to.gauge("role", "1 for the role that the node has.").is(1.0, {{"role", report.role}});
  to.gauge("leader_known", "1 if the node knows a leader.").is(led ? 1.0 : 0.0);
  to.gauge("leader_node", "The leader's number as far as known here, 0 for none.")
      .is(std::uint64_t{led ? report.status.leader.value : 0});
  to.gauge("epoch", "Epoch; the term of Raft.").is(report.status.epoch.value);
  to.gauge("commit_index", "Up to where the log is committed.").is(report.status.commit.value);
  to.gauge("last_index", "The end of the log.").is(report.status.last.value);
  to.gauge("applied_index", "Up to where the log is applied.").is(report.applied.value);
  to.gauge("voters", "Members that have a vote, as far as known here.")
      .is(std::uint64_t{report.members.voters.size()});
  to.gauge("learners", "Members that are catching up before they get a vote.")
      .is(std::uint64_t{report.members.learners.size()});
  to.gauge("log_bytes", "Of the log, held in memory.").is(report.status.log_bytes);
  to.gauge("held_runs", "Runs of commands accepted and not yet settled.")
      .is(report.status.held_runs);
  to.gauge("sessions", "Open sessions of clients.").is(std::uint64_t{report.sessions});
  to.gauge("written_cells", "Cells of the store that were ever written.")
      .is(std::uint64_t{report.written_cells});
  to.gauge("snapshot_bytes", "Of the snapshot in use.").is(report.snapshot_bytes);
  to.gauge("snapshot_index", "Log index of the snapshot in use.").is(report.status.snapshot.value);
  to.counter("snapshots_made", "Snapshots made by the node.").is(report.snapshots_made);
  to.counter("snapshots_installed", "Snapshots of other nodes that took effect here.")
      .is(report.snapshots_installed);
  to.counter("elections", "Elections started by the node.").is(report.status.elections);
  to.counter("commands_applied", "Commands applied.").is(report.commands_applied);
  to.counter("superseded",
             "Writes of this node that it saw overwritten by ones that did not know them.")
      .is(report.status.superseded);
  to.gauge("in_doubt_runs", "Runs prepared here and neither committed nor aborted.")
      .is(report.status.in_doubt);
  to.gauge("blocked", "1 while runs are in doubt and no outcome is heard of.")
      .is(report.status.blocked ? 1.0 : 0.0);
  to.counter("blockings", "Times that the node was blocked.").is(report.status.blockings);
  to.counter("blocked_seconds", "In all those times.")
      .is(std::chrono::duration<double>(report.status.blocked_time).count());
  to.counter("concurrent_runs", "Runs that did not know all that was ordered before them.")
      .is(report.status.concurrent);
  to.counter("frames_refused", "Frames of peers that were malformed or not from a member.")
      .is(report.frames_refused);
}

void add_peers(const NodeReport& report, Families& to) {
  const auto each = [&](auto value) {
    for (const PeerReport& peer : report.peers) {
      to.is(std::uint64_t{value(peer)}, {{"peer", std::to_string(peer.id.value)}});
    }
  };
  to.gauge("peer_connected", "1 if frames of the peer arrived within the last second.");
  each([](const PeerReport& peer) { return peer.connected ? 1U : 0U; });
  to.counter("peer_frames_sent", "Frames sent to the peer.");
  each([](const PeerReport& peer) { return peer.sent; });
  to.counter("peer_frames_received", "Frames received from the peer.");
  each([](const PeerReport& peer) { return peer.received; });
  to.counter("peer_frames_dropped", "Frames for the peer that could not be sent.");
  each([](const PeerReport& peer) { return peer.dropped; });
}

void add_http(const HttpCounters& http, Families& to) {
  to.gauge("http_connections", "Open HTTP connections.").is(std::uint64_t{http.connections});
  to.gauge("http_requests_in_flight", "Requests without an answer yet.")
      .is(std::uint64_t{http.in_flight});
  to.counter("http_connections_accepted", "HTTP connections accepted.").is(http.accepted);
  to.counter("http_connections_turned_away", "HTTP connections beyond the limit.")
      .is(http.turned_away);
  to.counter("http_requests", "Requests read.").is(http.requests);
  to.counter("http_requests_malformed", "Requests that were no HTTP or too large.")
      .is(http.malformed);
  to.counter("http_requests_timed_out", "Requests or answers that came too late.")
      .is(http.timed_out);
  to.gauge("websockets", "Open WebSockets.").is(std::uint64_t{http.sockets});
  to.counter("websockets_opened", "WebSockets opened.").is(http.sockets_opened);
  to.counter("websockets_refused", "WebSockets refused.").is(http.sockets_refused);
  to.counter("websocket_messages_sent", "Messages sent on WebSockets.").is(http.messages_sent);
  to.counter("websocket_sent_bytes", "Bytes of the messages sent on WebSockets.")
      .is(http.message_bytes_sent);
  to.counter("websocket_messages_received", "Messages received on WebSockets.")
      .is(http.messages_received);
}

void add_gateway(const GatewayCounters& gateway, Families& to) {
  const ViewerCounters& viewers = gateway.viewers;
  to.counter("placements", "Placements over HTTP by their outcome.")
      .is(gateway.placed_ok, {{"outcome", "ok"}})
      .is(gateway.placed_refused, {{"outcome", "refused"}})
      .is(gateway.placed_unknown, {{"outcome", "unknown"}});
  to.gauge("viewers", "Viewers connected to this node.").is(std::uint64_t{viewers.viewers});
  to.gauge("update_interval_seconds", "Between two updates of the viewers.")
      .is(gateway.update_interval_s);
  to.counter("update_frames", "Updates made for the viewers.").is(viewers.frames);
  to.counter("update_gaps", "Updates with more changes than a frame holds.").is(viewers.gaps);
  to.counter("pictures_sent", "Whole pictures sent to viewers.").is(viewers.pictures);
  to.counter("viewers_resynchronised", "Viewers that fell behind and were sent the picture again.")
      .is(viewers.resynchronised);
  to.counter("viewers_resumed", "Viewers that came back and were sent what they had missed.")
      .is(viewers.resumed);
  to.counter("viewers_cut_off", "Viewers that were too slow even for that.").is(viewers.cut_off);
}

}  // namespace

std::string metrics_text(const NodeReport& report, const GatewayCounters& gateway) {
  Families families(report);
  add_node(report, families);
  add_peers(report, families);
  add_http(gateway.http, families);
  add_gateway(gateway, families);
  return families.text();
}

}  // namespace parley
