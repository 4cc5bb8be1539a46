#include "harness/run/elections.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "harness/cluster/log_merge.h"
#include "runtime/live/node.h"

namespace parley::harness {
namespace {

constexpr double kForEver = std::numeric_limits<double>::infinity();

// What follows the first `words` in a text: a number.
std::optional<std::uint64_t> number_after(const std::string& text, std::string_view words) {
  const std::size_t at = text.find(words);
  if (at == std::string::npos) return std::nullopt;
  unsigned long long number = 0;
  if (std::sscanf(text.c_str() + at + words.size(), "%llu", &number) != 1) return std::nullopt;
  return number;
}

bool takes_away(const Disturbance& disturbance, NodeId leader, NodeId other) {
  if (disturbance.node != kNoNode) return disturbance.node == leader;
  return std::any_of(disturbance.links.begin(), disturbance.links.end(), [&](const auto& link) {
    return (link.from == leader && link.to == other) || (link.from == other && link.to == leader);
  });
}

// Who leads, and since when.
struct Reign {
  NodeId leader;
  double since_ms = 0;

  void take(const RoleTold& told) {
    if (told.leader == told.node && leader != told.node) {
      leader = told.node;
      since_ms = told.at_ms;
    } else if (told.node == leader && told.leader != leader) {
      leader = kNoNode;  // it has stepped down, or is another process now
    }
  }
};

}  // namespace

std::vector<RoleTold> read_roles(const std::filesystem::path& folder, std::uint32_t nodes,
                                 std::chrono::system_clock::time_point zero) {
  std::vector<RoleTold> roles;
  for (std::uint32_t id = 1; id <= nodes; ++id) {
    std::ifstream file(folder / fmt::format("{}.log", id));
    for (std::string line; std::getline(file, line);) {
      const auto leader = number_after(line, kLogLeader);
      const auto when = leader ? parse_log_time(line) : std::nullopt;
      if (!when) continue;
      roles.push_back({std::chrono::duration<double, std::milli>(*when - zero).count(), NodeId{id},
                       NodeId{static_cast<std::uint32_t>(*leader)},
                       number_after(line, kLogElections).value_or(0)});
    }
  }
  std::stable_sort(roles.begin(), roles.end(),
                   [](const RoleTold& a, const RoleTold& b) { return a.at_ms < b.at_ms; });
  return roles;
}

std::vector<Disturbance> disturbances_of(const FaultSchedule& schedule,
                                         const std::vector<InjectedFault>& faults) {
  std::vector<Disturbance> all;
  for (std::size_t place = 0; place < faults.size(); ++place) {
    const InjectedFault& fault = faults[place];
    const double until_ms = fault.ended_ms.value_or(kForEver);
    for (const NodeAbsence& absence : fault.absences)
      all.push_back({absence.from_ms, absence.until_ms.value_or(kForEver), absence.node, {}});
    if (schedule[place].kind == ScheduledFault::Kind::cut && !fault.links.empty())
      all.push_back({fault.injected_ms, until_ms, kNoNode, fault.links});
    if (schedule[place].kind != ScheduledFault::Kind::pause) continue;
    for (const NodeId node : fault.nodes) all.push_back({fault.injected_ms, until_ms, node, {}});
  }
  return all;
}

std::uint64_t false_elections(const std::vector<RoleTold>& roles,
                              const std::vector<Disturbance>& disturbances, double window_ms) {
  std::uint64_t count = 0;
  Reign reign;
  for (const RoleTold& told : roles) {
    const double settled_ms = told.at_ms - static_cast<double>(kUndisturbed.count());
    const bool led =
        reign.leader != kNoNode && reign.leader != told.node && reign.since_ms <= settled_ms;
    const bool disturbed =
        std::any_of(disturbances.begin(), disturbances.end(), [&](const Disturbance& disturbance) {
          return disturbance.from_ms <= told.at_ms && disturbance.until_ms >= settled_ms &&
                 takes_away(disturbance, reign.leader, told.node);
        });
    const bool in_window = told.at_ms >= 0 && told.at_ms < window_ms;
    if (led && !disturbed && in_window) count += told.elections;
    reign.take(told);
  }
  return count;
}

}  // namespace parley::harness
