#include "apps/canvas/png_pictures.h"

#include <gtest/gtest.h>
#include <png.h>

#include <deque>

namespace parley {
namespace {

std::string decode(const std::string& png, CanvasSize& size) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&image, png.data(), png.size()) == 0) return {};
  image.format = PNG_FORMAT_RGB;
  size = {image.width, image.height};
  std::string rgb(PNG_IMAGE_SIZE(image), '\0');
  return png_image_finish_read(&image, nullptr, rgb.data(), 0, nullptr) == 0 ? "" : rgb;
}

// Runs in the test what the pictures' thread hands over.
class Loop {
 public:
  HttpServer::Poster poster() {
    return [this](std::function<void()> work) {
      const std::lock_guard lock(mutex_);
      work_.push_back(std::move(work));
      wake_.notify_one();
    };
  }
  void run_one() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return !work_.empty(); });
    const auto work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> work_;
};

TEST(PngPicture, ShowsWhatTheCanvasDoes) {
  std::string rgb;
  for (int i = 0; i < 33 * 7 * 3; ++i) rgb += static_cast<char>(i * 31);
  CanvasSize size;
  EXPECT_EQ(decode(encode_png(rgb, {33, 7}), size), rgb);
  EXPECT_EQ(size, (CanvasSize{33, 7}));
}

TEST(PngPictureService, EncodesOnceForAllAndAnewForNewcomers) {
  const Canvas canvas({40, 40});
  CanvasView view(canvas, 1U << 20);
  Store store(canvas.key_count());
  view.update(store.freeze(), {1}, 1);
  Loop loop;
  PngPictures pictures(view, canvas.size(), loop.poster());
  std::vector<CanvasView::Body> got;
  const auto take = [&](const CanvasView::Body& png, std::uint64_t) { got.push_back(png); };
  pictures.get(take);
  pictures.get(take);
  // Somebody who knows of a change must not get the picture before it.
  store.write(canvas.key_of(1, 0), pack_pixel(0x010203, 0), {2, 0}, {});
  view.update(store.freeze(), {2}, 1);
  pictures.get(take);
  loop.run_one();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0], got[1]);
  loop.run_one();
  ASSERT_EQ(got.size(), 3U);
  CanvasSize size;
  EXPECT_EQ(decode(*got[2], size).substr(3, 3), "\x01\x02\x03");
  pictures.get(take);
  EXPECT_EQ(got.at(3), got[2]) << "unchanged: at once";
}

TEST(PngPictureService, RefusesBeyondTheBoundOfBodies) {
  const Canvas canvas({100, 100});
  CanvasView view(canvas, 10'000);
  Store store(canvas.key_count());
  view.update(store.freeze(), {1}, 1);
  const CanvasView::Body held = view.rgb();
  view.update(store.freeze(), {2}, 1);
  Loop loop;
  PngPictures pictures(view, canvas.size(), loop.poster());
  bool refused = false;
  pictures.get([&](const CanvasView::Body& png, std::uint64_t) { refused = png == nullptr; });
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace parley
