// What one replica applied, in its order: `nodes/<id>.applied.csv`, with the header
// `stamp,client,seq,cell,t_ns,known`. `stamp` is a stamp in hexadecimal as in the history's
// `version`, `cell` the decimal key y * width + x, `t_ns` when, by the clock of the history's
// times. `known` stands where an ordered strategy's node applies what it took from a client itself:
// the log index that it had applied when it took it. A journal may do without the last column, or
// the last two: then what needs them is not computed.
//
// A line of client 0 says that the replica's state is now that after the log index in the upper
// half of its stamp: at a start after a crash (index 0, or that of the replica's own snapshot), or
// because it took over another one's snapshot. It goes on from there, so lines may come again, and
// what a snapshot brought has no line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>

#include "harness/check/history.h"
#include "harness/check/lines.h"

namespace parley::history {

// Of an entry whose journal has no times.
inline constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();

struct JournalEntry {
  Stamp stamp;
  Writer write;
  std::uint64_t cell = 0;  // y * width + x
  std::int64_t t_ns = kNoTime;
  std::optional<std::uint64_t> known = std::nullopt;
  [[nodiscard]] bool restores() const { return write == Writer{}; }
};

inline constexpr std::string_view kJournalHeader = "stamp,client,seq,cell,t_ns,known";

// Reads a journal entry by entry, with bounded memory. Malformed lines are reported and left out. A
// last line without a newline is what a killed process leaves: it is left out too, and only
// `torn_tail` says so. Throws std::system_error when the file cannot be read.
class JournalReader {
 public:
  explicit JournalReader(const std::filesystem::path& path) : lines_(path) {}

  // False at the end.
  bool next(JournalEntry& entry);
  [[nodiscard]] std::uint64_t line() const { return lines_.line_number(); }  // of that entry
  [[nodiscard]] const ReadReport& report() const { return report_; }

 private:
  void take_header(std::string_view line);

  LineReader lines_;
  ReadReport report_;
  std::size_t columns_ = 0;
};

// Streams a whole journal through `visit`.
using JournalVisitor = std::function<void(const JournalEntry&, std::uint64_t line)>;
ReadReport read_journal(const std::filesystem::path& path, const JournalVisitor& visit);

}  // namespace parley::history
