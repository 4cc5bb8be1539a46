#include "harness/cluster/fault_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/cluster/cluster.h"
#include "harness/cluster/node_config.h"

namespace parley::harness {
namespace {

using Json = nlohmann::ordered_json;
using Words = std::span<const std::string_view>;
using Kind = FaultRequest::Kind;

constexpr std::string_view kFaults[] = {  // as FaultRequest::Kind has them
    "cut",       "delay",      "pause",           "kill", "slow-link", "slow-disk",
    "full-disk", "clock-step", "rolling-restart", "heal"};
constexpr std::string_view kCutSides[] = {"alone", "minority"};       // as CutShape::Side has them
constexpr std::string_view kCutDirections[] = {"both", "in", "out"};  // as CutShape::Direction
constexpr double kMostDelayMs = 60'000;

[[noreturn]] void refuse(const std::string& field, const std::string& problem,
                         const std::string& allowed) {
  throw Complaint{fmt::format("{}: {}; allowed: {}", field, problem, allowed), "invalid", field,
                  allowed};
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

void read_links(Fields& fields, std::uint32_t nodes, FaultRequest& request) {
  request.which.groups = fields.groups(nodes);
  if (!request.which.groups.empty()) return;
  request.target = fields.target(/*majority_fits=*/false);
  request.which.side = static_cast<CutShape::Side>(fields.word("side", kCutSides, false));
  request.which.direction =
      static_cast<CutShape::Direction>(fields.word("direction", kCutDirections, false));
}

void read_delay(Fields& fields, LinkShape& by) {
  by.delay_us = fields.microseconds("delay_ms", true);
  by.jitter_us = fields.microseconds("jitter_ms", false);
}

FaultRequest read(Fields& fields, std::uint32_t nodes) {
  FaultRequest request;
  request.kind = static_cast<Kind>(fields.word("fault", kFaults, true));
  switch (request.kind) {
    case Kind::cut:
      read_links(fields, nodes, request);
      break;
    case Kind::slow_link:
      read_links(fields, nodes, request);
      read_delay(fields, request.by);
      request.by.loss_per_million =
          static_cast<std::uint32_t>(std::lround(fields.number("loss", false, 0, 1) * 1e6));
      break;
    case Kind::delay:
      read_delay(fields, request.by);
      break;
    case Kind::rolling_restart:
      request.down =
          std::chrono::round<std::chrono::milliseconds>(fields.milliseconds("down_ms", false));
      break;
    case Kind::heal:
      break;
    default:
      request.target = fields.target(/*majority_fits=*/true);
  }
  if (request.kind == Kind::slow_disk)
    request.faults.disk.write_delay = fields.milliseconds("delay_ms", true);
  if (request.kind == Kind::full_disk) request.faults.disk.full = true;
  if (request.kind == Kind::clock_step) {
    request.faults.clock_step =
        fields.milliseconds("step_ms", true, -kMaxClockStepMs, kMaxClockStepMs);
  }
  fields.finish();
  return request;
}

}  // namespace

std::string_view FaultRequest::name() const {
  return kFaults[static_cast<std::size_t>(kind)];
}

std::optional<Complaint> parse_fault_request(std::string_view text, std::uint32_t nodes,
                                             FaultRequest& request) {
  try {
    Fields fields(text);
    request = read(fields, nodes);
    return std::nullopt;
  } catch (const Complaint& complaint) {
    return complaint;
  }
}

}  // namespace parley::harness
