#include "harness/check/lines.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace parley::history {
namespace {
constexpr std::size_t kMostReadBytes = 1 << 20;
}

LineReader::LineReader(const std::filesystem::path& path) : path_(path) {
  // A folder opens well and fails on the first read, without a reason.
  if (std::filesystem::is_directory(path)) {
    throw std::system_error(EISDIR, std::generic_category(), path_.string());
  }
  file_.open(path, std::ios::binary);
  if (!file_) throw std::system_error(errno, std::generic_category(), path_.string());
}

bool LineReader::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t kept = buffer_.size();
  buffer_.resize(kept + read_bytes_);
  file_.read(buffer_.data() + kept, static_cast<std::streamsize>(read_bytes_));
  if (file_.bad()) throw std::system_error(errno, std::generic_category(), path_.string());
  buffer_.resize(kept + static_cast<std::size_t>(file_.gcount()));
  read_bytes_ = std::min(2 * read_bytes_, kMostReadBytes);
  return buffer_.size() > kept;
}

bool LineReader::next(std::string_view& line) {
  std::size_t end = buffer_.find('\n', begin_);
  while (end == std::string::npos && buffer_.size() - begin_ <= kMaxLineBytes && fill()) {
    end = buffer_.find('\n', begin_);
  }
  newline_ = end != std::string::npos;
  if (!newline_) end = buffer_.size();
  if (!newline_ && begin_ == end) return false;
  ++line_number_;
  too_long_ = end - begin_ > kMaxLineBytes;
  if (!too_long_) {
    line = std::string_view(buffer_).substr(begin_, end - begin_);
    begin_ = end + (newline_ ? 1 : 0);
    return true;
  }
  // Skip the rest in blocks: the memory stays bounded whatever the length.
  std::string head = buffer_.substr(begin_, kMaxLineBytes);
  while (!newline_) {
    begin_ = buffer_.size();
    if (!fill()) break;
    end = buffer_.find('\n');
    newline_ = end != std::string::npos;
  }
  begin_ = newline_ ? end + 1 : buffer_.size();
  head_ = std::move(head);
  line = head_;
  return true;
}

}  // namespace parley::history
