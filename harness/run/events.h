// What happened in a run with faults, in order: the same words for a run on real nodes and for a
// simulated one, and whether the two tell the same story.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/load/load.h"

namespace parley::harness {

// Times are counted from the start of the measured window.
struct FaultSeen {
  std::string fault;  // as ScheduledFault::name() has it
  NodeId node;        // whom it hit; kNoNode of a cut by groups
  Duration begun{};
  std::optional<Duration> ended;
};

// What one outside of the cluster sees of it.
struct Sightings {
  Duration window{};              // its length; what came after it does not count
  std::vector<FaultSeen> faults;  // those that hit somebody
  std::vector<load::LeaderSeen> leaders;
  std::vector<load::SuccessSeen> successes;
  std::vector<load::RefusalSeen> refusals;
  Duration leaders_late{};  // by how much a leader may have been there before it was seen
};

struct RunEvent {
  enum class Kind : std::uint8_t {
    fault,        // begins; `node`: whom it hits
    leader_lost,  // `node` is not the one any more that most nodes name
    leader,       // most nodes name `node`
    success,      // the first ok of an operation that was first sent after `fault` began; `node`
                  // gave it
    refused,      // the first refusal after `fault` began, for want of a leader; `node` refused
    healed,       // the fault is over
  };
  Duration at{};
  Kind kind = Kind::fault;
  NodeId node;        // kNoNode: none
  Epoch epoch;        // of a leader; 0: not known
  std::string fault;  // not of leader_lost and leader
  bool operator==(const RunEvent&) const = default;
};
std::string_view to_text(RunEvent::Kind kind);

// In the order of time. Successes and refusals are those between one fault and the next.
//
// A leader is seen when the nodes are asked, so up to `leaders_late` after it has begun to lead. A
// success within that time before it is its work: then the leader was there at that moment.
std::vector<RunEvent> events_of(const Sightings& sightings);

// t_ms,event,node,epoch,fault: one line an event.
std::string events_csv(const std::vector<RunEvent>& events);

// What followed a fault until the next one, in the order in which it happened first: "leader lost",
// "another leads" or "same leader again", "success", "healed".
struct Aftermath {
  std::string fault;
  std::vector<std::string> steps;
  bool refusals = false;
  bool operator==(const Aftermath&) const = default;
};
// One for each fault. `events` are in the order of time.
std::vector<Aftermath> aftermaths_of(const std::vector<RunEvent>& events);

struct Comparison {
  bool same_order = false;     // the same faults with the same steps
  bool same_refusals = false;  // and where one refused, the other did
  std::string text;            // one sentence
};
Comparison compare(const std::vector<Aftermath>& live, const std::vector<Aftermath>& simulated);

}  // namespace parley::harness
