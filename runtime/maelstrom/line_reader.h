// Cuts what comes in into lines of bounded length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace parley::maelstrom {

class LineReader {
 public:
  explicit LineReader(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // Calls `line(std::string_view)` with every line that `bytes` completes, without its newline. One
  // that is too long is passed over and counted; no more of it is kept than the bound.
  template <class Line>
  void feed(std::string_view bytes, Line&& line) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::string_view part = bytes.substr(0, end);
      if (!too_long_ && buffer_.size() + part.size() > max_bytes_) {
        too_long_ = true;
        buffer_ = {};
        ++dropped_;
      }
      if (!too_long_) buffer_.append(part);
      if (end == std::string_view::npos) return;
      if (!too_long_) line(std::string_view(buffer_));
      buffer_.clear();
      too_long_ = false;
      bytes.remove_prefix(end + 1);
    }
  }

  // Lines that were too long.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  std::size_t max_bytes_;
  std::string buffer_;
  bool too_long_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace parley::maelstrom
