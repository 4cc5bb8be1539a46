// parley canvas: a cluster with its web pages, until Ctrl-C.
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <thread>

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

// What this version cannot do, or empty.
std::string coming(const CanvasOptions& options) {
  if (options.algorithm == "all") return "algorithm: \"all\" comes in a later version";
  return {};
}

// What counts as stored: as asked, or what the folder for it suggests.
std::string durability_of(const CanvasOptions& options) {
  if (!options.durability.empty()) return options.durability;
  return options.data.empty() ? "none" : "async";
}

// Fills the spec, or says what is wrong.
std::string cluster_spec(const CanvasOptions& options, ClusterSpec& spec) {
  spec.algorithm = find_algorithm(options.algorithm);
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
  spec.seed = options.common.seed.value_or(1);
  return {};
}

void announce(Cluster& cluster, const CanvasOptions& options) {
  if (options.common.json) {
    nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
    for (const harness::Member& member : cluster.members()) {
      nodes.push_back({{"node", member.id.value},
                       {"page", fmt::format("http://127.0.0.1:{}/", member.http_port)},
                       {"client_endpoint", member.client_endpoint},
                       {"pid", member.pid},
                       {"spare", member.id.value > cluster.members().size() - options.spares}});
    }
    fmt::print("{}\n",
               nlohmann::ordered_json{{"algorithm", options.algorithm}, {"nodes", nodes}}.dump());
  } else {
    fmt::print(
        "{} on {} nodes{}; Ctrl-C stops all of it\n", options.algorithm,
        cluster.members().size() - options.spares,
        options.spares == 0 ? "" : fmt::format(" and {} that wait to be added", options.spares));
    for (const harness::Member& member : cluster.members()) {
      fmt::print("  node {}  http://127.0.0.1:{}/   clients {}   pid {}\n", member.id.value,
                 member.http_port, member.client_endpoint, member.pid);
    }
  }
  std::fflush(stdout);
}

// Tells of nodes that end, until the user has enough or none is left.
int watch(Cluster& cluster) {
  while (!harness::StopSignal::requested()) {
    for (const std::string& story : cluster.casualties()) complain(story);
    if (cluster.running().empty()) return kFailed;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return kDone;
}

}  // namespace

int run_canvas(const CanvasOptions& options) {
  if (const std::string problem = coming(options); !problem.empty()) {
    complain(problem);
    return kUsage;
  }
  if (!known_algorithm(options.algorithm)) return kUsage;
  ClusterSpec spec;
  if (const std::string problem = cluster_spec(options, spec); !problem.empty()) {
    complain(problem);
    return kUsage;
  }
  const harness::StopSignal stop_signal;
  const harness::PrivateFolder folder;
  spec.folder = folder.path();
  if (spec.data.empty()) spec.data = folder.path() / "data";
  spec.control = options.allow_faults;
  if (options.allow_faults) spec.fault_endpoint = "ipc://" + (folder.path() / "faults").string();
  try {
    Cluster cluster(spec);
    std::optional<harness::FaultDesk> desk;
    if (options.allow_faults) desk.emplace(spec.fault_endpoint, cluster);
    cluster.wait_ready(std::chrono::seconds(15), &harness::StopSignal::requested());
    announce(cluster, options);
    const int status = watch(cluster);
    desk.reset();
    for (const std::string& note : cluster.stop()) complain(note);
    return status;
  } catch (const harness::ConfigError& error) {
    complain(error.what());
    return kUsage;
  }
}

}  // namespace parley::cli
