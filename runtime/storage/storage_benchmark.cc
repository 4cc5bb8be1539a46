// What a durable write costs: our storage, RocksDB's synced batch, and a raw append with fdatasync.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <rocksdb/db.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/storage/rocks_storage.h"

namespace parley {
namespace {

// In the working directory: a temporary folder may be in memory.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::current_path() / "storage-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void raw_append(benchmark::State& state) {
  const Folder folder;
  const int file = open((folder.path() / "log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  const std::vector<char> record(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    if (write(file, record.data(), record.size()) < 0 || fdatasync(file) != 0) {
      state.SkipWithError("cannot be written");
    }
  }
  close(file);
}

void rocksdb_batch(benchmark::State& state, bool sync) {
  const Folder folder;
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* raw = nullptr;
  if (!rocksdb::DB::Open(options, (folder.path() / "db").string(), &raw).ok()) {
    return state.SkipWithError("cannot be opened");
  }
  const std::unique_ptr<rocksdb::DB> db(raw);
  rocksdb::WriteOptions how;
  how.sync = sync;
  const std::string record(static_cast<std::size_t>(state.range(0)), 'x');
  std::uint64_t number = 0;
  for (auto _ : state) {
    if (!db->Put(how, std::to_string(++number), record).ok()) {
      state.SkipWithError("cannot be written");
    }
  }
}

// From write() in one thread until durable() shows it, through the storage thread.
void storage(benchmark::State& state, Durability durability) {
  const Folder folder;
  std::mutex mutex;
  std::condition_variable progress;
  RocksStorage storage(folder.path() / "db", {GroupId{1}, NodeId{1}, "none", "none"}, durability,
                       [&] {
                         const std::lock_guard lock(mutex);
                         progress.notify_one();
                       });
  const Block body = Block::make(static_cast<std::size_t>(state.range(0)), [](std::byte*) {});
  Ticket ticket;
  for (auto _ : state) {
    ticket = ticket.next();
    const Write write{Write::Kind::append, ticket, LogIndex{ticket.value}, {}, body};
    storage.write(std::span(&write, 1));
    std::unique_lock lock(mutex);
    progress.wait(lock, [&] { return storage.durable() >= ticket; });
  }
}

BENCHMARK(raw_append)->Arg(128)->Arg(65536)->UseRealTime();
BENCHMARK_CAPTURE(rocksdb_batch, synced, true)->Arg(128)->Arg(65536)->UseRealTime();
BENCHMARK_CAPTURE(rocksdb_batch, unsynced, false)->Arg(128)->Arg(65536)->UseRealTime();
BENCHMARK_CAPTURE(storage, group_commit, Durability::group_commit)
    ->Arg(128)
    ->Arg(65536)
    ->UseRealTime();
BENCHMARK_CAPTURE(storage, async, Durability::async)->Arg(128)->Arg(65536)->UseRealTime();

}  // namespace
}  // namespace parley
