#include "runtime/live/file_journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>

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

// Cuts off what is behind the last newline: a killed process may have left part of a line. Whether
// anything is left.
bool cut_torn_line(int descriptor) {
  off_t end = lseek(descriptor, 0, SEEK_END);
  char last = 0;
  while (end > 0 && pread(descriptor, &last, 1, end - 1) == 1 && last != '\n') --end;
  return ftruncate(descriptor, end) == 0 && lseek(descriptor, end, SEEK_SET) > 0;
}

}  // namespace

FileJournal::FileJournal(const std::filesystem::path& path, Mode mode, CellNumber cell_number)
    : cell_number_(std::move(cell_number)),
      descriptor_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot write " + path.string());
  }
  if (mode == Mode::go_on && cut_torn_line(descriptor_)) {
    restored(LogIndex{});
  } else {
    // What cannot be cut to size, a device say, shows when it is written.
    [[maybe_unused]] const int cut = ftruncate(descriptor_, 0);
    buffer_.insert(buffer_.end(), kHeader.begin(), kHeader.end());
  }
  flush();
}

FileJournal::~FileJournal() {
  flush();
  close(descriptor_);
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
  std::size_t done = 0;
  while (done < buffer_.size() && error_.empty()) {
    const ssize_t written = write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      error_ = "cannot write the journal: " + std::generic_category().message(errno);
    }
  }
  buffer_.clear();
}

}  // namespace parley
