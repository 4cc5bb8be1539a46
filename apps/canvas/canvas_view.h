// The gateway's own compact copy of the canvas, from which viewers are served.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "algorithms/contract/store.h"
#include "apps/canvas/canvas.h"

namespace parley {

// Four bytes a cell. Used by one thread; the bodies that it makes may be read by others.
class CanvasView {
 public:
  using Body = std::shared_ptr<const std::string>;

  // `canvas` must outlive the view. All bodies that are in use at one time hold at most
  // `max_body_bytes`, however slowly their readers read.
  CanvasView(const Canvas& canvas, std::uint64_t max_body_bytes);

  // Brings in what has changed since the last update; reads only the tiles that did.
  void update(const FrozenStore& store, LogIndex applied);

  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  [[nodiscard]] std::uint32_t painted() const { return painted_; }

  // Row by row, three bytes a cell: red, green, blue; white where nothing was painted. Null when
  // slow readers still hold too many earlier bodies.
  Body rgb();
  // {"width","height","pixels":{"x,y":"#RRGGBB",...},"version":[applied index]}; null as above.
  Body json();

 private:
  struct Cached {
    Body body;
    std::uint64_t change = 0;  // what it shows
  };
  template <class Make>
  Body cached(Cached& cached, std::uint64_t bytes, Make make);
  bool make_room(std::uint64_t bytes);

  const Canvas& canvas_;
  std::uint64_t max_body_bytes_;
  std::vector<std::uint32_t> cells_;  // row by row: bit 24 painted, below it the colour
  std::vector<std::uint64_t> tile_digests_;
  std::uint64_t digest_ = 0;
  LogIndex applied_;
  std::uint64_t change_ = 1;  // counts the states seen
  std::uint32_t painted_ = 0;
  Cached rgb_;
  Cached json_;
  std::vector<std::weak_ptr<const std::string>> alive_;
};

}  // namespace parley
