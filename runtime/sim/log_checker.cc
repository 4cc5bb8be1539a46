#include "runtime/sim/log_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace parley::sim {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15;
  return hash ^ (hash >> 32);
}

// A record's header names its epoch and run; the run's body is compared when it is committed.
std::uint64_t chain_of(std::uint64_t before, Bytes header) {
  std::uint64_t hash = mix(before, header.size());
  while (!header.empty()) {
    const std::size_t size = std::min<std::size_t>(8, header.size());
    std::uint64_t word = 0;
    std::memcpy(&word, header.data(), size);
    hash = mix(hash, word);
    header = header.subspan(size);
  }
  return hash;
}

bool has(const std::vector<NodeId>& nodes, NodeId node) {
  return std::ranges::binary_search(nodes, node);
}

// With its present disk; with another one it is somebody else.
bool votes(const Membership& members, const Member& member) {
  return (has(members.voters, member.node) || has(members.outgoing, member.node)) &&
         members.disk_of(member.node) == member.disk;
}

struct Count {
  bool majority = true;  // of each set of voters, and there are some
  std::string text;      // "2 of 3 nodes and 1 of 2 nodes"
};

template <class Agrees>
Count count_of(const Membership& members, Agrees&& agrees) {
  Count count;
  count.majority = !members.voters.empty();
  for (const auto* set : {&members.voters, &members.outgoing}) {
    if (set->empty()) continue;
    const auto agreed = static_cast<std::size_t>(std::ranges::count_if(*set, agrees));
    if (agreed < set->size() / 2 + 1) count.majority = false;
    count.text +=
        fmt::format("{}{} of {} nodes", count.text.empty() ? "" : " and ", agreed, set->size());
  }
  return count;
}

// No index is cut off.
constexpr LogIndex kNeverCut{std::numeric_limits<std::uint64_t>::max()};

}  // namespace

void LogChecker::watch(std::vector<const Disk*> disks, std::vector<NodeId> members) {
  disks_ = std::move(disks);
  first_.voters = std::move(members);
  ids_.resize(disks_.size());
  logs_.resize(disks_.size());
  views_.resize(disks_.size());
}

// --- what the replicas hold ---

void LogChecker::started(NodeId node, DiskId id) {
  log(node) = {};
  ids_[node.value - 1] = id;
  log(node).promise = inspection_.promise(disk(node).state());
  views_[node.value - 1] = {};
  const LogIndex base = disk(node).snapshot().id.index;
  if (base != LogIndex{}) use_snapshot(node, base);
  for (const Record& record : disk(node).log()) append(node, record);
}

void LogChecker::wrote(NodeId node, std::span<const Write> writes) {
  Log& log = this->log(node);
  log.before = log.last();
  log.written_at = engine_.now;
  LogIndex cut = kNeverCut;
  for (const Write& write : writes) {
    switch (write.kind) {
      case Write::Kind::state:
        promise(node, inspection_.promise(write.header));
        break;
      case Write::Kind::append:
        append(node, {write.index, write.header, write.body});
        break;
      case Write::Kind::truncate:
        // Whoever has not heard of the epoch in which it was committed may still follow an earlier
        // leader, who lacks it.
        if (is_committed(log, write.index) &&
            log.promise.epoch >= committed_[write.index.value - 1].in)
          cut = std::min(cut, write.index);
        if (write.index <= log.last()) {
          log.items.resize(write.index > log.base ? write.index.value - log.base.value - 1 : 0);
        }
        break;
      case Write::Kind::snapshot:
        use_snapshot(node, write.index);
        break;
    }
  }
  // Unless it came again in the same turn, or a snapshot that holds it.
  if (cut != kNeverCut) check_same(node, cut);
}

// An epoch is never taken back, nor a vote within one, nor a decision.
void LogChecker::promise(NodeId node, const Promise& promise) {
  const Promise before = std::exchange(log(node).promise, promise);
  const bool kept =
      promise.epoch > before.epoch ||
      (promise.epoch == before.epoch && (before.vote == kNoNode || promise.vote == before.vote));
  if (promise.decided < before.decided) {
    engine_.fail(check::kDurability,
                 fmt::format("node {} had written that {} is decided, and now {}", node.value,
                             before.decided.value, promise.decided.value));
  }
  if (kept) return;
  engine_.fail(check::kElectionSafety,
               fmt::format("node {} promised epoch {} and a vote for node {}, and now epoch {} and "
                           "a vote for node {}",
                           node.value, before.epoch.value, before.vote.value, promise.epoch.value,
                           promise.vote.value));
}

