// The stamps of the cells that the turn at hand has written so far.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "algorithms/contract/store.h"

namespace parley::gossip_lww {

// The driver merges a turn's writes into the store after the step. Until then this says what a cell
// will hold: a table from keys to stamps that is emptied by counting turns.
class TurnStamps {
 public:
  void begin_turn() {
    ++turn_;
    used_ = 0;
  }

  // The highest stamp of the cell, in this turn or in the store.
  [[nodiscard]] Stamp at(const Store& store, Key key) const {
    const Slot& slot = slots_[find(key)];
    const Stamp stored = store.at(key).stamp;
    return slot.turn == turn_ ? std::max(slot.stamp, stored) : stored;
  }

  void note(Key key, Stamp stamp) {
    if (2 * (used_ + 1) > slots_.size()) grow();
    Slot& slot = slots_[find(key)];
    if (slot.turn != turn_) {
      slot = {key, turn_, stamp};
      ++used_;
    } else if (stamp > slot.stamp) {
      slot.stamp = stamp;
    }
  }

 private:
  struct Slot {
    Key key;
    std::uint64_t turn = 0;
    Stamp stamp;
  };

  // The slot of `key`, or a free one where it would be.
  [[nodiscard]] std::size_t find(Key key) const {
    const std::size_t mask = slots_.size() - 1;
    // Fibonacci hashing: neighbours are spread (Knuth, volume 3, §6.4).
    std::size_t at = (key.value * std::uint64_t{0x9e3779b97f4a7c15}) >> shift_;
    while (slots_[at].turn == turn_ && slots_[at].key != key) at = (at + 1) & mask;
    return at;
  }

  void grow() {
    std::vector<Slot> before(slots_.size() * 2);
    before.swap(slots_);
    --shift_;
    for (const Slot& slot : before) {
      if (slot.turn == turn_) slots_[find(slot.key)] = slot;
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(1024);
  int shift_ = 64 - 10;
  std::uint64_t turn_ = 0;
  std::size_t used_ = 0;
};

}  // namespace parley::gossip_lww
