// The logs of many nodes as one story.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace parley::harness {

struct LogSource {
  std::string label;  // "node 1"
  std::filesystem::path path;
};

// Merges logs by the times at the beginnings of their lines (kNodeLogPattern) into `output`, each
// line as "<time> [<label>] <rest>". A line without a time (a stack trace, a message of a library)
// stays behind the one before it. Files that do not exist are passed over. Memory use does not grow
// with the logs. Throws std::system_error when `output` cannot be written.
void merge_logs(const std::vector<LogSource>& sources, const std::filesystem::path& output);

// The time of a line of a log.
std::string log_time(std::chrono::system_clock::time_point when);

// The time at the beginning of a line; nothing if there is none.
std::optional<std::chrono::system_clock::time_point> parse_log_time(const std::string& line);

// The last `lines` lines of a file, at most 8 KiB; empty if there is none.
std::string log_tail(const std::filesystem::path& path, std::size_t lines);

}  // namespace parley::harness
