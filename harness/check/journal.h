// What one replica applied, in its order: `nodes/<id>.applied.csv`, with the header
// `stamp,client,seq,cell`. `stamp` is a stamp in hexadecimal as in the history's `version`, `cell`
// the decimal key y * width + x.
//
// A line of client 0 says that the replica's state is now that after the log index in the upper
// half of its stamp: at a start after a crash (index 0, or that of the replica's own snapshot), or
// because it took over another one's snapshot. It goes on from there, so lines may come again, and
// what a snapshot brought has no line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "harness/check/history.h"

namespace parley::history {

struct JournalEntry {
  Stamp stamp;
  Writer write;
  std::uint64_t cell = 0;  // y * width + x
  [[nodiscard]] bool restores() const { return write == Writer{}; }
};

inline constexpr const char* kJournalHeader = "stamp,client,seq,cell";

// Streams a journal through `visit`; malformed lines are reported and left out. A last line without
// a newline is what a killed process leaves: it is left out too, and only `torn_tail` says so.
// Throws std::system_error when the file cannot be read.
using JournalVisitor = std::function<void(const JournalEntry&, std::uint64_t line)>;
ReadReport read_journal(const std::filesystem::path& path, const JournalVisitor& visit);

}  // namespace parley::history
