// What the replicas hold at the end.
#include <fmt/format.h>

#include <algorithm>

#include "harness/check/checks.h"

namespace parley::history {
namespace {

bool same_content(const Record& a, const Record& b) {
  return a.version == b.version && a.has_writer == b.has_writer && a.writer == b.writer &&
         (a.color == b.color || !a.has_writer);
}

// The cells' final reads one after the other; vectors are kept for their capacity.
class FinalCheck {
 public:
  FinalCheck(CheckContext& context, const JournalCheck* journals)
      : context_(context), table_(context.table), journals_(journals) {}

  void check(RecordIndex begin, RecordIndex end) {
    collect(begin, end);
    if (!writes_.empty() && finals_.size() < context_.live_nodes.size()) ++incomplete_cells_;
    if (finals_.empty()) return;
    const bool lost = count_lost();
    count_divergent(!lost);
    count_older_wins();
  }

  std::uint64_t lost() const { return lost_; }
  std::uint64_t divergent() const { return divergent_; }
  std::uint64_t older_wins() const { return older_wins_; }
  std::uint64_t incomplete_cells() const { return incomplete_cells_; }

 private:
  // Acknowledged writes, and of each live node the last valid final read.
  void collect(RecordIndex begin, RecordIndex end) {
    writes_.clear();
    finals_.clear();
    for (RecordIndex i = begin; i < end; ++i) {
      const Record& record = table_[i];
      if (record.is_ok_write()) writes_.push_back(i);
      if (!record.is_final() || !record.is_ok_read() || !live(record.node)) continue;
      const auto same = std::find_if(finals_.begin(), finals_.end(), [&](RecordIndex other) {
        return table_[other].node == record.node;
      });
      if (same == finals_.end()) {
        finals_.push_back(i);
      } else {
        *same = i;
      }
    }
  }

  bool live(std::uint32_t node) const {
    return std::binary_search(context_.live_nodes.begin(), context_.live_nodes.end(), node);
  }

  bool count_lost() {
    bool any = false;
    for (const RecordIndex write : writes_) {
      const auto holds = [&](RecordIndex final) {
        const Record& f = table_[final];
        const Record& w = table_[write];
        return f.version > w.version || (f.version == w.version && f.writer == w.id);
      };
      const auto without = std::find_if_not(finals_.begin(), finals_.end(), holds);
      if (without == finals_.end()) continue;
      any = true;
      ++lost_;
      const bool excused = went_with_its_node(write);
      context_.findings.add(excused ? Anomaly::lost_with_its_node : Anomaly::lost_write, [&] {
        return table_.describe(write) + " was acknowledged, yet the end is " +
               table_.describe(*without);
      });
    }
    return any;
  }

  // Whether a strategy that merges may have lost the write: the node that acknowledged it departed
  // afterwards with as many as were to hold it, and no live node ever had it.
  bool went_with_its_node(RecordIndex write) const {
    const CheckOptions& options = context_.options;
    if (options.model == Model::linearizable || journals_ == nullptr) return false;
    const auto after = [&](const Departure& departure) {
      return table_[write].invoke_ns <= departure.at_ns;
    };
    std::vector<std::uint32_t> gone;
    for (const Departure& departure : options.departures) {
      if (after(departure)) gone.push_back(departure.node);
    }
    std::sort(gone.begin(), gone.end());
    gone.erase(std::unique(gone.begin(), gone.end()), gone.end());
    return std::binary_search(gone.begin(), gone.end(), table_[write].node) &&
           gone.size() >= options.copies.value_or(1) && !journals_->reached_a_live_node(write);
  }

  // `report`: a replica without an acknowledged write is reported as lost_write already.
  void count_divergent(bool report) {
    const auto other = std::find_if(finals_.begin(), finals_.end(), [&](RecordIndex final) {
      return !same_content(table_[final], table_[finals_.front()]);
    });
    if (other == finals_.end()) return;
    ++divergent_;
    if (!report) return;
    context_.findings.add(Anomaly::final_reads_differ, [&] {
      return table_.describe(finals_.front()) + " against " + table_.describe(*other);
    });
  }

  void count_older_wins() {
    const RecordIndex highest = *std::max_element(
        finals_.begin(), finals_.end(),
        [&](RecordIndex a, RecordIndex b) { return table_[a].version < table_[b].version; });
    if (!table_[highest].has_writer) return;
    const RecordIndex winner = table_.find(table_[highest].writer);
    const bool older = std::any_of(writes_.begin(), writes_.end(), [&](RecordIndex write) {
      return context_.surely_before(table_[winner].return_ns, table_[write].invoke_ns);
    });
    if (older) ++older_wins_;
  }

  CheckContext& context_;
  const RecordTable& table_;
  const JournalCheck* journals_;
  std::vector<RecordIndex> writes_;
  std::vector<RecordIndex> finals_;
  std::uint64_t lost_ = 0;
  std::uint64_t divergent_ = 0;
  std::uint64_t older_wins_ = 0;
  std::uint64_t incomplete_cells_ = 0;
};

}  // namespace

bool check_final_reads(CheckContext& context, const JournalCheck* journals) {
  FinalCheck check(context, journals);
  for (std::size_t cell = 0; cell < context.table.cells(); ++cell) {
    check.check(context.table.cell_begin(cell), context.table.cell_begin(cell + 1));
  }
  context.consistency.lost = check.lost();
  context.consistency.divergent_cells_final = check.divergent();
  context.consistency.older_wins = check.older_wins();
  if (const auto gone = context.findings.of(Anomaly::lost_with_its_node).count; gone > 0) {
    context.notes.push_back(fmt::format(
        "{} of the {} lost writes were on no node but those that are gone: not promised", gone,
        check.lost()));
  }
  if (check.incomplete_cells() == 0) return true;
  context.notes.push_back(
      fmt::format("{} cells with acknowledged writes lack a final read by some live node",
                  check.incomplete_cells()));
  return false;
}

}  // namespace parley::history
