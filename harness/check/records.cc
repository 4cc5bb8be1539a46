#include "harness/check/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace parley::history {
namespace {

std::uint64_t hash(Writer id) {
  // Fibonacci hashing; the high bits are the good ones.
  const std::uint64_t key = (std::uint64_t{id.session} << 32) | id.sequence;
  const std::uint64_t mixed = (key ^ (key >> 29)) * 0x9E3779B97F4A7C15u;
  return mixed ^ (mixed >> 32);
}

}  // namespace

void RecordTable::add(const Operation& op, std::uint64_t line) {
  Record record;
  record.version = op.outcome == Outcome::refused ? Stamp{} : op.version;
  record.invoke_ns = op.invoke_ns;
  record.return_ns = op.outcome == Outcome::unknown ? kNever : op.return_ns;
  record.id = {op.client, op.seq};
  if (op.writer) record.writer = *op.writer;
  record.has_writer = op.writer.has_value();
  record.cell = pack_cell(op.x, op.y);
  record.color = op.color;
  record.line = static_cast<std::uint32_t>(line);
  record.node = static_cast<std::uint16_t>(op.node);
  record.kind = op.kind;
  record.outcome = op.outcome;
  record.read_mode = op.read_mode;
  if (records_.empty() || op.invoke_ns < first_invoke_ns_) first_invoke_ns_ = op.invoke_ns;
  records_.push_back(record);
}

void RecordTable::index(Findings& findings) {
  std::sort(records_.begin(), records_.end(), [](const Record& a, const Record& b) {
    return std::tie(a.cell, a.invoke_ns, a.line) < std::tie(b.cell, b.invoke_ns, b.line);
  });
  std::size_t writes = 0;
  for (RecordIndex i = 0; i < records_.size(); ++i) {
    if (i == 0 || records_[i].cell != records_[i - 1].cell) cell_begins_.push_back(i);
    if (records_[i].is_write()) ++writes;
  }
  cell_begins_.push_back(static_cast<RecordIndex>(records_.size()));
  std::size_t slots = 16;
  while (slots < 2 * writes) slots *= 2;
  slots_.assign(slots, kNoRecord);
  for (RecordIndex i = 0; i < records_.size(); ++i) {
    if (!records_[i].is_write()) continue;
    RecordIndex& slot = slots_[slot_of(records_[i].id)];
    if (slot == kNoRecord) {
      slot = i;
      continue;
    }
    records_[i].excluded = true;
    findings.add(Anomaly::operation_recorded_twice,
                 [&] { return describe(i) + " has the client and seq of " + describe(slot); });
  }
}

std::size_t RecordTable::slot_of(Writer id) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash(id) & mask;
  while (slots_[at] != kNoRecord && records_[slots_[at]].id != id) at = (at + 1) & mask;
  return at;
}

RecordIndex RecordTable::find(Writer id) const {
  return slots_[slot_of(id)];
}

std::string RecordTable::describe(const Record& record) const {
  const auto ms = [&](std::int64_t ns) { return static_cast<double>(ns - first_invoke_ns_) / 1e6; };
  std::string what;
  if (record.is_write()) {
    what = fmt::format("place #{:06X} by {}/{} on {}", record.color, record.id.session,
                       record.id.sequence, cell_text(record.cell));
  } else {
    const char* mode = record.is_final()                            ? "final "
                       : record.read_mode == ReadMode::linearizable ? "linearizable "
                                                                    : "local ";
    what = fmt::format("{}read by {}/{} of {}", mode, record.id.session, record.id.sequence,
                       cell_text(record.cell));
    if (record.has_writer) {
      what += fmt::format(" that saw #{:06X} by {}/{}", record.color, record.writer.session,
                          record.writer.sequence);
    }
  }
  if (record.version != Stamp{}) what += fmt::format(" at stamp {}", stamp_text(record.version));
  if (!record.is_write() && !record.has_writer) what += " that saw it unpainted";
  if (record.node != 0) what += fmt::format(", node {}", record.node);
  const char* outcome = record.outcome == Outcome::refused   ? ", refused"
                        : record.outcome == Outcome::unknown ? ", outcome unknown"
                                                             : "";
  const std::string end =
      record.return_ns == kNever ? "?" : fmt::format("{:.6f}", ms(record.return_ns));
  return fmt::format("line {} ({}{}; {:.6f} to {} ms)", record.line, what, outcome,
                     ms(record.invoke_ns), end);
}

std::uint32_t pack_cell(std::uint32_t x, std::uint32_t y) {
  return (y << 16) | x;
}
std::uint32_t cell_x(std::uint32_t cell) {
  return cell & 0xFFFF;
}
std::uint32_t cell_y(std::uint32_t cell) {
  return cell >> 16;
}
std::string cell_text(std::uint32_t cell) {
  return fmt::format("({},{})", cell_x(cell), cell_y(cell));
}
std::string stamp_text(Stamp stamp) {
  return fmt::format("{:x}.{:x}", stamp.major, stamp.minor);
}

}  // namespace parley::history
