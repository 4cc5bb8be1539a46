#include "harness/check/convergence.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "harness/check/run_folder.h"

namespace parley::history {
namespace {

double ms_between(std::int64_t from_ns, std::int64_t to_ns) {
  return static_cast<double>(to_ns - from_ns) / 1e6;
}

}  // namespace

ConvergenceMeter::ConvergenceMeter(ConvergenceOptions options, std::vector<std::uint32_t> nodes)
    : options_(std::move(options)),
      nodes_(std::move(nodes)),
      away_(nodes_.size()),
      rows_(options_.ordered ? 0 : options_.rows) {
  plan();
}

void ConvergenceMeter::plan() {
  for (const Absence& absence : options_.absences) {
    const auto at = std::find(nodes_.begin(), nodes_.end(), absence.node);
    if (at == nodes_.end()) continue;
    const auto node = static_cast<std::size_t>(at - nodes_.begin());
    changes_.push_back({absence.from_ns, node, Change::Kind::leaves});
    if (absence.until_ns != kNever)
      changes_.push_back({absence.until_ns, node, Change::Kind::returns});
  }
  for (const std::int64_t healed_ns : options_.healed_ns) {
    changes_.push_back({healed_ns, 0, Change::Kind::heals, healings_.size()});
    healings_.push_back({.at_ns = healed_ns, .begun = false, .waiting = {}, .took_ms = {}});
  }
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const Change& a, const Change& b) { return a.at_ns < b.at_ns; });
}

// Closes the rows that ended before `now_ns`.
void ConvergenceMeter::count_row(std::int64_t now_ns) {
  if (options_.ordered || now_ns < options_.zero_ns) return;
  const auto row = static_cast<std::size_t>((now_ns - options_.zero_ns) / options_.row_ns);
  for (; row_ < row && row_ < rows_.size(); ++row_) {
    if (row_ + 1 < rows_.size()) rows_[row_ + 1] = apart_count_;
  }
  if (row < rows_.size()) rows_[row] = std::max(rows_[row], apart_count_);
  most_ = std::max(most_, apart_count_);
}

// What changed until then takes place.
void ConvergenceMeter::move_to(std::int64_t now_ns) {
  while (next_change_ < changes_.size() && changes_[next_change_].at_ns <= now_ns) {
    take(changes_[next_change_++]);
  }
  count_row(now_ns);  // with the count of before
  now_ns_ = std::max(now_ns_, now_ns);
}

void ConvergenceMeter::take(const Change& change) {
  count_row(change.at_ns);
  now_ns_ = std::max(now_ns_, change.at_ns);
  if (change.kind == Change::Kind::heals) return begin(healings_[change.healing]);
  if (change.kind == Change::Kind::leaves) {
    ++away_[change.node];
  } else {
    --away_[change.node];
  }
  recount();
  count_row(change.at_ns);
}

void ConvergenceMeter::recount() {
  for (Cell cell = 0; cell < apart_.size(); ++cell) settle(cell, now_ns_);
}

void ConvergenceMeter::begin(Healing& healing) {
  healing.begun = true;
  for (Cell cell = 0; cell < apart_.size(); ++cell) {
    if (apart_[cell]) healing.waiting.emplace(cell, highest(cell, true));
  }
  if (healing.waiting.empty()) healing.took_ms = 0;
}

void ConvergenceMeter::check(Healing& healing, Cell cell, std::int64_t now_ns) {
  const auto waiting = healing.waiting.find(cell);
  if (waiting == healing.waiting.end()) return;
  for (std::size_t at = 0; at < nodes_.size(); ++at) {
    if (away_[at] == 0 && held(cell, at) < waiting->second) return;
  }
  healing.waiting.erase(waiting);
  if (healing.waiting.empty()) healing.took_ms = ms_between(healing.at_ns, now_ns);
}

Stamp ConvergenceMeter::highest(Cell cell, bool of_live) const {
  Stamp most;
  for (std::size_t at = 0; at < nodes_.size(); ++at) {
    if (!of_live || away_[at] == 0) most = std::max(most, held(cell, at));
  }
  return most;
}

