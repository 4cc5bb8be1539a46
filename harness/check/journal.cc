#include "harness/check/journal.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace parley::history {
namespace {

constexpr std::array<std::string_view, 6> kColumns = {"stamp", "client", "seq",
                                                      "cell",  "t_ns",   "known"};
constexpr std::size_t kLeastColumns = 4;
using Parts = std::array<std::string_view, kColumns.size()>;

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && rest == end;
}

// Cuts the line at its commas; false unless there are `columns` parts.
bool split(std::string_view line, std::size_t columns, Parts& parts) {
  for (std::size_t i = 0; i < columns; ++i) {
    const std::size_t comma = line.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == columns)) return false;
    parts[i] = line.substr(0, comma);
    line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
  }
  return true;
}

std::string_view header_of(std::size_t columns) {
  std::size_t end = kJournalHeader.size();
  for (std::size_t left = kColumns.size(); left > columns; --left) {
    end = kJournalHeader.rfind(',', end - 1);
  }
  return kJournalHeader.substr(0, end);
}

// Parses a line, or says what is wrong with it.
bool parse_entry(std::string_view line, std::size_t columns, int& digits, JournalEntry& entry,
                 MalformedLine& error) {
  Parts parts;
  if (!split(line, columns, parts)) {
    error.problem = fmt::format("expected {} columns, {}", columns, header_of(columns));
    return false;
  }
  const auto fail = [&](std::size_t column, std::string_view allowed) {
    error.field = kColumns[column];
    error.problem = fmt::format("expected {}, got \"{:.40}\"", allowed, parts[column]);
    return false;
  };
  const auto stamp = parse_stamp(parts[0]);
  const bool restores = parts[1] == "0" && parts[2] == "0";
  if (!stamp || (*stamp == Stamp{} && !restores)) {
    return fail(0, "1 to 32 hexadecimal digits, not all zero");
  }
  if (digits == 0) digits = static_cast<int>(parts[0].size());
  if (digits != static_cast<int>(parts[0].size())) {
    return fail(0, fmt::format("{} digits as on the lines before", digits));
  }
  entry.stamp = *stamp;
  if (!parse_number(parts[1], entry.write.session)) return fail(1, "an integer of 32 bits");
  if (!parse_number(parts[2], entry.write.sequence)) return fail(2, "an integer of 32 bits");
  if (!parse_number(parts[3], entry.cell)) return fail(3, "an integer, y * width + x");
  entry.t_ns = kNoTime;
  if (columns > 4 &&
      (!parse_number(parts[4], entry.t_ns) || entry.t_ns < 0 || entry.t_ns > kMaxTimeNs)) {
    return fail(4, fmt::format("nanoseconds from 0 to {}", kMaxTimeNs));
  }
  entry.known.reset();
  if (columns > 5 && !parts[5].empty() && !parse_number(parts[5], entry.known.emplace())) {
    return fail(5, "a log index of 64 bits, or nothing");
  }
  return true;
}

}  // namespace

void JournalReader::take_header(std::string_view line) {
  columns_ = kLeastColumns;
  while (columns_ < kColumns.size() && line != header_of(columns_)) ++columns_;
  if (line == header_of(columns_)) return;
  report_.add({lines_.line_number(), {}, fmt::format("expected the header {}", kJournalHeader)});
}

bool JournalReader::next(JournalEntry& entry) {
  std::string_view line;
  while (lines_.next(line)) {
    if (!lines_.ended_with_newline()) {
      report_.torn_tail = true;
      break;
    }
    if (++report_.lines == 1) {
      take_header(line);
      continue;
    }
    MalformedLine error{lines_.line_number(), {}, {}};
    if (parse_entry(line, columns_, report_.stamp_digits, entry, error)) return true;
    report_.add(std::move(error));
  }
  return false;
}

ReadReport read_journal(const std::filesystem::path& path, const JournalVisitor& visit) {
  JournalReader reader(path);
  JournalEntry entry;
  while (reader.next(entry)) visit(entry, reader.line());
  return reader.report();
}

}  // namespace parley::history
