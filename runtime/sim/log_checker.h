// Looks into the logs of all replicas, as they are in memory and on disk, after every step.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/contract/effects.h"
#include "algorithms/contract/inspection.h"
#include "algorithms/contract/turn.h"
#include "runtime/sim/disk.h"
#include "runtime/sim/engine.h"

namespace parley::sim {

// The invariants of Ongaro's dissertation, Figure 3.2, for strategies with an Inspection:
//   log matching: two logs with an entry of the same index and epoch are the same up to it;
//   leader completeness: a leader's log holds all that was committed in earlier epochs;
//   commit safety: what is committed is on the disks of a majority, is never cut off, and nobody
//   without it could be elected any more;
//   leases: nobody begins to lead a later epoch while a leader may answer reads alone (§6.4.1);
// where members change, a majority is one of the members by the log of the leader or candidate, of
// joint members one of each set (chapter 4);
//   members: a node goes by the newest members in its log, committed or not (§4.1); with another
//   disk it is another member;
// and besides: what a frame vouches for is on its sender's disk when it leaves, and a leader has
// the durable votes of a majority.
class LogChecker {
 public:
  LogChecker(Engine& engine, const Inspection& inspection)
      : engine_(engine), inspection_(inspection) {}

  // All nodes, by their numbers, of whom the first so many are the first members; their disks
  // outlive the checker. Before anything else.
  void watch(std::vector<const Disk*> disks, std::vector<NodeId> members);

  // The node starts from what is on its disk. `id`: which of its disks that is; if it is not the
  // first member's, the node is a member by its log only.
  void started(NodeId node, DiskId id);
  // A turn's writes were issued.
  void wrote(NodeId node, std::span<const Write> writes);
  // A turn committed these runs, while the node was in `epoch`; after its writes.
  void committed(NodeId node, Epoch epoch, std::span<const CommittedRun> runs);
  // The node follows `leader` (kNoNode: none; itself: it leads) in `epoch`; told at each change.
  void follows(NodeId node, Epoch epoch, NodeId leader);
  // A turn of the node, which leads `epoch`, has ended. `lease_until`: when its lease ends, by the
  // simulation's time; zero: it has none.
  void counts(NodeId leader, Epoch epoch, const Replica& replica, Instant lease_until);
  // A turn has ended with these members in force at the node.
  void uses(NodeId node, const Membership& members);
  // A frame leaves.
  void leaves(NodeId from, NodeId to, const Block& header);

 private:
  // An entry, and by its hash all that is before it.
  struct Item {
    Epoch epoch;
    std::uint64_t chain = 0;
  };
  struct Log {  // as the replica sees it: all that was issued
    Promise promise;
    LogIndex base;
    Item base_item;
    std::vector<Item> items;
    LogIndex before;     // where it ended when the latest turn that wrote began
    Instant written_at;  // the time of that turn
    [[nodiscard]] LogIndex last() const { return base.plus(items.size()); }
    [[nodiscard]] const Item& at(LogIndex index) const {
      return index == base ? base_item : items[index.value - base.value - 1];
    }
    [[nodiscard]] bool has(LogIndex index) const { return index >= base && index <= last(); }
  };
  struct Committed {
    Item item;
    Epoch in;  // of the node that was the first to commit it
  };
  struct Position {  // by which elections compare logs
    Epoch epoch;
    LogIndex last;
    auto operator<=>(const Position&) const = default;
  };
  struct View {  // of who leads
    Epoch epoch;
    NodeId leader;
    bool followed = false;          // another node, at some time in that epoch
    std::vector<LogIndex> counted;  // while it leads: what each node holds, as it knows
    Instant lease_until{};          // while it leads
  };

  void promise(NodeId node, const Promise& promise);
  void append(NodeId node, const Record& record);
  void use_snapshot(NodeId node, LogIndex index);
  void note_first(NodeId node, LogIndex index, Epoch epoch);
  [[nodiscard]] bool is_committed(const Log& log, LogIndex index) const;
  void check_same(NodeId node, LogIndex index);
  void check_commit(NodeId node, LogIndex index);
  void check_votes(NodeId leader, Epoch epoch);
  void check_complete(NodeId leader, Epoch epoch);
  void check_leases(NodeId leader, Epoch epoch);
  [[nodiscard]] bool agree(NodeId node, NodeId leader, LogIndex index) const;
  void check_agreement(NodeId from, NodeId to, const Vouched& vouched);
  [[nodiscard]] const Disk& disk(NodeId node) const { return *disks_[node.value - 1]; }
  [[nodiscard]] Log& log(NodeId node) { return logs_[node.value - 1]; }
  [[nodiscard]] const Log& log(NodeId node) const { return logs_[node.value - 1]; }
  [[nodiscard]] Member member(NodeId node) const { return {node, ids_[node.value - 1]}; }
  [[nodiscard]] LogIndex durable_last(const Disk& disk) const;
  [[nodiscard]] Epoch durable_epoch(const Disk& disk, LogIndex index) const;
  [[nodiscard]] Position durable_position(const Disk& disk) const;
  void note_members(const Record& record, Epoch epoch);
  [[nodiscard]] const Membership& members_by_log(NodeId node) const;
  // The same as its turn began, of a node whose turn it is.
  [[nodiscard]] const Membership& members_before(NodeId node) const;
  template <class EpochAt>
  [[nodiscard]] const Membership& newest_members(NodeId node, LogIndex base, LogIndex last,
                                                 EpochAt&& epoch_at) const;

  Engine& engine_;
  const Inspection& inspection_;
  std::vector<const Disk*> disks_;
  std::vector<Log> logs_;
  std::vector<View> views_;
  struct Change {  // of members, wherever a log has had it
    LogIndex index;
    Epoch epoch;
    Membership members;
  };
  Membership first_;                      // members
  Membership nobody_;                     // for those who join
  std::vector<DiskId> ids_;               // by node, of its present disk
  std::vector<Change> changes_;           // by index, rising
  std::vector<Committed> committed_;      // index n at n - 1
  std::vector<std::vector<Item>> known_;  // by index: one item an epoch, wherever it was appended
};

}  // namespace parley::sim
