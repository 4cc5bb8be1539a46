#include "algorithms/gossip_lww/digest_tree.h"

#include <gtest/gtest.h>

#include "algorithms/contract/random.h"

namespace parley::gossip_lww {
namespace {

// The blocks in which two stores differ, found from the root.
std::vector<std::uint32_t> differing_blocks(const Store& a, const Store& b) {
  std::vector<std::uint32_t> blocks;
  std::vector<TreePlace> places{tree_root(a.key_count())};
  std::vector<TreeDigest> children;
  while (!places.empty()) {
    const TreePlace place = places.back();
    places.pop_back();
    if (tree_digest(a, place) == tree_digest(b, place)) continue;
    if (place.level == 0) {
      blocks.push_back(place.index);
      continue;
    }
    for (std::uint32_t i = 0; i < kTreeFan; ++i) {
      const TreePlace child{place.level - 1, place.index * kTreeFan + i};
      if (is_tree_place(child, a.key_count())) places.push_back(child);
    }
  }
  return blocks;
}

TEST(DigestTree, TheRootCoversAllCells) {
  EXPECT_EQ(tree_root(1), (TreePlace{1, 0}));
  EXPECT_EQ(tree_root(1024), (TreePlace{1, 0}));
  EXPECT_EQ(tree_root(1025), (TreePlace{2, 0}));
  EXPECT_EQ(tree_root(1'000'000), (TreePlace{3, 0}));
  EXPECT_EQ(tree_root(4096 * 4096), (TreePlace{4, 0}));
}

TEST(DigestTree, PlacesBeyondTheStoreAreNone) {
  EXPECT_TRUE(is_tree_place({0, 31}, 1000));
  EXPECT_FALSE(is_tree_place({0, 32}, 1000));
  EXPECT_FALSE(is_tree_place({2, 0}, 1000));
  EXPECT_FALSE(is_tree_place({8, 4'000'000'000}, 1000));
}

TEST(DigestTree, TheRootsDigestIsTheStores) {
  Store store(100'000);
  Random random(1);
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    const Key key{static_cast<std::uint32_t>(random.below(store.key_count()))};
    store.write(key, random.bits(), {i, 1}, {1, 1});
  }
  EXPECT_EQ(tree_digest(store, tree_root(store.key_count())), store.digest());
}

TEST(DigestTree, ChildrenAddUpToTheirParent) {
  Store store(100'000);
  for (std::uint32_t key = 0; key < 100'000; key += 777) store.write({key}, key, {1 + key, 1}, {});
  std::vector<TreeDigest> children;
  tree_children(store, {2, 1}, children);
  std::uint64_t sum = 0;
  for (const TreeDigest& child : children) {
    EXPECT_EQ(child.place.level, 1U);
    EXPECT_EQ(child.digest, tree_digest(store, child.place));
    sum += child.digest;
  }
  EXPECT_EQ(sum, tree_digest(store, {2, 1}));
}

TEST(DigestTree, FindsExactlyTheBlocksThatDiffer) {
  Store a(200'000);
  Store b(200'000);
  for (std::uint32_t key = 0; key < 200'000; key += 3) {
    a.write({key}, key, {1, 1}, {});
    b.write({key}, key, {1, 1}, {});
  }
  a.write({5}, 1, {2, 1}, {});
  a.write({31}, 1, {2, 1}, {});
  b.write({199'999}, 1, {2, 2}, {});
  EXPECT_EQ(differing_blocks(a, b), (std::vector<std::uint32_t>{199'999 / 32, 0}));
}

// Equal values by different writers, or of different stamps, are different cells.
TEST(DigestTree, CoversTheTieBreak) {
  Store a(64);
  Store b(64);
  a.write({1}, 7, {5, 1}, {1, 1});
  b.write({1}, 7, {5, 2}, {1, 1});
  EXPECT_EQ(differing_blocks(a, b), std::vector<std::uint32_t>{0});
}

TEST(DigestTree, DoesNotDependOnTheOrderOfWrites) {
  Store a(64);
  Store b(64);
  a.write({1}, 7, {5, 1}, {});
  a.write({1}, 8, {6, 1}, {});
  a.write({2}, 9, {7, 1}, {});
  b.write({2}, 9, {7, 1}, {});
  b.write({1}, 8, {6, 1}, {});
  b.write({1}, 7, {5, 1}, {});
  EXPECT_TRUE(differing_blocks(a, b).empty());
}

}  // namespace
}  // namespace parley::gossip_lww
