// A node's disk: writes become durable in order, some time after they were issued.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "algorithms/contract/effects.h"
#include "algorithms/contract/replica.h"
#include "runtime/sim/engine.h"
#include "runtime/snapshot.h"

namespace parley::sim {

// One sync at a time covers everything that was pending when it began (group commit). A crash keeps
// a prefix of what was pending: at least what was durable, at most everything. So does a sync that
// fails, and after it a disk is of no use until the node starts again: to go on writing to it
// breaks the contract.
class Disk {
 public:
  Disk(Engine& engine, std::uint32_t node)
      : engine_(engine), random_(engine.stream(Stream::disk, node)), node_(node) {}

  // Takes the writes of a turn, and begins a sync unless one is under way. `life` comes back in the
  // event that ends it. Reports tickets and indices that break the contract.
  void write(std::span<const Write> writes, std::uint32_t life);

  // A snapshot is on the platter: found again once the replica has put it in use.
  void save(std::shared_ptr<const Snapshot> snapshot) { saved_.push_back(std::move(snapshot)); }

  // The sync under way has ended; begins the next one if there is something to write. False if it
  // failed.
  bool sync_done(std::uint32_t life);

  // The machine or the process stops. Returns how many writes were lost.
  std::size_t crash();

  // From the next sync on each takes so much longer.
  void slow_down(Duration by) { slower_ = by; }
  // While it is full, every sync fails.
  void fill(bool full) { full_ = full; }
  [[nodiscard]] bool full() const { return full_; }

  // Everything is gone. Of a node that is down.
  void wipe();

  // What a new start finds; tickets begin again at 1.
  Recovered recover();

  [[nodiscard]] Ticket issued() const { return issued_; }
  [[nodiscard]] Ticket durable() const { return durable_; }
  // When the sync under way ends, or the last one ended.
  [[nodiscard]] Instant sync_ends() const { return sync_ends_; }

  // What is on the platter.
  [[nodiscard]] const Block& state() const { return state_; }
  [[nodiscard]] const RecoveredSnapshot& snapshot() const { return snapshot_; }
  [[nodiscard]] const std::vector<Record>& log() const { return records_; }

 private:
  void begin_sync(std::uint32_t life);
  void carry_out(std::size_t count);
  void append(Write& write);
  void use_snapshot(Write& write);

  Engine& engine_;
  Random random_;
  std::uint32_t node_;
  // On the platter.
  Block state_;
  std::vector<std::shared_ptr<const Snapshot>> saved_;
  RecoveredSnapshot snapshot_;   // in use
  std::vector<Record> records_;  // after its index
  // On the way there.
  std::vector<Write> pending_;
  std::size_t syncing_ = 0;  // how many of `pending_` the sync under way covers
  Instant sync_ends_;
  bool failed_ = false;  // a sync has failed since the start
  Duration slower_{};    // on purpose
  bool full_ = false;    // likewise
  Ticket issued_;
  Ticket durable_;
};

}  // namespace parley::sim
