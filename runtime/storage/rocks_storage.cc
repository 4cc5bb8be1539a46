#include "runtime/storage/rocks_storage.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <random>

#include "runtime/storage/log_damage.h"
#include "runtime/storage/stored.h"

namespace parley {
namespace {

constexpr int kFormat = 1;
constexpr std::uint64_t kMaxWalBytes = 256U << 20;
constexpr std::size_t kMemtableBytes = 64U << 20;

rocksdb::Slice slice_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes bytes_of(const rocksdb::Slice& slice) {
  return std::as_bytes(std::span(slice.data(), slice.size()));
}

template <class T>
rocksdb::Slice raw(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

void append_big_endian(std::uint64_t value, int bytes, std::string& to) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    to += static_cast<char>(value >> shift & 0xff);
  }
}

std::uint64_t read_big_endian(const rocksdb::Slice& slice) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < slice.size(); ++i) {
    value = value << 8 | static_cast<unsigned char>(slice[i]);
  }
  return value;
}

// RocksDB's own log would be one more file on a disk that is full: in a build with assertions, like
// Debian's, to write to it then ends the process before it can say why. What matters is in
// statuses.
class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

rocksdb::Options options() {
  rocksdb::Options options;
  options.info_log = std::make_shared<NoLog>();
  options.create_if_missing = true;
  // The default would take a log up to the first damaged record for the whole of it.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_total_wal_size = kMaxWalBytes;
  options.write_buffer_size = kMemtableBytes;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kNoCompression;
  return options;
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// 62 random bits, not 0: never the same twice, with overwhelming probability.
DiskId random_disk() {
  std::random_device device;
  const std::uint64_t high = device();
  return {(high << 32 | device()) >> 2 | 1};
}

std::uint64_t seconds_since_1970() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(since).count());
}

std::uint64_t cost(const Write& write) {
  return sizeof(Write) + write.header.size() + write.body.size();
}

// Whether nothing is there but what RocksDB writes before CURRENT makes it a database: an earlier
// start may have come no further.
bool is_beginning(const std::filesystem::path& folder, std::error_code& error) {
  for (std::filesystem::directory_iterator file(folder, error), end; !error && file != end;
       file.increment(error)) {
    const std::string name = file->path().filename().string();
    const bool known = name == "LOCK" || name == "IDENTITY" || name.starts_with("MANIFEST-") ||
                       name.starts_with("OPTIONS-") || name.ends_with(".dbtmp");
    if (!known) return false;
  }
  return true;
}

}  // namespace

RocksStorage::RocksStorage(const std::filesystem::path& folder, const StorageOwner& owner,
                           Durability durability, std::function<void()> progress)
    : name_(without_slash(folder.string())),
      group_(owner.group),
      sync_(durability == Durability::group_commit),
      progress_(std::move(progress)),
      env_(env_with(faults_)),
      snapshots_(folder / "snapshots", faults_) {
  open(folder);
  claim(owner);
  recover();
  thread_ = std::thread([this] { run(); });
}

RocksStorage::~RocksStorage() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  work_.notify_one();
  thread_.join();
}

// --- start ---

void RocksStorage::open(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw StorageError(name_ + ": cannot be made: " + error.message());
  const bool fresh = !std::filesystem::exists(folder / "CURRENT");
  if (fresh && !is_beginning(folder, error) && !error) {
    throw StorageError(name_ + ": is not empty and holds no data of a node; nothing was changed");
  }
  if (error) throw StorageError(name_ + ": cannot be read: " + error.message());
  check_logs(name_);
  rocksdb::Options how = options();
  how.create_if_missing = fresh;
  how.env = env_.get();
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(how, name_, &db);
  if (!status.ok()) refuse(status, "opened");
  db_.reset(db);
}

void RocksStorage::refuse(const rocksdb::Status& status, std::string_view what) const {
  const std::string why = name_ + ": cannot be " + std::string(what) + ": " + status.ToString();
  if (status.IsCorruption()) throw StorageLost(why);
  throw StorageError(why);
}

// Whether there is anything but perhaps the claim.
bool RocksStorage::is_used() const {
  const std::unique_ptr<rocksdb::Iterator> any(db_->NewIterator({}));
  any->SeekToFirst();
  if (any->Valid() && any->key() == key('M')) any->Next();
  if (!any->status().ok()) refuse(any->status(), "read");
  return any->Valid();
}

// Whoever has written nothing has promised nothing either: it may be another member by now, as
// after a start with a number of nodes that was a mistake.
void RocksStorage::check_claimed(const StoredClaim& held, const StoredClaim& mine,
                                 const StorageOwner& owner) const {
  const bool used = is_used();
  StoredClaim wanted = mine;
  if (!used) wanted.first_members = held.first_members;
  if (const std::string other = other_owner(held, wanted); !other.empty()) {
    throw StorageError(name_ + ": belongs to another owner: " + other + "; nothing was changed");
  }
  if (owner.joins && disk_ == DiskId{} && used) {
    throw StorageError(name_ +
                       ": holds the state of a member from the beginning; a node that waits to "
                       "be added needs an empty folder, or none; nothing was changed");
  }
}

