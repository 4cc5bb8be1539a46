// Watches an execution and says what must not be.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/store.h"
#include "runtime/applier.h"
#include "runtime/sim/engine.h"
#include "runtime/sim/history.h"

namespace parley::sim {

// What a guarantee allows, counted. With a stronger guarantee the same is a violation.
struct Anomalies {
  std::uint64_t stale_reads = 0;  // a higher stamp of the cell had been acknowledged before
  std::uint64_t duplicates = 0;   // a client's write that was carried out under two stamps
  std::uint64_t superseded = 0;   // acknowledged, then overwritten by a write that did not know it
  std::uint64_t lost = 0;         // acknowledged, and at the end not there nor anything later
  std::uint64_t older_wins = 0;   // cells whose last write had returned before an acknowledged one
                                  // of the cell was asked for
  std::uint64_t divergent = 0;    // cells that live nodes held differently when everything healed
};

inline Anomalies& operator+=(Anomalies& sum, const Anomalies& more) {
  sum.stale_reads += more.stale_reads;
  sum.duplicates += more.duplicates;
  sum.superseded += more.superseded;
  sum.lost += more.lost;
  sum.older_wins += more.older_wins;
  sum.divergent += more.divergent;
  return sum;
}

// A journal entry of a node.
struct Applied {
  Key key;
  Stamp stamp;
  Writer writer;
  std::uint64_t value = 0;
};

// A node as the checks see it after a turn.
struct NodeView {
  std::uint32_t node = 0;
  const Store* store = nullptr;  // null while the node is down
  LogIndex applied;
};

class Checker {
 public:
  Checker(Engine& engine, History& history, const Guarantee& guarantee)
      : engine_(engine), history_(history), guarantee_(guarantee) {}
  virtual ~Checker() = default;

  // The node starts with an empty store.
  virtual void started(std::uint32_t node) = 0;
  // A turn's commits and then its journal entries, in their order.
  virtual void committed(std::uint32_t node, const CommittedRun& run) = 0;
  virtual void applied(std::uint32_t node, const Applied& entry) = 0;
  // The node as the turn left it.
  virtual void stepped(const NodeView& node) = 0;
  // A client's write was answered with ok; comes after `committed` and `applied`.
  virtual void acknowledged(std::uint32_t node, std::uint32_t client, std::uint32_t sequence,
                            const Result& result) = 0;
  // A session was opened for a client.
  virtual void opened(std::uint32_t node, std::uint32_t client, std::uint32_t session) = 0;
  // Phase two is about to begin.
  virtual void heals(std::span<const NodeView> /*nodes*/) {}
  // Why the nodes do not agree, or an empty string.
  [[nodiscard]] virtual std::string disagreement(std::span<const NodeView> nodes) const = 0;
  // Everything is whole from `when` on.
  virtual void healed(Instant /*when*/) {}
  // Since then: the longest that any write took from the moment when a node first held it, or the
  // healing if that came later, until all nodes held it or a later one. Nothing: a write has not
  // got that far, or the checker does not follow them.
  [[nodiscard]] virtual std::optional<Duration> slowest_spread() const { return std::nullopt; }
  // The last word, when the nodes agree.
  virtual void finish(std::span<const NodeView> nodes) = 0;

  // A client's read was answered.
  virtual void answered(std::uint32_t node, std::uint32_t client, const ReadOperation& read,
                        const Cell& cell);

  [[nodiscard]] const Anomalies& anomalies() const { return anomalies_; }

 protected:
  Engine& engine_;
  History& history_;
  const Guarantee& guarantee_;
  Anomalies anomalies_;
};

// For strategies that commit runs in one order: compares every node with a model that carries out
// each index once, when the first node commits it.
std::unique_ptr<Checker> make_ordered_checker(Engine& engine, History& history,
                                              const Guarantee& guarantee);

// For strategies that merge cells: convergence, nothing lost, and counts of the rest.
std::unique_ptr<Checker> make_merge_checker(Engine& engine, History& history,
                                            const Guarantee& guarantee, const MergePromise& promise,
                                            std::uint32_t nodes);

}  // namespace parley::sim
