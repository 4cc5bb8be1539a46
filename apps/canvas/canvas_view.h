// The gateway's own compact copy of the canvas, from which viewers are served.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "algorithms/contract/store.h"
#include "apps/canvas/canvas.h"
#include "apps/canvas/update_stream.h"

namespace parley {

// Twelve bytes a cell. Used by one thread; the bodies that it makes may be read by others.
class CanvasView {
 public:
  using Body = std::shared_ptr<const std::string>;
  using Seconds = std::uint32_t;  // since 1970

  // More changes between two updates are not told one by one.
  static constexpr std::size_t kMaxChanges = 140'000;

  // `canvas` must outlive the view. All bodies that are in use at one time hold at most
  // `max_body_bytes`, however slowly their readers read.
  CanvasView(const Canvas& canvas, std::uint64_t max_body_bytes);

  // Brings in what has changed since the last update; reads only the tiles that did. Versions that
  // the first update brings have been there for an unknown time.
  void update(const FrozenStore& store, LogIndex applied, Seconds now);

  // What the last update changed, in no order; only a part of it unless `changes_complete`.
  [[nodiscard]] std::span<const PixelChange> changes() const { return changes_; }
  [[nodiscard]] bool changes_complete() const { return changes_complete_; }
  // How many tiles the last update had to read.
  [[nodiscard]] std::size_t tiles_read() const { return tiles_read_; }

  // Notes that the version `stamp` of a cell was seen, if it is news.
  void saw(std::uint32_t x, std::uint32_t y, Stamp stamp, Seconds now);
  // When that version of the cell was first seen here; 0 if unknown.
  [[nodiscard]] Seconds first_seen(std::uint32_t x, std::uint32_t y, Stamp stamp) const;

  // Counts the states seen.
  [[nodiscard]] std::uint64_t change() const { return change_; }
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  [[nodiscard]] std::uint32_t painted() const { return painted_; }

  // Row by row, three bytes a cell: red, green, blue; white where nothing was painted. Null when
  // slow readers still hold too many earlier bodies.
  Body rgb();
  // {"width","height","pixels":{"x,y":"#RRGGBB",...},"version":[applied index, or 0]}; null as
  // above.
  Body json();
  // {"pixels":[0xRRGGBB,...]} of all cells row by row, 0 where nothing was painted; null as above.
  Body numbers();
  // Counts a body that was made elsewhere among those in use; null if there is no room for it.
  Body keep(std::string bytes);

  // The next painted cell from row-by-row position `at` on, which moves behind it.
  bool next_painted(std::size_t& at, PixelChange& pixel) const;

 private:
  // When a version of a cell was first seen.
  struct Sight {
    std::uint32_t version = 0;  // a hash of its stamp
    Seconds at = 0;
  };
  struct Cached {
    Body body;
    std::uint64_t change = 0;  // what it shows
  };
  template <class Make>
  Body cached(Cached& cached, std::uint64_t bytes, Make make);
  bool make_room(std::uint64_t bytes);
  void update_tile(std::size_t index, const Tile& tile, Seconds now);

  const Canvas& canvas_;
  std::uint64_t max_body_bytes_;
  std::vector<std::uint32_t> cells_;  // row by row: bit 24 painted, below it the colour
  std::vector<Sight> sights_;         // row by row
  std::vector<std::uint64_t> tile_digests_;
  std::vector<PixelChange> changes_;
  bool changes_complete_ = true;
  bool updated_ = false;
  std::size_t tiles_read_ = 0;
  std::uint64_t digest_ = 0;
  LogIndex applied_;
  std::uint64_t change_ = 1;  // counts the states seen
  std::uint32_t painted_ = 0;
  Cached rgb_;
  Cached json_;
  Cached numbers_;
  std::vector<std::weak_ptr<const std::string>> alive_;
};

}  // namespace parley
