// Faults at given times, as plain data: one schedule is for clusters that live and for simulated
// ones. Who carries it out finds at the moment of a fault whom "the leader" is.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "algorithms/contract/ids.h"
#include "algorithms/contract/time.h"

namespace parley {

// Whom a fault is for.
struct NodeTarget {
  enum class Kind : std::uint8_t {
    leader,
    follower,  // the highest-numbered node that works and does not lead
    node,
    majority,  // the leader and the highest-numbered others that work, nodes / 2 + 1 together; not
               // of a cut
  };
  Kind kind = Kind::leader;
  NodeId id;  // of Kind::node
  bool operator==(const NodeTarget&) const = default;
};
std::string to_text(const NodeTarget& target);  // "leader", "follower", "majority" or its number

// How many of them a fault for the majority hits.
constexpr std::uint32_t majority_of(std::uint32_t nodes) {
  return nodes / 2 + 1;
}

using NodeGroups = std::vector<std::vector<NodeId>>;

// What a cut separates: the target's side from all other nodes, or groups from each other.
struct CutShape {
  enum class Side : std::uint8_t {
    alone,     // the target
    minority,  // the target and the lowest-numbered others, (nodes - 1) / 2 together
  };
  enum class Direction : std::uint8_t {
    both,
    in,   // what is sent to the side is lost
    out,  // what the side sends is lost
  };
  Side side = Side::alone;
  Direction direction = Direction::both;
  // If there are any: two nodes are connected if some group holds both. A node may be in several
  // groups; one that is in none is alone. With these a cut has no target.
  NodeGroups groups;
  bool operator==(const CutShape&) const = default;
};

struct ScheduledFault {
  enum class Kind : std::uint8_t {
    kill,     // without a chance to say goodbye (kill -9); the node stays away
    restart,  // the same, but the node is started again when it is over
    pause,    // the node stands still (SIGSTOP) until it is over
    cut,      // links pass nothing until it is over
  };
  Duration at{};  // after the start
  Kind kind = Kind::kill;
  NodeTarget target;
  Duration lasts{};  // until it is over; not of kill
  CutShape cut;      // of Kind::cut
  bool operator==(const ScheduledFault&) const = default;

  // What it is called in results: "kill-leader", "restart-3", "isolate-leader" (a cut in both
  // directions), "deaf-leader" (in), "mute-leader" (out), "partition-leader" (a minority), with the
  // direction if it is one only, or "cut-groups".
  [[nodiscard]] std::string name() const;
  [[nodiscard]] bool by_groups() const { return kind == Kind::cut && !cut.groups.empty(); }
};

// In the order of their times.
using FaultSchedule = std::vector<ScheduledFault>;

// What is wrong with the groups of a cut in a cluster of `nodes`, or empty: there are 1 to 64 of
// them, none empty, each node at most once in a group, and no node beyond the last one.
std::string problem_of(const NodeGroups& groups, std::uint32_t nodes);

// One direction between two nodes.
struct DirectedLink {
  NodeId from;
  NodeId to;
  auto operator<=>(const DirectedLink&) const = default;
};

// The links that a cut takes from a cluster of the nodes 1 to `nodes`, in rising order. `target` is
// the node that the fault's target was found to be; not used with groups.
std::vector<DirectedLink> links_of(const CutShape& cut, NodeId target, std::uint32_t nodes);

// Draws `count` faults (restarts, pauses and cuts) over `duration`: the same for the same arguments
// everywhere. Every fault is over before the next but one begins and well before the end; with less
// than five nodes even before the next one, since two away would leave no majority. Whomever
// another fault may have taken at that moment is not hit again. `count` and `nodes` are at least 1.
FaultSchedule random_faults(std::uint64_t seed, std::uint32_t nodes, Duration duration,
                            std::uint32_t count);

}  // namespace parley
