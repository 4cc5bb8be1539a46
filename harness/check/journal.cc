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

constexpr std::array<const char*, 5> kColumns = {"stamp", "client", "seq", "cell", "t_ns"};
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

// Parses a line, or says what is wrong with it.
bool parse_entry(std::string_view line, bool timed, int& digits, JournalEntry& entry,
                 MalformedLine& error) {
  Parts parts;
  if (!split(line, timed ? 5 : 4, parts)) {
    error.problem = timed ? fmt::format("expected five columns, {}", kJournalHeader)
                          : fmt::format("expected four columns, {}", kTimelessHeader);
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
  if (timed && (!parse_number(parts[4], entry.t_ns) || entry.t_ns < 0 || entry.t_ns > kMaxTimeNs)) {
    return fail(4, fmt::format("nanoseconds from 0 to {}", kMaxTimeNs));
  }
  return true;
}

}  // namespace

void JournalReader::take_header(std::string_view line) {
  timed_ = line == kJournalHeader;
  if (timed_ || line == kTimelessHeader) return;
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
    if (parse_entry(line, timed_, report_.stamp_digits, entry, error)) return true;
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
