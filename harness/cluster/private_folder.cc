#include "harness/cluster/private_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>

namespace parley::harness {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "parley-";
constexpr const char* kLockName = "lock";
// A younger folder may belong to a program that has not locked it yet.
constexpr auto kOldEnough = std::chrono::minutes(1);

// Whether `folder` was made by this user's PrivateFolder and its maker is gone.
bool abandoned(const fs::path& folder) {
  struct stat facts {};
  if (lstat(folder.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode) || facts.st_uid != geteuid())
    return false;
  std::error_code error;
  const auto written = fs::last_write_time(folder, error);
  if (error || fs::file_time_type::clock::now() - written < kOldEnough) return false;
  const int lock = open((folder / kLockName).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0) return false;
  const bool free = flock(lock, LOCK_EX | LOCK_NB) == 0;
  close(lock);
  return free;
}

void remove_abandoned(const fs::path& where) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(where, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && abandoned(entry.path())) fs::remove_all(entry.path(), error);
  }
}

}  // namespace

PrivateFolder::PrivateFolder() {
  const fs::path where = fs::temp_directory_path();
  remove_abandoned(where);
  std::string name = (where / kPrefix).string() + "XXXXXX";
  if (mkdtemp(name.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), name);
  path_ = name;
  lock_ = open((path_ / kLockName).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0 || flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    const int problem = errno;
    if (lock_ >= 0) close(lock_);
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    throw std::system_error(problem, std::generic_category(), name);
  }
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  close(lock_);
}

}  // namespace parley::harness
