#include "harness/run/faults.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/cluster/cluster.h"
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
constexpr std::string_view kKinds[] = {"kill",           "restart",   "pause",     "cut",
                                       "slow-link",      "slow-disk", "full-disk", "clock-step",
                                       "rolling-restart"};  // as Kind has them
constexpr std::string_view kSides[] = {"alone", "minority"};
constexpr std::string_view kDirections[] = {"both", "in", "out"};
constexpr double kMaxSeconds = 1e6;
constexpr double kUsualDown = 1;    // seconds
constexpr double kUsualLength = 2;  // of what is neither an absence nor a partition, seconds
constexpr double kUsualDelayMs = 100;
constexpr double kUsualStep = 2;       // of a clock, seconds
constexpr double kRollingShare = 0.9;  // of what is left of the window
constexpr double kPartitionLength = 10;
constexpr double kRandomEvery = 2;   // seconds
constexpr double kRandomSlot = 0.5;  // that a random fault has at least, seconds
constexpr double kFlapEvery = 0.8;   // seconds; cut off for half of it
constexpr double kFlapShare = 0.1;   // of the window at most

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
    {"flap", Kind::cut, NodeTarget::Kind::leader, Side::alone, Direction::both, 4},
    {"slow-link-leader", Kind::slow_link, NodeTarget::Kind::leader},
    {"slow-disk-leader", Kind::slow_disk, NodeTarget::Kind::leader},
    {"full-disk-leader", Kind::full_disk, NodeTarget::Kind::leader},
    {"clock-step-leader", Kind::clock_step, NodeTarget::Kind::leader}};
constexpr std::string_view kRollingRestart = "rolling-restart";
constexpr std::string_view kRandom = "random";
constexpr std::string_view kRandomAll = "random-all";

Duration duration(double seconds) {
  return std::chrono::round<Duration>(std::chrono::duration<double>(seconds));
}

std::string schedules_allowed() {
  std::string names = "none";
  for (const Schedule& schedule : kSchedules) names += fmt::format(", {}", schedule.name);
  return names +
         ", rolling-restart, random, random:COUNT, random-all, random-all:COUNT, or the path of a "
         "TOML file with [[fault]]";
}

[[noreturn]] void unknown_schedule(const std::string& name) {
  std::vector<std::string> known{"none", std::string(kRollingRestart), std::string(kRandom),
                                 std::string(kRandomAll)};
  for (const Schedule& schedule : kSchedules) known.emplace_back(schedule.name);
  const std::string near = nearest(name, known);
  throw ConfigError(fmt::format("faults: {} is not one of {}{}", toml_quoted(name),
                                schedules_allowed(),
                                near.empty() ? "" : fmt::format("; the nearest is \"{}\"", near)));
}

bool ends_the_node(Kind kind) {
  return kind == Kind::restart || kind == Kind::full_disk;
}

// How bad it is where nothing else is said.
void set_usual_severity(ScheduledFault& fault) {
  const auto delay = std::chrono::duration<double, std::milli>(kUsualDelayMs);
  if (fault.kind == Kind::slow_link)
    fault.slower.delay_us = static_cast<std::uint32_t>(kUsualDelayMs * 1000);
  if (fault.kind == Kind::slow_disk) fault.write_delay = std::chrono::round<Duration>(delay);
  if (fault.kind == Kind::clock_step) fault.clock_step = duration(kUsualStep);
}

