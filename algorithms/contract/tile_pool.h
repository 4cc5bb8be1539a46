// Where the tiles of a store live.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

namespace parley {

struct Tile;

// Memory for the tiles of a large store, in chunks that the kernel can back with one huge page
// each. Writes go to random cells, and with small pages nearly each of them would have to walk the
// page table first: on three replicas of a million cells that took a tenth of all time.
//
// Chunks are given back with the pool, which lives as long as any of its tiles. Thread-safe, since
// frozen tiles are released by those who look at them.
class TilePool : public std::enable_shared_from_this<TilePool> {
 public:
  // A copy of `contents`. Throws std::bad_alloc.
  std::shared_ptr<Tile> make(const Tile& contents);

 private:
  struct Free {
    void operator()(void* chunk) const { std::free(chunk); }
  };

  void* take();
  void give_back(void* slot);

  std::mutex mutex_;
  std::vector<std::unique_ptr<void, Free>> chunks_;
  std::vector<void*> free_;
};

}  // namespace parley
