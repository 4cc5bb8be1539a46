#include "algorithms/contract/store.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "algorithms/contract/random.h"

namespace parley {
namespace {

TEST(Store, TheHigherStampWinsWhateverTheOrder) {
  Store store(10);
  EXPECT_EQ(store.write(Key{3}, 7, {5, 1}, {1, 1}), WriteResult::taken);
  EXPECT_EQ(store.write(Key{3}, 8, {5, 0}, {1, 2}), WriteResult::older);
  EXPECT_EQ(store.at(Key{3}).value, 7U);
  EXPECT_EQ(store.write(Key{3}, 9, {5, 2}, {1, 3}), WriteResult::taken);
  EXPECT_EQ(store.at(Key{3}), (Cell{9, {5, 2}, {1, 3}}));
}

TEST(Store, ARepeatedWriteIsKnownAndAContradictionIsSeen) {
  Store store(10);
  store.write(Key{0}, 7, {5, 1}, {1, 1});
  EXPECT_EQ(store.write(Key{0}, 7, {5, 1}, {1, 1}), WriteResult::same);
  EXPECT_EQ(store.write(Key{0}, 8, {5, 1}, {1, 1}), WriteResult::conflict);
  EXPECT_EQ(store.write(Key{0}, 7, {5, 1}, {2, 1}), WriteResult::conflict);
  EXPECT_EQ(store.at(Key{0}).value, 7U);
}

TEST(Store, DigestDependsOnContentsAndNotOnTheOrderOfWrites) {
  Random random(4);
  std::vector<Cell> writes;
  for (std::uint64_t i = 1; i <= 400; ++i) writes.push_back({random.bits(), {i, 0}, {1, 1}});
  Store forward(2000);
  Store backward(2000);
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const auto key = [](std::size_t n) { return Key{static_cast<std::uint32_t>(n * 37 % 150)}; };
    forward.write(key(i), writes[i].value, writes[i].stamp, writes[i].writer);
    const std::size_t j = writes.size() - 1 - i;
    backward.write(key(j), writes[j].value, writes[j].stamp, writes[j].writer);
  }
  EXPECT_EQ(forward.digest(), backward.digest());
  EXPECT_EQ(forward.written_cells(), 150U);

  backward.write(Key{1}, 1, {1000, 0}, {1, 1});
  EXPECT_NE(forward.digest(), backward.digest());
}

TEST(Store, DigestCoversEveryFieldOfACell) {
  const Cell base{1, {2, 3}, {4, 5}};
  const Cell others[] = {{9, {2, 3}, {4, 5}},
                         {1, {9, 3}, {4, 5}},
                         {1, {2, 9}, {4, 5}},
                         {1, {2, 3}, {9, 5}},
                         {1, {2, 3}, {4, 9}}};
  for (const Cell& other : others) {
    EXPECT_NE(cell_digest(Key{1}, base), cell_digest(Key{1}, other));
  }
  EXPECT_NE(cell_digest(Key{1}, base), cell_digest(Key{2}, base));
}

TEST(Store, DigestIsTheSumOfItsTilesAndTheseOfTheirCells) {
  Store store(3 * kCellsPerTile);
  for (std::uint32_t i = 0; i < 3 * kCellsPerTile; i += 7) {
    store.write(Key{i}, i, {i + 1, 0}, {i, i});
  }
  std::uint64_t tiles = 0;
  std::uint64_t cells = 0;
  for (std::size_t i = 0; i < store.tile_count(); ++i) tiles += store.tile_digest(i);
  for (std::uint32_t i = 0; i < store.key_count(); ++i) {
    if (store.at(Key{i}).stamp != Stamp{}) cells += cell_digest(Key{i}, store.at(Key{i}));
  }
  EXPECT_EQ(store.digest(), tiles);
  EXPECT_EQ(store.digest(), cells);
}

TEST(Store, AFrozenStateDoesNotChange) {
  Store store(2 * kCellsPerTile);
  store.write(Key{5}, 1, {1, 0}, {1, 1});
  const FrozenStore frozen = store.freeze();
  const std::uint64_t digest = store.digest();
  store.write(Key{5}, 2, {2, 0}, {1, 2});
  store.write(Key{6}, 3, {3, 0}, {1, 3});
  store.write(Key{kCellsPerTile}, 4, {4, 0}, {1, 4});
  EXPECT_EQ(frozen.at(Key{5}).value, 1U);
  EXPECT_EQ(frozen.at(Key{6}).stamp, Stamp{});
  EXPECT_EQ(frozen.at(Key{kCellsPerTile}).stamp, Stamp{});
  EXPECT_EQ(frozen.digest(), digest);
  EXPECT_EQ(store.at(Key{5}).value, 2U);
}

}  // namespace
}  // namespace parley
