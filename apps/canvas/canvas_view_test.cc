#include "apps/canvas/canvas_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "algorithms/contract/random.h"

namespace parley {
namespace {

std::string rgb_at(const std::string& body, const Canvas& canvas, std::uint32_t x,
                   std::uint32_t y) {
  return body.substr((static_cast<std::size_t>(y) * canvas.size().width + x) * 3, 3);
}

TEST(CanvasViews, ShowWhiteUntilPainted) {
  const Canvas canvas({33, 2});
  CanvasView view(canvas, 1U << 20);
  Store store(canvas.key_count());
  view.update(store.freeze(), {0}, 1);
  EXPECT_EQ(*view.rgb(), std::string(33 * 2 * 3, '\xff'));
  EXPECT_EQ(nlohmann::json::parse(*view.json()),
            nlohmann::json::parse(R"({"width":33,"height":2,"pixels":{},"version":[0]})"));
}

TEST(CanvasViews, FollowTheStore) {
  const Canvas canvas({70, 45});
  CanvasView view(canvas, 1U << 20);
  Store store(canvas.key_count());
  Random random(3);
  for (std::uint64_t round = 1; round <= 20; ++round) {
    for (int i = 0; i < 40; ++i) {
      const Key key = canvas.key_of(static_cast<std::uint32_t>(random.below(70)),
                                    static_cast<std::uint32_t>(random.below(45)));
      const std::uint64_t color = random.below(kMaxColor + 1);
      store.write(key, pack_pixel(static_cast<std::uint32_t>(color), 1), {round, i + 1ULL}, {1, 1});
    }
    view.update(store.freeze(), {round}, 1);
    const auto rgb = view.rgb();
    const auto json = nlohmann::json::parse(*view.json());
    EXPECT_EQ(json["version"], nlohmann::json({round}));
    EXPECT_EQ(json["pixels"].size(), store.written_cells());
    EXPECT_EQ(view.painted(), store.written_cells());
    for (std::uint32_t y = 0; y < 45; ++y) {
      for (std::uint32_t x = 0; x < 70; ++x) {
        const Pixel pixel = unpack_pixel(store.at(canvas.key_of(x, y)).value);
        const std::uint32_t color = pixel.painted ? pixel.color : 0xFFFFFF;
        const std::string expected{static_cast<char>(color >> 16), static_cast<char>(color >> 8),
                                   static_cast<char>(color)};
        ASSERT_EQ(rgb_at(*rgb, canvas, x, y), expected);
        const std::string name = std::to_string(x) + "," + std::to_string(y);
        ASSERT_EQ(json["pixels"].value(name, "none"), pixel.painted ? color_text(color) : "none");
      }
    }
  }
}

TEST(CanvasViews, TellWhatChanged) {
  const Canvas canvas({70, 45});
  CanvasView view(canvas, 1U << 20);
  Store store(canvas.key_count());
  view.update(store.freeze(), {1}, 1);
  EXPECT_TRUE(view.changes().empty());
  store.write(canvas.key_of(69, 44), pack_pixel(0x123456, 0), {2, 0}, {});
  store.write(canvas.key_of(0, 0), pack_pixel(0xFFFFFF, 0), {2, 1}, {});
  view.update(store.freeze(), {2}, 1);
  const std::vector<PixelChange> both(view.changes().begin(), view.changes().end());
  EXPECT_EQ(both, (std::vector<PixelChange>{{0, 0, 0xFFFFFF}, {69, 44, 0x123456}}));
  EXPECT_TRUE(view.changes_complete());
  EXPECT_EQ(view.tiles_read(), 2U);
  store.write(canvas.key_of(0, 0), pack_pixel(0xFFFFFF, 9), {3, 0}, {});
  view.update(store.freeze(), {3}, 1);
  EXPECT_TRUE(view.changes().empty()) << "the same colour again";
}

TEST(CanvasViews, SayWhenThereWasTooMuchToTell) {
  const Canvas canvas({512, 512});
  CanvasView view(canvas, 1U << 20);
  Store store(canvas.key_count());
  view.update(store.freeze(), {1}, 1);
  for (std::uint32_t i = 0; i < 512 * 512; ++i) {
    store.write(canvas.key_of(i % 512, i / 512), pack_pixel(i, 0), {2, i}, {});
  }
  view.update(store.freeze(), {2}, 1);
  EXPECT_FALSE(view.changes_complete());
  EXPECT_EQ(view.changes().size(), CanvasView::kMaxChanges);
  EXPECT_EQ(view.painted(), 512U * 512);
}

TEST(CanvasViews, KnowWhenAVersionWasFirstSeen) {
  const Canvas canvas({70, 45});
  CanvasView view(canvas, 1U << 20);
  Store store(canvas.key_count());
  store.write(canvas.key_of(1, 1), pack_pixel(1, 0), {1, 0}, {});
  view.saw(2, 2, {1, 1}, 90);
  store.write(canvas.key_of(2, 2), pack_pixel(1, 0), {1, 1}, {});
  view.update(store.freeze(), {1}, 100);
  EXPECT_EQ(view.first_seen(1, 1, {1, 0}), 0U) << "it was there before";
  EXPECT_EQ(view.first_seen(2, 2, {1, 1}), 90U);
  store.write(canvas.key_of(1, 1), pack_pixel(1, 0), {2, 0}, {});
  view.update(store.freeze(), {2}, 110);
  EXPECT_EQ(view.first_seen(1, 1, {2, 0}), 110U) << "another version of the same colour";
  EXPECT_EQ(view.first_seen(1, 1, {1, 0}), 0U);
  store.write(canvas.key_of(3, 1), pack_pixel(1, 0), {3, 0}, {});
  view.update(store.freeze(), {3}, 120);
  EXPECT_EQ(view.first_seen(1, 1, {2, 0}), 110U);
}

TEST(CanvasViews, ListNumbersAndPaintedCells) {
  const Canvas canvas({3, 2});
  CanvasView view(canvas, 1U << 20);
  Store store(canvas.key_count());
  store.write(canvas.key_of(1, 0), pack_pixel(255, 0), {1, 0}, {});
  store.write(canvas.key_of(2, 1), pack_pixel(0xFFFFFF, 0), {1, 1}, {});
  view.update(store.freeze(), {1}, 1);
  EXPECT_EQ(nlohmann::json::parse(*view.numbers()),
            nlohmann::json::parse(R"({"pixels":[0,255,0,0,0,16777215]})"));
  std::size_t at = 0;
  PixelChange pixel;
  ASSERT_TRUE(view.next_painted(at, pixel));
  EXPECT_EQ(pixel, (PixelChange{1, 0, 255}));
  ASSERT_TRUE(view.next_painted(at, pixel));
  EXPECT_EQ(pixel, (PixelChange{2, 1, 0xFFFFFF}));
  EXPECT_FALSE(view.next_painted(at, pixel));
}

TEST(CanvasViews, ShareABodyUntilSomethingChanges) {
  const Canvas canvas({8, 8});
  CanvasView view(canvas, 1U << 20);
  Store store(canvas.key_count());
  view.update(store.freeze(), {1}, 1);
  const auto first = view.rgb();
  view.update(store.freeze(), {1}, 1);
  EXPECT_EQ(view.rgb(), first);
  store.write(canvas.key_of(1, 1), pack_pixel(0, 0), {2, 0}, {});
  view.update(store.freeze(), {2}, 1);
  EXPECT_NE(view.rgb(), first);
}

TEST(CanvasViews, RefuseBodiesBeyondTheirBound) {
  const Canvas canvas({100, 100});
  CanvasView view(canvas, 70'000);  // two bodies of 30,000 bytes
  Store store(canvas.key_count());
  std::vector<CanvasView::Body> held;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    store.write(canvas.key_of(1, 1), pack_pixel(0, 0), {i, 0}, {});
    view.update(store.freeze(), {i}, 1);
    held.push_back(view.rgb());
  }
  EXPECT_NE(held[0], nullptr);
  EXPECT_NE(held[1], nullptr);
  EXPECT_EQ(held[2], nullptr);
  held[0].reset();
  EXPECT_NE(view.rgb(), nullptr);
}

}  // namespace
}  // namespace parley
