#include "harness/load/replay.h"

#include <zlib.h>

#include <array>
#include <charconv>
#include <chrono>

#include "algorithms/contract/fnv.h"
#include "harness/load/load.h"

namespace parley::load {
namespace {

constexpr std::size_t kMaxLine = 1024;

// The 16 colours of 2017, by their index in the log.
constexpr std::array<std::uint32_t, 16> kPalette2017 = {
    0xFFFFFF, 0xE4E4E4, 0x888888, 0x222222, 0xFFA7D1, 0xE50000, 0xE59500, 0xA06A42,
    0xE5D900, 0x94E044, 0x02BE01, 0x00D3DD, 0x0083C7, 0x0000EA, 0xCF6EE4, 0x820080};

struct Malformed {
  std::string problem;  // the field, what was found, what is allowed
};
struct Moderation {};

// Splits at commas outside of double quotes, which are taken away.
std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    if (!line.empty() && line.front() == '"') {
      const std::size_t end = line.find('"', 1);
      if (end == std::string_view::npos) throw Malformed{"a quote is not closed"};
      fields.push_back(line.substr(1, end - 1));
      line.remove_prefix(end + 1);
      if (line.empty()) return fields;
      if (line.front() != ',') throw Malformed{"a comma must follow a closing quote"};
      line.remove_prefix(1);
    } else {
      const std::size_t comma = line.find(',');
      fields.push_back(line.substr(0, comma));
      if (comma == std::string_view::npos) return fields;
      line.remove_prefix(comma + 1);
    }
  }
}

std::vector<std::string_view> split(std::string_view line, std::size_t expected) {
  std::vector<std::string_view> fields = split(line);
  if (fields.size() != expected) {
    throw Malformed{"has " + std::to_string(fields.size()) + " fields, not " +
                    std::to_string(expected)};
  }
  return fields;
}

template <class Number>
Number number(std::string_view field, std::string_view text, Number max) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value < 0 || value > max) {
    throw Malformed{std::string(field) + ": \"" + std::string(text) +
                    "\" is not a whole number from 0 to " + std::to_string(max)};
  }
  return value;
}

constexpr std::int64_t kMaxTime = std::int64_t{1} << 50;
constexpr std::uint32_t kMaxCoordinate = 65535;

std::uint32_t hex_color(std::string_view field, std::string_view text) {
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  if (text.size() == 7 && text.front() == '#') {
    const auto [stop, error] = std::from_chars(text.data() + 1, end, value, 16);
    if (error == std::errc{} && stop == end) return value;
  }
  throw Malformed{std::string(field) + ": \"" + std::string(text) + "\" is not #RRGGBB"};
}

// "2022-04-04 00:53:51.577 UTC", with up to three digits after the point, or none.
std::int64_t utc_ms(std::string_view text) {
  const auto bad = [text] {
    return Malformed{"timestamp: \"" + std::string(text) +
                     "\" is not of the form 2022-04-04 00:53:51.577 UTC"};
  };
  if (text.size() < 23 || !text.ends_with(" UTC") || text[4] != '-' || text[7] != '-' ||
      text[10] != ' ' || text[13] != ':' || text[16] != ':') {
    throw bad();
  }
  const auto part = [&text](std::size_t from, std::size_t size, unsigned max) {
    return number<unsigned>("timestamp", text.substr(from, size), max);
  };
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(part(0, 4, 9999))),
                                        std::chrono::month(part(5, 2, 12)),
                                        std::chrono::day(part(8, 2, 31))};
  if (!day.ok()) throw bad();
  const std::int64_t seconds =
      std::int64_t{part(11, 2, 23)} * 3600 + part(14, 2, 59) * 60 + part(17, 2, 60);
  std::int64_t ms = 0;
  const std::string_view fraction = text.substr(19, text.size() - 23);
  if (!fraction.empty()) {
    if (fraction.front() != '.' || fraction.size() > 4 || fraction.size() < 2) throw bad();
    ms = number<unsigned>("timestamp", fraction.substr(1), 999);
    for (std::size_t digits = fraction.size(); digits < 4; ++digits) ms *= 10;
  }
  return std::chrono::sys_days(day).time_since_epoch().count() * 86'400'000LL + seconds * 1000 + ms;
}

LoggedPlacement parse_2017(std::string_view line) {
  const auto fields = split(line, 5);
  LoggedPlacement placement;
  placement.t_ms = number<std::int64_t>("ts", fields[0], kMaxTime);
  placement.user = fnv1a(fields[1]);
  placement.x = number<std::uint32_t>("x_coordinate", fields[2], kMaxCoordinate);
  placement.y = number<std::uint32_t>("y_coordinate", fields[3], kMaxCoordinate);
  placement.color = kPalette2017[number<std::uint32_t>("color", fields[4], 15)];
  return placement;
}

