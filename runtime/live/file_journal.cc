#include "runtime/live/file_journal.h"

#include <array>
#include <charconv>
#include <string_view>

#include "runtime/live/waiter.h"

namespace parley {
namespace {

constexpr std::string_view kHeader = "stamp,client,seq,cell,t_ns,known\n";
constexpr std::size_t kFlushBytes = 256U << 10;

char* append_hex(char* to, std::uint64_t value) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) *to++ = kDigits[(value >> shift) & 15];
  return to;
}

char* append_number(char* to, char* end, std::uint64_t value, char after) {
  to = std::to_chars(to, end, value).ptr;
  *to++ = after;
  return to;
}

}  // namespace

FileJournal::FileJournal(const std::filesystem::path& path, Mode mode, CellNumber cell_number)
    : cell_number_(std::move(cell_number)), file_(path, mode) {
  if (file_.goes_on()) {
    restored(LogIndex{});
  } else {
    buffer_.insert(buffer_.end(), kHeader.begin(), kHeader.end());
  }
  flush();
}

void FileJournal::applied(Key key, Stamp stamp, Writer writer, std::uint64_t /*value*/) {
  put(stamp, writer, cell_number_ ? cell_number_(key) : key.value);
}

void FileJournal::restored(LogIndex index) {
  known_.reset();
  put({index.value, 0}, {}, 0);
}

void FileJournal::put(Stamp stamp, Writer writer, std::uint64_t cell) {
  if (!error_.empty()) return;
  std::array<char, 144> line;
  char* const end = line.data() + line.size();
  char* to = append_hex(line.data(), stamp.major);
  to = append_hex(to, stamp.minor);
  *to++ = ',';
  to = append_number(to, end, writer.session, ',');
  to = append_number(to, end, writer.sequence, ',');
  to = append_number(to, end, cell, ',');
  const auto now_ns = static_cast<std::uint64_t>(monotonic_now().time_since_epoch().count());
  to = append_number(to, end, now_ns, ',');
  if (known_) to = std::to_chars(to, end, known_->value).ptr;
  *to++ = '\n';
  buffer_.insert(buffer_.end(), line.data(), to);
  if (buffer_.size() >= kFlushBytes) flush();
}

void FileJournal::flush() {
  if (error_.empty()) {
    const std::string error = file_.write(buffer_);
    if (!error.empty()) error_ = "cannot write the journal: " + error;
  }
  buffer_.clear();
}

}  // namespace parley
