// How stale reads were.
#include <algorithm>
#include <utility>

#include "harness/check/checks.h"

namespace parley::history {
namespace {

// Counts, for a growing set of positions, how many lie at or beyond a given one (Fenwick 1994).
class SuffixCounter {
 public:
  void reset(std::size_t size) { tree_.assign(size + 1, 0); }
  void insert(std::size_t position) {
    for (std::size_t i = tree_.size() - 1 - position; i < tree_.size(); i += i & (~i + 1)) {
      ++tree_[i];
    }
  }
  std::uint64_t from(std::size_t position) const {
    std::uint64_t count = 0;
    for (std::size_t i = tree_.size() - 1 - position; i > 0; i -= i & (~i + 1)) count += tree_[i];
    return count;
  }

 private:
  std::vector<std::uint32_t> tree_;  // from the end of the positions, 1-based
};

// The stale reads of one cell after the other; vectors are kept for their capacity.
class StaleCounter {
 public:
  explicit StaleCounter(CheckContext& context) : context_(context), table_(context.table) {}

  void count(RecordIndex begin, RecordIndex end) {
    collect(begin, end);
    if (reads_.empty()) return;
    context_.staleness.add_fresh(reads_.size());
    if (writes_.empty()) return;
    find_stale();
    if (!stale_.empty()) measure();
    follow_newest();
  }

  void finish() {
    Consistency& result = context_.consistency;
    if (result.stale_reads > 0) {
      result.stale_ms_mean = total_ms_ / static_cast<double>(result.stale_reads);
    }
  }

 private:
  void collect(RecordIndex begin, RecordIndex end) {
    writes_.clear();
    reads_.clear();
    for (RecordIndex i = begin; i < end; ++i) {
      if (table_[i].is_ok_write()) writes_.push_back(i);
      if (table_[i].is_ok_read() && !table_[i].is_final()) reads_.push_back(i);
    }
    std::sort(writes_.begin(), writes_.end(), [this](RecordIndex a, RecordIndex b) {
      return table_[a].version < table_[b].version;
    });
  }

  // The position of the first write with a higher stamp than was read.
  std::size_t above(RecordIndex read) const {
    const auto at = std::upper_bound(
        writes_.begin(), writes_.end(), table_[read].version,
        [this](Stamp stamp, RecordIndex write) { return stamp < table_[write].version; });
    return static_cast<std::size_t>(at - writes_.begin());
  }

  void find_stale() {
    earliest_.resize(writes_.size());
    std::int64_t earliest = kNever;
    for (std::size_t i = writes_.size(); i-- > 0;) {
      earliest = std::min(earliest, table_[writes_[i]].return_ns);
      earliest_[i] = earliest;
    }
    stale_.clear();
    for (const RecordIndex read : reads_) {
      const std::size_t position = above(read);
      if (position == writes_.size()) continue;
      const std::int64_t invoke_ns = table_[read].invoke_ns;
      if (!context_.surely_before(earliest_[position], invoke_ns)) continue;
      const double ms = static_cast<double>(invoke_ns - earliest_[position]) / 1e6;
      stale_.push_back({invoke_ns, position, ms});
      total_ms_ += ms;
      context_.consistency.stale_ms_max = std::max(context_.consistency.stale_ms_max, ms);
    }
    context_.consistency.stale_reads += stale_.size();
  }

  // How many stamps each stale read, in the order of invocation, was behind.
  void measure() {
    sort_returns();
    acknowledged_.reset(writes_.size());
    std::size_t next = 0;
    std::uint64_t& most = context_.consistency.stale_versions_max;
    for (const Stale& stale : stale_) {
      while (next < returns_.size() &&
             context_.surely_before(returns_[next].first, stale.invoke_ns)) {
        acknowledged_.insert(returns_[next++].second);
      }
      const std::uint64_t versions = acknowledged_.from(stale.position);
      most = std::max(most, versions);
      context_.staleness.turn_stale(stale.ms, versions);
    }
  }

  void sort_returns() {
    returns_.clear();
    for (std::size_t i = 0; i < writes_.size(); ++i) {
      returns_.push_back({table_[writes_[i]].return_ns, i});
    }
    std::sort(returns_.begin(), returns_.end());
  }

  // Each local read against the write of the highest stamp that had been acknowledged before it.
  void follow_newest() {
    sort_returns();
    std::size_t next = 0;
    std::size_t newest = 0;  // position
    for (const RecordIndex read : reads_) {
      if (table_[read].read_mode != ReadMode::local) continue;
      const std::int64_t invoke_ns = table_[read].invoke_ns;
      while (next < returns_.size() && context_.surely_before(returns_[next].first, invoke_ns)) {
        newest = std::max(newest, returns_[next++].second);
      }
      if (next == 0) continue;
      const Record& write = table_[writes_[newest]];
      context_.visibility.add(static_cast<double>(invoke_ns - write.return_ns) / 1e6,
                              table_[read].version >= write.version);
    }
  }

  CheckContext& context_;
  const RecordTable& table_;
  std::vector<RecordIndex> writes_;     // acknowledged, in the order of their stamps
  std::vector<RecordIndex> reads_;      // in the order of invocation
  std::vector<std::int64_t> earliest_;  // return among this write and those above it
  struct Stale {
    std::int64_t invoke_ns = 0;
    std::size_t position = 0;  // of the first write missed
    double ms = 0;
  };
  std::vector<Stale> stale_;                                   // in the order of invocation
  std::vector<std::pair<std::int64_t, std::size_t>> returns_;  // of writes, with their position
  SuffixCounter acknowledged_;
  double total_ms_ = 0;
};

}  // namespace

void count_stale(CheckContext& context) {
  StaleCounter counter(context);
  for (std::size_t cell = 0; cell < context.table.cells(); ++cell) {
    counter.count(context.table.cell_begin(cell), context.table.cell_begin(cell + 1));
  }
  counter.finish();
}

}  // namespace parley::history
