#include "harness/cluster/fault_desk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "apps/canvas/gateway_json.h"
#include "harness/cluster/config_file.h"
#include "harness/cluster/node_config.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;
using Words = std::span<const std::string_view>;

constexpr std::string_view kFaults[] = {
    "cut",       "delay",      "pause",           "kill", "slow-link", "slow-disk",
    "full-disk", "clock-step", "rolling-restart", "heal"};
constexpr std::string_view kCutSides[] = {"alone", "minority"};       // as CutShape::Side has them
constexpr std::string_view kCutDirections[] = {"both", "in", "out"};  // as CutShape::Direction
constexpr double kMostDelayMs = 60'000;
constexpr auto kRelayLimit = 7s;        // the gateway gives up after 8 s
constexpr std::size_t kMaxWaiting = 8;  // requests at a node

struct Refused {
  int status;
  Complaint complaint;
};

[[noreturn]] void refuse(const std::string& field, const std::string& problem,
                         const std::string& allowed) {
  throw Refused{
      400,
      {fmt::format("{}: {}; allowed: {}", field, problem, allowed), "invalid", field, allowed}};
}

std::string answer_text(int status, const std::string& json) {
  return fmt::format("{} {}", status, json);
}

// Reads the fields of a request; `finish` refuses those that nobody asked for.
class Fields {
 public:
  explicit Fields(std::string_view text)
      : object_(Json::parse(text, nullptr, /*allow_exceptions=*/false)) {
    if (!object_.is_object())
      refuse("body", "is not a JSON object", "an object such as {\"fault\": \"heal\"}");
  }

  const Json* find(const std::string& field) {
    asked_.push_back(field);
    const auto found = object_.find(field);
    return found == object_.end() ? nullptr : &*found;
  }

  // The place of the field's word among `words`; 0 if it is absent and need not be there.
  std::size_t word(const std::string& field, Words words, bool required) {
    const Json* value = find(field);
    if (value == nullptr && !required) return 0;
    const std::string word =
        value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end())
      refuse(field, value == nullptr ? "is missing" : "is not known",
             fmt::format("{}", fmt::join(words, ", ")));
    return static_cast<std::size_t>(found - words.begin());
  }

  NodeTarget target(bool majority_fits) {
    const Json* value = find("node");
    std::optional<NodeTarget> target;
    if (value != nullptr && value->is_string()) target = parse_target(value->get<std::string>());
    if (value != nullptr && value->is_number_unsigned()) target = parse_target(value->dump());
    if (!target || (target->kind == NodeTarget::Kind::majority && !majority_fits))
      refuse("node", "names no node",
             fmt::format("leader, follower, {}or a number from 1 to 64",
                         majority_fits ? "majority, " : ""));
    return *target;
  }

  // Empty if the field is absent.
  NodeGroups groups(std::uint32_t nodes) {
    const Json* value = find("groups");
    if (value == nullptr) return {};
    const std::string allowed =
        fmt::format("1 to 64 lists of nodes from 1 to {} such as [[1, 2], [2, 3]]", nodes);
    NodeGroups groups;
    if (!value->is_array()) refuse("groups", "is not a list", allowed);
    for (const Json& list : *value) {
      if (!list.is_array()) refuse("groups", "has an entry that is not a list", allowed);
      std::vector<NodeId>& group = groups.emplace_back();
      for (const Json& node : list) {
        if (!node.is_number_unsigned() || node.get<std::uint64_t>() > kMaxNodes)
          refuse("groups", "names a node that there is not", allowed);
        group.push_back({node.get<std::uint32_t>()});
      }
    }
    const std::string problem = problem_of(groups, nodes);
    if (!problem.empty()) refuse("groups", problem, allowed);
    return groups;
  }

  double number(const std::string& field, bool required, double min, double max) {
    const Json* value = find(field);
    if (value == nullptr && !required) return 0;
    const double number = value != nullptr && value->is_number() ? value->get<double>() : NAN;
    if (!(number >= min && number <= max))
      refuse(field, value == nullptr ? "is missing" : "is out of range",
             fmt::format("{:.0f} to {:.0f}", min, max));
    return number;
  }
  Duration milliseconds(const std::string& field, bool required, double min = 0,
                        double max = kMostDelayMs) {
    return std::chrono::round<Duration>(
        std::chrono::duration<double, std::milli>(number(field, required, min, max)));
  }
  std::uint32_t microseconds(const std::string& field, bool required) {
    return static_cast<std::uint32_t>(
        std::chrono::round<std::chrono::microseconds>(milliseconds(field, required)).count());
  }

  void finish() const {
    for (const auto& [field, value] : object_.items()) {
      if (std::find(asked_.begin(), asked_.end(), field) == asked_.end())
        refuse(field.substr(0, 40), "is not a field of this fault",
               fmt::format("{}", fmt::join(asked_, ", ")));
    }
  }

 private:
  Json object_;
  std::vector<std::string> asked_;
};

