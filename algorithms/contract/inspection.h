// How checks read what a strategy writes and sends, which is otherwise its own affair.
#pragma once

#include <optional>

#include "algorithms/contract/replica.h"

namespace parley {

// What a hard state promises.
struct Promise {
  Epoch epoch;
  NodeId vote;            // given in that epoch; kNoNode: none
  LogIndex decided = {};  // committed up to here, if the strategy keeps that
  constexpr bool operator==(const Promise&) const = default;
};

// What a frame says of its sender's disk. It must be true when the frame leaves, unless the sender
// has gone on to a later epoch.
struct Vouched {
  Promise promise;   // the hard state is of this epoch, has this vote if it names one, and decides
                     // at least as much
  LogIndex last;     // the log reaches to here, or a snapshot holds it
  Epoch last_epoch;  // of the record at `last`; zero: not said
  // Up to `last` the log is that of the receiver, who leads the epoch.
  bool agrees_with_receiver = false;
};

// Of a strategy that keeps a log with epochs, in which a majority holds what is committed and the
// log with the later last epoch, or else the longer one, wins elections.
struct Inspection {
  // The epoch of a record of its log.
  Epoch (*record_epoch)(const Record& record) = nullptr;
  // What a hard state in storage promises; that of an empty block is zero.
  Promise (*promise)(const Block& state) = nullptr;
  // What a frame to `to` vouches for; nothing if it does not speak of its sender's disk.
  std::optional<Vouched> (*vouched)(const Block& header, NodeId from, NodeId to) = nullptr;
  // The members that a record of its log brings into force, from there on; nothing if it is not
  // about that. Null: they never change.
  std::optional<Membership> (*members)(const Record& record) = nullptr;
  // The epoch of the record at a snapshot's end, of the header with which it was put in use
  // (Write::snapshot, RecoveredSnapshot).
  Epoch (*snapshot_epoch)(const Block& header) = nullptr;
};

}  // namespace parley
