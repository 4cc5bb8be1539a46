// What a node knows of another one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "algorithms/bully_2pc/messages.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/time.h"
#include "algorithms/contract/window.h"

namespace parley::bully_2pc {

struct Peer {
  Peer(NodeId node, std::size_t max_messages, std::uint64_t max_bytes)
      : id(node), window(max_messages, max_bytes) {}

  // The start of a coordinator's epoch.
  void start(LogIndex last, Instant now) {
    probing = true;
    awaiting_vote = false;
    prepared = LogIndex{};
    next = last.next();
    decided_sent = LogIndex{};
    decided_awaited = LogIndex{};
    decided_due = kNever;
    round_sent = 0;
    round_confirmed = 0;
    last_heard = now;
    heartbeat_at = now;
    last_progress = now;
    window.clear();
  }

  // From here on one message at a time, until a vote says where this peer is.
  void probe(LogIndex from) {
    probing = true;
    awaiting_vote = false;
    decided_due = kNever;
    next = from;
    window.clear();
  }

  void stream(Instant now) {
    probing = false;
    next = prepared.next();
    last_progress = now;
    window.clear();
  }

  NodeId id;

  // Of the coordinator, about a participant.
  bool probing = true;         // where it is, is not known
  bool awaiting_vote = false;  // probing: a message is on its way
  LogIndex prepared;           // its votes reach up to here
  LogIndex next;               // the first entry of the next message
  LogIndex decided_sent;
  LogIndex decided_awaited;      // its clients wait for it to hear of the commits up to here
  Instant decided_due = kNever;  // when to tell it of newer commits if nothing else does
  std::uint64_t round_sent = 0;  // read rounds
  std::uint64_t round_confirmed = 0;
  Instant last_heard;     // a vote of this epoch
  Instant heartbeat_at;   // the next message that wants a vote
  Instant last_progress;  // `prepared` rose, or the window stopped being empty
  Window window;

  // Of elections: it ranks higher and objected, and is given time until then to lead; kNever: it
  // did not object since there was a coordinator.
  Instant leads_by = kNever;
  // It did not lead in time: its rank does not count until then.
  Instant passed_over_until{};
};

}  // namespace parley::bully_2pc
