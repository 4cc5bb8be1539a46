// What comes out of a step of a replica.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/command.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/stamp.h"

namespace parley {

// A change of what the replica must find again after a crash. Numbered by the core without gaps;
// carried out in order; durable as a prefix.
struct Write {
  enum class Kind : std::uint8_t {
    state,     // replaces the algorithm's hard state (term and vote, epoch, clock's high mark)
    append,    // the record of `index`, which is one after the last record held
    truncate,  // forgets the records from `index` on
    snapshot,  // everything up to `index` is in the saved snapshot of that index: forgets the
               // records up to there, and the snapshots before it. The next record is the one after
               // `index` or, if records after it were held, goes on behind those
  };
  Kind kind = Kind::state;
  Ticket ticket;
  LogIndex index;  // of all but state
  Block header;    // encoded by the algorithm: the hard state, what precedes the record's body, or
                   // what it has to know of the log before the snapshot's end
  Block body;      // of append
};

// The body of one or more messages: Effects::bodies[first, first + count), concatenated on the
// wire. Messages that name the same range share one encoding.
struct BodyRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  constexpr bool operator==(const BodyRange&) const = default;
};

// Names a saved state: that after the run of `index`, in so many parts. Two of the same index that
// differ in nothing else either are the same bytes.
struct SnapshotId {
  LogIndex index;
  std::uint32_t parts = 0;
  std::uint32_t sum = 0;  // a checksum of all parts
  constexpr bool operator==(const SnapshotId&) const = default;
};

inline constexpr std::uint32_t kNoPart = std::numeric_limits<std::uint32_t>::max();

struct Message {
  NodeId to;
  Block header;
  BodyRange body;
  // Instead of `body`: the driver puts this part of the saved snapshot of `snapshot` there.
  LogIndex snapshot = {};
  std::uint32_t part = kNoPart;
};

// A part of a snapshot that a peer sent; each part once, in their order.
struct SnapshotPart {
  SnapshotId snapshot;
  std::uint32_t number = 0;
  Block body;
};

// A run that has its place in the one order. Runs are handed over once each, in the order of their
// indices; an index without a run (a leader's empty entry) has count 0.
struct CommittedRun {
  LogIndex index;
  CommandRun run;
};

// A write for the store which wins by its stamp, of merge strategies.
struct MergeCandidate {
  Key key;
  std::uint64_t value = 0;
  Stamp stamp;
  Writer writer;
};

// A run of a merge strategy, made at this node, is accepted: its i-th write has the stamp
// {first.major + i, first.minor}.
struct RunReply {
  RunId run;
  Stamp first;
};

// A read may be served from the store, with the writes of this turn, once the applier has reached
// `index`.
struct ReadReady {
  std::uint64_t id = 0;
  LogIndex index;
};

// A run or read that was definitely not and will not be carried out.
struct Refusal {
  enum class Kind : std::uint8_t { run, read };
  enum class Reason : std::uint8_t {
    no_leader,
    overloaded,
    stopping,
    clock,        // this node's clock is too far from the others', or they are not known yet
    not_offered,  // the strategy does not have that
    behind,       // this node has not reached what the client has seen
    unanswered,   // too few nodes answered a read in time
  };
  Kind kind = Kind::run;
  Reason reason = Reason::no_leader;
  std::uint64_t number = 0;  // RunId::number of a run of this node, or ReadRequest::id
};

// The answer to a control with an id; one for each, sooner or later.
struct ControlReply {
  enum class Outcome : std::uint8_t {
    done,
    refused,  // nothing has changed
    unknown,  // this node does not lead any more: look who does and what is in force there
  };
  std::uint64_t id = 0;
  Outcome outcome = Outcome::done;
  std::string reason = {};  // of the others
};

// Owned and reused by the driver, which empties it before each step.
struct Effects {
  std::vector<Write> writes;
  std::vector<Message> send_now;
  std::vector<Message> send_when_durable;  // each waits for the latest ticket issued up to its turn
  std::vector<Block> bodies;               // what BodyRange points into
  std::vector<CommittedRun> commit;
  std::vector<MergeCandidate> merge;
  std::vector<RunReply> replies;
  std::vector<ReadReady> reads_ready;
  std::vector<Refusal> refused;
  std::vector<ControlReply> control_replies;
  // Of the snapshot that is being received; with the last one the driver makes the state ready and
  // says so with Control::snapshot_loaded. A part of another snapshot takes the place of all
  // before.
  std::vector<SnapshotPart> snapshot_parts;
  // In answer to Control::snapshot_loaded: the state of that index takes the place of the present
  // one, between the runs of `commit` up to there and those after it. Zero: it is not needed.
  LogIndex install;
  // How many bytes of new runs the replica will take in the next turn; the driver makes clients
  // wait for the rest.
  std::uint64_t accept_max_bytes = std::numeric_limits<std::uint64_t>::max();
  // Not empty when the replica found its own state impossible. The live driver stops the process
  // with this story; the simulator records it.
  std::string broken_invariant;

  // Empties everything and keeps the capacity.
  void clear() {
    writes.clear();
    send_now.clear();
    send_when_durable.clear();
    bodies.clear();
    commit.clear();
    merge.clear();
    replies.clear();
    reads_ready.clear();
    refused.clear();
    control_replies.clear();
    snapshot_parts.clear();
    install = {};
    accept_max_bytes = std::numeric_limits<std::uint64_t>::max();
    broken_invariant.clear();
  }
};

}  // namespace parley
