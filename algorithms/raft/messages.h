// What the nodes of a Raft cluster say to each other. messages.fbs holds the wire format.
#pragma once

#include <cstdint>

#include "algorithms/contract/effects.h"
#include "algorithms/contract/ids.h"

namespace parley::raft {

// Asks for a vote (dissertation §3.4), or whether one would be given (pre-vote, §9.6).
struct VoteRequest {
  Epoch term;  // of the election; of a pre-vote: the term that the election would have
  LogIndex last_index;
  Epoch last_term;  // of the candidate's log
  bool pre = false;
  bool handed_over = false;  // the leader wants it (§3.10), so that nobody has to wait for its end
};

struct VoteReply {
  Epoch term;  // the voter's; of a granted pre-vote: the term of the request
  bool pre = false;
  bool granted = false;
};

// Entries from the leader, and its heartbeat (§3.5). The entries and their bodies follow.
struct AppendEntries {
  Epoch term;
  LogIndex prev_index;
  Epoch prev_term;
  LogIndex commit;          // the leader's, not limited by what the message brings
  std::uint64_t round = 0;  // the newest read round (§6.4) that a reply confirms
  bool wants_ack = false;   // false: nothing new but `commit`; only a rejection is answered
  constexpr bool operator==(const AppendEntries&) const = default;
};

// What a follower's log and the leader's have in common, as far as the follower knows.
struct AppendReply {
  Epoch term;
  LogIndex agreed;    // both logs are the same up to here, and it is durable at the follower
  LogIndex rejected;  // the newest `prev_index` that did not match; 0 if all did
  // With `rejected`: the end of the follower's log, or `rejected` if that comes before; the starts
  // of the terms up to there follow. Otherwise 0.
  LogIndex last;
  std::uint64_t round = 0;  // the newest round seen from this leader
};

// Starts of terms sent with a rejection, newest first. Logs that differ in more terms than this
// take one more round for each further so many.
inline constexpr std::size_t kMaxTermStarts = 32;

// A part of the leader's snapshot, for a follower that lacks entries which the leader has no more
// (§5.2). Also a heartbeat. The body is the part.
struct InstallSnapshot {
  Epoch term;
  SnapshotId snapshot;
  Epoch snapshot_term;  // of the entry at the snapshot's index
  std::uint32_t part = 0;
  std::uint64_t round = 0;  // as in AppendEntries
};

// How far a follower is with a snapshot. When it is in place an AppendReply says so.
struct InstallReply {
  Epoch term;
  SnapshotId snapshot;
  std::uint32_t next = 0;  // the first part that is missing
  std::uint64_t round = 0;
};

// The leader hands over: whoever gets this, and has its log up to `last`, stands for election at
// once (§3.10).
struct TimeoutNow {
  Epoch term;
  LogIndex last;
};

// More parts than this are not taken.
inline constexpr std::uint32_t kMaxSnapshotParts = 1U << 14;

// A follower hands runs of its own over to the leader; the runs and their bodies follow.
struct Forward {
  Incarnation incarnation;  // of the follower
};

// A follower asks the leader from which index on it may serve reads (§6.4). A number is never used
// twice by one incarnation; a reply answers all reads that arrived before the request was made.
struct ReadIndexRequest {
  Incarnation incarnation;
  std::uint64_t number = 0;
};

struct ReadIndexReply {
  Incarnation incarnation;  // of the follower that asked
  std::uint64_t number = 0;
  LogIndex index;
};

}  // namespace parley::raft
