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

namespace parley::harness {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;
using Words = std::span<const std::string_view>;

constexpr std::string_view kFaults[] = {"cut", "delay", "pause", "kill", "heal"};
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

  std::uint32_t microseconds(const std::string& field, bool required) {
    const Json* value = find(field);
    if (value == nullptr && !required) return 0;
    const double ms = value != nullptr && value->is_number() ? value->get<double>() : -1;
    if (!(ms >= 0 && ms <= kMostDelayMs))
      refuse(field, value == nullptr ? "is missing" : "is out of range", "0 to 60000");
    return static_cast<std::uint32_t>(std::lround(ms * 1000));
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

Json cut(Cluster& cluster, Fields& fields) {
  const auto size = static_cast<std::uint32_t>(cluster.members().size());
  CutShape shape;
  shape.groups = fields.groups(size);
  std::optional<NodeTarget> target;
  if (shape.groups.empty()) {
    target = fields.target(/*majority_fits=*/false);
    shape.side = static_cast<CutShape::Side>(fields.word("side", kCutSides, false));
    shape.direction =
        static_cast<CutShape::Direction>(fields.word("direction", kCutDirections, false));
  }
  fields.finish();
  const NodeId node = target ? cluster.find(*target) : kNoNode;
  const std::vector<DirectedLink> links = links_of(shape, node, size);
  if (links.empty()) throw ClusterError(fmt::format("a cluster of {} has no such link", size));
  cluster.cut(links);
  Json done{{"done", "cut"}};
  if (target) done["node"] = node.value;
  done["links"] = links.size();
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

Json strike(Cluster& cluster, Fields& fields, const char* done,
            Cluster::Struck (Cluster::*strike)(const NodeTarget&)) {
  const NodeTarget target = fields.target(/*majority_fits=*/true);
  fields.finish();
  const Cluster::Struck struck = (cluster.*strike)(target);
  Json json{{"done", done}, {"node", struck.node.value}};
  for (const NodeId other : struck.others) json["others"].push_back(other.value);
  return json;
}

Json heal(Cluster& cluster, Fields& fields) {
  fields.finish();
  std::vector<std::uint32_t> dead;
  std::vector<std::string> problems;
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

Json carry_out(Cluster& cluster, std::string_view request) {
  Fields fields(request);
  switch (fields.word("fault", kFaults, true)) {
    case 0:
      return cut(cluster, fields);
    case 1:
      return delay(cluster, fields);
    case 2:
      return strike(cluster, fields, "pause", &Cluster::pause);
    case 3:
      return strike(cluster, fields, "kill", &Cluster::kill);
    default:
      return heal(cluster, fields);
  }
}

}  // namespace

FaultDesk::FaultDesk(const std::string& endpoint, Cluster& cluster)
    : cluster_(cluster),
      port_(endpoint, [this](std::string_view request) { return answer(request); }) {}

std::string FaultDesk::answer(std::string_view request) {
  try {
    return answer_text(200, carry_out(cluster_, request).dump());
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
