#include "harness/fuzz/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace parley::fuzz {
namespace {

void must(bool worked, const char* what) {
  if (!worked) throw std::system_error(errno, std::generic_category(), what);
}

class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
    must(descriptor_ >= 0, "a file in memory");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void fill(Bytes contents) const {
    must(ftruncate(descriptor_, 0) == 0, "a file in memory");
    const ssize_t written = pwrite(descriptor_, contents.data(), contents.size(), 0);
    must(written == static_cast<ssize_t>(contents.size()), "a file in memory");
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  int descriptor_;
  std::filesystem::path path_;
};

}  // namespace

const std::filesystem::path& memory_file(Bytes contents) {
  thread_local const MemoryFile file;
  file.fill(contents);
  return file.path();
}

}  // namespace parley::fuzz
