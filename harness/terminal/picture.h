// The canvas as a terminal shows it: two cells in a character, one above the other.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/canvas/canvas.h"
#include "apps/canvas/update_stream.h"

namespace parley::terminal {

// The part of the canvas that is shown.
struct Window {
  std::uint32_t columns = 80;  // characters
  std::uint32_t rows = 24;
  std::uint32_t x = 0;  // the cell in the middle
  std::uint32_t y = 0;
  std::uint32_t scale = 1;  // each half of a character stands for scale x scale cells
};

class Picture {
 public:
  // Takes in a frame, and tells of each cell that it changes; a picture changes them all and tells
  // of none. Throws FrameError, perhaps after some of it, for malformed ones and for changes that
  // do not follow what was taken in before.
  void take(std::string_view frame, const std::function<void(const PixelChange&)>& changed);

  // Of the latest frame; its size is 0 x 0 before the first.
  [[nodiscard]] const FrameHeader& header() const { return header_; }

  // Lines with colours (24 bits, ECMA-48 SGR 38 and 48), each ended by a line feed. Where several
  // cells share a place, the painted ones are mixed; what is outside the canvas is left blank.
  [[nodiscard]] std::string draw(const Window& window) const;

  // The scale at which all of the canvas fits.
  [[nodiscard]] std::uint32_t scale_to_fit(std::uint32_t columns, std::uint32_t rows) const;

 private:
  [[nodiscard]] std::uint32_t color_at(std::int64_t x, std::int64_t y, std::uint32_t scale) const;

  FrameHeader header_{FrameKind::changes, {0, 0}, 0, 0, 0};
  std::vector<std::uint32_t> cells_;  // 0xRRGGBB, row by row
};

}  // namespace parley::terminal
