// Storage in RocksDB: one write batch and at most one sync for everything that waits.
//
// Promises: writes become durable in their order; recovery gives back exactly the durable prefix or
// more, or refuses with the reason; a folder that is not this replica's is not touched. Needs: one
// process a folder (RocksDB's lock sees to it).
//
// Keys begin with the group's id, so that one database can hold many groups:
//   <group> 'M'          who this data belongs to, and how often it was opened
//   <group> 'S'          the hard state, with a checksum
//   <group> 'P'          which snapshot is in use, with a checksum; the snapshots themselves are
//                        files in the folder `snapshots`
//   <group> 'L' <index>  a record of the log, with the sum that links it to the one before
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/storage/chain.h"
#include "runtime/storage/disk_faults.h"
#include "runtime/storage/snapshot_file.h"
#include "runtime/storage/storage.h"

namespace rocksdb {
class DB;
class Env;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace parley {

struct StoredClaim;

// Whose data a folder holds. A folder opened for another owner is refused.
struct StorageOwner {
  GroupId group;
  NodeId node;
  std::string algorithm;    // name
  std::string application;  // Application::state_name
  // "1 2 3": by whose majority the log's beginning was agreed; others might agree on something else
  // in its place. Empty: it does not matter to the strategy.
  std::string first_members = {};
  // It is no member from the beginning but waits to be added: a folder without state gets a disk
  // id.
  bool joins = false;
  // Whether a file beside the folder, <folder>.started, remembers that there was one: a member from
  // the beginning is then refused another one.
  bool remembered = false;
};

class RocksStorage final : public Storage {
 public:
  // Opens the folder, which is made if it does not exist, and counts the start. `progress` is
  // called in the storage thread whenever durable() has risen or an error occurred. Throws
  // StorageError.
  RocksStorage(const std::filesystem::path& folder, const StorageOwner& owner,
               Durability durability, std::function<void()> progress);
  // Carries out what was taken, then closes.
  ~RocksStorage() override;

  // What was found; valid until the first write.
  [[nodiscard]] const Recovered& recovered() const { return recovered_; }
  // Frees what recovered() holds.
  void forget_recovered() { recovered_ = {}; }
  // How often the folder was opened, this time included: durable before the constructor returns.
  // Those of a node that joins are counted from the seconds since 1970 on: above all of earlier
  // folders that it may have had.
  [[nodiscard]] Incarnation incarnation() const { return incarnation_; }
  // 0 for the folder of a member from the beginning.
  [[nodiscard]] DiskId disk() const { return disk_; }
  // What could not be done at the start and does not keep the node from its work; or empty.
  [[nodiscard]] const std::string& warning() const { return warning_; }

  void write(std::span<const Write> writes) override;
  // Makes the disk slow or full on purpose, from now on. Callable from any thread.
  void inject(const DiskFaults& faults) { faults_.set(faults); }
  // Saves a snapshot, which a later write puts in use. Callable from any thread, one at a time;
  // takes long. Throws StorageError; the node may go on and try again later.
  void save(const Snapshot& snapshot) const { snapshots_.save(snapshot); }
  [[nodiscard]] Ticket durable() const override { return Ticket{durable_.load()}; }
  [[nodiscard]] std::uint64_t waiting_bytes() const override { return waiting_bytes_.load(); }
  [[nodiscard]] std::string error() const override;

 private:
  void open(const std::filesystem::path& folder);
  [[noreturn]] void refuse(const rocksdb::Status& status, std::string_view what) const;
  void claim(const StorageOwner& owner);
  [[nodiscard]] bool is_used() const;
  void check_claimed(const StoredClaim& held, const StoredClaim& mine,
                     const StorageOwner& owner) const;
  void check_unclaimed(const StorageOwner& owner) const;
  [[nodiscard]] std::filesystem::path marker() const;
  void recover();
  void recover_state();
  void recover_snapshot();
  void recover_log();
  void run();
  void carry_out(const std::vector<Write>& writes);
  void add(const Write& write, rocksdb::WriteBatch& batch);
  void append(const Write& write, rocksdb::WriteBatch& batch);
  void truncate(LogIndex index, rocksdb::WriteBatch& batch);
  void use_snapshot(const Write& write, rocksdb::WriteBatch& batch);
  [[nodiscard]] LogIndex last() const { return base_.plus(sums_.size()); }
  [[nodiscard]] ChainSum last_sum() const { return sums_.empty() ? base_sum_ : sums_.back(); }
  void fail(const std::string& what);
  [[nodiscard]] std::string key(char kind) const;
  [[nodiscard]] std::string record_key(LogIndex index) const;

  std::string name_;  // of the folder, for messages
  GroupId group_;
  bool sync_;
  std::function<void()> progress_;
  DiskFaultPoint faults_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  Incarnation incarnation_;
  DiskId disk_;
  std::string warning_;
  Recovered recovered_;

  SnapshotFolder snapshots_;

  // Of the storage thread: the sums of the records held, which begin after `base_`, and what the
  // first one is linked to.
  LogIndex base_;
  ChainSum base_sum_ = 0;
  std::deque<ChainSum> sums_;

  std::atomic<std::uint64_t> durable_{0};
  std::atomic<std::uint64_t> waiting_bytes_{0};
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::vector<Write> waiting_;  // guarded
  bool closing_ = false;        // guarded
  std::string error_;           // guarded
  std::thread thread_;
};

}  // namespace parley
