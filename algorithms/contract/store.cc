#include "algorithms/contract/store.h"

namespace parley {
namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): each input bit flips half of the output.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

std::uint64_t cell_digest(Key key, const Cell& cell) {
  const std::uint64_t writer =
      (static_cast<std::uint64_t>(cell.writer.session) << 32) | cell.writer.sequence;
  std::uint64_t hash = mix(key.value);
  hash = mix(hash ^ cell.value);
  hash = mix(hash ^ cell.stamp.major);
  hash = mix(hash ^ cell.stamp.minor);
  return mix(hash ^ writer);
}

const Cell& FrozenStore::at(Key key) const {
  static constexpr Cell blank{};
  const Tile* found = tile(key.value / kCellsPerTile);
  return found == nullptr ? blank : found->cells[key.value % kCellsPerTile];
}

Store::Store(std::uint32_t key_count)
    : tiles_((key_count + kCellsPerTile - 1) / kCellsPerTile), key_count_(key_count) {}

Tile& Store::tile_for_write(std::size_t index) {
  std::shared_ptr<Tile>& tile = tiles_[index];
  if (tile == nullptr) {
    tile = std::make_shared<Tile>();
    tile->generation = generation_;
  } else if (tile->generation != generation_) {
    // A frozen view may still share it. Whether one does cannot be asked without a race, so the
    // first write after a freeze always copies.
    tile = std::make_shared<Tile>(*tile);
    tile->generation = generation_;
  }
  return *tile;
}

WriteResult Store::write(Key key, std::uint64_t value, Stamp stamp, Writer writer) {
  const Cell& old = at(key);
  if (stamp < old.stamp) return WriteResult::older;
  const Cell fresh{value, stamp, writer};
  if (stamp == old.stamp) return fresh == old ? WriteResult::same : WriteResult::conflict;

  Tile& tile = tile_for_write(key.value / kCellsPerTile);
  Cell& cell = tile.cells[key.value % kCellsPerTile];
  std::uint64_t change = cell_digest(key, fresh);
  if (cell.stamp == Stamp{}) {
    ++written_cells_;
  } else {
    change -= cell_digest(key, cell);
  }
  tile.digest += change;
  digest_ += change;
  cell = fresh;
  return WriteResult::taken;
}

FrozenStore Store::freeze() {
  ++generation_;
  return FrozenStore(std::vector<std::shared_ptr<const Tile>>(tiles_.begin(), tiles_.end()),
                     digest_, key_count_);
}

}  // namespace parley