// What nobody has claimed is empty, and for one who has had no other.
void RocksStorage::check_unclaimed(const StorageOwner& owner) const {
  if (is_used()) {
    throw StorageError(name_ + ": holds data that is not a node's; nothing was changed");
  }
  if (owner.remembered && !owner.joins && std::filesystem::exists(marker())) {
    throw StorageLost(
        name_ + ": is empty, but " + marker().filename().string() +
        " beside it says that this node has been a member with it: with another folder it has "
        "forgotten its votes and must come back as another member");
  }
}

// The first start writes who the data belongs to; later ones compare.
void RocksStorage::claim(const StorageOwner& owner) {
  StoredClaim mine;
  mine.format = kFormat;
  mine.group = owner.group.value;
  mine.node = owner.node.value;
  mine.algorithm = owner.algorithm;
  mine.application = owner.application;
  if (!owner.joins) mine.first_members = owner.first_members;
  std::string text;
  const rocksdb::Status found = db_->Get({}, key('M'), &text);
  if (!found.ok() && !found.IsNotFound()) {
    refuse(found, "read");
  }
  std::uint64_t starts = 0;
  if (found.ok()) {
    const auto held = read_claim(text);
    if (!held)
      throw StorageLost(name_ + ": does not say any more whose it is: the data is damaged");
    disk_ = DiskId{held->disk};
    starts = held->starts;
    if (disk_ != DiskId{}) mine.first_members.clear();  // it has the members from the others
    check_claimed(*held, mine, owner);
  } else {
    check_unclaimed(owner);
  }
  if (owner.joins && disk_ == DiskId{}) {
    disk_ = random_disk();
    starts = std::max(starts, seconds_since_1970());
  }
  incarnation_ = Incarnation{starts + 1};
  mine.starts = incarnation_.value;
  mine.disk = disk_.value;
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const rocksdb::Status status = db_->Put(synced, key('M'), claim_text(mine));
  if (!status.ok()) throw StorageError(name_ + ": cannot be written: " + status.ToString());
  if (owner.remembered && !std::filesystem::exists(marker())) {
    std::ofstream file(marker());
    file << "node " << owner.node.value << " has started with the folder "
         << std::filesystem::path(name_).filename().string() << "\n";
    file.close();
    try {
      if (!file) throw StorageError(marker().string() + ": cannot be written");
      sync_folder(std::filesystem::absolute(marker()).parent_path());
    } catch (const StorageError& error) {
      warning_ = std::string(error.what()) + ": a node that loses its folder will not notice";
    }
  }
}

std::filesystem::path RocksStorage::marker() const {
  return name_ + ".started";
}

void RocksStorage::recover() {
  recover_state();
  recover_snapshot();
  recover_log();
  snapshots_.keep_only(base_);
}

void RocksStorage::recover_snapshot() {
  std::string value;
  const rocksdb::Status status = db_->Get({}, key('P'), &value);
  if (status.IsNotFound()) return;
  if (!status.ok()) refuse(status, "read");
  Block header;
  const std::optional<SnapshotMark> mark = read_mark(bytes_of(value), header);
  if (!mark) {
    throw StorageLost(name_ +
                      ": the snapshot's mark does not match its checksum: the data is damaged");
  }
  const SnapshotId id{LogIndex{mark->index}, mark->parts, mark->sum};
  recovered_.snapshot = {id, std::move(header), snapshots_.load(id)};
  base_ = id.index;
  base_sum_ = mark->base_sum;
}

void RocksStorage::recover_state() {
  std::string value;
  const rocksdb::Status status = db_->Get({}, key('S'), &value);
  if (status.IsNotFound()) return;
  if (!status.ok()) refuse(status, "read");
  std::optional<Block> state = read_state(bytes_of(value));
  if (!state) {
    throw StorageLost(name_ + ": the hard state does not match its checksum: the data is damaged");
  }
  recovered_.state = std::move(*state);
}

void RocksStorage::recover_log() {
  const std::string prefix = key('L');
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}));
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next()) {
    rocksdb::Slice place = at->key();
    place.remove_prefix(prefix.size());
    const LogIndex index{read_big_endian(place)};
    const std::string name = name_ + ": record " + std::to_string(index.value) + " of the log ";
    if (index != last().next()) {
      throw StorageLost(name + "follows record " + std::to_string(last().value) +
                        ": the data between them is lost");
    }
    Record record;
    ChainSum sum = 0;
    const std::string fault = read_record(last_sum(), index, bytes_of(at->value()), record, sum);
    if (!fault.empty()) throw StorageLost(name + fault);
    sums_.push_back(sum);
    recovered_.records.push_back(std::move(record));
  }
  if (!at->status().ok()) {
    refuse(at->status(), "read");
  }
}

// --- the loop's side ---

