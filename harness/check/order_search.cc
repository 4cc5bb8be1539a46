// Histories without versions: is there an order of each cell's operations that explains them?
//
// Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with the memoisation and the
// just-in-time choice of Lowe, "Testing for Linearizability" (2017): time goes by, and what has not
// taken effect yet does so when something that returns must have. Cells are registers of their own
// (P-compositionality, Horn and Kroening 2015). What a register allows to pass over:
// - a read takes effect as soon as it fits: it changes nothing for others;
// - a write of unknown outcome does so just before a read that needs it, or not at all;
// - of writes of one colour that could be next, the one that returns first is.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/check/checks.h"

namespace parley::history {
namespace {

// What an operation among few others takes.
constexpr std::uint64_t kStatesEach = 4;

enum class Order : std::uint8_t { found, none, given_up };

class OrderSearch {
 public:
  // Two operations are in the order of real time if more than `slack_ns` lie between them.
  OrderSearch(const RecordTable& table, std::int64_t slack_ns, std::uint64_t max_states)
      : table_(table), slack_ns_(slack_ns), max_states_(max_states) {}

  // Looks at the operations of one cell. With Order::none, `culprit` is the first to return that
  // nothing explains.
  Order search(RecordIndex begin, RecordIndex end, RecordIndex& culprit) {
    collect(begin, end);
    states_left_ = max_states_ + kStatesEach * (end - begin);
    configurations_ = {{kNoColor, std::vector<std::uint64_t>((slots_ + 63) / 64)}};
    for (const Event& event : events_) {
      if (!event.returns) {
        invoke(event.place);
      } else if (const Order order = complete(event.place); order != Order::found) {
        culprit = operations_[event.place].record;
        return order;
      }
    }
    return Order::found;
  }

 private:
  struct Operation {
    RecordIndex record = 0;
    std::size_t slot = 0;  // its bit in a configuration while it is under way
    std::int64_t return_ns = 0;
    std::uint32_t color = 0;
    bool is_write = false;
  };
  struct Event {
    std::int64_t when = 0;
    bool returns = false;  // what begins at the moment at which another returns is beside it
    std::size_t place = 0;
    auto operator<=>(const Event&) const = default;
  };
  // What the register holds, and which of the operations under way have taken effect.
  struct Configuration {
    std::uint32_t color = kNoColor;
    std::vector<std::uint64_t> done;
    auto operator<=>(const Configuration&) const = default;

    [[nodiscard]] bool has(std::size_t slot) const {
      return (done[slot / 64] >> slot % 64 & 1) != 0;
    }
    void set(std::size_t slot) { done[slot / 64] |= std::uint64_t{1} << slot % 64; }
    void clear(std::size_t slot) { done[slot / 64] &= ~(std::uint64_t{1} << slot % 64); }
  };
  using Configurations = std::set<Configuration>;

  static bool takes_part(const Record& record) {
    if (record.excluded) return false;
    if (record.is_write()) return record.outcome != Outcome::refused;
    return record.outcome == Outcome::ok && record.read_mode == ReadMode::linearizable;
  }

  void collect(RecordIndex begin, RecordIndex end) {
    operations_.clear();
    events_.clear();
    pending_.clear();
    for (RecordIndex i = begin; i < end; ++i) {
      const Record& record = table_[i];
      if (!takes_part(record)) continue;
      const std::int64_t return_ns =
          record.return_ns == kNever ? kNever : record.return_ns + slack_ns_;
      events_.push_back({record.invoke_ns, false, operations_.size()});
      if (return_ns != kNever) events_.push_back({return_ns, true, operations_.size()});
      operations_.push_back({i, 0, return_ns, record.color, record.is_write()});
    }
    std::sort(events_.begin(), events_.end());
    give_slots();
  }

  // Bits are used again after an operation has returned.
  void give_slots() {
    std::vector<std::size_t> free;
    slots_ = 0;
    for (const Event& event : events_) {
      Operation& operation = operations_[event.place];
      if (event.returns) {
        free.push_back(operation.slot);
      } else if (free.empty()) {
        operation.slot = slots_++;
      } else {
        operation.slot = free.back();
        free.pop_back();
      }
    }
  }

