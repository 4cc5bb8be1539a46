// Exactly-once, from what the replicas applied.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "harness/check/checks.h"

namespace parley::history {
namespace {

// The node that stamped a write: our stamps of strategies that merge name it; of others it is the
// one that answered.
std::uint32_t stamped_at(const Record& write, Stamp stamp) {
  const auto named = static_cast<std::uint32_t>(stamp.minor >> 32);
  return named != 0 ? named : write.node;
}

}  // namespace

JournalCheck::JournalCheck(CheckContext& context)
    : context_(context),
      ordered_(context.options.model == Model::linearizable),
      propagation_(context.table, context.options.seed) {
  applied_by_.resize(context.table.size());
  if (!ordered_) origins_.resize(context.table.size());
}

void JournalCheck::begin(std::uint32_t node) {
  if (journals_.size() == Checker::kMaxJournals) {
    throw std::invalid_argument(fmt::format("more than {} journals", Checker::kMaxJournals));
  }
  if (has(node)) throw std::invalid_argument(fmt::format("two journals of node {}", node));
  const auto& live = context_.live_nodes;
  Journal& journal = journals_.emplace_back();
  journal.node = node;
  journal.live = context_.options.quiescent && std::binary_search(live.begin(), live.end(), node);
  newest_.clear();
  propagation_.begin(node);
}

bool JournalCheck::has(std::uint32_t node) const {
  return std::any_of(journals_.begin(), journals_.end(),
                     [node](const Journal& journal) { return journal.node == node; });
}

std::string JournalCheck::where(std::uint64_t line) const {
  return fmt::format("journal of node {}, line {}", journals_.back().node, line);
}

bool JournalCheck::Journal::skips(Stamp stamp) const {
  return std::any_of(skipped.begin(), skipped.end(), [stamp](const auto& range) {
    return stamp.major > range.first && stamp.major <= range.second;
  });
}

// The lines after this one come after `index`. Those that were there before must be the same again.
void JournalCheck::restore(std::uint64_t index) {
  Journal& journal = journals_.back();
  propagation_.restored();
  if (index > journal.end.major) journal.skipped.emplace_back(journal.end.major, index);
  journal.restored = true;
  journal.last = {index, std::numeric_limits<std::uint64_t>::max()};
  journal.end = std::max(journal.end, journal.last);
  newest_.clear();
}

void JournalCheck::add(const JournalEntry& entry, std::uint64_t line) {
  if (entry.restores()) return restore(entry.stamp.major);
  ++entries_;
  journals_.back().end = std::max(journals_.back().end, entry.stamp);
  const RecordIndex index = context_.table.find(entry.write);
  if (index == kNoRecord) {
    if (context_.options.sampled.value_or(false)) return;
    context_.findings.add(Anomaly::phantom_apply, [&] {
      return fmt::format("{}: nobody made the write {}/{} of cell {}", where(line),
                         entry.write.session, entry.write.sequence, entry.cell);
    });
    return;
  }
  if (entry.t_ns != kNoTime) {
    propagation_.applied(context_.table[index].cell, entry.stamp, entry.t_ns);
  }
  const std::uint64_t bit = std::uint64_t{1} << (journals_.size() - 1);
  if ((applied_by_[index] & bit) != 0) {
    check_repeated(entry, line, index);
  } else {
    applied_by_[index] |= bit;
    check_entry(entry, line, index);
  }
}

void JournalCheck::check_repeated(const JournalEntry& entry, std::uint64_t line,
                                  RecordIndex index) {
  Record& write = context_.table[index];
  if (write.outcome == Outcome::refused) return;  // reported the first time
  if (journals_.back().restored && write.version == entry.stamp) {
    check_cell(entry, line, index);  // applied again to a state that did not have it
    in_order(entry, line, index);
    return;
  }
  if (write.version != entry.stamp) write.two_stamps = true;
  context_.findings.add(
      write.outcome == Outcome::unknown ? Anomaly::unknown_applied_twice : Anomaly::duplicate_apply,
      [&] {
        return fmt::format("{}: applied again under stamp {}: {}", where(line),
                           stamp_text(entry.stamp), context_.table.describe(index));
      });
}

void JournalCheck::check_cell(const JournalEntry& entry, std::uint64_t line, RecordIndex index) {
  const Record& write = context_.table[index];
  const auto width = context_.options.canvas_width;
  if (!width || entry.cell == std::uint64_t{cell_y(write.cell)} * *width + cell_x(write.cell)) {
    return;
  }
  context_.findings.add(Anomaly::wrong_cell, [&] {
    return fmt::format("{}: applied to cell ({},{}): {}", where(line), entry.cell % *width,
                       entry.cell / *width, context_.table.describe(index));
  });
}

void JournalCheck::check_entry(const JournalEntry& entry, std::uint64_t line, RecordIndex index) {
  Record& write = context_.table[index];
  const auto report = [&](Anomaly anomaly, const std::string& what) {
    context_.findings.add(anomaly, [&] {
      return fmt::format("{}: {}: {}", where(line), what, context_.table.describe(index));
    });
  };
  if (write.outcome == Outcome::refused) return report(Anomaly::refused_applied, "applied");
  check_cell(entry, line, index);
  const bool ordered = in_order(entry, line, index);
  if (write.version == Stamp{}) write.version = entry.stamp;  // of unknown outcome
  if (write.version == entry.stamp || !ordered) return;
  write.two_stamps = true;
  report(write.outcome == Outcome::unknown ? Anomaly::unknown_applied_twice
                                           : Anomaly::apply_stamp_mismatch,
         fmt::format("applied under stamp {}", stamp_text(entry.stamp)));
}

bool JournalCheck::in_order(const JournalEntry& entry, std::uint64_t line, RecordIndex index) {
  Journal& journal = journals_.back();
  const Record& write = context_.table[index];
  Stamp& last = ordered_ ? journal.last : newest_[write.cell];
  if (!ordered_ && stamped_at(write, entry.stamp) == journal.node) {
    made_at(index, journal.node, last);
  }
  if (ordered_ && entry.known) {
    made_at(index, journal.node, {*entry.known, std::numeric_limits<std::uint64_t>::max()});
  }
  if (entry.stamp > last) {
    last = entry.stamp;
    return true;
  }
  if (entry.stamp == last) {
    context_.findings.add(Anomaly::duplicate_stamp, [&] {
      return fmt::format("{}: {} under the stamp {} of another write", where(line),
                         context_.table.describe(index), stamp_text(entry.stamp));
    });
  } else {
    context_.findings.add(Anomaly::journal_out_of_order, [&] {
      return fmt::format("{}: stamp {} after {}: {}", where(line), stamp_text(entry.stamp),
                         stamp_text(last), context_.table.describe(index));
    });
  }
  return false;
}

bool JournalCheck::reached_a_live_node(RecordIndex index) const {
  for (std::size_t j = 0; j < journals_.size(); ++j) {
    if (journals_[j].live && (applied_by_[index] >> j & 1) != 0) return true;
  }
  return false;
}

void JournalCheck::made_at(RecordIndex index, std::uint32_t node, Stamp known) {
  origins_.resize(context_.table.size());
  origins_[index] = {known, node};
}

void JournalCheck::finish() {
  if (!origins_.empty()) count_superseded();
  if (!ordered_) return;
  for (RecordIndex i = 0; i < context_.table.size(); ++i) {
    const Record& write = context_.table[i];
    if (write.is_ok_write() || (write.is_effective_write() && applied_by_[i] != 0)) {
      check_presence(i);
    }
  }
}

// Journals with rising stamps are equal, or prefixes of each other, exactly if no one lacks a write
// below its own end, and live ones lack none at all.
void JournalCheck::check_presence(RecordIndex index) {
  const Record& write = context_.table[index];
  for (std::size_t j = 0; j < journals_.size(); ++j) {
    const Journal& journal = journals_[j];
    if ((applied_by_[index] >> j & 1) != 0 || journal.skips(write.version)) continue;
    if (journal.live && write.outcome == Outcome::ok) {
      context_.findings.add(Anomaly::missing_apply, [&] {
        return fmt::format("node {} never applied {}", journal.node,
                           context_.table.describe(index));
      });
    } else if (!write.two_stamps && (journal.live || write.version < journal.end)) {
      context_.findings.add(Anomaly::replicas_disagree, [&] {
        return fmt::format("node {} went on to stamp {} without {}", journal.node,
                           stamp_text(journal.end), context_.table.describe(index));
      });
    }
  }
}

// By causality: the successor's origin knew what it had applied when it took the client's command,
// and of an ordered strategy, which applies later, also what it had taken before.
void JournalCheck::count_superseded() {
  const RecordTable& table = context_.table;
  std::vector<RecordIndex> writes;
  std::uint64_t superseded = 0;
  std::uint64_t undecided = 0;
  for (std::size_t cell = 0; cell < table.cells(); ++cell) {
    writes.clear();
    for (RecordIndex i = table.cell_begin(cell); i < table.cell_begin(cell + 1); ++i) {
      if (table[i].is_effective_write()) writes.push_back(i);
    }
    std::sort(writes.begin(), writes.end(),
              [&](RecordIndex a, RecordIndex b) { return table[a].version < table[b].version; });
    for (std::size_t i = 1; i < writes.size(); ++i) {
      const RecordIndex older = writes[i - 1];
      const RecordIndex newer = writes[i];
      if (!table[older].is_ok_write()) continue;
      if (origins_[newer].node == 0) {
        ++undecided;
      } else if (origins_[newer].known < table[older].version) {
        const bool taken_before = ordered_ && origins_[newer].node == origins_[older].node;
        if (!taken_before) ++superseded;
      }
    }
  }
  context_.consistency.superseded = superseded;
  if (undecided > 0) {
    context_.notes.push_back(fmt::format(
        "superseded is a lower bound: of {} overwritten writes the successor is in no journal as "
        "taken there",
        undecided));
  }
}

}  // namespace parley::history
