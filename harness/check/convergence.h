// How far replicas were apart while a run went on, and how long they took to agree again: from the
// times in their journals.
//
// A cell is divergent at a moment while two live replicas hold different stamps for it. That is for
// strategies that merge. Under one order replicas are compared at equal indices, where they do not
// differ; there a replica only lags, and has caught up when it has applied the highest index that
// any live one has.
//
// The journals of one machine's processes have one clock, so that there is no error to allow for.
// Of a node that is started again without its cells in the journal it is assumed that it still
// holds what it had applied.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <vector>

#include "harness/check/journal.h"
#include "harness/check/records.h"

namespace parley::history {

// A node is not alive from `from_ns` until `until_ns`.
struct Absence {
  std::uint32_t node = 0;
  std::int64_t from_ns = 0;
  std::int64_t until_ns = kNever;
};

struct ConvergenceOptions {
  bool ordered = false;      // whether the stamps are places in one order
  std::int64_t zero_ns = 0;  // when the first row begins; what was before is not counted
  std::int64_t row_ns = 100'000'000;
  std::size_t rows = 0;
  std::vector<Absence> absences;
  std::vector<std::int64_t> healed_ns;  // moments from which on replicas can agree again
};

struct Convergence {
  // The most divergent cells at one moment of each row, and from zero to the end. Empty and nothing
  // under an order.
  std::vector<std::uint64_t> divergent_cells;
  std::optional<std::uint64_t> divergent_cells_max;
  // From the last write (when the first replica applied what is now the highest stamp of its cell)
  // until all live replicas held the same. Nothing if they never did.
  std::optional<double> converged_ms;
  // Of each of `healed_ns`: until every live replica held, of every cell, what any of them held at
  // that moment, or something newer. Writes that came later do not count. Nothing: never.
  std::vector<std::optional<double>> after_healing_ms;
};

// Follows the replicas. Holds 16 bytes for each node and cell that was written, and some more for
// each cell.
class ConvergenceMeter {
 public:
  // `nodes` are those with journals.
  ConvergenceMeter(ConvergenceOptions options, std::vector<std::uint32_t> nodes);

  // The replica nodes[at] applied this. To be called in the order of time.
  void apply(std::size_t at, const JournalEntry& entry);
  Convergence finish();

 private:
  using Cell = std::uint32_t;  // by first appearance
  struct Change {              // of who is alive, or a healing
    std::int64_t at_ns = 0;
    std::size_t node = 0;  // of nodes_
    enum class Kind : std::uint8_t { leaves, returns, heals } kind = Kind::leaves;
    std::size_t healing = 0;
  };
  struct Healing {
    std::int64_t at_ns = 0;
    bool begun = false;
    std::unordered_map<Cell, Stamp> waiting;  // cell and what all have to reach
    std::optional<double> took_ms;
  };

  void plan();
  void move_to(std::int64_t now_ns);
  void take(const Change& change);
  void begin(Healing& healing);
  void check(Healing& healing, Cell cell, std::int64_t now_ns);
  void recount();
  void settle(Cell cell, std::int64_t now_ns);
  void count_row(std::int64_t now_ns);
  Cell cell_of(const JournalEntry& entry);
  void restore(std::size_t at, const JournalEntry& entry);
  [[nodiscard]] Stamp held(Cell cell, std::size_t at) const {
    return stamps_[cell * nodes_.size() + at];
  }
  [[nodiscard]] Stamp highest(Cell cell, bool of_live) const;
  [[nodiscard]] bool differs(Cell cell) const;

  ConvergenceOptions options_;
  std::vector<std::uint32_t> nodes_;
  std::vector<std::uint32_t> away_;  // by node: absences under way
  std::vector<Change> changes_;      // in the order of time
  std::size_t next_change_ = 0;
  std::vector<Healing> healings_;
  std::unordered_map<std::uint64_t, Cell> cells_;
  std::vector<Stamp> stamps_;  // by cell and node; zero: nothing
  std::vector<bool> apart_;    // by cell
  std::uint64_t apart_count_ = 0;
  std::int64_t now_ns_ = 0;
  std::int64_t last_write_ns_ = 0;
  std::int64_t agreed_ns_ = 0;  // when the last divergent cell was none any more
  std::vector<std::uint64_t> rows_;
  std::size_t row_ = 0;  // that is being counted
  std::uint64_t most_ = 0;
};

// Reads the journals nodes/<id>.applied.csv of a run's folder side by side. Nothing if there are
// none, or some without times. Throws as read_journal.
std::optional<Convergence> measure_convergence(const std::filesystem::path& folder,
                                               const ConvergenceOptions& options);

}  // namespace parley::history