void LogChecker::append(NodeId node, const Record& record) {
  Log& log = this->log(node);
  if (record.index != log.last().next()) return;  // the disk complains
  const Item item{inspection_.record_epoch(record),
                  chain_of(log.at(log.last()).chain, record.header.bytes())};
  log.items.push_back(item);
  note_members(record, item.epoch);
  if (known_.size() < record.index.value) known_.resize(record.index.value);
  std::vector<Item>& known = known_[record.index.value - 1];
  const auto same = std::find_if(known.begin(), known.end(),
                                 [&item](const Item& other) { return other.epoch == item.epoch; });
  if (same == known.end()) {
    known.push_back(item);
  } else if (same->chain != item.chain) {
    engine_.fail(
        check::kLogMatching,
        fmt::format("node {} appends at index {} an entry of epoch {}; another log has, at "
                    "that index and of that epoch, another entry or others before it",
                    node.value, record.index.value, item.epoch.value));
  }
}

// A snapshot holds what is committed, whether the log here held it or not.
void LogChecker::use_snapshot(NodeId node, LogIndex index) {
  Log& log = this->log(node);
  if (index.value > committed_.size()) {
    return engine_.fail(check::kCommitSafety,
                        fmt::format("node {} puts a snapshot of index {} in use; only {} are "
                                    "committed",
                                    node.value, index.value, committed_.size()));
  }
  const auto held = static_cast<std::ptrdiff_t>(index.value - log.base.value);
  if (index > log.last()) {
    log.items.clear();
  } else {
    log.items.erase(log.items.begin(), log.items.begin() + held);
  }
  log.base = index;
  log.base_item = committed_[index.value - 1].item;
}

// --- commits ---

void LogChecker::committed(NodeId node, Epoch epoch, std::span<const CommittedRun> runs) {
  LogIndex newest;
  for (const CommittedRun& run : runs) {
    const LogIndex index = run.index;
    if (!log(node).has(index)) {
      // By a snapshot that takes the place of the log in the same turn.
      if (index < log(node).base) continue;
      return engine_.fail(check::kCommitSafety,
                          fmt::format("node {} commits index {}, which is not in its log",
                                      node.value, index.value));
    }
    if (index.value == committed_.size() + 1) {
      committed_.push_back({log(node).at(index), epoch});
      newest = index;
    }
  }
  if (!runs.empty()) check_same(node, runs.back().index);
  if (newest != LogIndex{}) check_commit(node, newest);
}

// Whether the log has there what was committed there; then all before is the same too.
bool LogChecker::is_committed(const Log& log, LogIndex index) const {
  return index.value <= committed_.size() && log.has(index) &&
         log.at(index).chain == committed_[index.value - 1].item.chain;
}

void LogChecker::check_same(NodeId node, LogIndex index) {
  if (index <= log(node).base || is_committed(log(node), index)) return;
  engine_.fail(check::kCommitSafety,
               fmt::format("index {} is committed, but node {} no longer has it, or has another "
                           "entry there or before it",
                           index.value, node.value));
}

void LogChecker::check_commit(NodeId node, LogIndex index) {
  const Item& item = committed_[index.value - 1].item;
  const auto holders = [&](const Membership& members) {
    return count_of(members, [&](NodeId other) {
      return votes(members, member(other)) && durable_last(disk(other)) >= index &&
             durable_epoch(disk(other), index) == item.epoch;
    });
  };
  // A turn may commit first, and then append a change of members.
  const Count held_before = holders(members_before(node));
  const Count held = holders(members_by_log(node));
  if (!held.majority && !held_before.majority) {
    return engine_.fail(check::kCommitSafety,
                        fmt::format("node {} commits index {}, which is on the disks of {}",
                                    node.value, index.value, held.text));
  }
  // Votes go to logs that are not behind the voter's (dissertation §3.6.1).
  for (std::size_t i = 0; i < logs_.size(); ++i) {
    const Log& candidate = logs_[i];
    if (candidate.base >= index) continue;
    if (is_committed(candidate, index)) continue;
    const NodeId self{static_cast<std::uint32_t>(i + 1)};
    const Membership& voters = members_by_log(self);
    if (!votes(voters, member(self))) continue;
    const Position position{candidate.at(candidate.last()).epoch, candidate.last()};
    const Count count = count_of(voters, [&](NodeId voter) {
      return voter == self ||
             (votes(voters, member(voter)) && durable_position(disk(voter)) <= position);
    });
    if (!count.majority) continue;
    return engine_.fail(
        check::kCommitSafety,
        fmt::format("node {} commits index {}, but node {}, which does not have it, could be "
                    "elected by {}",
                    node.value, index.value, i + 1, count.text));
  }
}

