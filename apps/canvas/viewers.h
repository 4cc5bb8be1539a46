// The WebSocket clients of a node: what each of them is sent next.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "algorithms/contract/node_port.h"
#include "apps/canvas/canvas_view.h"
#include "apps/canvas/http_server.h"
#include "apps/canvas/update_stream.h"

namespace parley {

struct ViewerLimits {
  StreamLimits stream;
  // Of frames that only slow viewers still hold; beyond it those are cut off.
  std::uint64_t max_held_bytes = 64U << 20;
  std::chrono::milliseconds min_interval{50};   // between two frames, with few viewers
  std::chrono::milliseconds max_interval{200};  // with a thousand and more
  std::chrono::milliseconds idle_interval{1000};
};

struct ViewerCounters {
  std::uint32_t viewers = 0;
  std::uint64_t pictures = 0;        // sent
  std::uint64_t resynchronised = 0;  // of these: to viewers that had fallen behind
  std::uint64_t resumed = 0;         // viewers who came back and were told what they missed
  std::uint64_t cut_off = 0;         // too slow
  std::uint64_t frames = 0;          // made
  std::uint64_t gaps = 0;            // too many changes for a frame
};

// A viewer has a position in the one stream of updates, and is sent one message at a time: what it
// has not taken waits nowhere but in the stream's bounded ring. Used by one thread.
class Viewers {
 public:
  // Asks the node for its report; calls back in this thread.
  using AskReport = std::function<void(std::function<void(const NodeReport&)>)>;

  // `view` must outlive the viewers, and they their sessions. `first` as in UpdateStream.
  Viewers(CanvasView& view, CanvasSize size, ViewerLimits limits, std::uint64_t first,
          AskReport ask_report);
  ~Viewers();
  Viewers(const Viewers&) = delete;
  Viewers& operator=(const Viewers&) = delete;

  // One that is sent binary frames; `since` is the last number that it has seen.
  std::unique_ptr<SocketSession> open(std::optional<std::uint64_t> since);
  // One that is sent the JSON messages of distri-place.
  std::unique_ptr<SocketSession> open_course();
  // Called when somebody comes and nobody was there.
  void on_first(std::function<void()> first) { on_first_ = std::move(first); }

  // Takes in the changes of the view's last update; they are told at the next flush.
  void stage();
  // Makes a frame of what was staged, and tells everybody.
  void flush();
  // When to flush again.
  [[nodiscard]] std::chrono::milliseconds interval() const;

  [[nodiscard]] const ViewerCounters& counters() const { return counters_; }
  [[nodiscard]] std::uint64_t sequence() const { return stream_.sequence(); }

 private:
  class Viewer;
  class FrameViewer;
  class CourseViewer;

  void join(Viewer& viewer);
  void leave(Viewer& viewer);
  void cut_off_the_slow();

  CanvasView& view_;
  ViewerLimits limits_;
  UpdateStream stream_;
  AskReport ask_report_;
  std::function<void()> on_first_;
  std::map<std::uint64_t, Viewer*> viewers_;  // by their number
  std::uint64_t next_viewer_ = 0;
  std::vector<PixelChange> staged_;
  bool staged_gap_ = false;
  bool ready_ = false;   // the view shows the node's state
  bool hungry_ = false;  // somebody waits for a picture that could not be made
  std::uint32_t told_viewers_ = 0;
  std::chrono::steady_clock::time_point told_at_;
  ViewerCounters counters_;
};

}  // namespace parley
