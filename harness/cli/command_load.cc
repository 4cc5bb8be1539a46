// parley load: drives load at a running cluster.
#include <fmt/core.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "apps/canvas/canvas.h"
#include "harness/cli/commands.h"
#include "harness/cli/progress.h"
#include "harness/cluster/node_config.h"
#include "harness/cluster/node_probe.h"
#include "harness/cluster/stop_signal.h"
#include "harness/load/ceiling.h"
#include "harness/load/limit.h"
#include "harness/load/load.h"
#include "harness/load/run_files.h"
#include "harness/load/warmup.h"

namespace parley::cli {
namespace {

// "HOST:PORT,HOST:PORT" as targets numbered from 1, or what is wrong.
std::string parse_targets(std::string_view text, std::vector<load::Target>& targets) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
    if (one.starts_with("tcp://")) one.remove_prefix(6);
    const std::size_t colon = one.rfind(':');
    unsigned port = 0;
    if (colon != std::string_view::npos) {
      std::from_chars(one.data() + colon + 1, one.data() + one.size(), port);
    }
    if (colon == 0 || port == 0 || port > 65535) {
      return "target: \"" + std::string(one) + "\" is not HOST:PORT with a port from 1 to 65535";
    }
    targets.push_back(
        {NodeId{static_cast<std::uint32_t>(targets.size() + 1)}, "tcp://" + std::string(one)});
  }
  return targets.empty() ? "target: name at least one HOST:PORT" : "";
}

// "10", "10s", "2.5s", "500ms", "3m"; or what is wrong.
std::string parse_duration(std::string_view text, Duration& duration) {
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(stop, static_cast<std::size_t>(text.data() + text.size() - stop));
  double seconds = value;
  if (unit == "ms") seconds /= 1000;
  if (unit == "m") seconds *= 60;
  const bool known = unit.empty() || unit == "s" || unit == "ms" || unit == "m";
  const bool fits = seconds >= 0.1 && seconds <= 86400;  // which "nan" does not
  if (error != std::errc{} || !known || !fits) {
    return "duration: \"" + std::string(text) + "\" is not a time from 100ms to 1440m";
  }
  duration = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  return {};
}

std::string load_spec(const LoadOptions& options, load::LoadSpec& spec) {
  if (std::string problem = parse_targets(options.targets, spec.targets); !problem.empty()) {
    return problem;
  }
  if (std::string problem = parse_duration(options.duration, spec.duration); !problem.empty()) {
    return problem;
  }
  CanvasSize size;
  if (std::string problem = parse_canvas_size(options.size, size); !problem.empty()) {
    return problem;
  }
  spec.canvas_width = size.width;
  spec.canvas_height = size.height;
  spec.loop = options.loop == "open" ? load::Loop::open : load::Loop::closed;
  spec.rate = options.rate;
  spec.window = options.window;
  spec.batch = options.batch;
  spec.clients = options.clients;
  spec.read_share = options.read_share;
  spec.read_mode = options.read_mode == "local" ? ReadMode::local : ReadMode::linearizable;
  spec.routing = options.routing == "any" ? load::Routing::any : load::Routing::leader;
  spec.workload = options.replay.empty() ? options.workload : "replay:" + options.replay;
  spec.replay_speed = options.speed;
  if (!options.replay.empty()) spec.warmup = {};
  spec.warmup_max = 2 * spec.warmup;
  spec.seed = options.common.seed.value_or(1);
  spec.stop = &harness::StopSignal::requested();
  return {};
}

nlohmann::ordered_json result_json(const load::LoadResult& result) {
  auto json = nlohmann::ordered_json::parse(load::summary_json(result));
  json["notes"] = result.notes;
  return json;
}

void print_generator(const load::LoadResult& result) {
  const load::GeneratorFigures& own = result.generator;
  fmt::print("  generator: {:.0f} % of a core, late by p50 {:.0f} µs, p99 {:.0f} µs",
             own.cpu_share * 100, own.late_us.p50, own.late_us.p99);
  if (own.ceiling_ops_per_s > 0) {
    fmt::print("; can do at least {:.0f} operations/s here", own.ceiling_ops_per_s);
  }
  fmt::print("\n");
  if (const std::string limit = load::limit_text(result); !limit.empty()) {
    fmt::print("  {}\n", limit);
  }
}

std::string steady_text(const load::WarmupFigures& warmup) {
  if (!warmup.ended) return {};
  if (*warmup.ended == load::Steadiness::steady) return ", which ended steady";
  return fmt::format(", which did not end steady: {}", load::steadiness_text(*warmup.ended));
}