// --- leaders ---

void LogChecker::follows(NodeId node, Epoch epoch, NodeId leader) {
  View& view = views_[node.value - 1];
  const bool new_leader = leader == node && (view.epoch != epoch || view.leader != leader);
  const bool follows = leader != kNoNode && leader != node;
  view = {epoch, leader, follows || (view.epoch == epoch && view.followed), {}, {}};
  if (!new_leader) return;
  check_votes(node, epoch);
  check_complete(node, epoch);
  check_leases(node, epoch);
}

void LogChecker::check_votes(NodeId leader, Epoch epoch) {
  const Membership& members = members_by_log(leader);
  const Count count = count_of(members, [&](NodeId voter) {
    if (!votes(members, member(voter))) return false;
    const Promise promise = inspection_.promise(disk(voter).state());
    return promise.epoch > epoch || (promise.epoch == epoch && promise.vote == leader);
  });
  if (count.majority) return;
  engine_.fail(check::kElectionSafety,
               fmt::format("node {} leads epoch {}, but only {} have that vote on disk",
                           leader.value, epoch.value, count.text));
}

void LogChecker::check_complete(NodeId leader, Epoch epoch) {
  std::size_t count = committed_.size();
  while (count > 0 && committed_[count - 1].in >= epoch) --count;
  const LogIndex index{count};
  if (index <= log(leader).base || is_committed(log(leader), index)) return;
  engine_.fail(check::kLeaderCompleteness,
               fmt::format("node {} leads epoch {} without index {}, or one before it, which was "
                           "committed in epoch {}",
                           leader.value, epoch.value, index.value, committed_[count - 1].in.value));
}

// Dissertation §6.4.1. Who has crashed is still relied on: the others cannot know that it has. Who
// comes to lead an earlier epoch, by votes that were long on their way, can commit nothing.
void LogChecker::check_leases(NodeId leader, Epoch epoch) {
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const View& other = views_[i];
    if (other.epoch >= epoch || other.lease_until <= engine_.now) continue;
    engine_.fail(
        check::kLeases,
        fmt::format(
            "node {} leads epoch {} while the lease of node {}, which leads epoch {}, lasts",
            leader.value, epoch.value, i + 1, other.epoch.value));
  }
}

// What was confirmed in a leader's epoch stays as long as that epoch does.
void LogChecker::counts(NodeId leader, Epoch epoch, const Replica& replica, Instant lease_until) {
  views_[leader.value - 1].lease_until = lease_until;
  std::vector<LogIndex>& counted = views_[leader.value - 1].counted;
  counted.resize(disks_.size());
  for (NodeId peer{1}; peer.value <= disks_.size(); ++peer.value) {
    const LogIndex index = replica.held_by(peer);
    if (std::exchange(counted[peer.value - 1], index) == index) continue;
    const bool moved_on = inspection_.promise(disk(peer).state()).epoch > epoch;
    const bool gone = members_by_log(leader).disk_of(peer) != member(peer).disk;
    if (moved_on || gone || agree(peer, leader, index)) continue;
    engine_.fail(
        check::kCommitSafety,
        fmt::format("node {}, the leader, takes node {} to hold its log up to {}, which it "
                    "does not",
                    leader.value, peer.value, index.value));
  }
}

// --- frames ---

void LogChecker::leaves(NodeId from, NodeId to, const Block& header) {
  const auto vouched = inspection_.vouched(header, from, to);
  if (!vouched) return;
  const auto complain = [&](const std::string& what) {
    engine_.fail(check::kDurability,
                 fmt::format("node {} tells node {} of its disk what is not so: {}", from.value,
                             to.value, what));
  };
  const Promise promise = inspection_.promise(disk(from).state());
  if (promise.decided < vouched->promise.decided) {
    return complain(fmt::format("a decision of {}; it is of {}", vouched->promise.decided.value,
                                promise.decided.value));
  }
  if (promise.epoch > vouched->promise.epoch) return;
  if (promise.epoch < vouched->promise.epoch) {
    return complain(
        fmt::format("epoch {}; it is {}", vouched->promise.epoch.value, promise.epoch.value));
  }
  if (vouched->promise.vote != kNoNode && promise.vote != vouched->promise.vote) {
    return complain(fmt::format("a vote for node {} in epoch {}; it is for {}",
                                vouched->promise.vote.value, promise.epoch.value,
                                promise.vote.value));
  }
  // A candidate that has found a leader of its epoch since may have lost what it boasted of.
  const View& view = views_[from.value - 1];
  const bool moved_on = view.epoch > promise.epoch || view.followed;
  if (vouched->last_epoch != Epoch{} && moved_on) return;
  if (durable_last(disk(from)) < vouched->last) {
    return complain(fmt::format("index {}; it ends at {}", vouched->last.value,
                                durable_last(disk(from)).value));
  }
  if (vouched->last_epoch != Epoch{} &&
      durable_epoch(disk(from), vouched->last) != vouched->last_epoch) {
    return complain(fmt::format("that index {} is of epoch {}", vouched->last.value,
                                vouched->last_epoch.value));
  }
  if (vouched->agrees_with_receiver) check_agreement(from, to, *vouched);
}

