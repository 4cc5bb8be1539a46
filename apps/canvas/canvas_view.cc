#include "apps/canvas/canvas_view.h"

#include <algorithm>

namespace parley {
namespace {

constexpr std::uint32_t kPainted = 1U << 24;
constexpr std::uint32_t kBackground = 0xFFFFFF;
constexpr std::uint64_t kBytesPerJsonPixel = 23;  // at most: "4095,4095":"#RRGGBB",

void append_pixel(std::uint32_t x, std::uint32_t y, std::uint32_t color, std::string& to) {
  to += '"';
  to += std::to_string(x);
  to += ',';
  to += std::to_string(y);
  to += "\":\"";
  to += color_text(color);
  to += "\",";
}

}  // namespace

CanvasView::CanvasView(const Canvas& canvas, std::uint64_t max_body_bytes)
    : canvas_(canvas),
      max_body_bytes_(max_body_bytes),
      cells_(static_cast<std::size_t>(canvas.size().width) * canvas.size().height, kBackground),
      tile_digests_(canvas.key_count() / kCellsPerTile) {}

void CanvasView::update(const FrozenStore& store, LogIndex applied) {
  if (store.digest() != digest_ || applied != applied_) ++change_;
  digest_ = store.digest();
  applied_ = applied;
  for (std::size_t i = 0; i < tile_digests_.size(); ++i) {
    const Tile* tile = store.tile(i);
    if (tile == nullptr || store.tile_digest(i) == tile_digests_[i]) continue;
    tile_digests_[i] = store.tile_digest(i);
    for (std::uint32_t cell = 0; cell < kCellsPerTile; ++cell) {
      const Pixel pixel = unpack_pixel(tile->cells[cell].value);
      if (!pixel.painted) continue;
      const auto [x, y] = canvas_.xy_of({static_cast<std::uint32_t>(i) * kCellsPerTile + cell});
      std::uint32_t& seen = cells_[static_cast<std::size_t>(y) * canvas_.size().width + x];
      if ((seen & kPainted) == 0) ++painted_;
      seen = kPainted | pixel.color;
    }
  }
}

CanvasView::Body CanvasView::rgb() {
  return cached(rgb_, cells_.size() * 3, [this] {
    std::string bytes(cells_.size() * 3, '\0');
    char* to = bytes.data();
    for (const std::uint32_t cell : cells_) {
      *to++ = static_cast<char>(cell >> 16);
      *to++ = static_cast<char>(cell >> 8);
      *to++ = static_cast<char>(cell);
    }
    return bytes;
  });
}

CanvasView::Body CanvasView::json() {
  return cached(json_, painted_ * kBytesPerJsonPixel + 128, [this] {
    const auto [width, height] = canvas_.size();
    std::string text = "{\"width\":" + std::to_string(width) +
                       ",\"height\":" + std::to_string(height) + ",\"pixels\":{";
    text.reserve(painted_ * kBytesPerJsonPixel + 128);
    const std::uint32_t* cell = cells_.data();
    for (std::uint32_t y = 0; y < height; ++y) {
      for (std::uint32_t x = 0; x < width; ++x, ++cell) {
        if ((*cell & kPainted) != 0) append_pixel(x, y, *cell & kMaxColor, text);
      }
    }
    if (text.back() == ',') text.pop_back();
    text += "},\"version\":[" + std::to_string(applied_.value) + "]}\n";
    return text;
  });
}

template <class Make>
CanvasView::Body CanvasView::cached(Cached& cached, std::uint64_t bytes, Make make) {
  if (cached.change == change_) return cached.body;
  cached = {};
  if (!make_room(bytes)) return nullptr;
  cached = {std::make_shared<const std::string>(make()), change_};
  alive_.push_back(cached.body);
  return cached.body;
}

bool CanvasView::make_room(std::uint64_t bytes) {
  std::erase_if(alive_, [](const auto& body) { return body.expired(); });
  for (const auto& body : alive_) {
    if (const auto held = body.lock()) bytes += held->size();
  }
  return bytes <= max_body_bytes_ || alive_.empty();
}

}  // namespace parley
