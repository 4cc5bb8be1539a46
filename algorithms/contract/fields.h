// What a message says, field by field, for readers that are programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "algorithms/contract/ids.h"
#include "algorithms/contract/membership.h"

namespace parley {

// Gets the fields of one message. Names are literals; values are valid during the call.
class FieldSink {
 public:
  virtual ~FieldSink() = default;

  virtual void number(std::string_view name, std::uint64_t value) = 0;
  virtual void flag(std::string_view name, bool value) = 0;
  // One of a few words, or what only names something and is not calculated with.
  virtual void text(std::string_view name, std::string_view value) = 0;
  // A list of rows of `width` numbers each, which stand in `numbers` row by row.
  virtual void rows(std::string_view name, std::size_t width,
                    std::span<const std::uint64_t> numbers) = 0;
  virtual void members(std::string_view name, const Membership& members) = 0;

  template <class Tag, class Rep>
  void number(std::string_view name, Id<Tag, Rep> id) {
    number(name, std::uint64_t{id.value});
  }
  template <class Tag>
  void number(std::string_view name, Ordinal<Tag> ordinal) {
    number(name, ordinal.value);
  }
};

// The epochs of entries that follow each other in a log, as rows of an epoch and how many of them
// in a row have it.
class EpochRuns {
 public:
  void add(Epoch epoch) {
    if (rows_.empty() || rows_[rows_.size() - 2] != epoch.value) {
      rows_.insert(rows_.end(), {epoch.value, 0});
    }
    ++rows_.back();
  }
  void put(std::string_view name, FieldSink& to) const { to.rows(name, 2, rows_); }

 private:
  std::vector<std::uint64_t> rows_;
};

}  // namespace parley
