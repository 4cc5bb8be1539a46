// A cluster that works under hostile traffic, for the tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>

#include "algorithms/registry/registry.h"
#include "harness/check/checker.h"
#include "harness/check/history.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/private_folder.h"
#include "harness/fuzz/attack.h"
#include "harness/fuzz/connection.h"
#include "harness/fuzz/recorder.h"
#include "harness/fuzz/target.h"
#include "harness/load/load.h"
#include "harness/load/settle.h"

namespace parley::fuzz {

// The largest or the sum of a figure over all nodes.
struct NodesFigures {
  std::uint64_t rss_bytes = 0;         // largest
  std::uint64_t frames_refused = 0;    // sum
  std::uint64_t requests_refused = 0;  // sum, and of submits that were refused as invalid
};

inline NodesFigures figures_of(harness::Cluster& cluster) {
  NodesFigures figures;
  for (const auto& [node, text] : cluster.reports(std::chrono::seconds(60))) {
    const auto report = nlohmann::json::parse(text);
    figures.rss_bytes =
        std::max(figures.rss_bytes, report["process"]["rss_bytes"].get<std::uint64_t>());
    figures.frames_refused += report["frames_refused"].get<std::uint64_t>();
    figures.requests_refused += report["clients"]["requests_refused"].get<std::uint64_t>();
  }
  return figures;
}

// The first of so many ports one after the other that nobody listens at. They are below those that
// the kernel gives to connections, so that none of them is taken meanwhile.
inline std::uint16_t ports_in_a_row(std::uint32_t count) {
  constexpr std::uint32_t kFirst = 20'000;
  constexpr std::uint32_t kPorts = 10'000;
  static std::uint32_t next = static_cast<std::uint32_t>(getpid()) * 16 % kPorts;
  for (;;) {
    const std::uint32_t first = kFirst + next;
    next = (next + count) % kPorts;
    bool free = true;
    for (std::uint32_t i = 0; free && i < count; ++i) {
      try {
        const Connection taken(static_cast<std::uint16_t>(first + i));
        free = false;
      } catch (const Finding&) {  // nobody is there
      }
    }
    if (free) return static_cast<std::uint16_t>(first);
  }
}

inline harness::ClusterSpec hostile_spec(const std::string& algorithm,
                                         const std::filesystem::path& folder) {
  harness::ClusterSpec spec;
  spec.executable = PARLEY_PROGRAM;
  spec.folder = folder;
  spec.algorithm = find_algorithm(algorithm);
  spec.options = default_options(spec.algorithm->options);
  spec.canvas = {64, 64};
  spec.peers = harness::PeerTransport::tcp;
  spec.http_port = ports_in_a_row(spec.nodes);
  return spec;
}

inline load::LoadSpec load_on(harness::Cluster& cluster, const Algorithm& algorithm,
                              history::HistoryWriter& history) {
  load::LoadSpec spec;
  for (const harness::Member& member : cluster.members()) {
    spec.targets.push_back({member.id, member.client_endpoint});
  }
  spec.sessions_of_nodes = !algorithm.guarantee.ordered;
  spec.canvas_width = spec.canvas_height = 64;
  spec.rate = 200;
  spec.clients = 16;
  spec.warmup = {};
  spec.duration = std::chrono::seconds(1);
  spec.operation_timeout = std::chrono::seconds(60);
  spec.attempt_timeout = std::chrono::seconds(20);
  spec.history = &history;
  return spec;
}

// What clients got done.
struct Done {
  std::uint64_t placements = 0;
  std::set<std::uint32_t> cells;
};

// Loads the cluster second by second until `over`: every placement of every second must be done.
inline Done load_until(const std::atomic<bool>& over, load::LoadSpec spec) {
  Done done;
  do {
    const load::LoadResult result = load::run_load(spec);
    EXPECT_EQ(result.refused + result.unknown, 0U) << ::testing::PrintToString(result.errors);
    EXPECT_GT(result.completed, 0U);
    done.placements += result.completed;
    done.cells.insert(result.touched_cells.begin(), result.touched_cells.end());
    ++spec.seed;
  } while (!over.load());
  return done;
}

// For each node another one that it has heard, if there is one.
inline std::map<NodeId, NodeId> heard_in(harness::Cluster& cluster) {
  std::map<NodeId, NodeId> heard;
  for (const auto& [node, text] : cluster.reports(std::chrono::seconds(60))) {
    const auto report = nlohmann::json::parse(text);
    for (const auto& peer : report["peers"]) {
      if (peer["received"] > 0) heard[node] = NodeId{peer["id"].get<std::uint32_t>()};
    }
  }
  return heard;
}

// Loads a cluster while `count` malformed things hit it, and checks what that did: nothing.
inline void expect_undisturbed(const std::string& algorithm, std::uint64_t count) {
  // AddressSanitizer alone keeps 256 MiB of what was freed; what is sent at length is 1.3 GB.
  constexpr std::uint64_t kMaxGrowth = 400U << 20;
  const harness::PrivateFolder folder;
  const harness::ClusterSpec spec = hostile_spec(algorithm, folder.path());
  AttackPlan plan;
  plan.valid = lone_headers(record(*spec.algorithm, spec.options, 2));
  ASSERT_GT(plan.valid.size(), 10U);
  plan.count = count;
  harness::Cluster cluster(spec);
  cluster.wait_ready(std::chrono::seconds(60));
  const NodesFigures before = figures_of(cluster);
  plan.members = cluster.members();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (plan.heard.size() < plan.members.size() && std::chrono::steady_clock::now() < until) {
    plan.heard = heard_in(cluster);
  }
  ASSERT_EQ(plan.heard.size(), plan.members.size());

  const Loiterers loiterers(cluster.members());
  history::HistoryWriter history(folder.path() / "history.jsonl");
  std::atomic<bool> over{false};
  AttackCounts sent;
  std::string finding;
  std::thread attacker([&] {
    try {
      sent = attack(plan);
    } catch (const std::exception& error) {
      finding = error.what();
    }
    over = true;
  });
  const load::LoadSpec load = load_on(cluster, *spec.algorithm, history);
  const Done done = load_until(over, load);
  attacker.join();
  EXPECT_EQ(finding, "");
  EXPECT_EQ(sent.total(), count);
  EXPECT_EQ(sent.web_taken, 0U);

  const auto quiet = load::wait_quiescent(load.targets, std::chrono::seconds(60));
  EXPECT_TRUE(quiet.settled) << quiet.problem;
  load::final_reads(load.targets, {done.cells.begin(), done.cells.end()}, history);
  history.close();
  history::CheckOptions options;
  options.model =
      spec.algorithm->guarantee.ordered ? history::Model::linearizable : history::Model::convergent;
  const history::CheckResult check =
      history::check_history(folder.path() / "history.jsonl", options);
  EXPECT_EQ(check.verdict, history::Verdict::pass) << history::to_json(check);

  const NodesFigures after = figures_of(cluster);
  // Garbage on a plain connection may look like frames of an old version of ZeroMQ's protocol.
  EXPECT_GE(after.frames_refused - before.frames_refused, sent.frames);
  EXPECT_GT(after.requests_refused, before.requests_refused);
  EXPECT_LT(after.rss_bytes, before.rss_bytes + kMaxGrowth);
  EXPECT_TRUE(cluster.casualties().empty());
  std::printf(
      "%s: %lu frames, %lu requests, %lu connections, %lu of the web; %lu placements done; "
      "memory %lu then %lu MB\n",
      algorithm.c_str(), sent.frames, sent.requests, sent.connections, sent.web, done.placements,
      before.rss_bytes >> 20, after.rss_bytes >> 20);
}

}  // namespace parley::fuzz
