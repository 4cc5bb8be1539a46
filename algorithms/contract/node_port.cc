#include "algorithms/contract/node_port.h"

#include <algorithm>

namespace parley {

std::string_view reason_name(RefusedBecause reason) {
  switch (reason) {
    case RefusedBecause::none:
      return "none";
    case RefusedBecause::no_leader:
      return "no_leader";
    case RefusedBecause::overloaded:
      return "overloaded";
    case RefusedBecause::stopping:
      return "stopping";
    case RefusedBecause::invalid:
      return "invalid";
    case RefusedBecause::no_session:
      return "no_session";
    case RefusedBecause::too_many_sessions:
      return "too_many_sessions";
    case RefusedBecause::timed_out:
      return "timed_out";
    case RefusedBecause::too_old:
      return "too_old";
    case RefusedBecause::session_expired:
      return "session_expired";
    case RefusedBecause::clock:
      return "clock";
    case RefusedBecause::not_offered:
      return "not_offered";
    case RefusedBecause::behind:
      return "behind";
    case RefusedBecause::unanswered:
      return "unanswered";
  }
  return "other";
}

std::string_view part_of(const NodeReport& report) {
  const Membership& members = report.members;
  const auto has = [&report](const std::vector<NodeId>& nodes) {
    return std::find(nodes.begin(), nodes.end(), report.node) != nodes.end();
  };
  if (members.disk_of(report.node) != report.disk) return "outsider";
  if (has(members.voters) || has(members.outgoing)) return "voter";
  return has(members.learners) ? "learner" : "outsider";
}

}  // namespace parley
