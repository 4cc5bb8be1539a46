// Keeps the gateway's copy of the canvas fresh by asking the node for its state.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "algorithms/contract/node_port.h"
#include "apps/canvas/canvas_view.h"
#include "apps/canvas/http_server.h"

namespace parley {

// Used by one thread, in which `post` runs what it is given.
class LiveView {
 public:
  using Ready = std::function<void(bool taken)>;

  // `canvas` and `node` must outlive it.
  LiveView(const Canvas& canvas, NodePort& node, HttpServer::Poster post,
           std::chrono::milliseconds max_age, std::uint64_t max_body_bytes)
      : canvas_(canvas),
        node_(node),
        post_(std::move(post)),
        max_age_(max_age),
        view_(canvas, max_body_bytes) {}

  // Called after every update of the view.
  void on_update(std::function<void()> updated) { updated_ = std::move(updated); }

  // Calls `ready` once the view is fresh: not older than its limit, and not older than what this
  // gateway has acknowledged. Gives false if the node would not show its state.
  void with_fresh(Ready ready);
  // Calls `ready` after the next look at the node's state, however young the view is.
  void refresh(Ready ready);

  // A placement through this gateway was acknowledged.
  void acknowledged(std::uint32_t x, std::uint32_t y, Stamp stamp);

  [[nodiscard]] bool taken() const { return taken_at_.has_value(); }
  [[nodiscard]] CanvasView& view() { return view_; }
  [[nodiscard]] const CanvasView& view() const { return view_; }
  static CanvasView::Seconds now_s();

 private:
  struct Waiter {
    std::uint64_t after;  // the view must have been asked for after so many acknowledgements
    Ready ready;
  };

  void freeze();
  void on_frozen(const FrozenStore& store, const NodeReport& report, std::uint64_t acknowledged);

  const Canvas& canvas_;
  NodePort& node_;
  HttpServer::Poster post_;
  std::chrono::milliseconds max_age_;
  CanvasView view_;
  std::function<void()> updated_;
  std::optional<std::chrono::steady_clock::time_point> taken_at_;
  std::uint64_t taken_acknowledged_ = 0;  // what `acknowledged_` was when the view was asked for
  std::uint64_t acknowledged_ = 0;
  bool freezing_ = false;
  std::vector<Waiter> waiters_;
};

}  // namespace parley
