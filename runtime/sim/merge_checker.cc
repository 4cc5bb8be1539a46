#include <fmt/format.h>

#include <algorithm>

#include "runtime/sim/checker.h"

namespace parley::sim {
namespace {

// A write is known by its value, which says client and sequence number: sessions of merge
// strategies are each node's own.
class MergeChecker final : public Checker {
 public:
  MergeChecker(Engine& engine, History& history, const Guarantee& guarantee, std::uint32_t nodes)
      : Checker(engine, history, guarantee), seen_(nodes) {}

  void started(std::uint32_t node) override { seen_[node - 1].fill(Stamp{}); }
  void committed(std::uint32_t node, const CommittedRun&) override {
    engine_.fail(check::kContract,
                 fmt::format("node {} commits a run, but its strategy merges", node));
  }
  void applied(std::uint32_t node, const Applied& entry) override;
  void stepped(const NodeView&) override {}
  void acknowledged(std::uint32_t node, std::uint32_t client, std::uint32_t sequence,
                    const Result& result) override;
  void opened(std::uint32_t, std::uint32_t, std::uint32_t) override {}
  [[nodiscard]] std::string disagreement(std::span<const NodeView> nodes) const override;
  void finish(std::span<const NodeView> nodes) override;

 private:
  // A write as its origin made it.
  struct Made {
    Stamp stamp;
    Stamp known;  // the highest stamp of the cell that the origin had before
    std::uint64_t value = 0;
  };

  WriteOperation* find(std::uint64_t value);
  void count_superseded();

  std::vector<std::array<Stamp, kCells>> seen_;  // by node
  std::array<std::vector<Made>, kCells> made_;
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
    if (guarantee_.exactly_once) {
      engine_.fail(check::kExactlyOnce,
                   fmt::format("node {} carried out one write of cell {} a second time", node,
                               entry.key.value));
    }
  }
  if (first || second) made_[entry.key.value].push_back({entry.stamp, seen, entry.value});
  seen = entry.stamp;
}

void MergeChecker::acknowledged(std::uint32_t node, std::uint32_t client, std::uint32_t sequence,
                                const Result& result) {
  WriteOperation& operation = history_.clients[client].writes[sequence - 1];
  // A write that came second in its own turn is never in the store, nor journaled: it is
  // superseded.
  if (!operation.carried_out()) operation.stamp = result.stamp;
  if (result.stamp == Stamp{} ||
      (result.stamp != operation.stamp && result.stamp != operation.second_stamp &&
       guarantee_.exactly_once)) {
    return engine_.fail(check::kReplies,
                        fmt::format("node {} told client {} that {} is done with stamp {}.{}", node,
                                    client, sequence, result.stamp.major, result.stamp.minor));
  }
  operation.acknowledged = true;
  operation.told = std::max(operation.told, result.stamp);
  history_.tell(operation.command.key, result.stamp);
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
        engine_.fail(
            check::kLost,
            fmt::format("client {}, {}: acknowledged, but node {} has lost it from cell {}", client,
                        sequence, node.node, key.value));
        break;
      }
    }
  }
  count_superseded();
}

// Superseded: the next higher write of the cell was made by a node that had not yet applied it.
void MergeChecker::count_superseded() {
  for (std::vector<Made>& writes : made_) {
    std::sort(writes.begin(), writes.end(),
              [](const Made& a, const Made& b) { return a.stamp < b.stamp; });
    for (std::size_t i = 0; i + 1 < writes.size(); ++i) {
      const WriteOperation* operation = find(writes[i].value);
      if (operation->acknowledged && writes[i + 1].known < writes[i].stamp) ++anomalies_.superseded;
    }
  }
}

}  // namespace

std::unique_ptr<Checker> make_merge_checker(Engine& engine, History& history,
                                            const Guarantee& guarantee, std::uint32_t nodes) {
  return std::make_unique<MergeChecker>(engine, history, guarantee, nodes);
}

}  // namespace parley::sim
