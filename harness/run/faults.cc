#include "harness/run/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <thread>

#include "harness/cluster/config_file.h"
#include "harness/cluster/node_config.h"

namespace parley::harness {
namespace {

using Kind = ScheduledFault::Kind;
using Side = CutShape::Side;
using Direction = CutShape::Direction;

constexpr std::string_view kTargetAllowed = "leader, follower, or a node's number from 1 to 64";
constexpr std::string_view kTargetsAllowed =
    "leader, follower, majority, or a node's number from 1 to 64";
constexpr std::string_view kGroupsAllowed = "must be lists of nodes such as [[1, 2], [3, 4, 5]]";
constexpr std::string_view kKinds[] = {"kill", "restart", "pause", "cut"};  // as Kind has them
constexpr std::string_view kSides[] = {"alone", "minority"};
constexpr std::string_view kDirections[] = {"both", "in", "out"};
constexpr double kMaxSeconds = 1e6;
constexpr double kUsualDown = 1;    // seconds
constexpr double kUsualLength = 2;  // of a pause or a cut of one node, seconds
constexpr double kPartitionLength = 10;
constexpr double kRandomEvery = 2;   // seconds
constexpr double kRandomSlot = 0.5;  // that a random fault has at least, seconds
constexpr double kFlapEvery = 0.8;   // seconds; cut off for half of it
constexpr double kFlapShare = 0.1;   // of the window at most
constexpr std::chrono::seconds kLeaderPatience{10};
constexpr std::chrono::milliseconds kLeaderPoll{20};

struct Schedule {
  std::string_view name;
  Kind kind;
  NodeTarget::Kind node;
  Side side = Side::alone;
  Direction direction = Direction::both;
  std::uint32_t times = 1;
};
constexpr Schedule kSchedules[] = {
    {"kill-leader", Kind::kill, NodeTarget::Kind::leader},
    {"kill-follower", Kind::kill, NodeTarget::Kind::follower},
    {"kill-majority", Kind::kill, NodeTarget::Kind::majority},
    {"restart-leader", Kind::restart, NodeTarget::Kind::leader},
    {"restart-follower", Kind::restart, NodeTarget::Kind::follower},
    {"pause-leader", Kind::pause, NodeTarget::Kind::leader},
    {"isolate-leader", Kind::cut, NodeTarget::Kind::leader},
    {"partition", Kind::cut, NodeTarget::Kind::leader, Side::minority},
    {"one-way", Kind::cut, NodeTarget::Kind::leader, Side::alone, Direction::out},
    {"flap", Kind::cut, NodeTarget::Kind::leader, Side::alone, Direction::both, 4}};
constexpr std::string_view kRandom = "random";

Duration duration(double seconds) {
  return std::chrono::round<Duration>(std::chrono::duration<double>(seconds));
}

std::string schedules_allowed() {
  std::string names = "none";
  for (const Schedule& schedule : kSchedules) names += fmt::format(", {}", schedule.name);
  return names + ", random, random:COUNT, or the path of a TOML file with [[fault]]";
}

[[noreturn]] void unknown_schedule(const std::string& name) {
  std::vector<std::string> known{"none", std::string(kRandom)};
  for (const Schedule& schedule : kSchedules) known.emplace_back(schedule.name);
  const std::string near = nearest(name, known);
  throw ConfigError(fmt::format("faults: {} is not one of {}{}", toml_quoted(name),
                                schedules_allowed(),
                                near.empty() ? "" : fmt::format("; the nearest is \"{}\"", near)));
}

// The schedule of that name strikes in the middle of the window, or from there on.
FaultSchedule named(const Schedule& schedule, double window_s) {
  ScheduledFault fault;
  fault.at = duration(window_s / 2);
  fault.kind = schedule.kind;
  fault.target.kind = schedule.node;
  fault.cut.side = schedule.side;
  fault.cut.direction = schedule.direction;
  double usual = schedule.kind == Kind::restart ? kUsualDown : kUsualLength;
  if (schedule.side == Side::minority) usual = kPartitionLength;
  if (schedule.kind != Kind::kill) fault.lasts = duration(std::min(usual, window_s / 4));
  if (schedule.times == 1) return {fault};
  FaultSchedule faults;
  const double every = std::min(kFlapEvery, window_s * kFlapShare);
  fault.lasts = duration(every / 2);
  for (std::uint32_t i = 0; i < schedule.times; ++i) {
    faults.push_back(fault);
    fault.at += duration(every);
  }
  return faults;
}

// "random" or "random:COUNT".
FaultSchedule random_schedule(const RunSpec& spec) {
  const double window_s = spec.duration_s;
  const auto most = static_cast<std::uint32_t>(std::max(1.0, window_s / kRandomSlot));
  auto count = static_cast<std::uint32_t>(std::max(1.0, window_s / kRandomEvery));
  if (spec.faults.size() > kRandom.size()) {
    const char* end = spec.faults.data() + spec.faults.size();
    const auto [stop, error] = std::from_chars(spec.faults.data() + kRandom.size() + 1, end, count);
    if (error != std::errc{} || stop != end || count < 1 || count > most) {
      throw ConfigError(
          fmt::format("faults: the count of {} is not a whole number from 1 to {}, for which there "
                      "is room in {} s",
                      toml_quoted(spec.faults), most, window_s));
    }
  }
  return random_faults(spec.seed, spec.nodes, duration(window_s), count);
}

template <class Enum, std::size_t kCount>
Enum read_word(ConfigReader& reader, std::string_view key,
               const std::string_view (&words)[kCount]) {
  std::string word{words[0]};
  reader.choice(key, words, word);
  return static_cast<Enum>(std::find(words, words + kCount, word) - words);
}

NodeTarget read_target(ConfigReader& reader, Kind kind) {
  const std::string_view allowed = kind == Kind::cut ? kTargetAllowed : kTargetsAllowed;
  const ConfigValue& value = reader.require("node", allowed);
  const bool number = value.kind == ConfigValue::Kind::integer;
  const std::optional<NodeTarget> target =
      parse_target(number ? shown(value) : reader.text_of("node", value, allowed));
  const bool fits = target && (kind != Kind::cut || target->kind != NodeTarget::Kind::majority);
  if (!fits) reader.fail("node", value, fmt::format("{} is not {}", shown(value), allowed));
  return *target;
}

std::vector<NodeId> read_group(const ConfigReader& reader, const ConfigValue& value) {
  if (value.kind != ConfigValue::Kind::list)
    reader.fail("groups", value, std::string(kGroupsAllowed));
  std::vector<NodeId> group;
  for (const ConfigValue& entry : value.list) {
    group.push_back({static_cast<std::uint32_t>(reader.integer_of("groups", entry, 1, kMaxNodes))});
  }
  return group;
}

// What is cut, and of whom.
void read_cut(ConfigReader& reader, ScheduledFault& fault) {
  const ConfigValue* groups = reader.find("groups");
  if (groups == nullptr) {
    fault.target = read_target(reader, Kind::cut);
    fault.cut.side = read_word<Side>(reader, "side", kSides);
    fault.cut.direction = read_word<Direction>(reader, "direction", kDirections);
    return;
  }
  for (const std::string_view key : {"node", "side", "direction"}) {
    if (const ConfigValue* value = reader.find(key))
      reader.fail(key, *value, "does not belong to a cut with groups");
  }
  if (groups->kind != ConfigValue::Kind::list)
    reader.fail("groups", *groups, std::string(kGroupsAllowed));
  for (const ConfigValue& value : groups->list)
    fault.cut.groups.push_back(read_group(reader, value));
  const std::string problem = problem_of(fault.cut.groups, kMaxNodes);
  if (!problem.empty()) reader.fail("groups", *groups, problem);
}

// How long it lasts: down_s of a restart, for_s of a pause or a cut.
void read_length(ConfigReader& reader, ScheduledFault& fault) {
  struct Key {
    std::string_view name;
    bool belongs;
    std::string_view kinds;
    double usual;
  };
  const bool restart = fault.kind == Kind::restart;
  const bool timed = fault.kind == Kind::pause || fault.kind == Kind::cut;
  for (const Key& key : {Key{"down_s", restart, "\"restart\"", kUsualDown},
                         Key{"for_s", timed, "\"pause\" or \"cut\"", kUsualLength}}) {
    const ConfigValue* value = reader.find(key.name);
    if (!key.belongs && value != nullptr)
      reader.fail(key.name, *value, fmt::format("belongs to kind = {} only", key.kinds));
    if (!key.belongs) continue;
    fault.lasts = duration(value == nullptr ? key.usual
                                            : reader.real_of(key.name, *value, 0.01, kMaxSeconds));
  }
}

ScheduledFault read_fault(ConfigReader& reader, double window_s) {
  ScheduledFault fault;
  const ConfigValue& at = reader.require("at_s", "seconds after the start of the measured window");
  const double at_s = reader.real_of("at_s", at, 0, kMaxSeconds);
  if (at_s >= window_s) {
    reader.fail(
        "at_s", at,
        fmt::format("{} is not before the end of the measured window at {} s", at_s, window_s));
  }
  fault.at = duration(at_s);
  reader.require("kind", "kill, restart, pause or cut");
  fault.kind = read_word<Kind>(reader, "kind", kKinds);
  read_length(reader, fault);
  const double over_s = std::chrono::duration<double>(fault.at + fault.lasts).count();
  if (over_s >= window_s) {
    reader.fail("at_s", at,
                fmt::format("the {} is over after {} s, but the measured window ends at {} s",
                            kKinds[static_cast<std::size_t>(fault.kind)], over_s, window_s));
  }
  if (fault.kind == Kind::cut) {
    read_cut(reader, fault);
  } else {
    fault.target = read_target(reader, fault.kind);
  }
  reader.finish();
  return fault;
}

}  // namespace

FaultSchedule load_faults(const RunSpec& spec) {
  const std::string& name = spec.faults;
  if (name == "none") return {};
  for (const Schedule& schedule : kSchedules) {
    if (name == schedule.name) return named(schedule, spec.duration_s);
  }
  if (name == kRandom || name.starts_with("random:")) return random_schedule(spec);
  if (name.find('/') == std::string::npos && !name.ends_with(".toml")) unknown_schedule(name);
  FaultSchedule schedule;
  ConfigReader reader = ConfigReader::from_file(name);
  for (ConfigReader& fault : reader.tables("fault"))
    schedule.push_back(read_fault(fault, spec.duration_s));
  reader.finish();
  std::stable_sort(schedule.begin(), schedule.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return schedule;
}

bool restarts(const FaultSchedule& faults) {
  return std::any_of(faults.begin(), faults.end(),
                     [](const auto& fault) { return fault.kind == Kind::restart; });
}

bool has_cuts(const FaultSchedule& faults) {
  return std::any_of(faults.begin(), faults.end(),
                     [](const auto& fault) { return fault.kind == Kind::cut; });
}

std::string impossible_for(const FaultSchedule& faults, std::uint32_t nodes) {
  std::uint32_t never_return = 0;
  for (const ScheduledFault& fault : faults) {
    if (fault.target.id.value > nodes)
      return fmt::format("names node {} of {}", fault.target.id.value, nodes);
    if (fault.by_groups()) {
      if (std::string problem = problem_of(fault.cut.groups, nodes); !problem.empty())
        return problem;
    }
    if (fault.kind == Kind::cut && links_of(fault.cut, NodeId{1}, nodes).empty())
      return fmt::format("{} would cut no link of {} node{}", fault.name(), nodes,
                         nodes == 1 ? "" : "s");
    const bool many = fault.target.kind == NodeTarget::Kind::majority;
    if (fault.kind == Kind::kill) never_return += many ? majority_of(nodes) : 1;
  }
  return never_return >= nodes ? "would leave no node" : std::string();
}

FaultInjector::FaultInjector(Cluster& cluster, const FaultSchedule& schedule)
    : cluster_(cluster), schedule_(schedule), progress_(schedule.size()) {
  for (const ScheduledFault& fault : schedule_) faults_.push_back({fault.name(), kNoNode, 0, {}});
}

void FaultInjector::begin(std::size_t place) {
  const ScheduledFault& fault = schedule_[place];
  Progress& progress = progress_[place];
  InjectedFault& account = faults_[place];
  progress.phase = fault.kind == Kind::kill ? Phase::over : Phase::lasts;
  try {
    const Cluster::Struck struck = strike(fault, progress.links);
    account.node = struck.node;
    account.nodes = struck.others;
    if (struck.node != kNoNode) account.nodes.push_back(struck.node);
    if (fault.kind == Kind::cut) account.nodes = connected_with(struck.node, progress.links);
    std::sort(account.nodes.begin(), account.nodes.end());
    account.injected_ms = in_window(struck.at);
  } catch (const std::exception& error) {
    account.problem = error.what();
  }
}

// The node and those whose links to and from it are whole; none without a node.
std::vector<NodeId> FaultInjector::connected_with(NodeId node,
                                                  const std::vector<DirectedLink>& cut) {
  std::vector<NodeId> side;
  if (node == kNoNode) return side;
  for (const Member& member : cluster_.members()) {
    const bool whole = std::none_of(cut.begin(), cut.end(), [&](const DirectedLink& link) {
      return (link.from == node && link.to == member.id) ||
             (link.to == node && link.from == member.id);
    });
    if (whole) side.push_back(member.id);
  }
  return side;
}

// An election may be under way at the very moment: a fault meant for the leader then waits for one.
Cluster::Struck FaultInjector::strike(const ScheduledFault& fault,
                                      std::vector<DirectedLink>& links) {
  const auto deadline = std::chrono::steady_clock::now() + kLeaderPatience;
  for (;;) {
    try {
      if (fault.kind == Kind::pause) return cluster_.pause(fault.target);
      if (fault.kind != Kind::cut) return cluster_.kill(fault.target);
      const NodeId node = fault.by_groups() ? kNoNode : cluster_.find(fault.target);
      links = links_of(fault.cut, node, static_cast<std::uint32_t>(cluster_.members().size()));
      return {.node = node, .others = {}, .at = cluster_.cut(links)};
    } catch (const NoLeaderError&) {
      if (std::chrono::steady_clock::now() >= deadline) throw;
    }
    std::this_thread::sleep_for(kLeaderPoll);
  }
}

void FaultInjector::end(std::size_t place) {
  Progress& progress = progress_[place];
  InjectedFault& account = faults_[place];
  if (progress.phase != Phase::lasts) return;
  progress.phase = Phase::over;
  try {
    if (!progress.links.empty()) cluster_.heal(progress.links);
    for (const NodeId node : account.nodes) {
      if (schedule_[place].kind == Kind::restart) cluster_.restart(node);
      if (schedule_[place].kind == Kind::pause) cluster_.resume(node);
    }
    account.ended_ms = in_window(std::chrono::steady_clock::now());
  } catch (const std::exception& error) {
    account.problem = fmt::format("it was not over: {}", error.what());
  }
}

std::vector<std::string> FaultInjector::finish() {
  std::vector<std::string> notes;
  for (std::size_t place = 0; place < schedule_.size(); ++place) {
    InjectedFault& account = faults_[place];
    if (progress_[place].phase == Phase::due) account.problem = "the measured window ended before";
    if (progress_[place].phase != Phase::lasts) continue;
    if (account.problem.empty()) notes.push_back(account.fault + " outlasted the measured window");
    end(place);
  }
  return notes;
}

}  // namespace parley::harness
