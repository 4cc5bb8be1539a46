// The digests of a store as a tree, to find the cells in which two stores differ (Merkle, 1987).
#pragma once

#include <cstdint>
#include <vector>

#include "algorithms/contract/store.h"
#include "algorithms/gossip_lww/messages.h"

namespace parley::gossip_lww {

inline constexpr std::uint32_t kTreeFan = 32;        // children of a place
inline constexpr std::uint32_t kCellsPerBlock = 32;  // below a place of level 0
static_assert(kCellsPerBlock * kTreeFan == kCellsPerTile,
              "places of level 1 are the store's tiles");

// The place that covers all of `key_count` cells.
TreePlace tree_root(std::uint32_t key_count);

// Whether there is such a place in the tree of a store of so many cells.
bool is_tree_place(TreePlace place, std::uint32_t key_count);

// The digest of all cells below `place`: the sum of theirs, 0 if none was written. That of a block
// is added up from its cells, those above from the store's tiles.
std::uint64_t tree_digest(const Store& store, TreePlace place);

// Appends the children of `place`, whose level is above 0, that are not 0.
void tree_children(const Store& store, TreePlace place, std::vector<TreeDigest>& children);

}  // namespace parley::gossip_lww