// The links that a request names.
class LinkFields {
 public:
  LinkFields(Cluster& cluster, Fields& fields)
      : cluster_(cluster), size_(static_cast<std::uint32_t>(cluster.members().size())) {
    shape_.groups = fields.groups(size_);
    if (!shape_.groups.empty()) return;
    target_ = fields.target(/*majority_fits=*/false);
    shape_.side = static_cast<CutShape::Side>(fields.word("side", kCutSides, false));
    shape_.direction =
        static_cast<CutShape::Direction>(fields.word("direction", kCutDirections, false));
  }

  // Whom they are at this moment.
  [[nodiscard]] std::vector<DirectedLink> resolve(Json& done) const {
    const NodeId node = target_ ? cluster_.find(*target_) : kNoNode;
    std::vector<DirectedLink> links = links_of(shape_, node, size_);
    if (links.empty()) throw ClusterError(fmt::format("a cluster of {} has no such link", size_));
    if (target_) done["node"] = node.value;
    done["links"] = links.size();
    return links;
  }

 private:
  Cluster& cluster_;
  std::uint32_t size_;
  CutShape shape_;
  std::optional<NodeTarget> target_;
};

Json cut(Cluster& cluster, Fields& fields) {
  const LinkFields which(cluster, fields);
  fields.finish();
  Json done{{"done", "cut"}};
  cluster.cut(which.resolve(done));
  return done;
}

Json slow_link(Cluster& cluster, Fields& fields) {
  const LinkFields which(cluster, fields);
  LinkShape by;
  by.delay_us = fields.microseconds("delay_ms", true);
  by.jitter_us = fields.microseconds("jitter_ms", false);
  by.loss_per_million =
      static_cast<std::uint32_t>(std::lround(fields.number("loss", false, 0, 1) * 1e6));
  fields.finish();
  Json done{{"done", "slow-link"}};
  cluster.slow(which.resolve(done), by);
  return done;
}

Json delay(Cluster& cluster, Fields& fields) {
  LinkShape shape;
  shape.delay_us = fields.microseconds("delay_ms", true);
  shape.jitter_us = fields.microseconds("jitter_ms", false);
  fields.finish();
  cluster.delay(shape);
  return {{"done", "delay"}};
}

Json struck_json(const char* done, const Cluster::Struck& struck) {
  Json json{{"done", done}, {"node", struck.node.value}};
  for (const NodeId other : struck.others) json["others"].push_back(other.value);
  return json;
}

Json strike(Cluster& cluster, Fields& fields, const char* done,
            Cluster::Struck (Cluster::*strike)(const NodeTarget&)) {
  const NodeTarget target = fields.target(/*majority_fits=*/true);
  fields.finish();
  return struck_json(done, (cluster.*strike)(target));
}

Json inject(Cluster& cluster, Fields& fields, const char* done) {
  const std::string_view kind = done;
  const NodeTarget target = fields.target(/*majority_fits=*/true);
  NodeFaults faults;
  if (kind == "slow-disk") faults.disk.write_delay = fields.milliseconds("delay_ms", true);
  if (kind == "full-disk") faults.disk.full = true;
  if (kind == "clock-step")
    faults.clock_step = fields.milliseconds("step_ms", true, -kMaxClockStepMs, kMaxClockStepMs);
  fields.finish();
  return struck_json(done, cluster.inject(target, faults));
}

Json roll(Cluster& cluster, Fields& fields, std::optional<RollingRestart>& rolling) {
  RollingRestartOptions options;
  options.down =
      std::chrono::round<std::chrono::milliseconds>(fields.milliseconds("down_ms", false));
  fields.finish();
  if (!cluster.keeps_state())
    throw ClusterError("with durability \"none\" no node can be started again");
  if (rolling && !rolling->over()) throw ClusterError("a rolling restart is under way");
  rolling.reset();
  rolling.emplace(cluster, options);
  return {{"done", "rolling-restart"}, {"nodes", cluster.members().size()}};
}

