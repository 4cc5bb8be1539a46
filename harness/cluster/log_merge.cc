#include "harness/cluster/log_merge.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string_view>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace parley::harness {
namespace {

constexpr std::string_view kShape = "0000-00-00T00:00:00.000000Z";
constexpr std::size_t kMaxLineBytes = 64 * 1024;

bool has_time(std::string_view line) {
  if (line.size() < kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = line[i] >= '0' && line[i] <= '9';
    if (kShape[i] == '0' ? !digit : line[i] != kShape[i]) return false;
  }
  return true;
}

// Reads one log; `line` is the next one.
struct Reader {
  explicit Reader(const LogSource& source) : label(source.label), file(source.path) { advance(); }

  void advance() {
    done = !std::getline(file, line);
    if (done) return;
    if (line.size() > kMaxLineBytes) line.resize(kMaxLineBytes);
    timed = has_time(line);
    if (timed) time = line.substr(0, kShape.size());
  }

  std::string label;
  std::ifstream file;
  std::string line;
  std::string time;  // of this line or the last one that had one
  bool timed = false;
  bool done = false;
};

void print(std::ostream& out, const Reader& reader) {
  const std::string_view line = reader.line;
  out << reader.time << " [" << reader.label << "] "
      << (reader.timed ? line.substr(std::min(line.size(), kShape.size() + 1)) : line) << '\n';
}

}  // namespace

void merge_logs(const std::vector<LogSource>& sources, const std::filesystem::path& output) {
  std::vector<Reader> readers;
  for (const LogSource& source : sources) readers.emplace_back(source);
  std::ofstream out(output, std::ios::trunc);
  for (;;) {
    Reader* first = nullptr;
    for (Reader& reader : readers) {
      if (!reader.done && (first == nullptr || reader.time < first->time)) first = &reader;
    }
    if (first == nullptr) break;
    print(out, *first);
    first->advance();
  }
  out.close();
  if (!out) throw std::system_error(errno, std::generic_category(), output.string());
}

std::string log_time(std::chrono::system_clock::time_point when) {
  const auto since = when.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(since - seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(static_cast<std::time_t>(seconds.count())), micros.count());
}

std::optional<std::chrono::system_clock::time_point> parse_log_time(const std::string& line) {
  std::tm time{};
  int micros = 0;
  const int read =
      std::sscanf(line.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ", &time.tm_year, &time.tm_mon,
                  &time.tm_mday, &time.tm_hour, &time.tm_min, &time.tm_sec, &micros);
  // Nanoseconds since 1970 end in 2262.
  if (read != 7 || time.tm_year < 1970 || time.tm_year > 2261) return std::nullopt;
  time.tm_year -= 1900;
  time.tm_mon -= 1;
  return std::chrono::system_clock::from_time_t(timegm(&time)) + std::chrono::microseconds(micros);
}

std::string log_tail(const std::filesystem::path& path, std::size_t lines) {
  constexpr std::streamoff kMaxBytes = 8192;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg();
  const std::streamoff from = size > kMaxBytes ? size - kMaxBytes : 0;
  std::string text(static_cast<std::size_t>(size - from), '\0');
  file.seekg(from);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  std::size_t at = text.size();
  if (at > 0 && text[at - 1] == '\n') --at;
  for (std::size_t i = 0; i < lines && at != std::string::npos; ++i) {
    at = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  }
  return at == std::string::npos ? text : text.substr(at + 1);
}

}  // namespace parley::harness