// The schedule of that name strikes in the middle of the window, or from there on.
FaultSchedule named(const Schedule& schedule, double window_s) {
  ScheduledFault fault;
  fault.at = duration(window_s / 2);
  fault.kind = schedule.kind;
  fault.target.kind = schedule.node;
  fault.cut.side = schedule.side;
  fault.cut.direction = schedule.direction;
  set_usual_severity(fault);
  double usual = ends_the_node(schedule.kind) ? kUsualDown : kUsualLength;
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

FaultSchedule rolling_restart_in(double window_s) {
  ScheduledFault fault;
  fault.at = duration(window_s / 4);
  fault.kind = Kind::rolling_restart;
  fault.lasts = duration(window_s * 3 / 4 * kRollingShare);
  return {fault};
}

// `name`, or "<name>:COUNT".
FaultSchedule random_schedule(const RunSpec& spec, std::string_view name, RandomKinds kinds) {
  const double window_s = spec.duration_s;
  const auto most = static_cast<std::uint32_t>(std::max(1.0, window_s / kRandomSlot));
  auto count = static_cast<std::uint32_t>(std::max(1.0, window_s / kRandomEvery));
  if (spec.faults.size() > name.size()) {
    const char* end = spec.faults.data() + spec.faults.size();
    const auto [stop, error] = std::from_chars(spec.faults.data() + name.size() + 1, end, count);
    if (error != std::errc{} || stop != end || count < 1 || count > most) {
      throw ConfigError(
          fmt::format("faults: the count of {} is not a whole number from 1 to {}, for which there "
                      "is room in {} s",
                      toml_quoted(spec.faults), most, window_s));
    }
  }
  return random_faults(spec.seed, spec.nodes, duration(window_s), count, kinds);
}

template <class Enum, std::size_t kCount>
Enum read_word(ConfigReader& reader, std::string_view key,
               const std::string_view (&words)[kCount]) {
  std::string word{words[0]};
  reader.choice(key, words, word);
  return static_cast<Enum>(std::find(words, words + kCount, word) - words);
}

NodeTarget read_target(ConfigReader& reader, bool of_links) {
  const std::string_view allowed = of_links ? kTargetAllowed : kTargetsAllowed;
  const ConfigValue& value = reader.require("node", allowed);
  const bool number = value.kind == ConfigValue::Kind::integer;
  const std::optional<NodeTarget> target =
      parse_target(number ? shown(value) : reader.text_of("node", value, allowed));
  const bool fits = target && (!of_links || target->kind != NodeTarget::Kind::majority);
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

// Which links, and of whom.
void read_links(ConfigReader& reader, ScheduledFault& fault) {
  const ConfigValue* groups = reader.find("groups");
  if (groups == nullptr) {
    fault.target = read_target(reader, /*of_links=*/true);
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

// Reads the numbers that a fault of this kind has, and refuses those of other kinds.
class FaultNumbers {
 public:
  FaultNumbers(ConfigReader& reader, Kind kind) : reader_(reader), kind_(kind) {}

  struct Range {
    double min;
    double max;
  };
  // `usual` where the file says nothing; nothing if it does not belong to the kind. `kinds` is to
  // whom it belongs.
  std::optional<double> read(std::string_view key, std::initializer_list<Kind> kinds, Range range,
                             double usual) {
    const ConfigValue* value = reader_.find(key);
    if (std::find(kinds.begin(), kinds.end(), kind_) == kinds.end()) {
      if (value != nullptr) refuse(key, *value, kinds);
      return std::nullopt;
    }
    return value == nullptr ? usual : reader_.real_of(key, *value, range.min, range.max);
  }

 private:
  [[noreturn]] void refuse(std::string_view key, const ConfigValue& value,
                           std::initializer_list<Kind> kinds) {
    std::string names;
    std::size_t left = kinds.size();
    for (const Kind kind : kinds) {
      names += fmt::format("\"{}\"", kKinds[static_cast<std::size_t>(kind)]);
      if (--left > 0) names += left == 1 ? " or " : ", ";
    }
    reader_.fail(key, value, fmt::format("belongs to kind = {} only", names));
  }

  ConfigReader& reader_;
  Kind kind_;
};

std::uint32_t rounded(double value) {
  return static_cast<std::uint32_t>(std::lround(value));
}

// How long it lasts: down_s of a restart, within_s of a rolling one, for_s of the others.
void read_length(FaultNumbers& numbers, double rest_s, ScheduledFault& fault) {
  const bool rolling = fault.kind == Kind::rolling_restart;
  const auto down_s = numbers.read("down_s", {Kind::restart, Kind::rolling_restart},
                                   {rolling ? 0 : 0.01, kMaxSeconds}, rolling ? 0 : kUsualDown);
  const auto within_s =
      numbers.read("within_s", {Kind::rolling_restart}, {0.1, kMaxSeconds}, rest_s * kRollingShare);
  const auto for_s = numbers.read(
      "for_s",
      {Kind::pause, Kind::cut, Kind::slow_link, Kind::slow_disk, Kind::full_disk, Kind::clock_step},
      {0.01, kMaxSeconds}, kUsualLength);
  if (rolling) fault.down = duration(*down_s);
  if (down_s && !rolling) fault.lasts = duration(*down_s);
  if (within_s) fault.lasts = duration(*within_s);
  if (for_s) fault.lasts = duration(*for_s);
}

// How bad it is.
void read_severity(ConfigReader& reader, FaultNumbers& numbers, ScheduledFault& fault) {
  constexpr double kMaxStep = kMaxClockStepMs / 1000;
  const bool of_disk = fault.kind == Kind::slow_disk;
  const auto delay_ms = numbers.read("delay_ms", {Kind::slow_link, Kind::slow_disk},
                                     {of_disk ? 0.001 : 0, kMaxWriteDelayMs}, kUsualDelayMs);
  const auto jitter_ms = numbers.read("jitter_ms", {Kind::slow_link}, {0, kMaxWriteDelayMs}, 0);
  const auto loss = numbers.read("loss", {Kind::slow_link}, {0, 1}, 0);
  const auto step_s = numbers.read("step_s", {Kind::clock_step}, {-kMaxStep, kMaxStep}, kUsualStep);
  if (of_disk) fault.write_delay = duration(*delay_ms / 1000);
  if (step_s) fault.clock_step = duration(*step_s);
  if (step_s && fault.clock_step == Duration{})
    reader.fail("step_s", *reader.find("step_s"), "0 is no step");
  if (fault.kind != Kind::slow_link) return;
  fault.slower.delay_us = rounded(*delay_ms * 1000);
  fault.slower.jitter_us = rounded(*jitter_ms * 1000);
  fault.slower.loss_per_million = rounded(*loss * 1e6);
  if (fault.slower == LinkShape{})
    reader.fail("", "delay_ms, jitter_ms and loss are all 0: nothing would be slower");
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
  reader.require("kind", fmt::format("{}", fmt::join(kKinds, ", ")));
  fault.kind = read_word<Kind>(reader, "kind", kKinds);
  FaultNumbers numbers(reader, fault.kind);
  read_length(numbers, window_s - at_s, fault);
  read_severity(reader, numbers, fault);
  const double over_s = std::chrono::duration<double>(fault.at + fault.lasts).count();
  if (over_s >= window_s) {
    reader.fail("at_s", at,
                fmt::format("the {} is over after {} s, but the measured window ends at {} s",
                            kKinds[static_cast<std::size_t>(fault.kind)], over_s, window_s));
  }
  if (fault.of_links()) {
    read_links(reader, fault);
  } else if (!fault.without_target()) {
    fault.target = read_target(reader, /*of_links=*/false);
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
  if (name == kRollingRestart) return rolling_restart_in(spec.duration_s);
  if (name == kRandom || name.starts_with("random:"))
    return random_schedule(spec, kRandom, RandomKinds::basic);
  if (name == kRandomAll || name.starts_with("random-all:"))
    return random_schedule(spec, kRandomAll, RandomKinds::all);
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
                     [](const auto& fault) { return fault.restarts(); });
}

bool needs_disks(const FaultSchedule& faults) {
  return std::any_of(faults.begin(), faults.end(), [](const auto& fault) {
    return fault.kind == Kind::slow_disk || fault.kind == Kind::full_disk;
  });
}

bool needs_control(const FaultSchedule& faults) {
  return needs_disks(faults) || std::any_of(faults.begin(), faults.end(), [](const auto& fault) {
           return fault.of_links() || fault.kind == Kind::clock_step;
         });
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
    if (fault.of_links() && links_of(fault.cut, NodeId{1}, nodes).empty())
      return fmt::format("{} would {} no link of {} node{}", fault.name(),
                         fault.kind == Kind::cut ? "cut" : "slow", nodes, nodes == 1 ? "" : "s");
    const bool many = fault.target.kind == NodeTarget::Kind::majority;
    if (fault.kind == Kind::kill) never_return += many ? majority_of(nodes) : 1;
  }
  return never_return >= nodes ? "would leave no node" : std::string();
}

}  // namespace parley::harness
