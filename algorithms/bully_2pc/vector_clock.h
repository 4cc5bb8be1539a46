// Vector clocks: which event can have known of which other one.
//
// After Fidge, "Timestamps in message-passing systems that preserve the partial ordering" (1988),
// and Mattern, "Virtual time and global states of distributed systems" (1989).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "algorithms/contract/block.h"

namespace parley::bully_2pc {

// What two clocks say of the events that carry them.
enum class Relation : std::uint8_t { equal, before, after, concurrent };

// How many events of each node are known. A node has its place by the order of the members' ids.
using ClockView = std::span<const std::uint64_t>;

// Clocks of the same cluster: both have a number for every node.
inline Relation compare(ClockView a, ClockView b) {
  bool less = false;
  bool more = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    less = less || a[i] < b[i];
    more = more || a[i] > b[i];
  }
  if (less && more) return Relation::concurrent;
  if (less) return Relation::before;
  return more ? Relation::after : Relation::equal;
}

class VectorClock {
 public:
  VectorClock() = default;
  explicit VectorClock(std::size_t nodes) : counts_(nodes) {}
  explicit VectorClock(ClockView counts) : counts_(counts.begin(), counts.end()) {}

  // An event at the node of that place: what it sends from now on knows of it.
  void increment(std::size_t place) { ++counts_[place]; }

  // Likewise, where the numbers are times: that of the last event there.
  void raise(std::size_t place, std::uint64_t time) {
    counts_[place] = std::max(counts_[place], time);
  }

  // What was received brings its knowledge with it.
  void merge(ClockView other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] = std::max(counts_[i], other[i]);
  }

  [[nodiscard]] ClockView view() const { return counts_; }
  [[nodiscard]] std::uint64_t highest() const {
    return *std::max_element(counts_.begin(), counts_.end());
  }
  [[nodiscard]] std::size_t size() const { return counts_.size(); }
  [[nodiscard]] std::uint64_t operator[](std::size_t place) const { return counts_[place]; }
  bool operator==(const VectorClock&) const = default;

 private:
  std::vector<std::uint64_t> counts_;
};

// Numbers in bytes that are aligned to 8, as clocks stand on the wire and in records.
inline ClockView words_of(Bytes bytes) {
  return {reinterpret_cast<const std::uint64_t*>(bytes.data()), bytes.size() / 8};
}

}  // namespace parley::bully_2pc
