// Reads a text file line by line with bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace parley::history {

class LineReader {
 public:
  static constexpr std::size_t kMaxLineBytes = 65'536;

  // Throws std::system_error when the file cannot be opened.
  explicit LineReader(const std::filesystem::path& path);

  // The next line without its newline, valid until the next call; false at the end of the file.
  // Throws std::system_error when reading fails. Of a longer line only the first kMaxLineBytes
  // are given, and too_long() says so.
  bool next(std::string_view& line);

  std::uint64_t line_number() const { return line_number_; }  // of the last line given, from 1
  bool too_long() const { return too_long_; }
  bool ended_with_newline() const { return newline_; }

 private:
  bool fill();

  std::filesystem::path path_;
  std::ifstream file_;
  std::string buffer_;  // bytes read and not yet given are [begin_, buffer_.size())
  std::size_t begin_ = 0;
  std::size_t read_bytes_ = 1 << 12;  // at a time: grows, so that small files take little
  std::string head_;                  // of a line that is too long
  std::uint64_t line_number_ = 0;
  bool too_long_ = false;
  bool newline_ = true;
};

}  // namespace parley::history
