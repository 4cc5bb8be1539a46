// One node of an execution: the driver that the live node runs as well, with a simulated disk,
// clocks and queues around it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "runtime/driver.h"
#include "runtime/sim/checker.h"
#include "runtime/sim/disk.h"
#include "runtime/sim/log_checker.h"
#include "runtime/sim/network.h"

namespace parley::sim {

// What all nodes of an execution have in common; outlives them.
struct NodeSettings {
  const Algorithm* algorithm = nullptr;
  const Application* application = nullptr;
  OptionValues options;
  DriverLimits limits;
  std::vector<NodeId> members;        // the first ones
  std::uint32_t nodes = 0;            // in all: those who are not members wait until they are added
  LogChecker* log_checker = nullptr;  // null: the strategy's log cannot be read
  TraceOutput* trace = nullptr;       // of all nodes; null: not wanted
};

class Node {
 public:
  Node(Engine& engine, Network& network, const NodeSettings& settings, NodeId id);

  // --- its life ---

  void start();  // from what is on its disk, with a new incarnation
  void crash();
  // Crashes and loses its disk: what starts again under its id is another node.
  void wipe();
  // Whether it starts as one that waits until it is added.
  [[nodiscard]] bool joins() const;
  // 0 unless it joins.
  [[nodiscard]] DiskId disk_id() const { return {joins() ? wipes_ + 1 : 0}; }
  void pause(Duration duration);
  void resume(std::uint32_t pause);  // the pause of that number, if it is still the one in force
  void step_wall_clock(Duration skew);
  [[nodiscard]] Duration skew() const { return skew_; }
  void slow_disk(Duration by);
  // A node whose disk is full ends at its next sync, and is not started by itself before there is
  // room again.
  void fill_disk(bool full);
  void heal();

  [[nodiscard]] bool up() const { return driver_ != nullptr; }
  [[nodiscard]] bool running() const { return up() && !paused_; }
  // Whether a crash now could lose something.
  [[nodiscard]] bool unsynced() const { return disk_.durable() < disk_.issued(); }
  // Counts starts; an event that names an earlier life is for a node that is no more.
  [[nodiscard]] std::uint32_t life() const { return life_; }

  // --- inputs ---

  void receive(Network::Flight flight);
  // A client's request waits here: `item` is the caller's number for it.
  void enqueue(std::uint32_t item);
  // The operator asks for other members, of a node that is up.
  void change_members(std::uint64_t number, const MemberChange& change);
  void hand_over(std::uint64_t number, NodeId to);
  void sync_done(std::uint32_t life);
  void snapshot_done(std::uint32_t life);

  // --- turns ---

  // Whether the wish to be stepped with that number is still the one in force and there is
  // something to be done now. If so, `begin_turn`, hand the requests over, `take_turn`.
  bool due(std::uint32_t wish);
  // Moves a random part of what waits into the driver. Returns the requests among it, valid until
  // the next call.
  std::span<const std::uint32_t> begin_turn();
  const Effects& take_turn();
  // Writes, sends, and asks for the next turn; after the results of the turn have been looked at.
  void end_turn(const Effects& effects);

  [[nodiscard]] NodeId id() const { return id_; }
  [[nodiscard]] Driver& driver() { return *driver_; }
  [[nodiscard]] std::span<const Applied> journal() const { return journal_.entries; }
  // Of a node that is up: when its lease ends, by the simulation's time; zero: it has none.
  [[nodiscard]] Instant lease_until() const;
  [[nodiscard]] NodeView view() const;
  [[nodiscard]] const Disk& disk() const { return disk_; }
  // Over all its lives.
  [[nodiscard]] std::uint64_t snapshots() const { return snapshots_; }
  [[nodiscard]] std::uint64_t installs() const { return installs_; }

 private:
  struct TurnJournal final : Journal {
    void applied(Key key, Stamp stamp, Writer writer, std::uint64_t value) override {
      entries.push_back({key, stamp, writer, value});
    }
    void restored(LogIndex) override {}  // the checks look at the store itself
    std::vector<Applied> entries;
  };
  struct Held {  // waits for the disk
    Ticket ticket;
    NodeId to;
    Frame frame;
  };

  std::size_t draw_part(std::size_t waiting);
  void wish(Instant when);
  void wish_soon();
  void wish_deadline();
  void look_at_deadline();
  [[nodiscard]] Instant local(Instant when) const;
  [[nodiscard]] Instant global(Instant local_time) const;
  void send(std::span<const Message> messages, const Effects& effects, bool when_durable);
  void put_on_the_wire(NodeId to, const Frame& frame);
  const Block& body_of(BodyRange range, const Effects& effects);
  void release_held();
  void begin_snapshot();
  void hand_over_snapshot();

  Engine& engine_;
  Random random_;
  Network& network_;
  const NodeSettings& settings_;
  NodeId id_;
  Disk disk_;
  std::unique_ptr<Driver> driver_;
  std::uint32_t life_ = 0;
  std::uint64_t wipes_ = 0;  // of its disk
  bool paused_ = false;
  std::uint32_t pauses_ = 0;

  // Clocks: local time is base + t + t * drift.
  Instant base_;
  std::int64_t drift_per_million_ = 0;
  Duration skew_{};

  // Waiting for a turn.
  std::vector<Frame> frames_;
  std::vector<std::uint32_t> requests_;
  std::vector<std::uint32_t> taken_requests_;
  Ticket told_durable_;
  Instant wished_ = kNever;
  std::uint32_t wishes_ = 0;
  std::uint32_t overdue_ = 0;  // turns in a row that left a deadline that has passed

  // A task about a snapshot is under way, or its result waits for the node to go on.
  std::optional<SnapshotResult> snapshot_;
  bool snapshot_done_ = false;
  std::uint64_t snapshots_ = 0;
  std::uint64_t installs_ = 0;

  // Of the turn at hand.
  TurnJournal journal_;
  BodyRange last_range_;
  Block last_body_;
  std::vector<Held> held_;
};

}  // namespace parley::sim
