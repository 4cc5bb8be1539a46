// parley canvas: a cluster with its web pages, or one for each strategy, until Ctrl-C.
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "algorithms/registry/registry.h"
#include "apps/canvas/canvas.h"
#include "harness/cli/commands.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/fault_desk.h"
#include "harness/cluster/private_folder.h"
#include "harness/cluster/stop_signal.h"

namespace parley::cli {
namespace {

using harness::Cluster;
using harness::ClusterSpec;

constexpr std::string_view kAll = "all";
constexpr std::uint32_t kTwoSides = 3;  // the fewest nodes of which a majority is not all

// What counts as stored: as asked, or what the folder for it suggests.
std::string durability_of(const CanvasOptions& options) {
  if (!options.durability.empty()) return options.durability;
  return options.data.empty() ? "none" : "async";
}

// Fills the spec, or says what is wrong.
std::string cluster_spec(const CanvasOptions& options, const Algorithm& algorithm,
                         ClusterSpec& spec) {
  spec.algorithm = &algorithm;
  if (std::string problem = parse_options(options.options, *spec.algorithm, spec.options);
      !problem.empty()) {
    return problem;
  }
  spec.algorithm = &with_options(*spec.algorithm, spec.options);
  parley::CanvasSize size;
  if (std::string problem = parse_canvas_size(options.size, size); !problem.empty()) {
    return "size: " + problem;
  }
  spec.canvas = {size.width, size.height};
  spec.cooldown = std::chrono::round<std::chrono::milliseconds>(
      std::chrono::duration<double>(options.cooldown_s));
  spec.nodes = std::min(options.nodes, spec.algorithm->max_nodes);
  spec.spares = options.spares;
  for (const std::uint32_t node : options.rejoin) spec.rejoin.insert(NodeId{node});
  spec.durability = durability_of(options);
  if (std::find(std::begin(harness::kDurabilities), std::end(harness::kDurabilities),
                spec.durability) == std::end(harness::kDurabilities)) {
    return "durability: \"" + spec.durability + "\" is not one of none, async, group_commit";
  }
  if (spec.durability == "none" && !options.data.empty()) {
    return "data: nothing is kept there with durability none; use async or group_commit";
  }
  spec.data = options.data;
  spec.traces = options.trace_out;
  if (!spec.traces.empty()) {
    if (std::string problem = make_trace_folder(spec.traces); !problem.empty()) return problem;
  }
  spec.http_port = options.http_port;
  spec.control = options.allow_faults;
  spec.seed = options.common.seed.value_or(1);
  return {};
}

// One cluster for each strategy of several nodes, at ports that follow on each other.
std::string all_specs(const CanvasOptions& options, std::vector<ClusterSpec>& specs) {
  if (options.nodes < kTwoSides) {
    return fmt::format(
        "nodes: --algorithm all shows both sides of a cut, so at least {} are needed", kTwoSides);
  }
  if (options.spares != 0) return "spares: members do not change with --algorithm all";
  if (!options.rejoin.empty()) return "rejoin: members do not change with --algorithm all";
  if (!options.options.empty()) return "option: belongs to one strategy, not to --algorithm all";
  std::uint32_t port = options.http_port;
  for (const Algorithm* algorithm : algorithms()) {
    if (algorithm->max_nodes < options.nodes) continue;
    CanvasOptions own = options;
    own.allow_faults = true;  // that is what it is for; its nodes serve this machine only
    own.http_port = static_cast<std::uint16_t>(port);
    if (!own.data.empty()) own.data += "/" + std::string(algorithm->name);
    if (!own.trace_out.empty()) own.trace_out += "/" + std::string(algorithm->name);
    if (std::string problem = cluster_spec(own, *algorithm, specs.emplace_back());
        !problem.empty()) {
      return problem;
    }
    port += options.nodes;
  }
  if (port > 65536) {
    return fmt::format("http_port: {} leaves no ports for {} nodes; at most {}", options.http_port,
                       port - options.http_port, 65536 - (port - options.http_port));
  }
  return {};
}

// A cluster and, where faults are allowed, what carries them out.
struct Running {
  explicit Running(const ClusterSpec& spec) : cluster(spec) {
    if (!spec.fault_endpoint.empty()) desk.emplace(spec.fault_endpoint, cluster, complain);
  }
  Cluster cluster;
  std::optional<harness::FaultDesk> desk;  // uses the cluster, so it ends first
};

using Clusters = std::vector<std::unique_ptr<Running>>;

nlohmann::ordered_json nodes_json(Cluster& cluster, std::uint32_t spares) {
  nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
  const std::vector<harness::Member> members = cluster.members();
  for (const harness::Member& member : members) {
    nodes.push_back({{"node", member.id.value},
                     {"page", fmt::format("http://127.0.0.1:{}/", member.http_port)},
                     {"client_endpoint", member.client_endpoint},
                     {"pid", member.pid},
                     {"spare", member.id.value > members.size() - spares}});
  }
  return nodes;
}

void print_nodes(Cluster& cluster) {
  for (const harness::Member& member : cluster.members()) {
    fmt::print("  node {}  http://127.0.0.1:{}/   clients {}   pid {}\n", member.id.value,
               member.http_port, member.client_endpoint, member.pid);
  }
}

void announce_one(Cluster& cluster, const CanvasOptions& options) {
  if (options.common.json) {
    const auto nodes = nodes_json(cluster, options.spares);
    fmt::print("{}\n",
               nlohmann::ordered_json{{"algorithm", options.algorithm}, {"nodes", nodes}}.dump());
    return;
  }
  fmt::print(
      "{} on {} nodes{}; Ctrl-C stops all of it\n", options.algorithm,
      cluster.members().size() - options.spares,
      options.spares == 0 ? "" : fmt::format(" and {} that wait to be added", options.spares));
  print_nodes(cluster);
}

// The page that shows all of them learns from its address where they are.
std::string side_by_side(const Clusters& clusters) {
  std::string ports;
  for (const auto& running : clusters) {
    if (!ports.empty()) ports += ",";
    ports += std::to_string(running->cluster.members().front().http_port);
  }
  return fmt::format("http://127.0.0.1:{}/side-by-side#{}",
                     clusters.front()->cluster.members().front().http_port, ports);
}

void announce_all(const Clusters& clusters, const CanvasOptions& options) {
  const std::string page = side_by_side(clusters);
  if (options.common.json) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const auto& running : clusters) {
      all.push_back({{"algorithm", running->cluster.algorithm().name},
                     {"nodes", nodes_json(running->cluster, 0)}});
    }
    fmt::print(
        "{}\n",
        nlohmann::ordered_json{{"algorithm", kAll}, {"page", page}, {"clusters", all}}.dump());
    return;
  }
  fmt::print("{} strategies side by side; Ctrl-C stops all of it\n  {}\n", clusters.size(), page);
  for (const auto& running : clusters) {
    fmt::print("{}\n", running->cluster.algorithm().name);
    print_nodes(running->cluster);
  }
}

