// The contract of a coordination strategy: a deterministic state machine without I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "algorithms/contract/effects.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/membership.h"
#include "algorithms/contract/options.h"
#include "algorithms/contract/store.h"
#include "algorithms/contract/time.h"
#include "algorithms/contract/turn.h"

namespace parley {

// What a replica shows of itself: for pages, metrics, traces and the checks of the simulator.
struct Status {
  std::string_view role;  // a literal of the algorithm: "leader", "follower", ...
  Epoch epoch;            // the term of Raft
  NodeId leader;          // as far as known here
  LogIndex commit;
  LogIndex last;                // the end of the log
  LogIndex snapshot;            // in use: what this replica would send to one that is far behind
  std::uint64_t log_bytes = 0;  // held in memory, bodies and records
  std::uint64_t elections = 0;  // started by this replica since its start
  std::uint64_t held_runs = 0;  // accepted here and neither applied nor refused yet
  // Of merge strategies: writes of this node that it saw overwritten by ones that did not know
  // them.
  std::uint64_t superseded = 0;
  // Of strategies that vote on batches. Blocked: some were prepared here, and their outcome has not
  // been heard of for longer than it takes to notice a failure.
  std::uint64_t in_doubt = 0;  // runs prepared and neither committed nor aborted
  bool blocked = false;
  std::uint64_t blockings = 0;   // times, since the start, this one included
  Duration blocked_time{};       // in all of them
  std::uint64_t concurrent = 0;  // runs that did not know all that was ordered before them
};

// One of a cluster's members. Driven by one thread.
class Replica {
 public:
  virtual ~Replica() = default;

  // Takes in a turn and says what is to be done about it. `effects` comes empty.
  virtual void step(const Turn& turn, const Store& store, Effects& effects) noexcept = 0;

  // When it wants to be stepped next, if nothing happens before; kNever if it has no such wish.
  [[nodiscard]] virtual Instant deadline() const noexcept = 0;

  [[nodiscard]] virtual Status status() const noexcept = 0;

  // Of a replica that leads and keeps a log: so far its log is on the disk of `member`, itself
  // included, as it counts for commits. Zero: it does not say.
  [[nodiscard]] virtual LogIndex held_by(NodeId /*member*/) const noexcept { return {}; }

  // Of a replica that leads by a lease: when that ends, by its clock. Until then it answers
  // linearizable reads without asking others. Zero: it has none.
  [[nodiscard]] virtual Instant lease_until() const noexcept { return {}; }

  // Of a strategy whose members change: those in force here, valid until the next step. Null: they
  // are those of the configuration, for ever.
  [[nodiscard]] virtual const Membership* membership() const noexcept { return nullptr; }
};

// A record of the log as storage held it.
struct Record {
  LogIndex index;
  Block header;
  Block body;
};

// A snapshot as storage held it.
struct RecoveredSnapshot {
  SnapshotId id;  // of index 0: there is none
  Block header;   // of the write that put it in use
  std::vector<Block> parts;
};

// What storage held at the start: the last durable hard state, the snapshot in use, and the records
// after its index without a gap. All are empty at the first start.
struct Recovered {
  Block state;
  RecoveredSnapshot snapshot;
  std::vector<Record> records;
};

// Who this replica is. `members` are the group's first ones, the same at all nodes whatever changes
// later, and contain `self`; but where members change (Algorithm::changes_members) a node that is
// not among them waits, with an empty disk, until it is added.
struct ReplicaConfig {
  GroupId group;
  NodeId self;
  Incarnation incarnation;
  std::vector<NodeId> members;
  // Of a node that is not among them, and of nobody else: told apart from all that it had before.
  DiskId disk;
  OptionValues options;    // complete: every option of the algorithm has a value
  std::uint64_t seed = 0;  // of the replica's own random numbers
  Instant now;             // the time of the start
};

}  // namespace parley