  void invoke(std::size_t place) {
    const Operation& operation = operations_[place];
    // In the order in which they are to be tried.
    const auto after = [&](std::size_t other) {
      return operations_[other].return_ns > operation.return_ns;
    };
    pending_.insert(std::find_if(pending_.begin(), pending_.end(), after), place);
    if (operation.is_write) return;
    Configurations now;
    for (Configuration configuration : configurations_) {
      if (configuration.color == operation.color) configuration.set(operation.slot);
      now.insert(std::move(configuration));
    }
    configurations_ = std::move(now);
  }

  // The operation returns, and so has taken effect.
  Order complete(std::size_t place) {
    const std::size_t slot = operations_[place].slot;
    Configurations done;
    Configurations seen = configurations_;
    std::vector<Configuration> open(configurations_.begin(), configurations_.end());
    while (!open.empty()) {
      Configuration configuration = std::move(open.back());
      open.pop_back();
      if (configuration.has(slot)) {
        configuration.clear(slot);
        done.insert(std::move(configuration));
        continue;
      }
      for (Configuration& next : successors(configuration)) {
        if (!seen.insert(next).second) continue;
        if (states_left_-- == 0) return Order::given_up;
        open.push_back(std::move(next));
      }
    }
    std::erase(pending_, place);
    configurations_ = std::move(done);
    return configurations_.empty() ? Order::none : Order::found;
  }

  // What can come next: each of the writes under way, with the reads that it satisfies.
  std::vector<Configuration> successors(const Configuration& configuration) const {
    std::vector<Configuration> next;
    std::vector<std::uint32_t> tried;
    for (const std::size_t place : pending_) {
      const Operation& write = operations_[place];
      if (!write.is_write || configuration.has(write.slot)) continue;
      if (std::ranges::find(tried, write.color) != tried.end()) continue;
      tried.push_back(write.color);
      Configuration after = configuration;
      after.color = write.color;
      after.set(write.slot);
      const bool read = let_read(after);
      if (write.return_ns != kNever || read) next.push_back(std::move(after));
    }
    return next;
  }

  // Lets the reads that fit take effect; whether there were any.
  bool let_read(Configuration& configuration) const {
    bool any = false;
    for (const std::size_t place : pending_) {
      const Operation& read = operations_[place];
      if (read.is_write || read.color != configuration.color || configuration.has(read.slot))
        continue;
      configuration.set(read.slot);
      any = true;
    }
    return any;
  }

  const RecordTable& table_;
  const std::int64_t slack_ns_;
  const std::uint64_t max_states_;
  std::vector<Operation> operations_;
  std::vector<Event> events_;
  std::size_t slots_ = 0;
  std::uint64_t states_left_ = 0;
  std::vector<std::size_t> pending_;  // invoked and not returned; those of unknown outcome for ever
  Configurations configurations_;     // that the cell may be in
};

}  // namespace

bool search_orders(CheckContext& context) {
  const RecordTable& table = context.table;
  const CheckOptions& options = context.options;
  OrderSearch surely(table, options.clock_error_ns, options.max_search_states);
  OrderSearch possibly(table, 0, options.max_search_states);
  std::uint64_t given_up = 0;
  for (std::size_t cell = 0; cell < table.cells(); ++cell) {
    const RecordIndex begin = table.cell_begin(cell);
    const RecordIndex end = table.cell_begin(cell + 1);
    RecordIndex culprit = kNoRecord;
    const Order order = surely.search(begin, end, culprit);
    if (order == Order::none) {
      context.findings.add(Anomaly::not_linearizable, [&] {
        return table.describe(culprit) + " fits into no order of the operations of its cell";
      });
    } else if (order == Order::given_up) {
      if (given_up++ == 0) {
        context.notes.push_back(
            fmt::format("{}: here the search for an order of its cell was given up, beyond {} "
                        "states (and {} for "
                        "each operation)",
                        table.describe(culprit), options.max_search_states, kStatesEach));
      }
    } else if (options.clock_error_ns > 0 && possibly.search(begin, end, culprit) != Order::found) {
      ++context.uncertain;
    }
  }
  if (given_up > 1) context.notes.push_back(fmt::format("so it was for {} cells", given_up));
  return given_up == 0;
}

}  // namespace parley::history
