// Breaks things, at random times and in random ways: in strikes, whose numbers, times and draws do
// not depend on what else happens, so that each can be left out (reduction.h).
#pragma once

#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "runtime/sim/network.h"
#include "runtime/sim/node.h"
#include "runtime/sim/reduction.h"

namespace parley::sim {

class Nemesis {
 public:
  // `schedule` (may be null) takes the place of faults at random. It and `reduction` (may be null)
  // outlive the nemesis.
  Nemesis(Engine& engine, Network& network, std::span<Node> nodes, const FaultSchedule* schedule,
          const Reduction* reduction);

  // Before anything else, once the weather is known.
  void start();
  // A bout begins now: what strikes from `begin` to `end`, as times of phase one without the rests.
  // Bouts follow each other in time.
  void begin_bout(Duration begin, Duration end);
  // After each turn of a node: what waits for its moment may strike. `new_epoch`: the turn took the
  // node to a later epoch; `leads`: it began to lead.
  void after_turn(Node& node, bool new_epoch, bool leads);
  // A change of members that was asked of a node has this outcome.
  void answered(const ControlReply& reply);
  // All nodes are to be members again, after everything has healed.
  void gather();
  // Handles the events of the kinds fault, scheduled, repair, resume, restart and gather.
  void handle(const Event& event);
  // No more faults, and an end to those there are.
  void heal();
  // Faults of the schedule that hit nobody, and why.
  [[nodiscard]] const std::vector<std::string>& missed() const { return missed_; }
  // The strikes that there were, in their order.
  [[nodiscard]] const std::vector<std::uint32_t>& strikes() const { return strikes_; }
  // What became of each fault of the schedule, by its place.
  [[nodiscard]] std::vector<StruckFault> struck() const;

 private:
  // What a crash waits for. Durability matters between issuing a write and its sync, and soon after
  // a promise (a vote) was made; left to chance alone crashes at these moments would be rare.
  enum class Doom : std::uint8_t { none, unsynced, new_epoch };

  // What an event of the kind scheduled is about.
  enum class Scheduled : std::uint32_t { begin, end, roll };
  // How far a rolling restart is.
  struct Rolling {
    enum class Step : std::uint8_t { ask, stop, catch_up };
    std::size_t next = 0;  // whose turn it is, from 0 on
    Step step = Step::ask;
    Instant since;                 // when it was asked to stop
    std::optional<LogIndex> goal;  // that it has to catch up to
  };
  struct Struck {  // of the schedule
    StruckFault told;
    std::vector<std::pair<NodeId, std::uint32_t>> lives;  // of those it hit
    std::vector<DirectedLink> links;
    Rolling rolling;
    std::uint32_t tries = 0;
    bool missed = false;
    bool undone = false;
  };

  [[nodiscard]] bool left_out(std::uint32_t strike) const;
  void scheduled(Scheduled what, std::size_t place);
  void later(Duration delay, Scheduled what, std::size_t place);
  void begin(std::size_t place);
  void strike_one(const ScheduledFault& fault, Node& node, Struck& struck);
  void slow_or_cut(std::size_t place);
  void miss(std::size_t place);
  void end(std::size_t place);
  void undo(std::size_t place);
  void roll(std::size_t place);
  void ask_to_hand_over(Node& node);
  bool caught_up(Node& node, Rolling& rolling);
  [[nodiscard]] std::vector<Node*> find_all(const NodeTarget& target);
  [[nodiscard]] Node* find(const NodeTarget& target);
  [[nodiscard]] NodeId leader();
  void strike(std::uint32_t number);
  bool wait_for_leader(FaultKind kind);
  void hit(FaultKind kind, Node& node);
  void step_clock(Node& node);
  void set_clocks_right();
  void crash(Node& node);
  void echo(Node& node);
  void strike_down(Node& node);
  void crash_with_others(Node& node);
  void change_members(Node& node);
  void hand_over(Node& node);
  [[nodiscard]] Node* leader_of(Node& node);
  void ask(Node& node, const MemberChange& change);
  Node& pick();
  [[nodiscard]] Duration draw(Duration min, Duration max) { return random_.between(min, max); }

  Engine& engine_;
  Network& network_;
  std::span<Node> nodes_;
  Random times_;                   // of strikes
  Random random_;                  // each strike begins another stream
  Duration next_{};                // time of the next strike, as of `begin_bout`
  std::uint32_t next_number_ = 0;  // of it; 0: none was drawn yet
  std::vector<std::uint32_t> strikes_;
  std::vector<FaultKind> kinds_;  // that strike at a moment; the others are in the weather
  std::vector<Doom> doomed_;      // by node
  const FaultSchedule* schedule_;
  const Reduction* reduction_;
  std::vector<Struck> struck_;  // by its place in the schedule
  std::vector<std::string> missed_;
  bool healed_ = false;                          // until the next bout
  std::vector<FaultKind> ambush_;                // for the next leaders
  std::map<std::uint64_t, MemberChange> asked_;  // and not answered yet
  std::uint64_t last_asked_ = 0;
  NodeId far_clock_;  // whose clock is far ahead of all others at times
};

}  // namespace parley::sim
