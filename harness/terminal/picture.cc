#include "harness/terminal/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace parley::terminal {
namespace {

constexpr std::uint32_t kUnpainted = 0xFFFFFF;  // as pictures show it
constexpr std::uint32_t kOutside = 1U << 24;    // no colour
constexpr std::string_view kPlain = "\x1b[0m";

void set_color(std::uint32_t color, bool background, std::string& to) {
  fmt::format_to(std::back_inserter(to), "\x1b[{};2;{};{};{}m", background ? 48 : 38, color >> 16,
                 (color >> 8) & 0xFF, color & 0xFF);
}

// One character that shows two cells, each of a colour or kOutside.
void add_character(std::uint32_t upper, std::uint32_t lower, std::string& to) {
  if (upper == kOutside && lower == kOutside) {
    to += ' ';
    return;
  }
  set_color(upper != kOutside ? upper : lower, /*background=*/false, to);
  if (upper != kOutside && lower != kOutside) set_color(lower, /*background=*/true, to);
  to += upper != kOutside ? "▀" : "▄";
  to += kPlain;
}

}  // namespace

void Picture::take(std::string_view frame, const std::function<void(const PixelChange&)>& changed) {
  FrameReader reader(frame);
  const FrameHeader& header = reader.header();
  if (header.kind == FrameKind::picture) {
    const std::string_view bytes = reader.picture();
    const auto part = [bytes](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
    };
    cells_.resize(bytes.size() / 3);
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      cells_[i] = part(3 * i) << 16 | part(3 * i + 1) << 8 | part(3 * i + 2);
    }
  } else {
    if (header.size != header_.size || header.sequence != header_.sequence + 1) {
      throw FrameError("not the frame that follows");
    }
    PixelChange change;
    while (reader.next(change)) {
      cells_[std::size_t{change.y} * header.size.width + change.x] = change.color;
      changed(change);
    }
  }
  header_ = header;
}

std::uint32_t Picture::color_at(std::int64_t x, std::int64_t y, std::uint32_t scale) const {
  std::uint64_t red = 0;
  std::uint64_t green = 0;
  std::uint64_t blue = 0;
  std::uint64_t painted = 0;
  bool inside = false;
  for (std::int64_t row = std::max<std::int64_t>(y, 0);
       row < std::min<std::int64_t>(y + scale, header_.size.height); ++row) {
    for (std::int64_t column = std::max<std::int64_t>(x, 0);
         column < std::min<std::int64_t>(x + scale, header_.size.width); ++column) {
      inside = true;
      const std::uint32_t color = cells_[static_cast<std::size_t>(row) * header_.size.width +
                                         static_cast<std::size_t>(column)];
      if (color == kUnpainted) continue;
      red += color >> 16;
      green += (color >> 8) & 0xFF;
      blue += color & 0xFF;
      ++painted;
    }
  }
  if (!inside) return kOutside;
  if (painted == 0) return kUnpainted;
  return static_cast<std::uint32_t>(red / painted << 16 | green / painted << 8 | blue / painted);
}

std::string Picture::draw(const Window& window) const {
  const std::int64_t scale = window.scale;
  const std::int64_t left = window.x - scale * (window.columns / 2);
  const std::int64_t top = window.y - scale * window.rows;
  std::string text;
  for (std::int64_t row = 0; row < window.rows; ++row) {
    for (std::int64_t column = 0; column < window.columns; ++column) {
      const std::int64_t x = left + column * scale;
      const std::uint32_t upper = color_at(x, top + 2 * row * scale, window.scale);
      const std::uint32_t lower = color_at(x, top + (2 * row + 1) * scale, window.scale);
      add_character(upper, lower, text);
    }
    text += '\n';
  }
  return text;
}

std::uint32_t Picture::scale_to_fit(std::uint32_t columns, std::uint32_t rows) const {
  const auto parts = [](std::uint32_t cells, std::uint32_t places) {
    return (cells + places - 1) / places;
  };
  return std::max({1U, parts(header_.size.width, columns), parts(header_.size.height, 2 * rows)});
}

}  // namespace parley::terminal
