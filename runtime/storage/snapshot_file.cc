#include "runtime/storage/snapshot_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

#include "runtime/storage/storage.h"

namespace parley {
namespace {

constexpr std::string_view kEnding = ".snapshot";
constexpr std::string_view kUnfinished = ".unfinished";
constexpr std::array<char, 8> kMagic = {'p', 'a', 'r', 'l', 'e', 'y', 's', '1'};

struct FileHead {
  std::array<char, 8> magic = kMagic;
  std::uint64_t index = 0;
  std::uint32_t parts = 0;
  std::uint32_t sum = 0;
};
static_assert(sizeof(FileHead) == 24);

// A file that is being written; closed with the object.
class Output {
 public:
  Output(const std::filesystem::path& path, const DiskFaultPoint& faults)
      : name_(path.string()),
        faults_(faults),
        descriptor_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0) fail("made");
  }
  ~Output() { close(descriptor_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(Bytes bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write_some(bytes);
      if (written >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        fail("written");
      }
    }
  }
  void sync() {
    if (fsync(descriptor_) != 0) fail("synced");
  }

 private:
  ssize_t write_some(Bytes bytes) const {
    if (!faults_.full()) return ::write(descriptor_, bytes.data(), bytes.size());
    errno = ENOSPC;
    return -1;
  }
  [[noreturn]] void fail(std::string_view what) const {
    throw StorageError(name_ + ": cannot be " + std::string(what) + ": " +
                       std::generic_category().message(errno));
  }

  std::string name_;
  const DiskFaultPoint& faults_;
  int descriptor_;
};

// The index that a file's name tells, or nothing if it is none of ours.
std::optional<LogIndex> index_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  LogIndex index;
  const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), index.value);
  if (error != std::errc{} || rest != name.data() + name.size() - kEnding.size() ||
      !name.ends_with(kEnding)) {
    return std::nullopt;
  }
  return index;
}

template <class Unwanted>
void remove_if(const std::filesystem::path& folder, Unwanted&& unwanted) {
  std::error_code ignored;  // what cannot be removed only takes space
  std::filesystem::directory_iterator entry(folder, ignored);
  while (entry != std::filesystem::directory_iterator()) {
    if (unwanted(entry->path())) std::filesystem::remove(entry->path(), ignored);
    entry.increment(ignored);  // to the end at an error
  }
}

}  // namespace

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && fsync(descriptor) == 0;
  if (descriptor >= 0) close(descriptor);
  if (!synced) throw StorageError(folder.string() + ": cannot be synced");
}

std::filesystem::path SnapshotFolder::path_of(LogIndex index) const {
  return folder_ / (std::to_string(index.value) + std::string(kEnding));
}

void SnapshotFolder::write_file(const std::filesystem::path& path, const Snapshot& snapshot) const {
  Output file(path, faults_);
  const FileHead head{kMagic, snapshot.id.index.value, snapshot.id.parts, snapshot.id.sum};
  file.write(std::as_bytes(std::span(&head, 1)));
  for (const Block& part : snapshot.parts) {
    const auto size = static_cast<std::uint32_t>(part.size());
    file.write(std::as_bytes(std::span(&size, 1)));
    file.write(part.bytes());
  }
  file.sync();
}

void SnapshotFolder::save(const Snapshot& snapshot) const {
  faults_.delay();
  std::error_code error;
  if (std::filesystem::create_directories(folder_, error)) sync_folder(folder_.parent_path());
  if (error) throw StorageError(folder_.string() + ": cannot be made: " + error.message());
  const std::filesystem::path path = path_of(snapshot.id.index);
  std::filesystem::path unfinished = path;
  unfinished += kUnfinished;
  try {
    write_file(unfinished, snapshot);
  } catch (...) {
    // A disk that is full needs the room.
    std::filesystem::remove(unfinished, error);
    throw;
  }
  std::filesystem::rename(unfinished, path, error);
  if (error) throw StorageError(path.string() + ": cannot be named: " + error.message());
  sync_folder(folder_);
}

std::optional<SnapshotId> SnapshotFolder::find(LogIndex index) const {
  std::ifstream file(path_of(index), std::ios::binary);
  FileHead head;
  file.read(reinterpret_cast<char*>(&head), sizeof(head));
  if (!file || head.magic != kMagic || head.index != index.value) return std::nullopt;
  return SnapshotId{index, head.parts, head.sum};
}

std::vector<Block> SnapshotFolder::load(const SnapshotId& id) const {
  const std::filesystem::path path = path_of(id.index);
  const std::string name = path.string() + ": ";
  std::ifstream file(path, std::ios::binary);
  if (!file) throw StorageLost(name + "the snapshot that the log begins behind is missing");
  const auto read = [&file](void* to, std::size_t size) {
    return static_cast<bool>(file.read(static_cast<char*>(to), static_cast<std::streamsize>(size)));
  };
  FileHead head;
  if (!read(&head, sizeof(head)) || head.magic != kMagic || head.index != id.index.value ||
      head.parts != id.parts || head.sum != id.sum) {
    throw StorageLost(name + "is not the snapshot that the log begins behind");
  }
  std::vector<Block> parts;
  for (std::uint32_t number = 0; number < head.parts; ++number) {
    std::uint32_t size = 0;
    const bool sized = read(&size, sizeof(size)) && size <= kMaxSnapshotPartBytes;
    bool whole = sized;
    parts.push_back(Block::make(sized ? size : 0, [&](std::byte* to) { whole = read(to, size); }));
    if (!whole) throw StorageLost(name + "is cut short: the data is damaged");
  }
  if (sum_of(parts) != id.sum) {
    throw StorageLost(name + "does not match its checksum: the data is damaged");
  }
  return parts;
}

void SnapshotFolder::remove_before(LogIndex index) const {
  remove_if(folder_, [index](const std::filesystem::path& path) {
    const auto other = index_of(path);
    return other && *other < index;
  });
}

void SnapshotFolder::keep_only(LogIndex index) const {
  remove_if(folder_, [index](const std::filesystem::path& path) {
    const auto other = index_of(path);
    return other ? *other != index : path.extension() == kUnfinished;
  });
}

}  // namespace parley
