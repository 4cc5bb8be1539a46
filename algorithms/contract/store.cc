#include "algorithms/contract/store.h"

namespace parley {
namespace {

constexpr std::size_t kTilesWorthAPool = 256;  // 8 MiB

__extension__ using Uint128 = unsigned __int128;

// Both halves of a product, folded: each bit of either factor reaches the whole result, for one
// multiplication (as in Wang Yi's wyhash). Several of them do not wait for each other.
constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const Uint128 product = Uint128{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

// A digest is summed over every write of every replica, so it has to be cheap; it guards against
// mistakes, not against an adversary. The constants are odd and of irregular bits: digits of pi.
std::uint64_t cell_digest(Key key, const Cell& cell) {
  constexpr std::uint64_t kA = 0x243f6a8885a308d3;
  constexpr std::uint64_t kB = 0x13198a2e03707345;
  constexpr std::uint64_t kC = 0xa4093822299f31d1;
  constexpr std::uint64_t kD = 0x082efa98ec4e6c89;
  constexpr std::uint64_t kE = 0x452821e638d01377;
  const std::uint64_t writer = (std::uint64_t{cell.writer.session} << 32) | cell.writer.sequence;
  const std::uint64_t stamp = fold(cell.stamp.major ^ kA, cell.stamp.minor ^ kB);
  const std::uint64_t content = fold(cell.value ^ kC, writer ^ kD);
  return fold(stamp ^ (key.value * kE), content ^ kB);
}

const Cell& FrozenStore::at(Key key) const {
  static constexpr Cell blank{};
  const Tile* found = tile(key.value / kCellsPerTile);
  return found == nullptr ? blank : found->cells[key.value % kCellsPerTile];
}

Store::Store(std::uint32_t key_count)
    : tiles_((key_count + kCellsPerTile - 1) / kCellsPerTile), key_count_(key_count) {
  if (tiles_.size() >= kTilesWorthAPool) pool_ = std::make_shared<TilePool>();
}

// A frozen view may still share the cells. Whether one does cannot be asked without a race, so the
// first write after a freeze always copies.
Tile& Store::cells_for_write(LiveTile& tile) const {
  static constexpr Tile kBlankTile{};
  if (tile.cells == nullptr || tile.generation != generation_) {
    const Tile& contents = tile.cells == nullptr ? kBlankTile : *tile.cells;
    tile.cells = pool_ == nullptr ? std::make_shared<Tile>(contents) : pool_->make(contents);
    tile.generation = generation_;
  }
  return *tile.cells;
}

WriteResult Store::write(Key key, std::uint64_t value, Stamp stamp, Writer writer) {
  const Cell& old = at(key);
  if (stamp < old.stamp) return WriteResult::older;
  const Cell fresh{value, stamp, writer};
  if (stamp == old.stamp) return fresh == old ? WriteResult::same : WriteResult::conflict;

  LiveTile& tile = tiles_[key.value / kCellsPerTile];
  Cell& cell = cells_for_write(tile).cells[key.value % kCellsPerTile];
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
  std::vector<FrozenStore::FrozenTile> tiles;
  tiles.reserve(tiles_.size());
  for (const LiveTile& tile : tiles_) tiles.push_back({tile.cells, tile.digest});
  return FrozenStore(std::move(tiles), digest_, key_count_);
}

}  // namespace parley
