// A snapshot as a file.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/effects.h"
#include "runtime/snapshot.h"
#include "runtime/storage/disk_faults.h"

namespace parley {

// Makes the names that a folder holds durable. Throws StorageError.
void sync_folder(const std::filesystem::path& folder);

// Where the snapshots of a node are, and which index each has.
class SnapshotFolder {
 public:
  // `faults` must outlive the object.
  SnapshotFolder(std::filesystem::path folder, DiskFaultPoint& faults)
      : folder_(std::move(folder)), faults_(faults) {}

  // Puts a snapshot there: written under another name, synced, renamed, so that a file with its
  // right name is whole. Callable from any thread. Throws StorageError.
  void save(const Snapshot& snapshot) const;

  // The parts of the snapshot, which must be there. Throws StorageError when the file is missing,
  // damaged, or another one's.
  [[nodiscard]] std::vector<Block> load(const SnapshotId& id) const;

  // The snapshot of that index, if it is there.
  [[nodiscard]] std::optional<SnapshotId> find(LogIndex index) const;

  // Removes the snapshots before `index`.
  void remove_before(LogIndex index) const;
  // Removes all but that of `index`, and what was left half written. Nobody may be saving.
  void keep_only(LogIndex index) const;

 private:
  void write_file(const std::filesystem::path& path, const Snapshot& snapshot) const;
  [[nodiscard]] std::filesystem::path path_of(LogIndex index) const;

  std::filesystem::path folder_;
  DiskFaultPoint& faults_;
};

}  // namespace parley
