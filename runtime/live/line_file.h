// A file of lines that starts of a node write one after the other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace parley {

class LineFile {
 public:
  enum class Mode : std::uint8_t {
    anew,   // begins an empty file
    go_on,  // goes on behind the last whole line of an earlier start, if there is one
  };

  // Throws std::system_error that names the path when the file cannot be made.
  LineFile(const std::filesystem::path& path, Mode mode);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  // Whether lines of an earlier start are there.
  [[nodiscard]] bool goes_on() const { return goes_on_; }

  // Hands them to the kernel. Empty, or what went wrong.
  std::string write(std::span<const char> lines);

 private:
  int descriptor_;
  bool goes_on_ = false;
};

}  // namespace parley