void RocksStorage::write(std::span<const Write> writes) {
  if (writes.empty()) return;
  std::uint64_t bytes = 0;
  for (const Write& write : writes) bytes += cost(write);
  waiting_bytes_ += bytes;
  bool idle = false;
  {
    const std::lock_guard lock(mutex_);
    idle = waiting_.empty();
    waiting_.insert(waiting_.end(), writes.begin(), writes.end());
  }
  if (idle) work_.notify_one();
}

std::string RocksStorage::error() const {
  if (!failed_.load()) return {};
  const std::lock_guard lock(mutex_);
  return error_;
}

// --- the storage thread ---

void RocksStorage::run() {
  std::vector<Write> taken;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (waiting_.empty() || !error_.empty()) return;
      taken.swap(waiting_);
    }
    try {
      carry_out(taken);
    } catch (const std::exception& error) {
      fail(error.what());
    }
    taken.clear();
    progress_();
  }
}

// One batch, and in the synced mode one sync, for all that waited.
void RocksStorage::carry_out(const std::vector<Write>& writes) {
  rocksdb::WriteBatch batch;
  std::uint64_t bytes = 0;
  for (const Write& write : writes) {
    add(write, batch);
    bytes += cost(write);
  }
  rocksdb::WriteOptions how;
  how.sync = sync_;
  faults_.delay();
  const rocksdb::Status status = db_->Write(how, &batch);
  if (!status.ok()) throw StorageError(name_ + ": cannot be written: " + status.ToString());
  for (const Write& write : writes) {
    if (write.kind == Write::Kind::snapshot) snapshots_.remove_before(write.index);
  }
  durable_.store(writes.back().ticket.value);
  waiting_bytes_ -= bytes;
}

void RocksStorage::add(const Write& write, rocksdb::WriteBatch& batch) {
  switch (write.kind) {
    case Write::Kind::state: {
      const ChainSum sum = state_sum(write.header.bytes());
      const std::string name = key('S');
      const rocksdb::Slice parts[] = {raw(sum), slice_of(write.header.bytes())};
      const rocksdb::Slice names[] = {name};
      batch.Put(rocksdb::SliceParts(names, 1), rocksdb::SliceParts(parts, 2));
      return;
    }
    case Write::Kind::append:
      return append(write, batch);
    case Write::Kind::truncate:
      return truncate(write.index, batch);
    case Write::Kind::snapshot:
      return use_snapshot(write, batch);
  }
}

void RocksStorage::append(const Write& write, rocksdb::WriteBatch& batch) {
  if (write.index != last().next()) {
    throw StorageError(name_ + ": record " + std::to_string(write.index.value) +
                       " was to follow record " + std::to_string(last().value));
  }
  const Bytes header = write.header.bytes();
  const Bytes body = write.body.bytes();
  const RecordPrefix head = record_prefix(last_sum(), write.index, header, body);
  sums_.push_back(head.sum);
  const std::string name = record_key(write.index);
  const rocksdb::Slice names[] = {name};
  const rocksdb::Slice parts[] = {raw(head), slice_of(header), slice_of(body)};
  batch.Put(rocksdb::SliceParts(names, 1), rocksdb::SliceParts(parts, 3));
}

void RocksStorage::truncate(LogIndex index, rocksdb::WriteBatch& batch) {
  while (!sums_.empty() && last() >= index) {
    batch.Delete(record_key(last()));
    sums_.pop_back();
  }
}

// The records up to the snapshot's end go with the mark, in one batch.
void RocksStorage::use_snapshot(const Write& write, rocksdb::WriteBatch& batch) {
  const std::optional<SnapshotId> id = snapshots_.find(write.index);
  if (!id || write.index <= base_) {
    throw StorageError(name_ + ": the snapshot of index " + std::to_string(write.index.value) +
                       " was to be put in use; it is " + (id ? "not newer" : "not there"));
  }
  const Bytes header = write.header.bytes();
  while (!sums_.empty() && base_ < write.index) {
    base_sum_ = sums_.front();
    sums_.pop_front();
    base_ = base_.next();
  }
  if (base_ < write.index) {  // it takes the place of a log that did not reach so far
    base_ = write.index;
    base_sum_ = chain_sum(0, write.index, header, {});
  }
  batch.DeleteRange(record_key(LogIndex{}), record_key(write.index.next()));
  const SnapshotMark mark = snapshot_mark(*id, base_sum_, header);
  const std::string name = key('P');
  const rocksdb::Slice names[] = {name};
  const rocksdb::Slice parts[] = {raw(mark), slice_of(header)};
  batch.Put(rocksdb::SliceParts(names, 1), rocksdb::SliceParts(parts, 2));
}

void RocksStorage::fail(const std::string& what) {
  const std::lock_guard lock(mutex_);
  error_ = what;
  failed_.store(true);
}

std::string RocksStorage::key(char kind) const {
  std::string text;
  append_big_endian(group_.value, 4, text);
  text += kind;
  return text;
}

std::string RocksStorage::record_key(LogIndex index) const {
  std::string text = key('L');
  append_big_endian(index.value, 8, text);
  return text;
}

}  // namespace parley
