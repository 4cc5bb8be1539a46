// What a leader knows of one follower, and what is on its way to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "algorithms/contract/effects.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/time.h"
#include "algorithms/contract/window.h"

namespace parley::raft {

struct Progress {
  enum class Mode : std::uint8_t {
    probe,      // where the logs part is not known: one message at a time
    replicate,  // entries are sent as they come, without waiting for acknowledgements
    snapshot,   // lacks entries that the leader has no more: parts of a snapshot are sent
  };

  Progress(const Member& peer, std::size_t max_messages, std::uint64_t max_bytes)
      : id(peer.node), disk(peer.disk), window(max_messages, max_bytes) {}

  // The start of a leader's term (dissertation §3.5, nextIndex and matchIndex), or of a member in
  // it.
  void start(LogIndex last, Instant now) {
    mode = Mode::probe;
    awaiting_reply = false;
    match = LogIndex{};
    next = last.next();
    commit_sent = LogIndex{};
    commit_awaited = LogIndex{};
    commit_due = kNever;
    round_sent = 0;
    round_acked = 0;
    last_heard = now;
    last_asked = now;
    last_progress = now;
    window.clear();
  }

  void to_probe(LogIndex from) {
    mode = Mode::probe;
    awaiting_reply = false;
    commit_due = kNever;
    next = from;
    window.clear();
  }

  void to_snapshot(const SnapshotId& which, Instant now) {
    mode = Mode::snapshot;
    commit_due = kNever;
    snapshot = {};
    snapshot.id = which;
    last_progress = now;
    window.clear();
  }

  void to_replicate(Instant now) {
    mode = Mode::replicate;
    replicating_since = now;
    next = match.next();
    last_progress = now;
    window.clear();
  }

  struct Sending {
    SnapshotId id;
    std::uint32_t acked = 0;  // the follower has the parts before this one
    std::uint32_t next = 0;   // to be sent
    bool asking = true;       // one part at a time, until the follower says where it is
    bool asked = false;       // that part is out
  };

  NodeId id;
  DiskId disk;
  Mode mode = Mode::probe;
  Instant replicating_since;  // while it does
  Sending snapshot;
  bool awaiting_reply = false;  // probe: one is on its way
  LogIndex match;               // the logs agree up to here, durably
  LogIndex next;                // the first entry of the next message
  LogIndex commit_sent;
  LogIndex commit_awaited;       // its clients wait for it to hear of the commit up to here
  Instant commit_due = kNever;   // when to tell it of a newer commit if nothing else does
  std::uint64_t round_sent = 0;  // read rounds
  std::uint64_t round_acked = 0;
  Instant last_heard;     // a reply of this term
  Instant last_asked;     // a message that wants a reply
  Instant last_progress;  // `match` rose, or the window stopped being empty
  Window window;
};

}  // namespace parley::raft
