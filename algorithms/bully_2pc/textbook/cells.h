// The clocks of the updates that cells hold, beside the store, which knows stamps only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "algorithms/bully_2pc/vector_clock.h"
#include "algorithms/contract/store.h"

namespace parley::bully_2pc::textbook {

// Takes 8 bytes for each node, and 16 more, for each cell of a tile that was written. What a turn
// writes is here at once, in the store after it.
class CellClocks {
 public:
  explicit CellClocks(std::size_t nodes) : nodes_(nodes) {}

  // The stamp of the cell, in this turn or in the store.
  [[nodiscard]] Stamp stamp(const Store& store, Key key) const {
    const std::uint64_t* entry = find(key);
    const Stamp stored = store.at(key).stamp;
    return entry == nullptr ? stored : std::max(stored, Stamp{entry[0], entry[1]});
  }

  // The clock of the update with that stamp; empty if it is not known: of a state that a snapshot
  // brought back.
  [[nodiscard]] ClockView clock(Key key, Stamp stamp) const {
    const std::uint64_t* entry = find(key);
    if (entry == nullptr || Stamp{entry[0], entry[1]} != stamp) return {};
    return {entry + 2, nodes_};
  }

  void set(Key key, Stamp stamp, ClockView clock) {
    const std::size_t tile = key.value / kCellsPerTile;
    if (tile >= tiles_.size()) tiles_.resize(tile + 1);
    if (tiles_[tile].empty()) tiles_[tile].resize(kCellsPerTile * (2 + nodes_));
    std::uint64_t* entry = tiles_[tile].data() + place(key);
    entry[0] = stamp.major;
    entry[1] = stamp.minor;
    std::copy(clock.begin(), clock.end(), entry + 2);
  }

 private:
  [[nodiscard]] std::size_t place(Key key) const {
    return key.value % kCellsPerTile * (2 + nodes_);
  }
  [[nodiscard]] const std::uint64_t* find(Key key) const {
    const std::size_t tile = key.value / kCellsPerTile;
    if (tile >= tiles_.size() || tiles_[tile].empty()) return nullptr;
    return tiles_[tile].data() + place(key);
  }

  std::size_t nodes_;
  std::vector<std::vector<std::uint64_t>> tiles_;
};

}  // namespace parley::bully_2pc::textbook
