// The stamped store: the one state that all strategies write and all applications read.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "algorithms/contract/ids.h"
#include "algorithms/contract/stamp.h"
#include "algorithms/contract/tile_pool.h"

namespace parley {

struct Cell {
  std::uint64_t value = 0;
  Stamp stamp;
  Writer writer;
  constexpr bool operator==(const Cell&) const = default;
};
static_assert(sizeof(Cell) == 32);

inline constexpr std::uint32_t kCellsPerTile = 1024;

// A fixed number of cells beside each other.
struct Tile {
  std::array<Cell, kCellsPerTile> cells{};
};

// A state of the store that no later write changes. Safe to read and release in any thread.
class FrozenStore {
 public:
  FrozenStore() = default;
  struct FrozenTile {
    std::shared_ptr<const Tile> cells;  // null if nothing was written there
    std::uint64_t digest = 0;
  };
  FrozenStore(std::vector<FrozenTile> tiles, std::uint64_t digest, std::uint32_t key_count)
      : tiles_(std::move(tiles)), digest_(digest), key_count_(key_count) {}

  // The cell of `key` < key_count().
  [[nodiscard]] const Cell& at(Key key) const;
  // The tile that holds the keys from `index` * kCellsPerTile, or null if nothing was written
  // there.
  [[nodiscard]] const Tile* tile(std::size_t index) const { return tiles_[index].cells.get(); }
  // Does not depend on the order of the writes that led to the tile's contents.
  [[nodiscard]] std::uint64_t tile_digest(std::size_t index) const { return tiles_[index].digest; }
  [[nodiscard]] std::size_t tile_count() const { return tiles_.size(); }
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  [[nodiscard]] std::uint32_t key_count() const { return key_count_; }

 private:
  std::vector<FrozenTile> tiles_;
  std::uint64_t digest_ = 0;
  std::uint32_t key_count_ = 0;
};

// What became of a write offered to the store.
enum class WriteResult {
  taken,     // its stamp was higher than the cell's
  older,     // its stamp was lower: the cell keeps its value
  same,      // the very write that the cell holds
  conflict,  // an equal stamp with other contents: an invariant of the strategy is broken
};

// Cells {key -> value, stamp, writer} in copy-on-write tiles. Only the store compares stamps. Used
// by one thread; what `freeze` returns may go to others.
class Store {
 public:
  explicit Store(std::uint32_t key_count);
  // Not copied: two stores must not share tiles that either of them writes.
  Store(Store&&) noexcept = default;
  Store& operator=(Store&&) noexcept = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store() = default;

  // Offers a write; `key` < key_count(), `stamp` above zero.
  WriteResult write(Key key, std::uint64_t value, Stamp stamp, Writer writer);

  // The cell of `key` < key_count(); a cell never written has the zero stamp.
  [[nodiscard]] const Cell& at(Key key) const {
    const Tile* cells = tiles_[key.value / kCellsPerTile].cells.get();
    return cells == nullptr ? kBlank : cells->cells[key.value % kCellsPerTile];
  }

  // The tile that holds the keys from `index` * kCellsPerTile, valid until the next write, or null
  // if nothing was written there.
  [[nodiscard]] const Tile* tile(std::size_t index) const { return tiles_[index].cells.get(); }

  // The state as it is now. Costs a pointer per tile; each tile is copied at its next write.
  FrozenStore freeze();

  // Equal for equal contents, whatever the order of the writes that led to them (64 bits).
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  [[nodiscard]] std::uint64_t tile_digest(std::size_t index) const { return tiles_[index].digest; }
  [[nodiscard]] std::size_t tile_count() const { return tiles_.size(); }
  [[nodiscard]] std::uint32_t key_count() const { return key_count_; }
  [[nodiscard]] std::uint32_t written_cells() const { return written_cells_; }

 private:
  static constexpr Cell kBlank{};

  // What every write touches stands beside the pointer, not behind the cells: a write of a random
  // cell then costs one cache miss, not two.
  struct LiveTile {
    std::shared_ptr<Tile> cells;   // null if nothing was written there
    std::uint64_t generation = 0;  // of the store when this copy was made
    std::uint64_t digest = 0;
  };

  Tile& cells_for_write(LiveTile& tile) const;

  std::shared_ptr<TilePool> pool_;  // of a large store; a small one's tiles come from the heap
  std::vector<LiveTile> tiles_;
  std::uint64_t generation_ = 0;
  std::uint64_t digest_ = 0;
  std::uint32_t key_count_;
  std::uint32_t written_cells_ = 0;
};

// The digest of one cell's contents; the digests of tiles and stores are sums of these.
std::uint64_t cell_digest(Key key, const Cell& cell);

}  // namespace parley
