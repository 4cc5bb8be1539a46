// What goes into a step of a replica.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/command.h"
#include "algorithms/contract/effects.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/membership.h"
#include "algorithms/contract/time.h"

namespace parley {

// A message of a peer. The driver has checked that it comes from a member, is within the limits of
// size, and that Algorithm::verify accepts it; both parts are aligned to 8 bytes.
struct Frame {
  GroupId group;
  NodeId from;
  Incarnation incarnation;  // of the sender
  Block header;             // the algorithm's own message
  Block body;               // runs of commands, if the message carries any
};

enum class ReadMode : std::uint8_t {
  local,         // from this node's state as it is: may be stale
  linearizable,  // reflects every write acknowledged before the read was invoked
};

// What a client has seen of a node's writes: up to this time, the major part of their stamps.
struct Seen {
  NodeId node;
  std::uint32_t reserved = 0;
  std::uint64_t time = 0;
};

// Asks when a read may be served. What is to be read stays with the driver. Local reads reach the
// replica only if they have to ask others (Algorithm::local_reads_ask) or their client names what
// it has seen elsewhere; a strategy with linearizable reads may serve them as such.
struct ReadRequest {
  std::uint64_t id = 0;  // the driver's, rising
  ReadMode mode = ReadMode::linearizable;
  std::vector<Key> keys = {};   // of a local read: what it reads
  std::vector<Seen> seen = {};  // of a local read: what it must not miss
};

// What became of snapshots, and what the operator wants.
struct Control {
  enum class Kind : std::uint8_t {
    // The state after the run of `snapshot.index` is saved here, durably as far as this node knows
    // durability, and its parts can be sent. The replica takes it into use with Write::snapshot,
    // now or later; until then the one before stays, and no other one is made.
    snapshot_saved,
    // The snapshot whose parts were received is saved and ready to take effect (Effects::install).
    snapshot_loaded,
    // It could not be read or saved. Its parts are forgotten.
    snapshot_failed,
    // Other members are wanted. Answered (Effects::control_replies) once they are in force, or not
    // to be.
    change_members,
    // Whoever leads is to hand over to another node (Ongaro's dissertation, §3.10), as before a
    // stop. Answered once another one leads, or the attempt has failed; it lasts no longer than it
    // takes to notice a failure.
    hand_over,
  };
  Kind kind = Kind::snapshot_saved;
  SnapshotId snapshot = {};
  std::uint64_t id = 0;      // of what is answered: the driver's
  MemberChange change = {};  // of change_members
  NodeId to = {};            // of hand_over; kNoNode: to whom it suits best
};

// All that happened since the last step. Within a turn the order is fixed: durable, frames,
// commands, reads, controls, timer. Any split of the same inputs into turns must be safe. The spans
// are only valid during the step; blocks that are kept are shared.
struct Turn {
  Instant now;
  WallTime wall;
  Ticket durable_through;    // every write with a ticket up to here is on disk
  LogIndex applied_through;  // how far the applier is
  std::span<const Frame> frames;
  std::span<const CommandRun> commands;
  std::span<const ReadRequest> reads;
  std::span<const Control> controls;
};

}  // namespace parley