Json heal(Cluster& cluster, Fields& fields, std::optional<RollingRestart>& rolling) {
  fields.finish();
  if (rolling) rolling->cut_short();
  std::vector<std::uint32_t> dead;
  std::vector<std::string> problems;
  try {
    cluster.withdraw_all();
  } catch (const std::exception& error) {
    problems.emplace_back(error.what());
  }
  // What cannot be done for one node is no reason to leave the others as they are.
  for (const Member& member : cluster.members()) {
    try {
      if (member.paused && member.running) cluster.resume(member.id);
      if (!member.running) cluster.restart(member.id);
    } catch (const ConfigError&) {  // it kept nothing
      dead.push_back(member.id.value);
    } catch (const std::exception& error) {
      problems.emplace_back(error.what());
    }
  }
  try {
    cluster.heal_links();
  } catch (const std::exception& error) {
    problems.emplace_back(error.what());
  }
  if (!problems.empty()) throw ClusterError(fmt::format("{}", fmt::join(problems, "; ")));
  return {{"done", "heal"}, {"dead", dead}};
}

Json carry_out(Cluster& cluster, std::optional<RollingRestart>& rolling, std::string_view request) {
  Fields fields(request);
  const std::string_view fault = kFaults[fields.word("fault", kFaults, true)];
  if (fault == "cut") return cut(cluster, fields);
  if (fault == "delay") return delay(cluster, fields);
  if (fault == "pause") return strike(cluster, fields, "pause", &Cluster::pause);
  if (fault == "kill") return strike(cluster, fields, "kill", &Cluster::kill);
  if (fault == "slow-link") return slow_link(cluster, fields);
  if (fault == "rolling-restart") return roll(cluster, fields, rolling);
  if (fault == "heal") return heal(cluster, fields, rolling);
  return inject(cluster, fields, fault.data());
}

}  // namespace

FaultDesk::FaultDesk(const std::string& endpoint, Cluster& cluster)
    : cluster_(cluster),
      port_(endpoint, [this](std::string_view request) { return answer(request); }) {}

std::string FaultDesk::answer(std::string_view request) {
  try {
    return answer_text(200, carry_out(cluster_, rolling_, request).dump());
  } catch (const Refused& refused) {
    return answer_text(refused.status, complaint_json(refused.complaint));
  } catch (const std::exception& error) {  // of the cluster, or a process that cannot be started
    return answer_text(409, complaint_json({error.what(), "not_possible", {}, {}}));
  }
}

FaultRelay::FaultRelay(std::string endpoint)
    : endpoint_(std::move(endpoint)), thread_([this] { run(); }) {}

FaultRelay::~FaultRelay() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
  for (const Waiting& waiting : waiting_) relay(waiting);
}

void FaultRelay::ask(std::string request, Answered done) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kMaxWaiting) {
      waiting_.push_back({std::move(request), std::move(done)});
      changed_.notify_all();
      return;
    }
  }
  done(503, complaint_json({"too many faults at once; nothing was done", "overloaded", {}, {}}));
}

void FaultRelay::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    relay(next);
    lock.lock();
  }
}

void FaultRelay::relay(const Waiting& waiting) {
  if (stop_) {
    return waiting.done(
        503, complaint_json({"the node is stopping; nothing was done", "stopping", {}, {}}));
  }
  const std::string text = ask_desk(waiting.request);
  if (text.size() > 4 &&
      std::all_of(text.begin(), text.begin() + 3, [](char c) { return c >= '0' && c <= '9'; })) {
    return waiting.done(std::stoi(text.substr(0, 3)), text.substr(4));
  }
  waiting.done(504,
               complaint_json({"no answer in time; it may have been done", "timed_out", {}, {}}));
}

// Empty without an answer in time, or once the node stops.
std::string FaultRelay::ask_desk(const std::string& request) const try {
  const NodeId desk{1};  // any name will do for the only one
  const auto answers = ask_all({{desk, {endpoint_, request}}}, kRelayLimit, &stop_);
  return answers.empty() ? std::string() : answers.at(desk);
} catch (const zmq::error_t&) {  // no descriptor is left for a socket
  return {};
}

}  // namespace parley::harness
