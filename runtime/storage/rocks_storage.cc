#include "runtime/storage/rocks_storage.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>

namespace parley {
namespace {

constexpr int kFormat = 1;
constexpr std::uint64_t kMaxWalBytes = 256U << 20;
constexpr std::size_t kMemtableBytes = 64U << 20;

// What stands before the header and the body of a record.
struct RecordPrefix {
  ChainSum sum = 0;
  std::uint32_t header_size = 0;
};
static_assert(sizeof(RecordPrefix) == 8);

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

rocksdb::Options options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  // The default would take a log up to the first damaged record for the whole of it.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_total_wal_size = kMaxWalBytes;
  options.write_buffer_size = kMemtableBytes;
  options.max_background_jobs = 2;
  options.keep_log_file_num = 2;
  options.compression = rocksdb::kNoCompression;
  return options;
}

std::uint64_t cost(const Write& write) {
  return sizeof(Write) + write.header.size() + write.body.size();
}

}  // namespace

RocksStorage::RocksStorage(const std::filesystem::path& folder, const StorageOwner& owner,
                           Durability durability, std::function<void()> progress)
    : name_(folder.string()),
      group_(owner.group),
      sync_(durability == Durability::group_commit),
      progress_(std::move(progress)) {
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
  const bool fresh = std::filesystem::is_empty(folder, error);
  if (error) throw StorageError(name_ + ": cannot be read: " + error.message());
  if (!fresh && !std::filesystem::exists(folder / "CURRENT")) {
    throw StorageError(name_ + ": is not empty and holds no data of a node; nothing was changed");
  }
  rocksdb::Options how = options();
  how.create_if_missing = fresh;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(how, name_, &db);
  if (!status.ok()) {
    throw StorageError(name_ + ": cannot be opened: " + status.ToString());
  }
  db_.reset(db);
}

// The first start writes who the data belongs to; later ones compare.
void RocksStorage::claim(const StorageOwner& owner) {
  using Json = nlohmann::ordered_json;
  Json mine{{"format", kFormat},
            {"group", owner.group.value},
            {"node", owner.node.value},
            {"algorithm", owner.algorithm},
            {"application", owner.application}};
  std::string text;
  const rocksdb::Status found = db_->Get({}, key('M'), &text);
  if (!found.ok() && !found.IsNotFound()) {
    throw StorageError(name_ + ": cannot be read: " + found.ToString());
  }
  std::uint64_t starts = 0;
  if (found.ok()) {
    const Json held = Json::parse(text, nullptr, false);
    for (const auto& [field, value] : mine.items()) {
      if (held.is_object() && held.value(field, Json()) == value) continue;
      throw StorageError(name_ + ": belongs to another owner: its " + field + " is " +
                         held.value(field, Json()).dump() + ", here it is " + value.dump() +
                         "; nothing was changed");
    }
    starts = held.value("starts", std::uint64_t{0});
  } else {
    const std::unique_ptr<rocksdb::Iterator> any(db_->NewIterator({}));
    any->SeekToFirst();
    if (any->Valid()) {
      throw StorageError(name_ + ": holds data that is not a node's; nothing was changed");
    }
  }
  incarnation_ = Incarnation{starts + 1};
  mine["starts"] = incarnation_.value;
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const rocksdb::Status status = db_->Put(synced, key('M'), mine.dump());
  if (!status.ok()) throw StorageError(name_ + ": cannot be written: " + status.ToString());
}

void RocksStorage::recover() {
  recover_state();
  recover_log();
}

void RocksStorage::recover_state() {
  std::string value;
  const rocksdb::Status status = db_->Get({}, key('S'), &value);
  if (status.IsNotFound()) return;
  if (!status.ok()) throw StorageError(name_ + ": cannot be read: " + status.ToString());
  ChainSum sum = 0;
  const Bytes all = bytes_of(value);
  const Bytes state = all.size() < sizeof(sum) ? Bytes() : all.subspan(sizeof(sum));
  if (all.size() >= sizeof(sum)) std::memcpy(&sum, all.data(), sizeof(sum));
  if (state.empty() || sum != chain_sum(0, LogIndex{}, state, {})) {
    throw StorageError(name_ + ": the hard state does not match its checksum: the data is damaged");
  }
  recovered_.state = Block::copy_of(state);
}

void RocksStorage::recover_log() {
  const std::string prefix = key('L');
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}));
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next()) {
    rocksdb::Slice place = at->key();
    place.remove_prefix(prefix.size());
    const LogIndex index{read_big_endian(place)};
    const std::string record = name_ + ": record " + std::to_string(index.value) + " of the log ";
    if (index.value != sums_.size() + 1) {
      throw StorageError(record + "follows record " + std::to_string(sums_.size()) +
                         ": the data between them is lost");
    }
    RecordPrefix head;
    const Bytes value = bytes_of(at->value());
    if (value.size() >= sizeof(head)) std::memcpy(&head, value.data(), sizeof(head));
    if (value.size() < sizeof(head) + head.header_size) {
      throw StorageError(record + "is cut short: the data is damaged");
    }
    const Bytes header = value.subspan(sizeof(head), head.header_size);
    const Bytes body = value.subspan(sizeof(head) + head.header_size);
    if (head.sum != chain_sum(sums_.empty() ? 0 : sums_.back(), index, header, body)) {
      throw StorageError(record + "does not match its checksum: the data is damaged");
    }
    sums_.push_back(head.sum);
    recovered_.records.push_back({index, Block::copy_of(header), Block::copy_of(body)});
  }
  if (!at->status().ok()) {
    throw StorageError(name_ + ": cannot be read: " + at->status().ToString());
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
    } catch (const StorageError& error) {
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
  const rocksdb::Status status = db_->Write(how, &batch);
  if (!status.ok()) throw StorageError(name_ + ": cannot be written: " + status.ToString());
  durable_.store(writes.back().ticket.value);
  waiting_bytes_ -= bytes;
}

void RocksStorage::add(const Write& write, rocksdb::WriteBatch& batch) {
  switch (write.kind) {
    case Write::Kind::state: {
      const ChainSum sum = chain_sum(0, LogIndex{}, write.header.bytes(), {});
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
  }
}

void RocksStorage::append(const Write& write, rocksdb::WriteBatch& batch) {
  if (write.index.value != sums_.size() + 1) {
    throw StorageError(name_ + ": record " + std::to_string(write.index.value) +
                       " was to follow record " + std::to_string(sums_.size()));
  }
  const Bytes header = write.header.bytes();
  const Bytes body = write.body.bytes();
  RecordPrefix head;
  head.sum = chain_sum(sums_.empty() ? 0 : sums_.back(), write.index, header, body);
  head.header_size = static_cast<std::uint32_t>(header.size());
  sums_.push_back(head.sum);
  const std::string name = record_key(write.index);
  const rocksdb::Slice names[] = {name};
  const rocksdb::Slice parts[] = {raw(head), slice_of(header), slice_of(body)};
  batch.Put(rocksdb::SliceParts(names, 1), rocksdb::SliceParts(parts, 3));
}

void RocksStorage::truncate(LogIndex index, rocksdb::WriteBatch& batch) {
  while (sums_.size() >= index.value) {
    batch.Delete(record_key(LogIndex{sums_.size()}));
    sums_.pop_back();
  }
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
