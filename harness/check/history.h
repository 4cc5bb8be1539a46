// The record of a run as its clients saw it: one operation a line of `history.jsonl`.
//
// A line of the file (keys may come in any order, unknown keys are ignored):
//   {"client":7,"seq":41,"op":"place","x":1,"y":2,"color":"#RRGGBB","invoke_ns":10,"return_ns":20,
//    "outcome":"ok","node":2,"version":"00…2a"}
//   {"client":7,"seq":42,"op":"read","x":1,"y":2,"color":"#RRGGBB","invoke_ns":30,"return_ns":40,
//    "outcome":"ok","node":2,"version":"00…2a","writer":[7,41],"read_mode":"local"}
// `version` is a stamp in hexadecimal, as many digits on every line. A read of a cell that nobody
// has painted has a version of zeros and a null writer and colour. `return_ns` and `version` may be
// null or absent where the outcome leaves them open; `node` where it is not known. In a history of
// another's making no line may have a `version`; then a read without a colour saw nothing painted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/stamp.h"

namespace parley::history {

inline constexpr int kStampDigits = 32;  // of a stamp's 128 bits: 16 of major, 16 of minor

// Reads 1 to 32 hexadecimal digits as one number, or returns nothing.
std::optional<Stamp> parse_stamp(std::string_view hex);
// Always kStampDigits digits, lower case: sorts as the stamps do.
std::string format_stamp(Stamp stamp);

enum class Kind : std::uint8_t { place, read };

enum class Outcome : std::uint8_t {
  ok,
  refused,  // definitely not done
  unknown,  // may have been done, and may still be
};

enum class ReadMode : std::uint8_t {
  linearizable,  // held to real time
  local,         // may be stale, which is counted
  final,         // of one replica's store at quiescence; `node` names the replica
};

inline constexpr std::uint32_t kMaxCoordinate = 65535;
// Of a read that carries no version and saw nothing painted.
inline constexpr std::uint32_t kNoColor = 0xFF000000;
inline constexpr std::int64_t kMaxTimeNs = 4'000'000'000'000'000'000;  // differences still fit

// One operation of one client.
struct Operation {
  std::uint32_t client = 0;
  std::uint32_t seq = 0;
  Kind kind = Kind::place;
  Outcome outcome = Outcome::unknown;
  ReadMode read_mode = ReadMode::linearizable;  // of reads
  std::uint32_t x = 0;                          // at most kMaxCoordinate
  std::uint32_t y = 0;
  std::uint32_t color = 0;       // 0xRRGGBB, written or read
  std::int64_t invoke_ns = 0;    // of any clock that all clients share; within +-kMaxTimeNs
  std::int64_t return_ns = 0;    // means nothing when the outcome is unknown
  std::uint32_t node = 0;        // that answered; 0 when not known
  Stamp version;                 // written or read; zero: none known, or unpainted
  std::optional<Writer> writer;  // of reads: the write that was seen, none when unpainted
};

// Writes `history.jsonl` in blocks; holds at most one block in memory. Not thread-safe.
class HistoryWriter {
 public:
  // Creates or truncates the file. Throws std::system_error when it cannot be written.
  explicit HistoryWriter(const std::filesystem::path& path);
  ~HistoryWriter();  // closes; a failure here is lost, so call close() where it matters
  HistoryWriter(const HistoryWriter&) = delete;
  HistoryWriter& operator=(const HistoryWriter&) = delete;

  void append(const Operation& operation);  // throws std::system_error when the disk refuses
  void close();                             // writes what is pending; throws likewise
  std::uint64_t appended() const { return appended_; }

 private:
  void flush();

  std::filesystem::path path_;
  std::ofstream file_;
  std::string buffer_;
  std::uint64_t appended_ = 0;
};

// Appends the line of one operation, with its newline.
void format_operation(const Operation& operation, std::string& out);

// A line that could not be understood.
struct MalformedLine {
  std::uint64_t line = 0;  // from 1
  std::string field;       // empty when the line as a whole is broken
  std::string problem;     // what was found and what is allowed

  std::string text() const;
};

// What reading a file brought, besides the entries handed to the visitor.
struct ReadReport {
  static constexpr std::size_t kMaxExamples = 20;

  std::uint64_t lines = 0;
  std::uint64_t malformed = 0;
  std::vector<MalformedLine> examples;  // the first kMaxExamples of them
  int stamp_digits = 0;                 // width of the stamps; 0 when there were none
  bool torn_tail = false;               // journals: the last line had no newline and was left out

  void add(MalformedLine line);
};

// Streams a history through `visit`, with line numbers from 1; malformed lines are reported and
// left out. Throws std::system_error when the file cannot be read.
// `versions`: whether lines must have one where the outcome wants it, or none may.
using OperationVisitor = std::function<void(const Operation&, std::uint64_t line)>;
ReadReport read_history(const std::filesystem::path& path, const OperationVisitor& visit,
                        bool versions = true);

// Whether any line has the key `version`, or there is no line at all. Throws likewise.
bool has_versions(const std::filesystem::path& path);

}  // namespace parley::history