bool ConvergenceMeter::differs(Cell cell) const {
  const Stamp most = highest(cell, true);
  for (std::size_t at = 0; at < nodes_.size(); ++at) {
    if (away_[at] == 0 && held(cell, at) != most) return true;
  }
  return false;
}

// The cell or who is alive has changed.
void ConvergenceMeter::settle(Cell cell, std::int64_t now_ns) {
  const bool apart = differs(cell);
  if (apart != apart_[cell]) {
    apart_[cell] = apart;
    apart ? ++apart_count_ : --apart_count_;
    if (apart_count_ == 0) agreed_ns_ = now_ns;
  }
  for (Healing& healing : healings_) {
    if (healing.begun && !healing.took_ms) check(healing, cell, now_ns);
  }
}

ConvergenceMeter::Cell ConvergenceMeter::cell_of(const JournalEntry& entry) {
  const auto [known, fresh] =
      cells_.try_emplace(options_.ordered ? 0 : entry.cell, static_cast<Cell>(apart_.size()));
  if (fresh) {
    stamps_.resize(stamps_.size() + nodes_.size());
    apart_.push_back(false);
  }
  return known->second;
}

// Under an order the state is now that of an index, which may lie beyond the last one with a write.
void ConvergenceMeter::restore(std::size_t at, const JournalEntry& entry) {
  if (!options_.ordered) return;
  const Cell cell = cell_of(entry);
  stamps_[at] = std::min(Stamp{entry.stamp.major, 0}, highest(cell, false));
  settle(cell, now_ns_);
}

void ConvergenceMeter::apply(std::size_t at, const JournalEntry& entry) {
  move_to(std::max(entry.t_ns, now_ns_));
  if (entry.restores()) return restore(at, entry);
  const Cell cell = cell_of(entry);
  const Stamp stamp = options_.ordered ? Stamp{entry.stamp.major, 0} : entry.stamp;
  if (stamp > highest(cell, false)) last_write_ns_ = now_ns_;
  Stamp& own = stamps_[cell * nodes_.size() + at];
  own = std::max(own, stamp);
  settle(cell, now_ns_);
  count_row(now_ns_);
}

Convergence ConvergenceMeter::finish() {
  while (next_change_ < changes_.size()) take(changes_[next_change_++]);
  count_row(options_.zero_ns + static_cast<std::int64_t>(options_.rows) * options_.row_ns);
  Convergence result;
  for (const Healing& healing : healings_) result.after_healing_ms.push_back(healing.took_ms);
  if (apart_count_ == 0) {
    result.converged_ms = ms_between(last_write_ns_, std::max(last_write_ns_, agreed_ns_));
  }
  if (options_.ordered) return result;
  result.divergent_cells = std::move(rows_);
  result.divergent_cells_max = most_;
  return result;
}

std::optional<Convergence> measure_convergence(const std::filesystem::path& folder,
                                               const ConvergenceOptions& options) {
  struct Source {
    JournalReader reader;
    JournalEntry entry{};
    bool more = false;
    explicit Source(const std::filesystem::path& path) : reader(path) {}
  };
  std::vector<std::unique_ptr<Source>> sources;
  std::vector<std::uint32_t> nodes;
  for (const JournalFile& journal : find_journals(folder / "nodes")) {
    Source& source = *sources.emplace_back(std::make_unique<Source>(journal.path));
    source.more = source.reader.next(source.entry);
    if (source.more && source.entry.t_ns == kNoTime) return std::nullopt;
    nodes.push_back(journal.node);
  }
  if (sources.empty()) return std::nullopt;
  ConvergenceMeter meter(options, nodes);
  for (;;) {
    std::size_t first = sources.size();
    for (std::size_t at = 0; at < sources.size(); ++at) {
      if (!sources[at]->more) continue;
      if (first == sources.size() || sources[at]->entry.t_ns < sources[first]->entry.t_ns) {
        first = at;
      }
    }
    if (first == sources.size()) break;
    meter.apply(first, sources[first]->entry);
    sources[first]->more = sources[first]->reader.next(sources[first]->entry);
  }
  return meter.finish();
}

}  // namespace parley::history
