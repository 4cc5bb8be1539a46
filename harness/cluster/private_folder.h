// A folder that only this user can read, for sockets and configuration of a cluster that runs.
#pragma once

#include <filesystem>

namespace parley::harness {

// Made under the system's folder for temporary files, removed with the object. While the object
// lives it holds a lock on the folder; a folder of a program that was killed has none, and the next
// program that makes one removes it.
class PrivateFolder {
 public:
  PrivateFolder();  // throws std::system_error
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace parley::harness