// Tells of nodes that end, until the user has enough or some cluster has none left.
int watch(const Clusters& clusters) {
  while (!harness::StopSignal::requested()) {
    for (const auto& running : clusters) {
      for (const std::string& story : running->cluster.casualties()) {
        complain(clusters.size() == 1
                     ? story
                     : fmt::format("{}: {}", running->cluster.algorithm().name, story));
      }
      const bool start_again = running->desk && running->desk->restarts_nodes();
      if (!running->cluster.running().empty() || start_again) continue;
      complain(fmt::format("no node of {} is left", running->cluster.algorithm().name));
      return kFailed;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return kDone;
}

int run(const std::vector<ClusterSpec>& specs, const CanvasOptions& options) {
  Clusters clusters;
  for (const ClusterSpec& spec : specs) clusters.push_back(std::make_unique<Running>(spec));
  for (const auto& running : clusters) {
    running->cluster.wait_ready(std::chrono::seconds(15), &harness::StopSignal::requested());
  }
  if (options.algorithm == kAll) {
    announce_all(clusters, options);
  } else {
    announce_one(clusters.front()->cluster, options);
  }
  std::fflush(stdout);
  const int status = watch(clusters);
  for (const auto& running : clusters) {
    running->desk.reset();
    for (const std::string& note : running->cluster.stop()) complain(note);
  }
  return status;
}

}  // namespace

int run_canvas(const CanvasOptions& options) {
  std::vector<ClusterSpec> specs;
  std::string problem;
  if (options.algorithm == kAll) {
    problem = all_specs(options, specs);
  } else if (known_algorithm(options.algorithm)) {
    problem = cluster_spec(options, *find_algorithm(options.algorithm), specs.emplace_back());
  } else {
    return kUsage;
  }
  if (!problem.empty()) {
    complain(problem);
    return kUsage;
  }
  const harness::StopSignal stop_signal;
  const harness::PrivateFolder folder;
  for (ClusterSpec& spec : specs) {
    spec.folder = folder.path() / spec.algorithm->name;
    if (spec.data.empty()) spec.data = spec.folder / "data";
    if (spec.control) spec.fault_endpoint = "ipc://" + (spec.folder / "faults").string();
  }
  try {
    return run(specs, options);
  } catch (const harness::ConfigError& error) {
    complain(error.what());
    return kUsage;
  }
}

}  // namespace parley::cli
