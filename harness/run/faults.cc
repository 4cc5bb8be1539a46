#include "harness/run/faults.h"

#include <algorithm>

#include <fmt/format.h>

#include "harness/cluster/config_file.h"

namespace parley::harness {
namespace {

constexpr std::string_view kTargetAllowed = "leader, follower, or a node's number from 1 to 64";
constexpr double kMaxAtSeconds = 1e6;

[[noreturn]] void unknown_schedule(const std::string& name) {
  for (const std::string_view later :
       {"kill-majority", "partition", "pause", "one-way", "restart", "flap"}) {
    if (name == later) {
      throw ConfigError(
          fmt::format("faults: \"{}\" belongs to a later version; allowed: none, kill-leader, "
                      "kill-follower, or the path of a TOML file with [[fault]]",
                      name));
    }
  }
  const std::string known[] = {"none", "kill-leader", "kill-follower"};
  const std::string near = nearest(name, known);
  throw ConfigError(fmt::format(
      "faults: {} is not one of none, kill-leader, kill-follower, or the path of a TOML file "
      "with [[fault]]{}",
      toml_quoted(name), near.empty() ? "" : fmt::format("; the nearest is \"{}\"", near)));
}

void check_kind(ConfigReader& reader) {
  const ConfigValue& value = reader.require("kind", "\"kill\"");
  const std::string& kind = reader.text_of("kind", value);
  if (kind == "kill") return;
  if (kind == "restart") {
    reader.fail("kind", value,
                "\"restart\" is refused with durability \"none\": the node has forgotten its votes "
                "and may not return "
                "as the same voter; durable modes belong to a later version");
  }
  reader.fail(
      "kind", value,
      fmt::format("{} is not one of kill; other faults belong to a later version", shown(value)));
}

NodeTarget read_target(ConfigReader& reader) {
  const ConfigValue& value = reader.require("node", kTargetAllowed);
  const bool number = value.kind == ConfigValue::Kind::integer;
  const std::optional<NodeTarget> target =
      parse_target(number ? shown(value) : reader.text_of("node", value, kTargetAllowed));
  if (!target)
    reader.fail("node", value, fmt::format("{} is not {}", shown(value), kTargetAllowed));
  return *target;
}

FaultEvent read_event(ConfigReader& reader, double duration_s) {
  FaultEvent event;
  const ConfigValue& at = reader.require("at_s", "seconds after the start of the measured window");
  event.at_s = reader.real_of("at_s", at, 0, kMaxAtSeconds);
  if (event.at_s >= duration_s) {
    reader.fail("at_s", at,
                fmt::format("{} is not before the end of the measured window at {} s", event.at_s,
                            duration_s));
  }
  check_kind(reader);
  event.node = read_target(reader);
  event.name = "kill-" + to_text(event.node);
  reader.finish();
  return event;
}

}  // namespace

FaultPlan load_faults(const std::string& name_or_path, double duration_s) {
  FaultPlan plan;
  plan.name = name_or_path;
  if (name_or_path == "none") return plan;
  if (name_or_path == "kill-leader" || name_or_path == "kill-follower") {
    const NodeTarget target = *parse_target(std::string_view(name_or_path).substr(5));
    plan.events.push_back({duration_s / 2, target, name_or_path});
    return plan;
  }
  if (name_or_path.find('/') == std::string::npos && !name_or_path.ends_with(".toml"))
    unknown_schedule(name_or_path);
  ConfigReader reader = ConfigReader::from_file(name_or_path);
  for (ConfigReader& fault : reader.tables("fault"))
    plan.events.push_back(read_event(fault, duration_s));
  reader.finish();
  std::stable_sort(plan.events.begin(), plan.events.end(),
                   [](const FaultEvent& a, const FaultEvent& b) { return a.at_s < b.at_s; });
  return plan;
}

void FaultInjector::inject(const FaultEvent& event) {
  const auto since_zero = [this](std::chrono::steady_clock::time_point at) {
    return std::chrono::duration<double, std::milli>(at - zero_).count();
  };
  try {
    const Cluster::Killed killed = cluster_.kill(event.node);
    done_.push_back({event.name, killed.node, since_zero(killed.at), {}});
  } catch (const ClusterError& error) {
    done_.push_back(
        {event.name, kNoNode, since_zero(std::chrono::steady_clock::now()), error.what()});
  }
}

}  // namespace parley::harness