void print_result(const load::LoadResult& result) {
  fmt::print("{:.0f} operations/s offered, {:.0f} achieved over {:.1f} s\n",
             result.offered_ops_per_s, result.achieved_ops_per_s, result.measured_s);
  fmt::print("  after {:.1f} s of warm-up{}\n", result.warmup.took_s, steady_text(result.warmup));
  fmt::print("  completed {}, refused {}, unknown {}, unsent {}\n", result.completed,
             result.refused, result.unknown, result.unsent);
  const load::LatencySummary latency = result.latency.summary(result.operation_timeout_us);
  fmt::print("  latency µs: p50 {}, p90 {}, p99 {}, p99.9 {}, max {}\n", to_csv(latency.p50),
             to_csv(latency.p90), to_csv(latency.p99), to_csv(latency.p999), to_csv(latency.max));
  for (const auto& [reason, count] : result.errors) fmt::print("  {} {}\n", count, reason);
  if (result.replay.lines > 0) {
    fmt::print(
        "  log: {} lines, {} placements, {} malformed, {} outside of the canvas, {} by "
        "moderators\n",
        result.replay.lines, result.replay.placements, result.replay.malformed,
        result.replay.outside, result.replay.moderation);
    for (const std::string& line : result.replay.examples) fmt::print("    {}\n", line);
  }
  print_generator(result);
  for (const std::string& note : result.notes) fmt::print("  note: {}\n", note);
}

// What those say of themselves who answer, by the place of the target; waits until one does.
std::map<NodeId, harness::NodeHello> hellos_of(const load::LoadSpec& spec) {
  std::map<NodeId, std::string> endpoints;
  std::vector<NodeId> places;
  for (const load::Target& target : spec.targets) {
    endpoints[target.node] = target.client_endpoint;
    places.push_back(target.node);
  }
  harness::NodeProbe probe(endpoints);
  const auto until = std::chrono::steady_clock::now() + spec.setup_timeout;
  for (;;) {
    auto hellos = probe.hello(places, std::chrono::seconds(1));
    const bool over = std::chrono::steady_clock::now() > until || *spec.stop;
    if (!hellos.empty() || over) return hellos;
  }
}

// Targets are numbered as the nodes number themselves, by which they name their leader; who does
// not answer gets a number that no node has. Says what is wrong.
std::string ask_nodes(load::LoadSpec& spec) {
  const std::map<NodeId, harness::NodeHello> hellos = hellos_of(spec);
  if (hellos.empty()) return "target: no node answers";
  std::map<NodeId, std::string> taken;
  for (load::Target& target : spec.targets) {
    const auto hello = hellos.find(target.node);
    if (hello == hellos.end()) continue;
    spec.sessions_of_nodes = hello->second.sessions_of_nodes;
    const auto [other, first] = taken.emplace(hello->second.node, target.client_endpoint);
    if (!first) {
      return fmt::format("target: {} and {} are both node {}", other->second,
                         target.client_endpoint, other->first.value);
    }
  }
  NodeId unknown{harness::kMaxNodes};
  for (load::Target& target : spec.targets) {
    const auto hello = hellos.find(target.node);
    if (hello == hellos.end()) ++unknown.value;
    target.node = hello == hellos.end() ? unknown : hello->second.node;
  }
  return {};
}

}  // namespace

int run_load_command(const LoadOptions& options) {
  load::LoadSpec spec;
  if (const std::string problem = load_spec(options, spec); !problem.empty()) {
    complain(problem);
    return kUsage;
  }
  const harness::StopSignal stop_signal;
  load::LoadResult result;
  try {
    load::check_spec(spec);
  } catch (const load::LoadError& error) {
    complain(error.what());
    return kUsage;
  }
  if (const std::string problem = ask_nodes(spec); !problem.empty()) {
    complain(problem);
    return kFailed;
  }
  spec.ceiling_ops_per_s = load::measure_ceiling(spec.batch);
  {
    Progress progress;
    load::LoadEvents events;
    events.progress = [&progress](double share, std::uint64_t completed) {
      progress.show(share, fmt::format("{} completed", completed));
    };
    result = load::run_load(spec, events);
  }
  if (options.common.json) {
    fmt::print("{}\n", result_json(result).dump());
  } else {
    print_result(result);
  }
  return result.completed > 0 ? kDone : kFailed;
}

}  // namespace parley::cli
