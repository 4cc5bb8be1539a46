// Breaks things, at random times and in random ways.
#pragma once

#include <span>
#include <vector>

#include "runtime/sim/network.h"
#include "runtime/sim/node.h"

namespace parley::sim {

class Nemesis {
 public:
  // `schedule` (may be null) takes the place of faults at random, and outlives the nemesis.
  Nemesis(Engine& engine, Network& network, std::span<Node> nodes, const FaultSchedule* schedule);

  void start();
  // After each turn of a node: what waits for its moment may strike. `new_epoch`: the turn took the
  // node to a later epoch; `leads`: it began to lead.
  void after_turn(Node& node, bool new_epoch, bool leads);
  // Handles the events of the kinds fault, scheduled, repair, resume and restart.
  void handle(const Event& event);
  // No more faults, and an end to those there are.
  void heal();
  // After `heal`, in weather with faults again: they go on.
  void go_on();
  // Faults of the schedule that hit nobody, and why.
  [[nodiscard]] const std::vector<std::string>& missed() const { return missed_; }

 private:
  // What a crash waits for. Durability matters between issuing a write and its sync, and soon after
  // a promise (a vote) was made; left to chance alone crashes at these moments would be rare.
  enum class Doom : std::uint8_t { none, unsynced, new_epoch };

  void begin(std::size_t place);
  void end(std::size_t place);
  [[nodiscard]] Node* find(const NodeTarget& target);
  [[nodiscard]] NodeId leader();
  void strike();
  bool wait_for_leader(FaultKind kind);
  void hit(FaultKind kind, Node& node);
  void crash(Node& node);
  void strike_down(Node& node);
  void crash_with_others(Node& node);
  Node& pick();
  [[nodiscard]] Duration draw(Duration min, Duration max) {
    return engine_.random.between(min, max);
  }

  Engine& engine_;
  Network& network_;
  std::span<Node> nodes_;
  std::uint32_t healings_ = 0;    // what is due of before the last one does not happen
  std::vector<FaultKind> kinds_;  // that strike at a moment; the others are in the weather
  std::vector<Doom> doomed_;      // by node
  struct Struck {                 // of the schedule
    NodeId node;
    std::uint32_t life = 0;
    std::vector<DirectedLink> links;
    std::uint32_t tries = 0;
  };
  const FaultSchedule* schedule_;
  std::vector<Struck> struck_;  // by its place in the schedule
  std::vector<std::string> missed_;
  std::vector<FaultKind> ambush_;  // for the next leaders
};

}  // namespace parley::sim
