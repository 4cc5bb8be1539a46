#include "apps/canvas/viewers.h"

#include <algorithm>
#include <utility>

#include "apps/canvas/gateway_json.h"

namespace parley {
namespace {

constexpr std::chrono::seconds kViewersToldEvery{1};

SocketMessage text_message(std::string text) {
  return {std::make_shared<const std::string>(std::move(text)), nullptr, true};
}

}  // namespace

class Viewers::Viewer : public SocketSession {
 public:
  explicit Viewer(Viewers& all) : all_(all) {}
  ~Viewer() override {
    if (socket_ != nullptr) all_.leave(*this);
  }

  void opened(Socket& socket) override {
    socket_ = &socket;
    all_.join(*this);
    socket.wake();
  }

  [[nodiscard]] Socket& socket() const { return *socket_; }
  // Lets go of frames that the stream has dropped; false if it cannot.
  virtual bool let_go() = 0;

  std::uint64_t number = 0;

 protected:
  Viewers& all_;
  Socket* socket_ = nullptr;
};

// Sends the stream's frames, and a picture to one that cannot follow it.
class Viewers::FrameViewer final : public Viewer {
 public:
  FrameViewer(Viewers& all, std::optional<std::uint64_t> since) : Viewer(all), position_(since) {}

  SocketMessage next() override {
    if (!all_.ready_) return {};
    const UpdateStream& stream = all_.stream_;
    if (!position_ || !stream.follows(*position_)) return picture();
    const bool greeting = !greeted_;
    if (greeting) ++all_.counters_.resumed;
    greeted_ = true;
    if (*position_ < stream.sequence()) {
      const UpdateStream::Frame& frame = stream.after((*position_)++);
      sent_ = frame;
      return {frame, nullptr, false};
    }
    if (!greeting) return {};
    // Nothing was missed: a frame without changes says so.
    return {std::make_shared<const std::string>(
                encode_header(stream.header(FrameKind::changes, all_.counters_.viewers))),
            nullptr, false};
  }

  void received(std::string_view, bool) override {
    socket_->close(Socket::Close::policy, "nothing is to be sent here");
  }

  bool let_go() override {
    return sent_.expired() || !position_ || all_.stream_.follows(*position_ - 1);
  }

 private:
  SocketMessage picture() {
    CanvasView::Body body = all_.view_.rgb();
    if (body == nullptr) {
      all_.hungry_ = true;
      return {};
    }
    ++all_.counters_.pictures;
    if (greeted_) ++all_.counters_.resynchronised;
    greeted_ = true;
    // The view may be ahead of the stream: what the next frame then says again does no harm.
    position_ = all_.stream_.sequence();
    return {std::make_shared<const std::string>(
                encode_header(all_.stream_.header(FrameKind::picture, all_.counters_.viewers))),
            std::move(body), false};
  }

  std::optional<std::uint64_t> position_;  // the last number that was sent
  std::weak_ptr<const std::string> sent_;
  bool greeted_ = false;
};

// Speaks as the course project distri-place does: a JSON message a pixel, and answers. A client
// that fell behind is sent every painted cell.
class Viewers::CourseViewer final : public Viewer {
 public:
  explicit CourseViewer(Viewers& all) : Viewer(all), position_(all.stream_.sequence()) {}

  SocketMessage next() override {
    for (std::string* answer : {&connected_, &pong_, &error_}) {
      if (!answer->empty()) return text_message(std::exchange(*answer, {}));
    }
    PixelChange pixel;
    if (!next_pixel(pixel)) return {};
    return text_message(course_pixel_json(pixel.x, pixel.y, pixel.color));
  }

  // At most one answer of each kind waits to be sent.
  void received(std::string_view message, bool text) override {
    if (!text) return socket_->close(Socket::Close::unsupported, "only JSON text is understood");
    std::string error;
    switch (parse_course_message(message, error)) {
      case CourseMessage::connect:
        return connect();
      case CourseMessage::ping:
        pong_ = course_pong_json();
        break;
      case CourseMessage::bad:
        error_ = course_error_json(error);
        break;
    }
    socket_->wake();
  }

  bool let_go() override {
    if (reader_ && !all_.stream_.follows(position_ - 1)) sweep();
    return true;
  }

