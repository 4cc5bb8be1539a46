#include "algorithms/contract/tile_pool.h"

#include <sys/mman.h>

#include <new>

#include "algorithms/contract/store.h"

namespace parley {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{2} << 20;  // a huge page
static_assert(kChunkBytes % sizeof(Tile) == 0);

}  // namespace

std::shared_ptr<Tile> TilePool::make(const Tile& contents) {
  Tile* tile = new (take()) Tile(contents);
  return {tile, [pool = shared_from_this()](Tile* unused) {
            unused->~Tile();
            pool->give_back(unused);
          }};
}

void* TilePool::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    auto* chunk = static_cast<std::byte*>(std::aligned_alloc(kChunkBytes, kChunkBytes));
    if (chunk == nullptr) throw std::bad_alloc();
    chunks_.emplace_back(chunk);
    madvise(chunk, kChunkBytes, MADV_HUGEPAGE);  // where there are none, small pages do
    for (std::size_t end = kChunkBytes; end > 0; end -= sizeof(Tile)) {
      free_.push_back(chunk + end - sizeof(Tile));
    }
  }
  void* slot = free_.back();
  free_.pop_back();
  return slot;
}

void TilePool::give_back(void* slot) {
  const std::lock_guard lock(mutex_);
  free_.push_back(slot);
}

}  // namespace parley