void LogChecker::check_agreement(NodeId from, NodeId to, const Vouched& vouched) {
  const View& leader = views_[to.value - 1];
  if (leader.epoch != vouched.promise.epoch || leader.leader != to) return;
  const LogIndex index = vouched.last;
  if (agree(from, to, index)) return;
  engine_.fail(check::kDurability,
               fmt::format("node {} tells node {}, the leader, that their logs agree up to {}, "
                           "which they do not",
                           from.value, to.value, index.value));
}

// Whether the node's disk holds the leader's log up to there.
bool LogChecker::agree(NodeId node, NodeId leader, LogIndex index) const {
  const Log& of_leader = log(leader);
  if (index <= of_leader.base || index <= disk(node).snapshot().id.index) return true;
  return of_leader.has(index) && index <= durable_last(disk(node)) &&
         durable_epoch(disk(node), index) == of_leader.at(index).epoch;
}

// --- members ---

void LogChecker::note_members(const Record& record, Epoch epoch) {
  if (inspection_.members == nullptr) return;
  auto members = inspection_.members(record);
  if (!members) return;
  const auto same = [&](const Change& change) {
    return change.index == record.index && change.epoch == epoch;
  };
  if (std::ranges::any_of(changes_, same)) return;
  const auto later = std::ranges::upper_bound(changes_, record.index, {}, &Change::index);
  changes_.insert(later, {record.index, epoch, std::move(*members)});
}

void LogChecker::uses(NodeId node, const Membership& members) {
  const Membership& by_log = members_by_log(node);
  if (members == by_log) return;
  engine_.fail(check::kMembers,
               fmt::format("node {} goes by the members {}; those of its log are {}", node.value,
                           text_of(members), text_of(by_log)));
}

// The newest change that the log, which ends at `last`, has; what is before a snapshot's end, at
// `base`, is what was committed. A node that joins knows the first members by a snapshot only.
template <class EpochAt>
const Membership& LogChecker::newest_members(NodeId node, LogIndex base, LogIndex last,
                                             EpochAt&& epoch_at) const {
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    if (change->index <= last && epoch_at(change->index) == change->epoch) return change->members;
  }
  return ids_[node.value - 1] != DiskId{} && base == LogIndex{} ? nobody_ : first_;
}

const Membership& LogChecker::members_by_log(NodeId node) const {
  const Log& log = this->log(node);
  return newest_members(node, log.base, log.last(), [&](LogIndex index) {
    return index < log.base ? committed_[index.value - 1].item.epoch : log.at(index).epoch;
  });
}

const Membership& LogChecker::members_before(NodeId node) const {
  const Log& log = this->log(node);
  if (log.written_at != engine_.now) return members_by_log(node);
  return newest_members(node, log.base, std::min(log.before, log.last()), [&](LogIndex index) {
    return index < log.base ? committed_[index.value - 1].item.epoch : log.at(index).epoch;
  });
}

// --- disks ---

LogIndex LogChecker::durable_last(const Disk& disk) const {
  return disk.log().empty() ? disk.snapshot().id.index : disk.log().back().index;
}

// Of an index that is on the disk, as a record or in the snapshot.
Epoch LogChecker::durable_epoch(const Disk& disk, LogIndex index) const {
  if (index <= disk.snapshot().id.index) {
    return index == LogIndex{} ? Epoch{} : committed_[index.value - 1].item.epoch;
  }
  return inspection_.record_epoch(disk.log()[index.value - disk.log().front().index.value]);
}

LogChecker::Position LogChecker::durable_position(const Disk& disk) const {
  const LogIndex last = durable_last(disk);
  return {durable_epoch(disk, last), last};
}

}  // namespace parley::sim
