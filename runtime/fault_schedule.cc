#include "runtime/fault_schedule.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "algorithms/contract/random.h"

namespace parley {
namespace {

using std::chrono::milliseconds;
using Kind = ScheduledFault::Kind;
using Side = CutShape::Side;
using Direction = CutShape::Direction;

// By position node - 1.
std::vector<bool> side_of(const CutShape& cut, NodeId target, std::uint32_t nodes,
                          std::uint32_t members) {
  std::vector<bool> side(nodes);
  std::uint32_t room = cut.side == Side::alone ? 1 : (members - 1) / 2;
  if (room == 0) return side;
  side[target.value - 1] = true;
  for (std::uint32_t at = 0; at < nodes && room > 1; ++at) {
    if (side[at]) continue;
    side[at] = true;
    --room;
  }
  return side;
}

bool connected(const NodeGroups& groups, NodeId a, NodeId b) {
  const auto holds = [](const std::vector<NodeId>& group, NodeId node) {
    return std::find(group.begin(), group.end(), node) != group.end();
  };
  return std::any_of(groups.begin(), groups.end(),
                     [&](const auto& group) { return holds(group, a) && holds(group, b); });
}

// Whether a cut in `direction` takes the link, which leads out of the side or into it.
bool crosses(Direction direction, const std::vector<bool>& side, NodeId from, NodeId to) {
  if (side[from.value - 1] == side[to.value - 1]) return false;
  return direction == Direction::both || side[from.value - 1] == (direction == Direction::out);
}

std::string cut_name(const CutShape& cut, const std::string& target) {
  if (!cut.groups.empty()) return "cut-groups";
  const bool minority = cut.side == Side::minority;
  switch (cut.direction) {
    case Direction::both:
      return (minority ? "partition-" : "isolate-") + target;
    case Direction::in:
      return (minority ? "partition-deaf-" : "deaf-") + target;
    case Direction::out:
      return (minority ? "partition-mute-" : "mute-") + target;
  }
  return {};
}

std::string slow_link_name(const CutShape& cut, const std::string& target) {
  if (!cut.groups.empty()) return "slow-groups";
  std::string name = cut.side == Side::minority ? "slow-partition-" : "slow-link-";
  if (cut.direction == Direction::in) name += "to-";
  if (cut.direction == Direction::out) name += "from-";
  return name + target;
}

NodeId draw_node(Random& random, std::uint32_t nodes) {
  return NodeId{1 + static_cast<std::uint32_t>(random.below(nodes))};
}

// `before` is the fault that may still last, or null.
NodeTarget draw_target(Random& random, std::uint32_t nodes, const ScheduledFault* before) {
  if (random.chance(500'000)) return {NodeTarget::Kind::leader, {}};
  NodeId id = draw_node(random, nodes);
  if (before == nullptr) return {NodeTarget::Kind::node, id};
  // Whom the other fault hit is known only when it has: then a role, which only a node that works
  // has.
  if (before->target.kind != NodeTarget::Kind::node) return {NodeTarget::Kind::follower, {}};
  if (id == before->target.id) id.value = id.value % nodes + 1;
  return {NodeTarget::Kind::node, id};
}

// A majority and the others, who have one node in common.
NodeGroups draw_overlap(Random& random, std::uint32_t nodes) {
  std::vector<NodeId> order;
  for (std::uint32_t id = 1; id <= nodes; ++id) order.push_back(NodeId{id});
  for (std::size_t at = order.size() - 1; at > 0; --at) {
    std::swap(order[at], order[random.below(at + 1)]);
  }
  const auto majority = static_cast<std::ptrdiff_t>(nodes) / 2 + 1;
  return {{order.begin(), order.begin() + majority}, {order.begin() + majority - 1, order.end()}};
}

CutShape draw_cut(Random& random, std::uint32_t nodes) {
  CutShape cut;
  switch (random.below(5)) {
    case 0:
      cut.direction = Direction::in;
      break;
    case 1:
      cut.direction = Direction::out;
      break;
    case 2:
      cut.side = Side::minority;
      break;
    case 3:
      cut.groups = draw_overlap(random, nodes);
      break;
    default:
      break;
  }
  return cut;
}

// Kinds that only all-round schedules have; `kind` is 0 to 3.
void draw_degradation(Random& random, std::uint64_t kind, std::uint32_t nodes,
                      ScheduledFault& fault) {
  switch (kind) {
    case 0:
      fault.kind = Kind::slow_link;
      fault.cut = draw_cut(random, nodes);
      fault.slower.delay_us = 1000 * (1 + static_cast<std::uint32_t>(random.below(400)));
      fault.slower.jitter_us = fault.slower.delay_us / 4;
      fault.slower.loss_per_million = static_cast<std::uint32_t>(random.below(100'000));
      break;
    case 1:
      fault.kind = Kind::slow_disk;
      fault.write_delay = random.between(milliseconds(1), milliseconds(400));
      break;
    case 2:
      fault.kind = Kind::full_disk;
      break;
    default:
      fault.kind = Kind::clock_step;
      fault.clock_step = random.between(milliseconds(-2000), milliseconds(2000));
      break;
  }
}

void draw_kind(Random& random, std::uint32_t nodes, RandomKinds kinds, ScheduledFault& fault) {
  const bool few = nodes < 3;  // for a cut that leaves a majority, or links at all
  if (kinds == RandomKinds::all && random.chance(500'000)) {
    const std::uint64_t first = few ? 1 : 0;
    return draw_degradation(random, first + random.below(4 - first), nodes, fault);
  }
  switch (random.below(few ? 2 : 4)) {
    case 0:
      fault.kind = Kind::restart;
      break;
    case 1:
      fault.kind = Kind::pause;
      break;
    default:
      fault.kind = Kind::cut;
      fault.cut = draw_cut(random, nodes);
      break;
  }
}

}  // namespace

std::string to_text(const NodeTarget& target) {
  switch (target.kind) {
    case NodeTarget::Kind::leader:
      return "leader";
    case NodeTarget::Kind::follower:
      return "follower";
    case NodeTarget::Kind::node:
      return std::to_string(target.id.value);
    case NodeTarget::Kind::majority:
      return "majority";
  }
  return {};
}

std::string ScheduledFault::name() const {
  switch (kind) {
    case Kind::kill:
      return "kill-" + to_text(target);
    case Kind::restart:
      return "restart-" + to_text(target);
    case Kind::pause:
      return "pause-" + to_text(target);
    case Kind::cut:
      return cut_name(cut, to_text(target));
    case Kind::slow_link:
      return slow_link_name(cut, to_text(target));
    case Kind::slow_disk:
      return "slow-disk-" + to_text(target);
    case Kind::full_disk:
      return "full-disk-" + to_text(target);
    case Kind::clock_step:
      return "clock-step-" + to_text(target);
    case Kind::rolling_restart:
      return "rolling-restart";
  }
  return {};
}

std::string problem_of(const NodeGroups& groups, std::uint32_t nodes) {
  constexpr std::size_t kMaxGroups = 64;
  const std::string lists = "lists of nodes such as [[1, 2], [3, 4, 5]]";
  if (groups.empty() || groups.size() > kMaxGroups) return "must be 1 to 64 " + lists;
  for (std::vector<NodeId> group : groups) {
    if (group.empty()) return "must be " + lists;
    std::sort(group.begin(), group.end());
    const auto twice = std::adjacent_find(group.begin(), group.end());
    if (twice != group.end())
      return "has node " + std::to_string(twice->value) + " twice in a group";
    const std::uint32_t last = group.back().value;
    if (group.front() == kNoNode || last > nodes) {
      return "names node " + std::to_string(group.front() == kNoNode ? 0 : last) + " of " +
             std::to_string(nodes);
    }
  }
  return {};
}

std::vector<DirectedLink> links_of(const CutShape& cut, NodeId target, std::uint32_t nodes,
                                   std::uint32_t members) {
  const bool by_groups = !cut.groups.empty();
  const std::vector<bool> side =
      by_groups ? std::vector<bool>() : side_of(cut, target, nodes, members);
  std::vector<DirectedLink> links;
  for (NodeId from{1}; from.value <= nodes; ++from.value) {
    for (NodeId to{1}; to.value <= nodes; ++to.value) {
      if (from == to) continue;
      if (by_groups ? !connected(cut.groups, from, to) : crosses(cut.direction, side, from, to)) {
        links.push_back({from, to});
      }
    }
  }
  return links;
}

FaultSchedule random_faults(std::uint64_t seed, std::uint32_t nodes, Duration duration,
                            std::uint32_t count, RandomKinds kinds) {
  Random random(seed);
  // A fault begins in the first quarter of its slot. Half a slot is before the first one, and what
  // the last one leaves of the three halves after it is for getting over it.
  const Duration slot = duration / (count + 2);
  const Duration longest = nodes < 5 ? slot / 2 : slot * 3 / 2;
  FaultSchedule schedule;
  for (std::uint32_t i = 0; i < count; ++i) {
    ScheduledFault fault;
    fault.at = slot / 2 + slot * i + random.between({}, slot / 4);
    fault.lasts = random.between(slot / 4, longest);
    const bool lasts = i > 0 && schedule.back().at + schedule.back().lasts >= fault.at;
    draw_kind(random, nodes, kinds, fault);
    if (!fault.by_groups()) {
      fault.target = draw_target(random, nodes, lasts ? &schedule.back() : nullptr);
    }
    schedule.push_back(std::move(fault));
  }
  return schedule;
}

}  // namespace parley
