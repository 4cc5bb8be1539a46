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

// Not zero, which stands for a cell never written.
std::uint32_t stamp_hash(Stamp stamp) {
  const std::uint64_t mixed =
      (stamp.major * 0x9e3779b97f4a7c15) ^ (stamp.minor * 0xc2b2ae3d27d4eb4f);
  return static_cast<std::uint32_t>(mixed >> 32) | 1;
}

}  // namespace

CanvasView::CanvasView(const Canvas& canvas, std::uint64_t max_body_bytes)
    : canvas_(canvas),
      max_body_bytes_(max_body_bytes),
      cells_(static_cast<std::size_t>(canvas.size().width) * canvas.size().height, kBackground),
      sights_(cells_.size()),
      tile_digests_(canvas.picture_keys() / kCellsPerTile) {}

void CanvasView::update(const FrozenStore& store, LogIndex applied, Seconds now) {
  if (store.digest() != digest_ || applied != applied_) ++change_;
  digest_ = store.digest();
  applied_ = applied;
  changes_.clear();
  changes_complete_ = true;
  tiles_read_ = 0;
  for (std::size_t i = 0; i < tile_digests_.size(); ++i) {
    const Tile* tile = store.tile(i);
    if (tile == nullptr || store.tile_digest(i) == tile_digests_[i]) continue;
    tile_digests_[i] = store.tile_digest(i);
    update_tile(i, *tile, updated_ ? now : 0);
    ++tiles_read_;
  }
  updated_ = true;
}

void CanvasView::update_tile(std::size_t index, const Tile& tile, Seconds now) {
  for (std::uint32_t i = 0; i < kCellsPerTile; ++i) {
    const Cell& cell = tile.cells[i];
    const Pixel pixel = unpack_pixel(cell.value);
    if (!pixel.painted) continue;
    const auto [x, y] = canvas_.xy_of({static_cast<std::uint32_t>(index) * kCellsPerTile + i});
    saw(x, y, cell.stamp, now);
    std::uint32_t& seen = cells_[static_cast<std::size_t>(y) * canvas_.size().width + x];
    const std::uint32_t shown = kPainted | pixel.color;
    if (seen == shown) continue;
    if ((seen & kPainted) == 0) ++painted_;
    seen = shown;
    changes_complete_ = changes_.size() < kMaxChanges;
    if (changes_complete_) {
      changes_.push_back(
          {static_cast<std::uint16_t>(x), static_cast<std::uint16_t>(y), pixel.color});
    }
  }
}

void CanvasView::saw(std::uint32_t x, std::uint32_t y, Stamp stamp, Seconds now) {
  Sight& sight = sights_[static_cast<std::size_t>(y) * canvas_.size().width + x];
  const std::uint32_t version = stamp_hash(stamp);
  if (sight.version != version) sight = {version, now};
}

CanvasView::Seconds CanvasView::first_seen(std::uint32_t x, std::uint32_t y, Stamp stamp) const {
  const Sight& sight = sights_[static_cast<std::size_t>(y) * canvas_.size().width + x];
  return sight.version == stamp_hash(stamp) ? sight.at : 0;
}

bool CanvasView::next_painted(std::size_t& at, PixelChange& pixel) const {
  while (at < cells_.size() && (cells_[at] & kPainted) == 0) ++at;
  if (at == cells_.size()) return false;
  const std::uint32_t width = canvas_.size().width;
  pixel = {static_cast<std::uint16_t>(at % width), static_cast<std::uint16_t>(at / width),
           cells_[at] & kMaxColor};
  ++at;
  return true;
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

CanvasView::Body CanvasView::numbers() {
  constexpr std::uint64_t kBytesPerNumber = 9;  // at most: 16777215,
  return cached(numbers_, cells_.size() * kBytesPerNumber + 32, [this] {
    std::string text = "{\"pixels\":[";
    text.reserve(cells_.size() * 2 + painted_ * kBytesPerNumber + 32);
    for (const std::uint32_t cell : cells_) {
      text += (cell & kPainted) != 0 ? std::to_string(cell & kMaxColor) : "0";
      text += ',';
    }
    text.back() = ']';
    text += "}\n";
    return text;
  });
}

CanvasView::Body CanvasView::keep(std::string bytes) {
  if (!make_room(bytes.size())) return nullptr;
  auto body = std::make_shared<const std::string>(std::move(bytes));
  alive_.push_back(body);
  return body;
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
