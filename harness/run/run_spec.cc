#include "harness/run/run_spec.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "harness/cluster/links.h"
#include "harness/cluster/node_config.h"
#include "harness/load/workload.h"
#include "harness/run/bare_path.h"
#include "harness/run/faults.h"

namespace parley::harness {
namespace {

// What starting a cluster, opening sessions, draining, stopping and writing takes.
constexpr double kAroundRunSeconds = 2.0;
constexpr double kAroundRecordedRunSeconds = 5.0;
// The saturation, about seven rates, twice each, and the last run.
constexpr double kUsualRunsOfASearch = 16;

// Letters, digits and dashes of a name or path, for use in a folder's name.
std::string slug(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  if (slash != std::string_view::npos) text.remove_prefix(slash + 1);
  if (text.ends_with(".toml")) text.remove_suffix(5);
  std::string name;
  for (const char c : text.substr(0, 40)) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    name += plain ? c : '-';
  }
  return name;
}

void check_workload(const RunSpec& spec) {
  try {
    load::parse_workload(spec.workload, std::uint64_t{spec.canvas.width} * spec.canvas.height);
  } catch (const load::LoadError& error) {
    throw ConfigError(error.what());
  }
}

// Whether the nodes have the storage that the faults need.
void check_faults(const RunSpec& spec) {
  const FaultSchedule faults = load_faults(spec);
  if (spec.durability != "none") return;
  if (restarts(faults)) {
    throw ConfigError(fmt::format(
        "faults: {} starts nodes again, which is refused with durability \"none\": such a node has "
        "forgotten its votes and may not return as the same voter; use async or group_commit",
        toml_quoted(spec.faults)));
  }
  if (needs_disks(faults)) {
    throw ConfigError(fmt::format(
        "faults: {} makes disks slow, and durability \"none\" writes to none; use async or "
        "group_commit",
        toml_quoted(spec.faults)));
  }
}

}  // namespace

double recorded_share(std::string_view record) {
  if (record == "none") return 0;
  if (record == "all") return 1;
  double percent = 0;
  const char* end = record.data() + record.size();
  const auto [stop, error] = std::from_chars(record.data(), end, percent);
  const bool fits =
      error == std::errc{} && stop + 1 == end && *stop == '%' && percent > 0 && percent <= 100;
  if (!fits) {
    throw ConfigError(fmt::format(
        "record: {} is not one of none, all, or a share of the cells such as \"1%\" (above "
        "0 and up to 100)",
        toml_quoted(record)));
  }
  return percent / 100;
}

std::string impossible_because(const RunSpec& spec) {
  const Algorithm& algorithm = *spec.algorithm;
  if (spec.algorithm == &bare_path()) return impossible_on_bare_path(spec);
  if (spec.nodes > algorithm.max_nodes) {
    return fmt::format("{} runs on at most {} node{}", algorithm.name, algorithm.max_nodes,
                       algorithm.max_nodes == 1 ? "" : "s");
  }
  if (spec.read_mode == "linearizable" && !algorithm.guarantee.linearizable_reads) {
    return fmt::format("{} has no linearizable reads", algorithm.name);
  }
  if (searches(spec) && spec.faults != "none") return "a rate is searched for without faults";
  const std::string problem = impossible_for(load_faults(spec), spec.nodes);
  return problem.empty() ? problem : fmt::format("{} {}", spec.faults, problem);
}

void check_run(const RunSpec& spec) {
  if (spec.nodes < 1 || spec.nodes > kMaxNodes) {
    throw ConfigError(
        fmt::format("nodes: {} is not a whole number from 1 to {}", spec.nodes, kMaxNodes));
  }
  if (std::find(std::begin(kDurabilities), std::end(kDurabilities), spec.durability) ==
      std::end(kDurabilities)) {
    throw ConfigError(fmt::format("durability: {} is not one of none, async, group_commit",
                                  toml_quoted(spec.durability)));
  }
  check_workload(spec);
  if (spec.closed_loop && spec.workload.starts_with("replay:")) {
    throw ConfigError(
        "loop: \"closed\" does not fit workload \"replay:...\", whose times are those of the log");
  }
  if (searches(spec)) {
    if (spec.workload.starts_with("replay:"))
      throw ConfigError("rate: \"search\" does not fit a replay, which has its own rate");
  } else if (!spec.closed_loop && !spec.workload.starts_with("replay:") && !(spec.rate > 0)) {
    throw ConfigError(fmt::format("rate: {} is not above 0", spec.rate));
  }
  // A client has at most 64 operations on the way, which is what a session remembers, in whole
  // batches. A search begins with a closed loop.
  const bool closed = spec.closed_loop || searches(spec);
  const std::uint64_t each = spec.batch == 0 ? 0 : 64 / spec.batch * spec.batch;
  if (closed && spec.window > each * spec.clients) {
    throw ConfigError(fmt::format(
        "window: {} is more than the {} operations that each of the {} clients may have in "
        "flight",
        spec.window, each, spec.clients));
  }
  if (closed && spec.batch > spec.window) {
    throw ConfigError(fmt::format("batch: {} commands a message do not fit a window of {}",
                                  spec.batch, spec.window));
  }
  if (most_warmup_s(spec) < spec.warmup_s) {
    throw ConfigError(fmt::format("warmup_max_s: {} is less than warmup_s, which is {}",
                                  *spec.warmup_max_s, spec.warmup_s));
  }
  recorded_share(spec.record);
  load_network_profile(spec.links);
  check_faults(spec);
}

std::string run_name(const RunSpec& spec, std::uint32_t number) {
  const RunSpec usual;
  std::string name = fmt::format("{:03}-{}-n{}", number, spec.algorithm->name, spec.nodes);
  if (spec.closed_loop) {
    name += fmt::format("-w{}", spec.window);
  } else if (!spec.workload.starts_with("replay:")) {
    name += searches(spec) ? std::string("-search") : fmt::format("-r{}", spec.rate);
  }
  const auto add_unless = [&name](bool is_usual, const std::string& text) {
    if (!is_usual) name += '-' + slug(text);
  };
  add_unless(spec.durability == usual.durability, spec.durability);
  add_unless(spec.links == usual.links, spec.links);
  add_unless(spec.faults == usual.faults, spec.faults);
  add_unless(spec.workload == usual.workload, spec.workload.starts_with("replay:")
                                                  ? "replay-" + slug(spec.workload.substr(7))
                                                  : spec.workload);
  add_unless(spec.read_share == usual.read_share,
             fmt::format("reads{}", std::lround(spec.read_share * 100)));
  add_unless(spec.read_mode == usual.read_mode, spec.read_mode);
  add_unless(spec.routing == usual.routing, "to_" + spec.routing);
  add_unless(spec.batch == usual.batch, fmt::format("b{}", spec.batch));
  return name + fmt::format("-rep{}", spec.repetition);
}

double estimated_seconds(const RunSpec& spec) {
  const double one = spec.warmup_s + spec.duration_s +
                     (spec.record == "none" ? kAroundRunSeconds : kAroundRecordedRunSeconds);
  return searches(spec) ? kUsualRunsOfASearch * one : one;
}

}  // namespace parley::harness
