#include "algorithms/gossip_lww/digest_tree.h"

#include <algorithm>

namespace parley::gossip_lww {
namespace {

// How many cells lie below a place of `level`; 64 bits, since the root's may be more than a store
// can have.
std::uint64_t cells_below(std::uint32_t level) {
  std::uint64_t cells = kCellsPerBlock;
  for (; level > 0; --level) cells *= kTreeFan;
  return cells;
}

std::uint64_t block_digest(const Store& store, std::uint32_t index) {
  const std::uint32_t begin = index * kCellsPerBlock;
  const std::uint32_t end = std::min(begin + kCellsPerBlock, store.key_count());
  std::uint64_t digest = 0;
  for (Key key{begin}; key.value < end; ++key.value) {
    const Cell& cell = store.at(key);
    if (cell.stamp != Stamp{}) digest += cell_digest(key, cell);
  }
  return digest;
}

}  // namespace

TreePlace tree_root(std::uint32_t key_count) {
  std::uint32_t level = 1;
  while (cells_below(level) < key_count) ++level;
  return {level, 0};
}

bool is_tree_place(TreePlace place, std::uint32_t key_count) {
  return place.level <= tree_root(key_count).level &&
         place.index * cells_below(place.level) < key_count;
}

std::uint64_t tree_digest(const Store& store, TreePlace place) {
  if (place.level == 0) return block_digest(store, place.index);
  const std::uint64_t tiles = cells_below(place.level) / kCellsPerTile;
  const std::uint64_t begin = place.index * tiles;
  const std::uint64_t end = std::min<std::uint64_t>(begin + tiles, store.tile_count());
  std::uint64_t digest = 0;
  for (std::uint64_t tile = begin; tile < end; ++tile) digest += store.tile_digest(tile);
  return digest;
}

void tree_children(const Store& store, TreePlace place, std::vector<TreeDigest>& children) {
  for (std::uint32_t i = 0; i < kTreeFan; ++i) {
    const TreePlace child{place.level - 1, place.index * kTreeFan + i};
    if (!is_tree_place(child, store.key_count())) return;
    const std::uint64_t digest = tree_digest(store, child);
    if (digest != 0) children.push_back({child, digest});
  }
}

}  // namespace parley::gossip_lww
