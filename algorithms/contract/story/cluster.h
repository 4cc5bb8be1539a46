// A cluster of replicas of an ordered strategy in one thread: a network of queues that the test
// moves by hand or lets run, disks that lose what was not synced, and the safety properties of
// replicated logs checked all the time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "algorithms/contract/random.h"
#include "algorithms/contract/story/strategy.h"

namespace parley::story {

class Cluster {
 public:
  // What a trace may show.
  enum class Show : std::uint8_t { roles, commits, messages, writes };

  // Nodes 1 to `size`, and `spare` more that wait to be added. `down`: none is started.
  Cluster(const Strategy& strategy, std::uint32_t size, OptionValues options, std::uint64_t seed,
          bool down, std::uint32_t spare = 0);

  // --- what the outside does ---

  // Time passes; messages arrive after a millisecond (unless on a held link), timers fire.
  void run(Duration time);
  // Time passes on one node's clock only, up to its deadline.
  void fire_timer(std::uint32_t node);
  // Time passes on one node's clock only.
  void advance_clock(std::uint32_t node, Duration time);
  // Everything in flight arrives, and what it causes, until nothing is left; no time passes.
  void deliver_all();
  // What is in flight from one node to another arrives, in one turn; 0 stands for any node.
  void deliver(std::uint32_t from, std::uint32_t to);
  void drop(std::uint32_t from, std::uint32_t to);
  // Remembers what is in flight, and lets the copies arrive: late, or once more.
  void copy(std::uint32_t from, std::uint32_t to);
  void replay(std::uint32_t from, std::uint32_t to);
  // Messages on this link are lost from now on.
  void cut(std::uint32_t from, std::uint32_t to) { cut_.insert({from, to}); }
  void heal() { cut_.clear(); }
  void submit(std::uint32_t node, const std::vector<std::string>& texts);
  void read(std::uint32_t node);
  // With a manual disk writes become durable by `sync` only.
  void set_manual_disk(std::uint32_t node, bool manual);
  void sync(std::uint32_t node, Ticket through = {UINT64_MAX});
  void crash(std::uint32_t node);
  void restart(std::uint32_t node);
  // Of a node that is down: its disk is empty, and what starts again waits to be added.
  void wipe(std::uint32_t node);
  // The operator asks the node for other members.
  void change_members(std::uint32_t node, const MemberChange& change);
  // The operator asks the node to hand over to that one, or to any (0).
  void hand_over(std::uint32_t node, std::uint32_t to);
  // The state as the node has applied it is saved as a snapshot of two parts.
  void snapshot(std::uint32_t node);
  // What the node receives of snapshots is ready by `load` only.
  void load_late(std::uint32_t node);
  // A snapshot of which it has all parts is ready now.
  void load(std::uint32_t node);
  // Of a node that is down: its disk holds a log of entries with these terms, and the last of them
  // as its term (or `term` if that is higher).
  void set_disk(std::uint32_t node, const std::vector<std::uint64_t>& terms, std::uint64_t term);

  // For random tests: loses, doubles and reorders what is in flight by these chances in a million.
  struct Faults {
    std::uint32_t lose = 0;
    std::uint32_t duplicate = 0;
    std::uint32_t delay = 0;  // by up to 50 ms more
  };
  void set_faults(Faults faults) { faults_ = faults; }

  // --- what can be seen ---

  void show(std::set<Show> kinds) { shown_ = std::move(kinds); }
  // Lines since the last call.
  std::vector<std::string> take_trace();
  [[nodiscard]] std::string status_line(std::uint32_t node) const;
  [[nodiscard]] std::string log_line(std::uint32_t node) const;
  [[nodiscard]] Status status(std::uint32_t node) const;
  [[nodiscard]] bool leads(std::uint32_t node) const;
  // The leader of the highest term, or 0.
  [[nodiscard]] std::uint32_t leader() const;
  // Bodies of the runs that a node has committed, in order.
  [[nodiscard]] std::vector<std::string> committed(std::uint32_t node) const;
  // Reads answered at a node: the index of each, by id.
  [[nodiscard]] const std::map<std::uint64_t, LogIndex>& reads(std::uint32_t node) const;
  [[nodiscard]] bool is_up(std::uint32_t node) const { return nodes_[node - 1].replica != nullptr; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(nodes_.size()); }
  [[nodiscard]] std::uint64_t messages_sent() const { return messages_sent_; }
  // Empty, or the first safety property that was violated (dissertation Figure 3.2).
  [[nodiscard]] const std::string& violation() const { return violation_; }

 private:
  struct Packet {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    Instant due;
    Incarnation incarnation;
    Block header;
    Block body;
  };
  struct HeldMessage {  // until the disk has caught up
    Ticket ticket;
    Packet packet;
  };
  struct Node {
    std::unique_ptr<Replica> replica;
    std::uint64_t incarnation = 0;
    Duration clock_ahead{};
    std::uint64_t last_run = 0;
    std::uint64_t last_read = 0;
    bool manual_disk = false;
    Ticket issued;
    Ticket durable;
    std::deque<Write> unsynced;
    Recovered disk;           // what a crash leaves
    std::vector<Record> log;  // what the replica has asked to be held
    std::deque<HeldMessage> waiting;
    std::vector<CommittedRun> applied;
    std::optional<SnapshotId> loading;  // has all its parts
    bool loads_late = false;
    std::map<std::uint64_t, LogIndex> reads;
    std::string role;
    DiskId disk_id;       // not 0: it joins
    std::string members;  // that were last seen in force
  };
  struct Input {
    std::vector<Frame> frames;
    std::vector<CommandRun> commands;
    std::vector<ReadRequest> reads;
    std::vector<Control> controls;
  };

  Node& node(std::uint32_t id) { return nodes_[id - 1]; }
  [[nodiscard]] Instant now(const Node& node) const { return now_ + node.clock_ahead; }
  void step(std::uint32_t id, Input input);
  void step_once(std::uint32_t id, const Input& input);
  void take_writes(std::uint32_t id, Effects& effects);
  void take_messages(std::uint32_t id, const Effects& effects);
  void take_commits(std::uint32_t id, const Effects& effects);
  void take_snapshots(std::uint32_t id, const Effects& effects);
  Packet packet_of(std::uint32_t id, const Message& message, const Effects& effects);
  void trace_step(std::uint32_t id, const Effects& effects);
  void note_role(std::uint32_t id);
  void note_members(std::uint32_t id);
  [[nodiscard]] Epoch epoch_of(const Record& record) const;
  void make_durable(Node& node, Ticket through = {UINT64_MAX});
  void launch(Packet packet);
  void arrive(std::vector<Packet> packets);
  void trace(Show kind, std::string line);
  void violated(std::string story);

  const Strategy& strategy_;
  std::vector<Node> nodes_;
  OptionValues options_;
  Random random_;
  Instant now_{std::chrono::seconds(1)};
  Store store_{1};
  Effects effects_;
  std::vector<Packet> flying_;
  std::vector<Packet> copies_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> cut_;
  Faults faults_;
  std::set<Show> shown_{Show::roles, Show::commits};
  std::vector<std::string> trace_;
  std::map<std::uint64_t, std::uint32_t> leaders_;  // by term
  std::vector<std::string> order_;       // what was committed at each index, and its record
  std::vector<CommittedRun> committed_;  // the same as it was committed, and its record
  std::vector<Record> records_;
  std::uint64_t messages_sent_ = 0;
  std::uint64_t controls_ = 0;  // of the operator
  std::uint64_t steps_at_once_ = 0;
  std::string violation_;
};

}  // namespace parley::story
