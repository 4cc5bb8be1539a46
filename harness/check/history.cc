#include "harness/check/history.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

namespace parley::history {
namespace {

constexpr std::size_t kFlushBytes = 1 << 20;
constexpr std::size_t kDigitsOfHalf = 16;

std::optional<std::uint64_t> parse_half(std::string_view hex) {
  std::uint64_t value = 0;
  const char* end = hex.data() + hex.size();
  const auto [rest, error] = std::from_chars(hex.data(), end, value, 16);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return value;
}

std::string_view outcome_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::refused:
      return "refused";
    case Outcome::unknown:
      break;
  }
  return "unknown";
}

std::string_view read_mode_text(ReadMode mode) {
  switch (mode) {
    case ReadMode::linearizable:
      return "linearizable";
    case ReadMode::local:
      return "local";
    case ReadMode::final:
      break;
  }
  return "final";
}

// More than the longest line: keys and punctuation take 160 bytes, numbers and texts 200.
constexpr std::size_t kMaxLineBytes = 512;

char* put_stamp(Stamp stamp, char* at) {
  return fmt::format_to(at, FMT_COMPILE("{:016x}{:016x}"), stamp.major, stamp.minor);
}

char* put(std::string_view text, char* at) {
  return std::copy(text.begin(), text.end(), at);
}

}  // namespace

std::optional<Stamp> parse_stamp(std::string_view hex) {
  if (hex.empty() || hex.size() > kStampDigits) return std::nullopt;
  const std::size_t minor_at = hex.size() > kDigitsOfHalf ? hex.size() - kDigitsOfHalf : 0;
  const auto minor = parse_half(hex.substr(minor_at));
  const auto major =
      minor_at == 0 ? std::optional<std::uint64_t>(0) : parse_half(hex.substr(0, minor_at));
  if (!minor || !major) return std::nullopt;
  return Stamp{*major, *minor};
}

std::string format_stamp(Stamp stamp) {
  char text[kStampDigits];
  return {text, put_stamp(stamp, text)};
}

void format_operation(const Operation& op, std::string& out) {
  char line[kMaxLineBytes];
  const bool read = op.kind == Kind::read;
  const bool ok = op.outcome == Outcome::ok;
  char* at = fmt::format_to(
      line, FMT_COMPILE(R"({{"client":{},"seq":{},"op":"{}","x":{},"y":{},"color":)"), op.client,
      op.seq, read ? "read" : "place", op.x, op.y);
  const bool colored = !read || (ok && op.writer);
  at = colored ? fmt::format_to(at, FMT_COMPILE(R"("#{:06X}")"), op.color) : put("null", at);
  at = fmt::format_to(at, FMT_COMPILE(R"(,"invoke_ns":{},"return_ns":{},"outcome":"{}","node":)"),
                      op.invoke_ns, op.return_ns, outcome_text(op.outcome));
  at = op.node == 0 ? put("null", at) : fmt::format_to(at, FMT_COMPILE("{}"), op.node);
  at = put(R"(,"version":)", at);
  at = ok ? put("\"", put_stamp(op.version, put("\"", at))) : put("null", at);
  if (read) {
    at = put(R"(,"writer":)", at);
    at = ok && op.writer
             ? fmt::format_to(at, FMT_COMPILE("[{},{}]"), op.writer->session, op.writer->sequence)
             : put("null", at);
    at = fmt::format_to(at, FMT_COMPILE(R"(,"read_mode":"{}")"), read_mode_text(op.read_mode));
  }
  at = put("}\n", at);
  out.append(line, at);
}

HistoryWriter::HistoryWriter(const std::filesystem::path& path) : path_(path) {
  file_.open(path, std::ios::binary | std::ios::trunc);
  if (!file_) throw std::system_error(errno, std::generic_category(), path_.string());
  buffer_.reserve(kFlushBytes + 1024);
}

HistoryWriter::~HistoryWriter() {
  if (!file_.is_open()) return;
  file_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
}

void HistoryWriter::append(const Operation& operation) {
  format_operation(operation, buffer_);
  ++appended_;
  if (buffer_.size() >= kFlushBytes) flush();
}

void HistoryWriter::flush() {
  file_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  if (!file_) throw std::system_error(errno, std::generic_category(), path_.string());
  buffer_.clear();
}

void HistoryWriter::close() {
  if (!file_.is_open()) return;
  flush();
  file_.close();
  if (file_.fail()) throw std::system_error(errno, std::generic_category(), path_.string());
}

std::string MalformedLine::text() const {
  if (field.empty()) return fmt::format("line {}: {}", line, problem);
  return fmt::format("line {}: field \"{}\": {}", line, field, problem);
}

void ReadReport::add(MalformedLine line) {
  ++malformed;
  if (examples.size() < kMaxExamples) examples.push_back(std::move(line));
}

}  // namespace parley::history
