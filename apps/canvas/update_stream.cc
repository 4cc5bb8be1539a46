#include "apps/canvas/update_stream.h"

#include <algorithm>

namespace parley {
namespace {

constexpr char kFrameFormat = 1;
constexpr std::size_t kRunHeadBytes = 4;
constexpr std::size_t kColorBytes = 3;
constexpr std::uint32_t kMaxRun = 256;

// Little-endian, whatever the machine.
template <class Number>
void put(Number number, std::size_t bytes, std::string& to) {
  for (std::size_t i = 0; i < bytes; ++i) to += static_cast<char>((number >> (8 * i)) & 0xFF);
}

std::uint64_t get(std::string_view from, std::size_t at, std::size_t bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    number |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[at + i])) << (8 * i);
  }
  return number;
}

// How many changes from the first on lie beside each other in a row.
std::uint32_t run_length(std::span<const PixelChange> changes) {
  std::uint32_t length = 1;
  while (length < changes.size() && length < kMaxRun && changes[length].y == changes[0].y &&
         changes[length].x == changes[0].x + length) {
    ++length;
  }
  return length;
}

void require(bool holds, const char* otherwise) {
  if (!holds) throw FrameError(std::string("not a frame: ") + otherwise);
}

}  // namespace

std::string encode_header(const FrameHeader& header) {
  std::string bytes;
  bytes.reserve(kFrameHeaderBytes);
  bytes += static_cast<char>(header.kind);
  bytes += kFrameFormat;
  put(header.size.width, 2, bytes);
  put(header.size.height, 2, bytes);
  put(0U, 2, bytes);
  put(header.sequence, 8, bytes);
  put(header.viewers, 4, bytes);
  put(header.runs, 4, bytes);
  return bytes;
}

std::string encode_changes(FrameHeader header, std::span<const PixelChange> changes) {
  std::string runs;
  runs.reserve(changes.size() * (kRunHeadBytes + kColorBytes));
  header.runs = 0;
  while (!changes.empty()) {
    const std::uint32_t length = run_length(changes);
    put(changes[0].x | static_cast<std::uint32_t>(changes[0].y) << 12 | (length - 1) << 24,
        kRunHeadBytes, runs);
    for (const PixelChange& change : changes.first(length)) {
      runs += static_cast<char>(change.color >> 16);
      runs += static_cast<char>(change.color >> 8);
      runs += static_cast<char>(change.color);
    }
    changes = changes.subspan(length);
    ++header.runs;
  }
  return encode_header(header) + runs;
}

FrameReader::FrameReader(std::string_view frame) {
  require(frame.size() >= kFrameHeaderBytes, "it has less than 24 bytes");
  require(frame[1] == kFrameFormat, "its format is not known");
  header_.kind = static_cast<FrameKind>(get(frame, 0, 1));
  header_.size.width = static_cast<std::uint32_t>(get(frame, 2, 2));
  header_.size.height = static_cast<std::uint32_t>(get(frame, 4, 2));
  header_.sequence = get(frame, 8, 8);
  header_.viewers = static_cast<std::uint32_t>(get(frame, 16, 4));
  header_.runs = static_cast<std::uint32_t>(get(frame, 20, 4));
  rest_ = frame.substr(kFrameHeaderBytes);
  runs_left_ = header_.runs;
  require(header_.kind == FrameKind::picture || header_.kind == FrameKind::changes,
          "its kind is not known");
  const auto sides = {header_.size.width, header_.size.height};
  require(std::ranges::all_of(sides, [](auto side) { return side > 0 && side <= kMaxCanvasSide; }),
          "its canvas has an impossible size");
  const std::uint64_t cells = std::uint64_t{header_.size.width} * header_.size.height;
  require(header_.kind == FrameKind::changes || rest_.size() == cells * kColorBytes,
          "its picture is not of its canvas");
}

void FrameReader::start_run() {
  require(rest_.size() >= kRunHeadBytes, "it ends within a run");
  const auto head = static_cast<std::uint32_t>(get(rest_, 0, kRunHeadBytes));
  at_.x = head & 0xFFF;
  at_.y = (head >> 12) & 0xFFF;
  left_in_run_ = (head >> 24) + 1;
  rest_.remove_prefix(kRunHeadBytes);
  require(at_.x + left_in_run_ <= header_.size.width && at_.y < header_.size.height,
          "a run of it lies outside the canvas");
  require(rest_.size() >= left_in_run_ * kColorBytes, "it ends within a run");
  --runs_left_;
}

bool FrameReader::next(PixelChange& change) {
  if (left_in_run_ == 0) {
    require(runs_left_ > 0 || rest_.empty(), "it has more bytes than runs");
    if (runs_left_ == 0) return false;
    start_run();
  }
  const auto part = [this](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(rest_[i]));
  };
  change = {at_.x, at_.y, part(0) << 16 | part(1) << 8 | part(2)};
  rest_.remove_prefix(kColorBytes);
  ++at_.x;
  --left_in_run_;
  return true;
}

bool UpdateStream::push(std::span<const PixelChange> changes, std::uint32_t viewers) {
  // Every change may need a run of its own.
  const std::uint64_t at_most =
      kFrameHeaderBytes + changes.size() * std::uint64_t{kRunHeadBytes + kColorBytes};
  if (at_most > limits_.max_frame_bytes) return false;
  ++sequence_;
  ring_.push_back(std::make_shared<const std::string>(
      encode_changes(header(FrameKind::changes, viewers), changes)));
  ring_bytes_ += ring_.back()->size();
  while (ring_bytes_ > limits_.max_ring_bytes && ring_.size() > 1) drop_oldest();
  return true;
}

void UpdateStream::push_gap() {
  ++sequence_;
  while (!ring_.empty()) drop_oldest();
}

std::uint64_t UpdateStream::held_bytes() {
  std::erase_if(dropped_, [](const auto& frame) { return frame.expired(); });
  std::uint64_t bytes = 0;
  for (const auto& frame : dropped_) {
    if (const auto held = frame.lock()) bytes += held->size();
  }
  return bytes;
}

void UpdateStream::drop_oldest() {
  ring_bytes_ -= ring_.front()->size();
  if (ring_.front().use_count() > 1) dropped_.emplace_back(ring_.front());
  ring_.pop_front();
}

}  // namespace parley
