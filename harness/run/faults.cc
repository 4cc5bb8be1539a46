#include "harness/run/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "harness/cluster/config_file.h"

namespace parley::harness {
namespace {

constexpr std::string_view kTargetAllowed = "leader, follower, or a node's number from 1 to 64";
constexpr double kMaxAtSeconds = 1e6;
constexpr double kUsualDown = 1;  // seconds
constexpr std::chrono::seconds kLeaderPatience{10};
constexpr std::chrono::milliseconds kLeaderPoll{20};

struct Schedule {
  std::string_view name;
  NodeTarget::Kind node;
  bool returns;
};
constexpr Schedule kSchedules[] = {{"kill-leader", NodeTarget::Kind::leader, false},
                                   {"kill-follower", NodeTarget::Kind::follower, false},
                                   {"restart-leader", NodeTarget::Kind::leader, true},
                                   {"restart-follower", NodeTarget::Kind::follower, true}};
constexpr std::string_view kSchedulesAllowed =
    "none, kill-leader, kill-follower, restart-leader, restart-follower, or the path of a TOML "
    "file "
    "with [[fault]]";

[[noreturn]] void unknown_schedule(const std::string& name) {
  for (const std::string_view later : {"kill-majority", "partition", "pause", "one-way", "flap"}) {
    if (name == later) {
      throw ConfigError(fmt::format("faults: \"{}\" belongs to a later version; allowed: {}", name,
                                    kSchedulesAllowed));
    }
  }
  std::vector<std::string> known{"none"};
  for (const Schedule& schedule : kSchedules) known.emplace_back(schedule.name);
  const std::string near = nearest(name, known);
  throw ConfigError(fmt::format("faults: {} is not one of {}{}", toml_quoted(name),
                                kSchedulesAllowed,
                                near.empty() ? "" : fmt::format("; the nearest is \"{}\"", near)));
}

// How long the node is away; nothing if it does not return.
std::optional<double> read_return(ConfigReader& reader) {
  const ConfigValue& value = reader.require("kind", "\"kill\" or \"restart\"");
  const std::string& kind = reader.text_of("kind", value);
  const ConfigValue* down = reader.find("down_s");
  if (kind == "kill") {
    if (down != nullptr) reader.fail("down_s", *down, "belongs to kind = \"restart\" only");
    return std::nullopt;
  }
  if (kind != "restart") {
    reader.fail(
        "kind", value,
        fmt::format("{} is not one of kill, restart; other faults belong to a later version",
                    shown(value)));
  }
  return down == nullptr ? kUsualDown : reader.real_of("down_s", *down, 0.01, kMaxAtSeconds);
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
  event.down_s = read_return(reader);
  if (event.down_s && event.at_s + *event.down_s >= duration_s) {
    reader.fail("at_s", at,
                fmt::format("the node is back after {} s, but the measured window ends at {} s",
                            event.at_s + *event.down_s, duration_s));
  }
  event.node = read_target(reader);
  event.name = (event.down_s ? "restart-" : "kill-") + to_text(event.node);
  reader.finish();
  return event;
}

}  // namespace

bool FaultPlan::restarts() const {
  return std::any_of(events.begin(), events.end(),
                     [](const FaultEvent& event) { return event.down_s.has_value(); });
}

std::size_t FaultPlan::never_return() const {
  return static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(),
                    [](const FaultEvent& event) { return !event.down_s.has_value(); }));
}

FaultPlan load_faults(const std::string& name_or_path, double duration_s) {
  FaultPlan plan;
  plan.name = name_or_path;
  if (name_or_path == "none") return plan;
  for (const Schedule& schedule : kSchedules) {
    if (name_or_path != schedule.name) continue;
    FaultEvent event{duration_s / 2, {schedule.node, {}}, std::nullopt, name_or_path};
    if (schedule.returns) event.down_s = std::min(kUsualDown, duration_s / 4);
    plan.events.push_back(std::move(event));
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

NodeId FaultInjector::inject(const FaultEvent& event) {
  const auto since_zero = [this](std::chrono::steady_clock::time_point at) {
    return std::chrono::duration<double, std::milli>(at - zero_).count();
  };
  try {
    const Cluster::Killed killed = kill(event.node);
    done_.push_back({event.name, killed.node, since_zero(killed.at), {}});
  } catch (const ClusterError& error) {
    done_.push_back(
        {event.name, kNoNode, since_zero(std::chrono::steady_clock::now()), error.what()});
  }
  return done_.back().node;
}

// An election may be under way at the very moment: a fault meant for the leader then waits for one.
Cluster::Killed FaultInjector::kill(const NodeTarget& target) {
  const auto deadline = std::chrono::steady_clock::now() + kLeaderPatience;
  for (;;) {
    try {
      return cluster_.kill(target);
    } catch (const NoLeaderError&) {
      if (std::chrono::steady_clock::now() >= deadline) throw;
    }
    std::this_thread::sleep_for(kLeaderPoll);
  }
}

void FaultInjector::revive(NodeId node) {
  try {
    cluster_.restart(node);
  } catch (const std::exception& error) {
    for (InjectedFault& fault : done_) {
      if (fault.node == node) fault.problem = error.what();
    }
  }
}

}  // namespace parley::harness
