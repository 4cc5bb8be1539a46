#include "harness/check/journal.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

#include "harness/check/lines.h"

namespace parley::history {
namespace {

constexpr std::array<const char*, 4> kColumns = {"stamp", "client", "seq", "cell"};

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && rest == end;
}

// Cuts the line at its commas; false unless there are four parts.
bool split(std::string_view line, std::array<std::string_view, 4>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t comma = line.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == parts.size())) return false;
    parts[i] = line.substr(0, comma);
    line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
  }
  return true;
}

// Parses a line, or says what is wrong with it.
bool parse_entry(std::string_view line, int& digits, JournalEntry& entry, MalformedLine& error) {
  std::array<std::string_view, 4> parts;
  if (!split(line, parts)) {
    error.problem = fmt::format("expected four columns, {}", kJournalHeader);
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
  return true;
}

}  // namespace

ReadReport read_journal(const std::filesystem::path& path, const JournalVisitor& visit) {
  LineReader lines(path);
  ReadReport report;
  std::string_view line;
  JournalEntry entry;
  while (lines.next(line)) {
    if (!lines.ended_with_newline()) {
      report.torn_tail = true;
      break;
    }
    ++report.lines;
    MalformedLine error{lines.line_number(), {}, {}};
    if (report.lines == 1) {
      if (line == kJournalHeader) continue;
      error.problem = fmt::format("expected the header {}", kJournalHeader);
      report.add(error);
    } else if (parse_entry(line, report.stamp_digits, entry, error)) {
      visit(entry, lines.line_number());
    } else {
      report.add(error);
    }
  }
  return report;
}

}  // namespace parley::history
