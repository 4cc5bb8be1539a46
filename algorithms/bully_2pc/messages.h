// What the nodes say to each other. messages.fbs holds the wire format.
#pragma once

#include <cstdint>

#include "algorithms/contract/effects.h"
#include "algorithms/contract/ids.h"

namespace parley::bully_2pc {

// The end of a log, or a place in it.
struct Position {
  Epoch epoch;  // of the entry there
  LogIndex index;
  constexpr auto operator<=>(const Position&) const = default;
};

// --- Bully (Garcia-Molina, "Elections in a Distributed Computing System", 1982, §III) ---

// Asks all others whether the sender may lead.
struct Election {
  std::uint64_t round = 0;  // of the sender; an answer names it
};

enum class Objection : std::uint8_t {
  none,
  ranks_higher,     // the sender does, so it should lead itself
  has_coordinator,  // the sender follows one that ranks higher than the asker, and is there
};

struct Answer {
  std::uint64_t round = 0;  // of the election that it answers
  Epoch epoch;              // the highest one that the sender knows of
  Objection objection = Objection::none;
};

// The sender leads, or will as soon as it has caught up.
struct Coordinator {
  Epoch epoch;
  bool ready = false;
};

// --- epochs: what keeps a coordinator of the past from deciding anything ---

// Asks to promise that no earlier epoch is obeyed any more.
struct Claim {
  Epoch epoch;
};

struct Promised {
  Epoch epoch;  // of the claim; refused: the one that was promised already
  bool granted = false;
  Position last;  // the end of the log: what may have been decided is not beyond it
};

// --- two-phase commit (Gray and Lamport, "Consensus on Transaction Commit", 2006, §2) ---

// Batches to be prepared, and the coordinator's heartbeat. Whole batches follow.
struct Prepare {
  Epoch epoch;
  Position prev;            // the batches follow this entry
  LogIndex base;            // what is before can only be had as a state (Fetch)
  LogIndex decided;         // as in Commit
  std::uint64_t round = 0;  // the newest read round that a vote confirms
  bool wants_vote = false;
  constexpr bool operator==(const Prepare&) const = default;
};

// What a participant has on its disk.
struct Vote {
  Epoch epoch;
  LogIndex prepared;        // the batches up to here are prepared, as the coordinator has them
  LogIndex refused;         // a no: `prev` of the newest Prepare that did not follow; 0: none
  std::uint64_t round = 0;  // the newest seen from this coordinator
};

// The batches up to `decided` are committed.
struct Commit {
  Epoch epoch;
  LogIndex decided;
};

// --- what a node lacks ---

// Asks for the log after an entry, or if that is gone for parts of the snapshot in its place.
struct Fetch {
  Epoch epoch;
  LogIndex after;          // decided, and so the same in every log
  SnapshotId snapshot;     // of which parts were received; of index 0: none were
  std::uint32_t part = 0;  // the first one that is missing
};

// Whole batches of the sender's log, whoever leads.
struct Batches {
  Epoch epoch;
  Position prev;
};

// A part of the sender's snapshot is the body; the clock of what it holds follows.
struct Part {
  Epoch epoch;
  SnapshotId snapshot;
  Epoch snapshot_epoch;  // of the entry at the snapshot's index
  std::uint32_t part = 0;
};

// More parts than this are not taken.
inline constexpr std::uint32_t kMaxSnapshotParts = 1U << 14;

// --- clients' runs and reads ---

// A participant hands runs of its own over to the coordinator; the runs and their bodies follow.
struct Forward {
  Incarnation incarnation;  // of the participant
};

// Asks from which index on reads may be served. A number is never used twice by one incarnation; a
// reply answers all reads that arrived before the request was made.
struct ReadRequest {
  Incarnation incarnation;
  std::uint64_t number = 0;
};

struct ReadReply {
  Incarnation incarnation;  // of the node that asked
  std::uint64_t number = 0;
  LogIndex index;
};

}  // namespace parley::bully_2pc
