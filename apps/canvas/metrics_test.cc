#include "apps/canvas/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, AreLabelledWithNodeAndAlgorithm) {
  NodeReport report;
  report.node = {2};
  report.algorithm = "raft";
  report.role = "leader";
  report.status.leader = {2};
  report.status.epoch = {4};
  report.commands_applied = 123456789;
  report.members.voters = {{1}, {2}, {3}};
  report.peers = {{{1}, true, 3, 4, 5}, {{3}, false, 0, 0, 0}};
  GatewayCounters counters;
  counters.placed_ok = 17;
  counters.http.sockets = 3;
  counters.http.message_bytes_sent = 1000;
  const std::string text = metrics_text(report, counters);
  for (const char* line :
       {"# TYPE parley_commands_applied_total counter\n",
        "parley_commands_applied_total{node=\"2\",algorithm=\"raft\"} 123456789\n",
        "parley_role{node=\"2\",algorithm=\"raft\",role=\"leader\"} 1\n",
        "parley_leader_node{node=\"2\",algorithm=\"raft\"} 2\n", "# TYPE parley_epoch gauge\n",
        "parley_epoch{node=\"2\",algorithm=\"raft\"} 4\n",
        "parley_voters{node=\"2\",algorithm=\"raft\"} 3\n",
        "parley_learners{node=\"2\",algorithm=\"raft\"} 0\n",
        "parley_peer_connected{node=\"2\",algorithm=\"raft\",peer=\"1\"} 1\n",
        "parley_peer_frames_dropped_total{node=\"2\",algorithm=\"raft\",peer=\"1\"} 5\n",
        "parley_placements_total{node=\"2\",algorithm=\"raft\",outcome=\"ok\"} 17\n",
        "parley_websockets{node=\"2\",algorithm=\"raft\"} 3\n",
        "parley_websocket_sent_bytes_total{node=\"2\",algorithm=\"raft\"} 1000\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(Metrics, CountExactlyFarBeyondAMillion) {
  NodeReport report;
  report.commands_applied = (1ULL << 53) - 1;
  EXPECT_THAT(metrics_text(report, {}), HasSubstr("9007199254740991\n"));
}

TEST(Metrics, SayWhenThereIsNoLeader) {
  NodeReport report;
  report.status.leader = kNoNode;
  const std::string text = metrics_text(report, {});
  EXPECT_THAT(text, HasSubstr("parley_leader_known{node=\"0\",algorithm=\"\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("parley_leader_node{node=\"0\",algorithm=\"\"} 0\n"));
}

}  // namespace
}  // namespace parley
