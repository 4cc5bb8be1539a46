// Reads, stamps and real time: what can be told from the clients' record alone.
#include <fmt/format.h>

#include <algorithm>

#include "harness/check/checks.h"

namespace parley::history {
namespace {

// Reports what is wrong with a read in itself; false if it tells nothing about other operations.
bool check_read(CheckContext& context, const Record& read) {
  const RecordTable& table = context.table;
  const bool unpainted = read.version == Stamp{};
  if (unpainted && !read.has_writer) return true;
  const RecordIndex index = table.find(read.writer);
  if (unpainted || !read.has_writer || index == kNoRecord) {
    context.findings.add(Anomaly::phantom_read, [&] {
      return table.describe(read) + (unpainted || !read.has_writer
                                         ? " has only one of stamp and writer"
                                         : " names a write that nobody made");
    });
    return false;
  }
  Record& write = context.table[index];
  const auto report = [&](Anomaly anomaly, const char* what) {
    context.findings.add(anomaly, [&] {
      return fmt::format("{} {}: {}", table.describe(read), what, table.describe(write));
    });
    return false;
  };
  if (write.cell != read.cell)
    return report(Anomaly::phantom_read, "names a write of another cell");
  if (write.outcome == Outcome::refused) {
    return report(Anomaly::read_of_refused_write, "saw a refused write");
  }
  if (write.color != read.color) {
    return report(Anomaly::value_mismatch, "saw another colour than its writer placed");
  }
  if (context.surely_before(read.return_ns, write.invoke_ns)) {
    return report(Anomaly::read_from_future, "returned before what it saw was invoked");
  }
  if (read.return_ns < write.invoke_ns) ++context.uncertain;
  if (write.version == Stamp{}) write.version = read.version;
  if (write.version == read.version) return true;
  if (!write.two_stamps) {
    report(Anomaly::seen_under_two_stamps, "saw a write under another stamp than its own");
  }
  write.two_stamps = true;
  // A merge strategy may take a retry for a new write: then the read is as good as any.
  return !breaks_promise(context.options.model, Anomaly::seen_under_two_stamps);
}

}  // namespace

void check_reads(CheckContext& context) {
  for (RecordIndex i = 0; i < context.table.size(); ++i) {
    Record& read = context.table[i];
    if (read.is_ok_read() && !check_read(context, read)) read.excluded = true;
  }
}

void check_stamps(CheckContext& context) {
  const RecordTable& table = context.table;
  std::vector<RecordIndex> writes;
  for (std::size_t cell = 0; cell < table.cells(); ++cell) {
    writes.clear();
    for (RecordIndex i = table.cell_begin(cell); i < table.cell_begin(cell + 1); ++i) {
      if (table[i].is_effective_write()) writes.push_back(i);
    }
    std::sort(writes.begin(), writes.end(),
              [&](RecordIndex a, RecordIndex b) { return table[a].version < table[b].version; });
    for (std::size_t i = 1; i < writes.size(); ++i) {
      if (table[writes[i]].version != table[writes[i - 1]].version) continue;
      context.findings.add(Anomaly::duplicate_stamp, [&] {
        return table.describe(writes[i]) + " has the stamp of " + table.describe(writes[i - 1]);
      });
    }
  }
}

namespace {

// Walks the operations of one cell in the order of their invocation and knows the highest stamp
// among those that had returned before.
class Watermark {
 public:
  Watermark(const RecordTable& table, std::int64_t clock_error_ns)
      : table_(table), clock_error_ns_(clock_error_ns) {}

  void reset(std::vector<RecordIndex>& sources) {
    sources_ = &sources;
    next_ = 0;
    highest_ = kNoRecord;
    std::sort(sources.begin(), sources.end(), [this](RecordIndex a, RecordIndex b) {
      return table_[a].return_ns < table_[b].return_ns;
    });
  }

  // The source with the highest stamp that had returned by then, or kNoRecord. Calls must not go
  // back in time.
  RecordIndex before(std::int64_t invoke_ns) {
    for (; next_ < sources_->size(); ++next_) {
      const RecordIndex source = (*sources_)[next_];
      if (invoke_ns - table_[source].return_ns <= clock_error_ns_) break;
      if (highest_ == kNoRecord || table_[source].version > table_[highest_].version) {
        highest_ = source;
      }
    }
    return highest_;
  }

 private:
  const RecordTable& table_;
  const std::int64_t clock_error_ns_;
  const std::vector<RecordIndex>* sources_ = nullptr;
  std::size_t next_ = 0;
  RecordIndex highest_ = kNoRecord;
};

bool completed(const Record& record) {
  return record.is_ok_write() || (record.is_ok_read() && !record.is_final());
}

// Local and final reads are not held to real time, though others are held to what they saw.
bool held_to_real_time(const Record& record) {
  return record.is_effective_write() ||
         (record.is_ok_read() && record.read_mode == ReadMode::linearizable);
}

}  // namespace

void check_real_time(CheckContext& context) {
  const RecordTable& table = context.table;
  std::vector<RecordIndex> sources;
  Watermark sure(table, context.options.clock_error_ns);
  Watermark possible(table, 0);
  for (std::size_t cell = 0; cell < table.cells(); ++cell) {
    sources.clear();
    const RecordIndex begin = table.cell_begin(cell);
    const RecordIndex end = table.cell_begin(cell + 1);
    for (RecordIndex i = begin; i < end; ++i) {
      if (completed(table[i])) sources.push_back(i);
    }
    sure.reset(sources);
    possible.reset(sources);
    for (RecordIndex i = begin; i < end; ++i) {
      const Record& target = table[i];
      if (!held_to_real_time(target)) continue;
      const RecordIndex before = sure.before(target.invoke_ns);
      if (before != kNoRecord && table[before].version > target.version) {
        context.findings.add(target.is_write() ? Anomaly::version_order_violates_real_time
                                               : Anomaly::stale_linearizable_read,
                             [&] {
                               return table.describe(i) + " began after the higher stamp of " +
                                      table.describe(before) + " was known";
                             });
        continue;
      }
      const RecordIndex maybe = possible.before(target.invoke_ns);
      if (maybe != kNoRecord && table[maybe].version > target.version) ++context.uncertain;
    }
  }
}

}  // namespace parley::history
