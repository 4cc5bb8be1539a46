#include <fmt/format.h>

#include <algorithm>

#include "runtime/sim/checker.h"

namespace parley::sim {
namespace {

// A write is known by its value, which says client and sequence number: sessions of merge
// strategies are each node's own.
class MergeChecker final : public Checker {
 public:
  MergeChecker(Engine& engine, History& history, const Guarantee& guarantee,
               const MergePromise& promise, std::uint32_t nodes)
      : Checker(engine, history, guarantee),
        promise_(promise),
        seen_(nodes),
        held_(nodes),
        told_(nodes),
        restored_(nodes) {}

  void started(std::uint32_t node) override;
  void committed(std::uint32_t node, const CommittedRun&) override {
    engine_.fail(check::kContract,
                 fmt::format("node {} commits a run, but its strategy merges", node));
  }
  void applied(std::uint32_t node, const Applied& entry) override;
  void stepped(const NodeView& node) override;
  void acknowledged(std::uint32_t node, std::uint32_t client, std::uint32_t sequence,
                    const Result& result) override;
  void opened(std::uint32_t, std::uint32_t, std::uint32_t) override {}
  void answered(std::uint32_t node, std::uint32_t client, const ReadOperation& read,
                const Cell& cell) override;
  void heals(std::span<const NodeView> nodes) override;
  [[nodiscard]] std::string disagreement(std::span<const NodeView> nodes) const override;
  void healed(Instant when) override { healed_ = when; }
  [[nodiscard]] std::optional<Duration> slowest_spread() const override;
  void finish(std::span<const NodeView> nodes) override;

 private:
  // A write as its origin made it.
  struct Made {
    Stamp stamp;
    Stamp known;  // the highest stamp of the cell that the origin had before
    std::uint64_t value = 0;
    bool acknowledged = false;  // under this stamp, not a retry's
  };

  // A write that not all nodes hold yet.
  struct Spreading {
    Stamp stamp;
    Instant since;  // a node held it
  };

  using Stamps = std::array<Stamp, kCells>;

  WriteOperation* find(std::uint64_t value);
  void check_copies(std::uint32_t node, std::uint32_t key, Stamp stamp);
  void count_superseded();
  void count_older_wins();
  void follow(std::uint32_t key, Stamp stamp);
  [[nodiscard]] bool acknowledged(std::uint32_t key, Stamp stamp);
  [[nodiscard]] std::ptrdiff_t holders(std::uint32_t key, Stamp stamp) const;

