// The operations of a run in compact form: grouped by cell, and findable by the write that a read
// or a journal names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "harness/check/findings.h"
#include "harness/check/history.h"

namespace parley::history {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

struct Record {
  Stamp version;  // zero: none known; of a write of unknown outcome once something has told it
  std::int64_t invoke_ns = 0;
  std::int64_t return_ns = 0;  // kNever when the outcome is unknown
  Writer id;
  Writer writer;  // of reads
  std::uint32_t cell = 0;
  std::uint32_t color = 0;
  std::uint32_t line = 0;
  std::uint16_t node = 0;
  Kind kind : 1 = Kind::place;
  Outcome outcome : 2 = Outcome::unknown;
  ReadMode read_mode : 2 = ReadMode::linearizable;
  bool has_writer : 1 = false;
  bool excluded : 1 = false;    // found wrong by itself: no other finding may rest on it
  bool two_stamps : 1 = false;  // a write known under two stamps

  bool is_write() const { return kind == Kind::place; }
  bool is_ok_write() const { return is_write() && outcome == Outcome::ok && !excluded; }
  // A write that has a place in the order of its cell.
  bool is_effective_write() const {
    return is_write() && outcome != Outcome::refused && !excluded && version != Stamp{};
  }
  bool is_ok_read() const { return !is_write() && outcome == Outcome::ok && !excluded; }
  bool is_final() const { return !is_write() && read_mode == ReadMode::final; }
};
static_assert(sizeof(Record) == 64, "a history of ten million operations must fit in memory");

// Indices of records.
using RecordIndex = std::uint32_t;
inline constexpr RecordIndex kNoRecord = std::numeric_limits<RecordIndex>::max();

class RecordTable {
 public:
  // Expected number of operations; only saves copying.
  void reserve(std::size_t operations) { records_.reserve(operations); }
  void add(const Operation& operation, std::uint64_t line);

  // To be called once, after the last add: groups by cell, by invocation within a cell, and indexes
  // the writes. A second write of one name is excluded and reported.
  void index(Findings& findings);

  std::size_t size() const { return records_.size(); }
  Record& operator[](RecordIndex index) { return records_[index]; }
  const Record& operator[](RecordIndex index) const { return records_[index]; }

  // The write of that name, or kNoRecord.
  RecordIndex find(Writer id) const;

  // The records of the n-th cell are [cell_begin(n), cell_begin(n + 1)).
  std::size_t cells() const { return cell_begins_.empty() ? 0 : cell_begins_.size() - 1; }
  RecordIndex cell_begin(std::size_t n) const { return cell_begins_[n]; }

  // For explanations; times in ms since the first invocation.
  std::string describe(const Record& record) const;
  std::string describe(RecordIndex index) const { return describe(records_[index]); }

 private:
  // The place of `id` in slots_: where it is, or the empty one where it belongs.
  std::size_t slot_of(Writer id) const;

  std::vector<Record> records_;
  std::vector<RecordIndex> cell_begins_;
  std::vector<RecordIndex> slots_;  // open addressing, a power of two, at most half full
  std::int64_t first_invoke_ns_ = 0;
};

std::uint32_t pack_cell(std::uint32_t x, std::uint32_t y);
std::uint32_t cell_x(std::uint32_t cell);
std::uint32_t cell_y(std::uint32_t cell);
std::string cell_text(std::uint32_t cell);  // (x,y)
std::string stamp_text(Stamp stamp);        // major.minor in hexadecimal, for people

}  // namespace parley::history
