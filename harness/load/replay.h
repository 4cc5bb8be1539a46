// Reads the published logs of r/place, plain or gzip, one placement at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::load {

// Which log a file is; told by its header line.
enum class LogFormat : std::uint8_t {
  event_2017,  // ts,user,x_coordinate,y_coordinate,color    ms since 1970, palette index
  event_2022,  // timestamp,user_id,pixel_color,coordinate   "2022-04-04 00:53:51.577 UTC", "x,y"
  sample,      // t_ms,user,x,y,color                        ms since the start, #RRGGBB
};

struct LoggedPlacement {
  std::int64_t t_ms = 0;
  std::uint64_t user = 0;  // a number for each user: its hash, where the log has a name
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  std::uint32_t color = 0;  // 0xRRGGBB
};

// Streams a log with bounded memory. A line that cannot be understood is reported and left out; so
// are the rectangles by which moderators painted many cells at once (2022), which are counted.
class ReplayReader {
 public:
  // Throws LoadError when the file cannot be read or its header is of no known format.
  explicit ReplayReader(const std::filesystem::path& path);
  ~ReplayReader();
  ReplayReader(const ReplayReader&) = delete;
  ReplayReader& operator=(const ReplayReader&) = delete;

  // The next placement; nothing at the end. Throws LoadError when the file is damaged.
  std::optional<LoggedPlacement> next();

  [[nodiscard]] LogFormat format() const { return format_; }
  [[nodiscard]] std::uint64_t lines() const { return line_; }
  [[nodiscard]] std::uint64_t malformed() const { return malformed_; }
  [[nodiscard]] std::uint64_t moderation() const { return moderation_; }
  // The first malformed lines: "file:17: color: ...".
  [[nodiscard]] const std::vector<std::string>& examples() const { return examples_; }

  static constexpr std::size_t kMaxExamples = 20;

 private:
  bool read_line();
  void report(const std::string& problem);

  struct File;
  std::unique_ptr<File> file_;
  LogFormat format_ = LogFormat::sample;
  std::string line_text_;
  std::uint64_t line_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t moderation_ = 0;
  std::vector<std::string> examples_;
};

}  // namespace parley::load
