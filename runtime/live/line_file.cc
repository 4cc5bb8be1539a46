#include "runtime/live/line_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace parley {
namespace {

// Cuts off what is behind the last newline: a killed process may have left part of a line. Whether
// anything is left.
bool cut_torn_line(int descriptor) {
  off_t end = lseek(descriptor, 0, SEEK_END);
  char last = 0;
  while (end > 0 && pread(descriptor, &last, 1, end - 1) == 1 && last != '\n') --end;
  return ftruncate(descriptor, end) == 0 && lseek(descriptor, end, SEEK_SET) > 0;
}

}  // namespace

LineFile::LineFile(const std::filesystem::path& path, Mode mode)
    : descriptor_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot write " + path.string());
  }
  goes_on_ = mode == Mode::go_on && cut_torn_line(descriptor_);
  // What cannot be cut to size, a device say, shows when it is written.
  if (!goes_on_) [[maybe_unused]]
    const int cut = ftruncate(descriptor_, 0);
}

LineFile::~LineFile() {
  close(descriptor_);
}

std::string LineFile::write(std::span<const char> lines) {
  while (!lines.empty()) {
    const ssize_t written = ::write(descriptor_, lines.data(), lines.size());
    if (written >= 0) {
      lines = lines.subspan(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return std::generic_category().message(errno);
    }
  }
  return {};
}

}  // namespace parley
