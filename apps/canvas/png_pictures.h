// The canvas as PNG, encoded in a thread of its own: a large one takes longer than viewers may
// wait.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "apps/canvas/canvas.h"
#include "apps/canvas/canvas_view.h"
#include "apps/canvas/http_server.h"

namespace parley {

// `rgb` holds three bytes a cell, row by row. Returns an empty string if that fails.
std::string encode_png(const std::string& rgb, CanvasSize size);

// Used by the thread in which `post` runs what it is given.
class PngPictures {
 public:
  // The picture, or null when slow readers hold too many, and the digest of what it shows.
  using Done = std::function<void(CanvasView::Body png, std::uint64_t digest)>;

  // `view` must outlive it.
  PngPictures(CanvasView& view, CanvasSize size, HttpServer::Poster post);
  // Waits for the picture in work.
  ~PngPictures();
  PngPictures(const PngPictures&) = delete;
  PngPictures& operator=(const PngPictures&) = delete;

  // Calls `done` with a picture of what the view shows now, or of something newer.
  void get(Done done);

 private:
  struct Waiter {
    std::uint64_t change;  // of the view when it came
    Done done;
  };

  void start();
  void finish(std::string png, std::uint64_t change, std::uint64_t digest);
  void work();

  CanvasView& view_;
  CanvasSize size_;
  HttpServer::Poster post_;
  CanvasView::Body latest_;
  std::uint64_t latest_change_ = 0;
  std::uint64_t latest_digest_ = 0;
  bool busy_ = false;
  std::vector<Waiter> waiters_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::function<void()> job_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace parley