  MergePromise promise_;
  std::vector<Stamps> seen_;    // by node: in its store, in this life
  std::vector<Stamps> held_;    // by node: the highest that it ever had
  std::vector<Stamps> told_;    // by node: the highest that it told clients in this life
  std::vector<bool> restored_;  // by node: what its snapshot held has been looked at
  std::array<std::vector<Made>, kCells> made_;
  std::array<std::vector<Spreading>, kCells> spreading_;  // by stamp
  std::optional<Instant> healed_;
  Duration slowest_{};  // to have spread since then
};

WriteOperation* MergeChecker::find(std::uint64_t value) {
  const std::uint64_t client = value >> 32;
  const std::uint64_t sequence = value & 0xffffffff;
  if (client == 0 || client > history_.clients.size()) return nullptr;
  auto& writes = history_.clients[client - 1].writes;
  return sequence == 0 || sequence > writes.size() ? nullptr : &writes[sequence - 1];
}

void MergeChecker::applied(std::uint32_t node, const Applied& entry) {
  WriteOperation* operation = find(entry.value);
  if (operation == nullptr || operation->command.key != entry.key.value) {
    return engine_.fail(
        check::kExactlyOnce,
        fmt::format("node {} wrote into cell {} what no client sent", node, entry.key.value));
  }
  Stamp& seen = seen_[node - 1][entry.key.value];
  const bool first = !operation->carried_out();
  const bool second =
      !first && operation->stamp != entry.stamp && operation->second_stamp != entry.stamp;
  if (first) operation->stamp = entry.stamp;
  if (second) {
    operation->second_stamp = entry.stamp;
    ++anomalies_.duplicates;
    // A weak guarantee allows that a retry is taken for a new write; without one there is no
    // excuse.
    if (guarantee_.exactly_once || operation->attempts < 2) {
      engine_.fail(check::kExactlyOnce,
                   fmt::format("node {} carried out one write of cell {} a second time", node,
                               entry.key.value));
    }
  }
  if (first || second) {
    made_[entry.key.value].push_back({entry.stamp, seen, entry.value, /*acknowledged=*/false});
  }
  seen = entry.stamp;
  follow(entry.key.value, entry.stamp);
  Stamp& held = held_[node - 1][entry.key.value];
  held = std::max(held, entry.stamp);
  // The most that clocks may be off, and as much again.
  constexpr Duration kSlack = std::chrono::seconds(10);
  const Duration latest =
      (kWallStart + engine_.now.time_since_epoch()).time_since_epoch() + promise_.max_clock_skew;
  if (promise_.max_clock_skew > Duration{} &&
      entry.stamp.major > static_cast<std::uint64_t>((latest + kSlack).count())) {
    engine_.fail(check::kFuture, fmt::format("node {} took a write of cell {} from the far future",
                                             node, entry.key.value));
  }
}

// In a session with one node a client's writes are there for it to read, and what it has read does
// not go away: the node never answers with less than it has told anyone (Terry et al., "Session
// Guarantees for Weakly Consistent Replicated Data", 1994).
void MergeChecker::answered(std::uint32_t node, std::uint32_t client, const ReadOperation& read,
                            const Cell& cell) {
  Checker::answered(node, client, read, cell);
  // What was seen before its author had it on disk, the author may have lost in a crash, and knows
  // nothing of it.
  if (cell.stamp < read.seen && acknowledged(read.key, read.seen)) {
    engine_.fail(
        check::kSessions,
        fmt::format("node {} answered client {}'s read of cell {} with an older write than "
                    "the client had seen elsewhere, and had said so",
                    node, client, read.key));
  }
  if (promise_.read_copies + promise_.copies > seen_.size() && cell.stamp < read.floor) {
    engine_.fail(
        check::kQuorumReads,
        fmt::format("node {} answered client {}'s read of cell {} with an older write than "
                    "one acknowledged by {} nodes, having asked {} of {}",
                    node, client, read.key, promise_.copies, promise_.read_copies, seen_.size()));
  }
  Stamp& told = told_[node - 1][read.key];
  if (cell.stamp < told) {
    engine_.fail(
        check::kSessions,
        fmt::format("node {} answered client {}'s read of cell {} with an older write than "
                    "it had told of",
                    node, client, read.key));
  }
  told = std::max(told, cell.stamp);
}

void MergeChecker::check_copies(std::uint32_t node, std::uint32_t key, Stamp stamp) {
  const auto copies = std::count_if(held_.begin(), held_.end(),
                                    [&](const Stamps& held) { return held[key] >= stamp; });
  if (copies >= static_cast<std::ptrdiff_t>(promise_.copies)) return;
  engine_.fail(check::kCopies,
               fmt::format("node {} acknowledged a write of cell {} that {} nodes hold, not {}",
                           node, key, copies, promise_.copies));
}

void MergeChecker::acknowledged(std::uint32_t node, std::uint32_t client, std::uint32_t sequence,
                                const Result& result) {
  WriteOperation& operation = history_.clients[client].writes[sequence - 1];
  const std::uint32_t key = operation.command.key;
  if (result.stamp != Stamp{} && !operation.carried_out()) {
    return engine_.fail(
        check::kCausality,
        fmt::format(
            "node {} told client {} that {} is done, which lost at once to a write that the "
            "node already had in cell {}",
            node, client, sequence, key));
  }
  if (result.stamp == Stamp{} ||
      (result.stamp != operation.stamp && result.stamp != operation.second_stamp &&
       guarantee_.exactly_once)) {
    return engine_.fail(check::kReplies,
                        fmt::format("node {} told client {} that {} is done with stamp {}.{}", node,
                                    client, sequence, result.stamp.major, result.stamp.minor));
  }
  if (!operation.acknowledged) operation.returned = engine_.now;
  operation.acknowledged = true;
  operation.told = std::max(operation.told, result.stamp);
  for (Made& made : made_[key]) {
    if (made.stamp == result.stamp) made.acknowledged = true;
  }
  history_.tell(key, result.stamp);
  Stamp& told = told_[node - 1][key];
  told = std::max(told, result.stamp);
  check_copies(node, key, result.stamp);
}

void MergeChecker::started(std::uint32_t node) {
  seen_[node - 1].fill(Stamp{});
  told_[node - 1].fill(Stamp{});
  restored_[node - 1] = false;
  // What only this node held begins to spread when it is there again, from a disk or off a link.
  for (std::uint32_t key = 0; key < kCells; ++key) {
    std::erase_if(spreading_[key],
                  [this, key](const Spreading& s) { return holders(key, s.stamp) == 0; });
  }
}

// What a node has from its snapshot is in no journal.
void MergeChecker::stepped(const NodeView& node) {
  if (restored_[node.node - 1]) return;
  restored_[node.node - 1] = true;
  for (std::uint32_t key = 0; key < kCells; ++key) {
    const Stamp stamp = node.store->at({key}).stamp;
    Stamp& seen = seen_[node.node - 1][key];
    if (stamp <= seen) continue;
    seen = stamp;
    follow(key, stamp);
  }
}

bool MergeChecker::acknowledged(std::uint32_t key, Stamp stamp) {
  return std::any_of(made_[key].begin(), made_[key].end(), [stamp](const Made& made) {
    return made.stamp == stamp && made.acknowledged;
  });
}

// How many nodes hold this write of the cell, or a later one.
std::ptrdiff_t MergeChecker::holders(std::uint32_t key, Stamp stamp) const {
  return std::count_if(seen_.begin(), seen_.end(),
                       [&](const Stamps& seen) { return seen[key] >= stamp; });
}

// A node now holds `stamp`: it is the first, or the last of those that hold something as late.
void MergeChecker::follow(std::uint32_t key, Stamp stamp) {
  std::vector<Spreading>& spreading = spreading_[key];
  if (holders(key, stamp) == 1) spreading.push_back({stamp, engine_.now});
  const auto all = static_cast<std::ptrdiff_t>(seen_.size());
  std::size_t spread = 0;
  while (spread < spreading.size() && holders(key, spreading[spread].stamp) == all) ++spread;
  for (std::size_t i = 0; i < spread && healed_; ++i) {
    slowest_ = std::max(slowest_, engine_.now - std::max(*healed_, spreading[i].since));
  }
  spreading.erase(spreading.begin(), spreading.begin() + static_cast<std::ptrdiff_t>(spread));
}

std::optional<Duration> MergeChecker::slowest_spread() const {
  return slowest_;
}

std::string MergeChecker::disagreement(std::span<const NodeView> nodes) const {
  for (const NodeView& node : nodes) {
    if (node.store == nullptr) return fmt::format("node {} is down", node.node);
    if (node.store->digest() != nodes.front().store->digest()) {
      return fmt::format("nodes {} and {} hold different cells", nodes.front().node, node.node);
    }
  }
  return {};
}

void MergeChecker::finish(std::span<const NodeView> nodes) {
  for (std::size_t client = 0; client < history_.clients.size(); ++client) {
    std::uint32_t sequence = 0;
    for (const WriteOperation& operation : history_.clients[client].writes) {
      ++sequence;
      if (!operation.acknowledged) continue;
      const Key key{operation.command.key};
      for (const NodeView& node : nodes) {
        if (node.store->at(key).stamp >= operation.told) continue;
        ++anomalies_.lost;
        if (!guarantee_.keeps_acknowledged) break;
        engine_.fail(
            check::kLost,
            fmt::format("client {}, {}: acknowledged, but node {} has lost it from cell {}", client,
                        sequence, node.node, key.value));
        break;
      }
    }
  }
  count_superseded();
  count_older_wins();
}

void MergeChecker::heals(std::span<const NodeView> nodes) {
  for (std::uint32_t key = 0; key < kCells; ++key) {
    const NodeView* first = nullptr;
    for (const NodeView& node : nodes) {
      if (node.store == nullptr) continue;
      if (first == nullptr) first = &node;
      if (node.store->at(Key{key}).stamp == first->store->at(Key{key}).stamp) continue;
      ++anomalies_.divergent;
      break;
    }
  }
}

// After `count_superseded`, which sorts the writes.
void MergeChecker::count_older_wins() {
  for (std::uint32_t key = 0; key < kCells; ++key) {
    if (made_[key].empty()) continue;
    const WriteOperation& last = *find(made_[key].back().value);
    if (!last.acknowledged) continue;
    const bool wins = std::ranges::any_of(made_[key], [&](const Made& made) {
      const WriteOperation& other = *find(made.value);
      return other.acknowledged && last.returned < other.asked;
    });
    if (wins) ++anomalies_.older_wins;
  }
}

// Superseded: the next higher write of the cell was made by a node that had not yet applied it.
void MergeChecker::count_superseded() {
  for (std::vector<Made>& writes : made_) {
    std::sort(writes.begin(), writes.end(),
              [](const Made& a, const Made& b) { return a.stamp < b.stamp; });
    for (std::size_t i = 0; i + 1 < writes.size(); ++i) {
      if (writes[i].acknowledged && writes[i + 1].known < writes[i].stamp) ++anomalies_.superseded;
    }
  }
}

}  // namespace

std::unique_ptr<Checker> make_merge_checker(Engine& engine, History& history,
                                            const Guarantee& guarantee, const MergePromise& promise,
                                            std::uint32_t nodes) {
  return std::make_unique<MergeChecker>(engine, history, guarantee, promise, nodes);
}

}  // namespace parley::sim