LoggedPlacement parse_2022(std::string_view line) {
  const auto fields = split(line, 4);
  LoggedPlacement placement;
  placement.t_ms = utc_ms(fields[0]);
  placement.user = fnv1a(fields[1]);
  placement.color = hex_color("pixel_color", fields[2]);
  const auto coordinates = split(fields[3]);
  if (coordinates.size() == 4) throw Moderation{};
  if (coordinates.size() != 2) {
    throw Malformed{"coordinate: \"" + std::string(fields[3]) +
                    "\" is neither x,y nor x1,y1,x2,y2"};
  }
  placement.x = number<std::uint32_t>("coordinate", coordinates[0], kMaxCoordinate);
  placement.y = number<std::uint32_t>("coordinate", coordinates[1], kMaxCoordinate);
  return placement;
}

LoggedPlacement parse_sample(std::string_view line) {
  const auto fields = split(line, 5);
  LoggedPlacement placement;
  placement.t_ms = number<std::int64_t>("t_ms", fields[0], kMaxTime);
  placement.user = number<std::uint64_t>("user", fields[1], ~0ULL >> 1);
  placement.x = number<std::uint32_t>("x", fields[2], kMaxCoordinate);
  placement.y = number<std::uint32_t>("y", fields[3], kMaxCoordinate);
  placement.color = hex_color("color", fields[4]);
  return placement;
}

LogFormat format_of(std::string_view header, const std::filesystem::path& path) {
  if (header == "ts,user,x_coordinate,y_coordinate,color") return LogFormat::event_2017;
  if (header == "timestamp,user_id,pixel_color,coordinate") return LogFormat::event_2022;
  if (header == "t_ms,user,x,y,color") return LogFormat::sample;
  throw LoadError(path.string() + ":1: \"" + std::string(header.substr(0, 80)) +
                  "\" is not the header of a known log; allowed are "
                  "ts,user,x_coordinate,y_coordinate,color and "
                  "timestamp,user_id,pixel_color,coordinate and t_ms,user,x,y,color");
}

}  // namespace

struct ReplayReader::File {
  explicit File(const std::filesystem::path& from)
      : path(from), handle(gzopen(from.c_str(), "rb")) {
    if (handle == nullptr) throw LoadError(from.string() + ": cannot be opened");
    gzbuffer(handle, 256 << 10);
  }
  ~File() { gzclose(handle); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::filesystem::path path;
  gzFile handle;
};

ReplayReader::ReplayReader(const std::filesystem::path& path)
    : file_(std::make_unique<File>(path)) {
  if (!read_line()) throw LoadError(path.string() + ": is empty");
  format_ = format_of(line_text_, path);
}

ReplayReader::~ReplayReader() = default;

// Reads the next line into line_text_; of a line longer than any valid one only the beginning.
bool ReplayReader::read_line() {
  std::array<char, kMaxLine> buffer;
  line_text_.clear();
  bool any = false;
  while (gzgets(file_->handle, buffer.data(), static_cast<int>(buffer.size())) != nullptr) {
    any = true;
    const std::string_view part = buffer.data();
    if (line_text_.size() < kMaxLine) line_text_ += part;
    if (part.ends_with('\n')) break;
  }
  int error = Z_OK;
  const char* problem = gzerror(file_->handle, &error);
  if (error != Z_OK && error != Z_STREAM_END) {
    throw LoadError(file_->path.string() + ": after line " + std::to_string(line_) + ": " +
                    problem);
  }
  if (!any) return false;
  ++line_;
  while (line_text_.ends_with('\n') || line_text_.ends_with('\r')) line_text_.pop_back();
  return true;
}

void ReplayReader::report(const std::string& problem) {
  ++malformed_;
  if (examples_.size() < kMaxExamples) {
    examples_.push_back(file_->path.string() + ":" + std::to_string(line_) + ": " + problem);
  }
}

std::optional<LoggedPlacement> ReplayReader::next() {
  while (read_line()) {
    try {
      switch (format_) {
        case LogFormat::event_2017:
          return parse_2017(line_text_);
        case LogFormat::event_2022:
          return parse_2022(line_text_);
        case LogFormat::sample:
          return parse_sample(line_text_);
      }
    } catch (const Malformed& malformed) {
      report(malformed.problem);
    } catch (const Moderation&) {
      ++moderation_;
    }
  }
  return std::nullopt;
}

}  // namespace parley::load
