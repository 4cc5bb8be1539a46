// Faults at given times, as plain data: one schedule is for clusters that live and for simulated
// ones. Who carries it out finds at the moment of a fault whom "the leader" is.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "algorithms/contract/ids.h"
#include "algorithms/contract/time.h"
#include "runtime/links.h"

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

// What a cut separates: the target's side from all other nodes, or groups from each other. The same
// links are those that become slow.
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
    kill,             // without a chance to say goodbye (kill -9); the node stays away
    restart,          // the same, but the node is started again when it is over
    pause,            // the node stands still (SIGSTOP) until it is over
    cut,              // links pass nothing until it is over
    slow_link,        // links delay and lose messages until it is over
    slow_disk,        // each write to the node's disk takes longer until it is over
    full_disk,        // the node's disk takes nothing more, which ends the node at its next write;
                      // when it is over there is room, and the node is started again
    clock_step,       // the node's wall clock steps, and back when it is over
    rolling_restart,  // each node in turn is asked to stop (SIGTERM), started again and waited for
                      // until it has caught up
  };
  Duration at{};  // after the start
  Kind kind = Kind::kill;
  NodeTarget target{};     // not of rolling_restart
  Duration lasts{};        // until it is over; not of kill; of rolling_restart at most
  CutShape cut{};          // of cut and slow_link: which links
  LinkShape slower{};      // of slow_link: by how much; only delay, jitter and loss count
  Duration write_delay{};  // of slow_disk: how much longer each write takes
  Duration clock_step{};   // of clock_step: how far; negative: back
  Duration down{};         // of rolling_restart: how long each node is away between stop and start
  bool operator==(const ScheduledFault&) const = default;

  // What it is called in results: "kill-leader", "restart-3", "isolate-leader" (a cut in both
  // directions), "deaf-leader" (in), "mute-leader" (out), "partition-leader" (a minority), with the
  // direction if it is one only, or "cut-groups"; "slow-link-leader", "slow-link-to-leader" (in),
  // "slow-link-from-leader" (out), "slow-partition-leader" or "slow-groups"; "slow-disk-leader",
  // "full-disk-leader", "clock-step-leader", "rolling-restart".
  [[nodiscard]] std::string name() const;
  // Whether it is about links: whom it names is then one of their ends.
  [[nodiscard]] bool of_links() const { return kind == Kind::cut || kind == Kind::slow_link; }
  [[nodiscard]] bool by_groups() const { return of_links() && !cut.groups.empty(); }
  // Whether it names nobody in particular.
  [[nodiscard]] bool without_target() const { return by_groups() || kind == Kind::rolling_restart; }
  // Whether it ends processes that are started again, for which they must keep their state.
  [[nodiscard]] bool restarts() const {
    return kind == Kind::restart || kind == Kind::full_disk || kind == Kind::rolling_restart;
  }
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
// the node that the fault's target was found to be; not used with groups. A minority is one of the
// nodes 1 to `members`, where the others wait to be added.
std::vector<DirectedLink> links_of(const CutShape& cut, NodeId target, std::uint32_t nodes,
                                   std::uint32_t members);
inline std::vector<DirectedLink> links_of(const CutShape& cut, NodeId target, std::uint32_t nodes) {
  return links_of(cut, target, nodes, nodes);
}

// Which kinds are drawn. A seed means the same faults in every version: kinds that came later are
// drawn only by those who ask for all.
enum class RandomKinds : std::uint8_t {
  basic,  // restarts, pauses and cuts
  all,    // these, slow links, slow and full disks, and clocks that step; no rolling restarts
};

// Draws `count` faults over `duration`: the same for the same arguments everywhere. Every fault is
// over before the next but one begins and well before the end; with less than five nodes even
// before the next one, since two away would leave no majority. Whomever another fault may have
// taken at that moment is not hit again. `count` and `nodes` are at least 1.
FaultSchedule random_faults(std::uint64_t seed, std::uint32_t nodes, Duration duration,
                            std::uint32_t count, RandomKinds kinds = RandomKinds::basic);

}  // namespace parley