 private:
  void connect() {
    if (connecting_) return;
    connecting_ = true;
    all_.ask_report_([&all = all_, id = number](const NodeReport& report) {
      const auto it = all.viewers_.find(id);
      if (it == all.viewers_.end()) return;
      auto& self = static_cast<CourseViewer&>(*it->second);
      self.connecting_ = false;
      self.connected_ = course_connected_json(report);
      self.socket().wake();
    });
  }

  void sweep() {
    reader_.reset();
    frame_.reset();
    position_ = all_.stream_.sequence();
    swept_to_ = 0;
    ++all_.counters_.resynchronised;
  }

  bool next_pixel(PixelChange& pixel) {
    for (;;) {
      if (swept_to_) {
        if (all_.view_.next_painted(*swept_to_, pixel)) return true;
        swept_to_.reset();
      }
      if (reader_ && reader_->next(pixel)) return true;
      reader_.reset();
      frame_.reset();
      if (position_ == all_.stream_.sequence()) return false;
      if (all_.stream_.follows(position_)) {
        frame_ = all_.stream_.after(position_++);
        reader_.emplace(*frame_);
      } else {
        sweep();
      }
    }
  }

  std::uint64_t position_;
  UpdateStream::Frame frame_;  // that is being told
  std::optional<FrameReader> reader_;
  std::optional<std::size_t> swept_to_;  // the next cell of a sweep over the canvas
  std::string connected_;
  std::string pong_;
  std::string error_;
  bool connecting_ = false;
};

Viewers::Viewers(CanvasView& view, CanvasSize size, ViewerLimits limits, std::uint64_t first,
                 AskReport ask_report)
    : view_(view),
      limits_(limits),
      stream_(size, limits.stream, first),
      ask_report_(std::move(ask_report)) {}

Viewers::~Viewers() = default;

std::unique_ptr<SocketSession> Viewers::open(std::optional<std::uint64_t> since) {
  return std::make_unique<FrameViewer>(*this, since);
}

std::unique_ptr<SocketSession> Viewers::open_course() {
  return std::make_unique<CourseViewer>(*this);
}

void Viewers::join(Viewer& viewer) {
  viewer.number = ++next_viewer_;
  viewers_.emplace(viewer.number, &viewer);
  counters_.viewers = static_cast<std::uint32_t>(viewers_.size());
  if (counters_.viewers == 1) on_first_();
}

void Viewers::leave(Viewer& viewer) {
  viewers_.erase(viewer.number);
  counters_.viewers = static_cast<std::uint32_t>(viewers_.size());
}

void Viewers::stage() {
  ready_ = true;
  staged_gap_ = staged_gap_ || !view_.changes_complete() ||
                staged_.size() + view_.changes().size() > CanvasView::kMaxChanges;
  if (staged_gap_) return staged_.clear();
  staged_.insert(staged_.end(), view_.changes().begin(), view_.changes().end());
}

void Viewers::flush() {
  const auto now = std::chrono::steady_clock::now();
  const bool viewers_changed =
      told_viewers_ != counters_.viewers && now - told_at_ >= kViewersToldEvery;
  const bool news = staged_gap_ || !staged_.empty() || (ready_ && viewers_changed);
  if (news) {
    if (staged_gap_ || !stream_.push(staged_, counters_.viewers)) {
      stream_.push_gap();
      ++counters_.gaps;
    } else {
      ++counters_.frames;
    }
    told_viewers_ = counters_.viewers;
    told_at_ = now;
    staged_.clear();
    staged_gap_ = false;
  }
  if (!news && !std::exchange(hungry_, false)) return;
  // Nobody joins or leaves while these run.
  for (const auto& [number, viewer] : viewers_) viewer->socket().wake();
  if (stream_.held_bytes() > limits_.max_held_bytes) cut_off_the_slow();
}

void Viewers::cut_off_the_slow() {
  for (const auto& [number, viewer] : viewers_) {
    if (viewer->let_go()) continue;
    viewer->socket().cut_off();
    ++counters_.cut_off;
  }
}

std::chrono::milliseconds Viewers::interval() const {
  if (counters_.viewers == 0) return limits_.idle_interval;
  const auto spread = limits_.max_interval - limits_.min_interval;
  return limits_.min_interval + spread * std::min(counters_.viewers, 1000U) / 1000U;
}

}  // namespace parley
