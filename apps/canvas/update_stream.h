// What a node's viewers are sent: its own numbered sequence of changes to the canvas, as binary
// frames. README.md describes the bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "apps/canvas/canvas.h"

namespace parley {

struct PixelChange {
  std::uint16_t x = 0;
  std::uint16_t y = 0;
  std::uint32_t color = 0;  // 0xRRGGBB
  constexpr bool operator==(const PixelChange&) const = default;
};

enum class FrameKind : std::uint8_t { picture = 1, changes = 2 };

struct FrameHeader {
  FrameKind kind = FrameKind::changes;
  CanvasSize size;
  std::uint64_t sequence = 0;  // of the state that the frame leads to
  std::uint32_t viewers = 0;   // of this node
  std::uint32_t runs = 0;
};

inline constexpr std::size_t kFrameHeaderBytes = 24;
// Whole numbers up to here are exact in JavaScript.
inline constexpr std::uint64_t kMaxSequence = (1ULL << 53) - 1;

std::string encode_header(const FrameHeader& header);
std::string encode_changes(FrameHeader header, std::span<const PixelChange> changes);

// Bytes that are no frame of this format; says what is wrong with them.
struct FrameError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Walks through a frame, which has to outlive it. Throws FrameError where it is malformed.
class FrameReader {
 public:
  explicit FrameReader(std::string_view frame);

  [[nodiscard]] const FrameHeader& header() const { return header_; }
  // The next of the changes; false at the end.
  bool next(PixelChange& change);
  // Of a picture: three bytes a cell, row by row.
  [[nodiscard]] std::string_view picture() const { return rest_; }

 private:
  void start_run();

  std::string_view rest_;
  std::uint32_t runs_left_ = 0;
  FrameHeader header_;
  PixelChange at_;
  std::uint32_t left_in_run_ = 0;
};

struct StreamLimits {
  std::uint32_t max_frame_bytes = 1U << 20;  // more changes at once are a gap
  std::uint32_t max_ring_bytes = 8U << 20;   // of frames kept for those who are behind
};

// The latest frames, each once for all viewers. Used by one thread.
class UpdateStream {
 public:
  using Frame = std::shared_ptr<const std::string>;

  // Sequence numbers follow `first`, which should be drawn at random: then no number of an earlier
  // start, or of another node, is taken for one of this stream.
  UpdateStream(CanvasSize size, StreamLimits limits, std::uint64_t first)
      : size_(size), limits_(limits), sequence_(first) {}

  // The canvas has changed. False, and nothing done, if that is too large for a frame.
  bool push(std::span<const PixelChange> changes, std::uint32_t viewers);
  // The canvas has changed in more cells than are told: who was behind needs a picture.
  void push_gap();

  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
  // Whether one who has seen `sequence` can be told the rest by frames.
  [[nodiscard]] bool follows(std::uint64_t sequence) const {
    return sequence <= sequence_ && sequence_ - sequence <= ring_.size();
  }
  // The frame that leads on from `sequence`, which follows() and is not the latest.
  [[nodiscard]] const Frame& after(std::uint64_t sequence) const {
    return ring_[ring_.size() - (sequence_ - sequence)];
  }
  // A frame without changes, or the header of a picture, at the current state.
  [[nodiscard]] FrameHeader header(FrameKind kind, std::uint32_t viewers) const {
    return {kind, size_, sequence_, viewers, 0};
  }
  // Of frames that are no longer kept, but still on their way to slow viewers.
  std::uint64_t held_bytes();

 private:
  void drop_oldest();

  CanvasSize size_;
  StreamLimits limits_;
  std::uint64_t sequence_;
  std::deque<Frame> ring_;
  std::uint64_t ring_bytes_ = 0;
  std::vector<std::weak_ptr<const std::string>> dropped_;
};

}  // namespace parley
