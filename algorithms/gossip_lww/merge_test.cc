// The laws of merging, for all writes: whatever the order, however often, in whatever parts.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>

#include "algorithms/contract/store.h"
#include "algorithms/gossip_lww/digest_tree.h"

namespace parley::gossip_lww {
namespace {

constexpr std::uint32_t kKeys = 8;

struct TestWrite {
  std::uint32_t key;
  std::uint64_t time;
  std::uint64_t node;
};

// The value follows from the stamp, as it does for real writes: two of one stamp are one write.
void write(Store& store, const TestWrite& w) {
  const std::uint64_t value = w.time * 31 + w.node * 7 + w.key;
  store.write({w.key}, value, {w.time, w.node}, {static_cast<std::uint32_t>(w.node), 1});
}

Store merged(const std::vector<TestWrite>& writes) {
  Store store(kKeys);
  for (const TestWrite& w : writes) write(store, w);
  return store;
}

// All cells of `from` are offered to `to`, as anti-entropy does it.
void merge_into(Store& to, const Store& from) {
  for (Key key{0}; key.value < kKeys; ++key.value) {
    const Cell& cell = from.at(key);
    if (cell.stamp != Stamp{}) to.write(key, cell.value, cell.stamp, cell.writer);
  }
}

bool equal(const Store& a, const Store& b) {
  for (Key key{0}; key.value < kKeys; ++key.value) {
    if (!(a.at(key) == b.at(key))) return false;
  }
  return a.digest() == b.digest();
}

// Few keys, times and nodes, so that writes meet.
std::vector<TestWrite> some_writes() {
  return *rc::gen::container<std::vector<TestWrite>>(rc::gen::construct<TestWrite>(
      rc::gen::inRange<std::uint32_t>(0, kKeys), rc::gen::inRange<std::uint64_t>(1, 6),
      rc::gen::inRange<std::uint64_t>(1, 4)));
}

RC_GTEST_PROP(Merging, IsCommutative, ()) {
  const std::vector<TestWrite> a = some_writes();
  const std::vector<TestWrite> b = some_writes();
  Store ab = merged(a);
  merge_into(ab, merged(b));
  Store ba = merged(b);
  merge_into(ba, merged(a));
  RC_ASSERT(equal(ab, ba));
}

RC_GTEST_PROP(Merging, IsAssociative, ()) {
  const std::vector<TestWrite> a = some_writes();
  const std::vector<TestWrite> b = some_writes();
  const std::vector<TestWrite> c = some_writes();
  Store left = merged(a);
  merge_into(left, merged(b));
  merge_into(left, merged(c));
  Store right = merged(b);
  merge_into(right, merged(c));
  Store all = merged(a);
  merge_into(all, right);
  RC_ASSERT(equal(left, all));
}

RC_GTEST_PROP(Merging, IsIdempotent, ()) {
  const std::vector<TestWrite> a = some_writes();
  Store twice = merged(a);
  merge_into(twice, merged(a));
  RC_ASSERT(equal(merged(a), twice));
}

RC_GTEST_PROP(Merging, DoesNotDependOnOrderNorRepetition, ()) {
  std::vector<TestWrite> writes = some_writes();
  const Store once = merged(writes);
  const std::vector<TestWrite> again = writes;
  writes.insert(writes.end(), again.begin(), again.end());
  const auto seed = *rc::gen::arbitrary<std::uint32_t>();
  std::shuffle(writes.begin(), writes.end(), std::mt19937(seed));
  RC_ASSERT(equal(once, merged(writes)));
}

// The digest tells two stores apart exactly when a cell differs, and says where.
RC_GTEST_PROP(Merging, DigestsAreEqualForEqualCellsOnly, ()) {
  const Store a = merged(some_writes());
  const Store b = merged(some_writes());
  bool same = true;
  for (Key key{0}; key.value < kKeys; ++key.value) same = same && a.at(key) == b.at(key);
  RC_ASSERT((tree_digest(a, {0, 0}) == tree_digest(b, {0, 0})) == same);
}

}  // namespace
}  // namespace parley::gossip_lww
