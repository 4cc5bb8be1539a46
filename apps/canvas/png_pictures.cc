#include "apps/canvas/png_pictures.h"

#include <png.h>

#include <utility>

namespace parley {

std::string encode_png(const std::string& rgb, CanvasSize size) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = size.width;
  image.height = size.height;
  image.format = PNG_FORMAT_RGB;
  image.flags = PNG_IMAGE_FLAG_FAST;
  std::string png(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t bytes = png.size();
  constexpr png_int_32 kPackedRows = 0;
  if (png_image_write_to_memory(&image, png.data(), &bytes, /*convert_to_8_bit=*/0, rgb.data(),
                                kPackedRows, nullptr) == 0) {
    return {};
  }
  png.resize(bytes);
  png.shrink_to_fit();
  return png;
}

PngPictures::PngPictures(CanvasView& view, CanvasSize size, HttpServer::Poster post)
    : view_(view), size_(size), post_(std::move(post)), thread_([this] { work(); }) {}

PngPictures::~PngPictures() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void PngPictures::get(Done done) {
  if (latest_ != nullptr && latest_change_ == view_.change()) return done(latest_, latest_digest_);
  waiters_.push_back({view_.change(), std::move(done)});
  if (!busy_) start();
}

void PngPictures::start() {
  CanvasView::Body rgb = view_.rgb();
  if (rgb == nullptr) {
    for (const Waiter& waiter : std::exchange(waiters_, {})) waiter.done(nullptr, 0);
    return;
  }
  busy_ = true;
  latest_.reset();
  {
    const std::lock_guard lock(mutex_);
    job_ = [this, rgb = std::move(rgb), change = view_.change(), digest = view_.digest()] {
      post_([this, change, digest, png = encode_png(*rgb, size_)] { finish(png, change, digest); });
    };
  }
  wake_.notify_one();
}

void PngPictures::finish(std::string png, std::uint64_t change, std::uint64_t digest) {
  busy_ = false;
  latest_ = png.empty() ? nullptr : view_.keep(std::move(png));
  latest_change_ = change;
  latest_digest_ = digest;
  for (Waiter& waiter : std::exchange(waiters_, {})) {
    if (waiter.change <= change) {
      waiter.done(latest_, digest);
    } else {
      waiters_.push_back(std::move(waiter));
    }
  }
  if (!waiters_.empty() && !busy_) start();
}

void PngPictures::work() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || job_; });
      if (stopping_) return;
      job = std::exchange(job_, nullptr);
    }
    job();
  }
}

}  // namespace parley
