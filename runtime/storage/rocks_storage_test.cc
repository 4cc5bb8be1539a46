#include "runtime/storage/rocks_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

namespace parley {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

Block block(std::string_view text) {
  return Block::copy_of(std::as_bytes(std::span(text)));
}

std::string text_of(const Block& block) {
  return {reinterpret_cast<const char*>(block.data()), block.size()};
}

// Storage as a loop uses it, in a folder that goes with the test.
class RocksStorageTest : public testing::Test {
 protected:
  RocksStorageTest() {
    std::string pattern = (fs::temp_directory_path() / "parley-storage-XXXXXX").string();
    top_ = mkdtemp(pattern.data());
    folder_ = top_ / "node-1";
  }
  ~RocksStorageTest() override {
    storage_.reset();
    fs::remove_all(top_);
  }

  void open(Durability durability = Durability::group_commit) {
    storage_.reset();
    tickets_ = Ticket{};
    storage_ = std::make_unique<RocksStorage>(folder_, owner_, durability, [this] {
      const std::lock_guard lock(mutex_);
      progress_.notify_all();
    });
  }
  std::string problem_of_open() {
    try {
      open();
    } catch (const StorageError& error) {
      return error.what();
    }
    return "none";
  }

  void state(std::string_view text) { write({Write::Kind::state, {}, {}, block(text), {}}); }
  void append(std::uint64_t index, std::string_view body) {
    write({Write::Kind::append, {}, LogIndex{index}, block("header"), block(body)});
  }
  // A snapshot of that index, saved.
  Snapshot save(std::uint64_t index) {
    Snapshot snapshot;
    snapshot.parts = {block("part 0 of " + std::to_string(index)), block("part 1")};
    snapshot.id = {LogIndex{index}, 2, sum_of(snapshot.parts)};
    storage_->save(snapshot);
    return snapshot;
  }
  void use(std::uint64_t index) {
    write({Write::Kind::snapshot, {}, LogIndex{index}, block("base"), {}});
  }
  [[nodiscard]] fs::path snapshot_file(std::uint64_t index) const {
    return folder_ / "snapshots" / (std::to_string(index) + ".snapshot");
  }
  void truncate(std::uint64_t index) {
    write({Write::Kind::truncate, {}, LogIndex{index}, {}, {}});
  }
  void write(Write write) {
    tickets_ = tickets_.next();
    write.ticket = tickets_;
    storage_->write(std::span(&write, 1));
  }
  // Waits until all is durable, or an error is there.
  void settle() {
    std::unique_lock lock(mutex_);
    progress_.wait(
        lock, [this] { return storage_->durable() >= tickets_ || !storage_->error().empty(); });
  }

  std::vector<std::string> bodies() const {
    std::vector<std::string> bodies;
    const std::uint64_t base = storage_->recovered().snapshot.id.index.value;
    for (const Record& record : storage_->recovered().records) {
      EXPECT_EQ(record.index.value, base + bodies.size() + 1);
      EXPECT_EQ(text_of(record.header), "header");
      bodies.push_back(text_of(record.body));
    }
    return bodies;
  }

  // Changes the stored value under a key that ends with `tail`, behind the storage's back.
  void damage(char kind, std::uint64_t index, const std::function<void(std::string&)>& change) {
    storage_.reset();
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, folder_.string(), &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    std::string key("\0\0\0\1", 4);
    key += kind;
    if (kind == 'L') key += std::string("\0\0\0\0\0\0\0", 7) + static_cast<char>(index);
    std::string value;
    ASSERT_TRUE(db->Get({}, key, &value).ok());
    change(value);
    if (value.empty()) {
      ASSERT_TRUE(db->Delete({}, key).ok());
    } else {
      ASSERT_TRUE(db->Put({}, key, value).ok());
    }
  }

  fs::path top_;
  fs::path folder_;
  StorageOwner owner_{GroupId{1}, NodeId{1}, "raft", "canvas 100x100"};
  std::mutex mutex_;
  std::condition_variable progress_;
  Ticket tickets_;
  std::unique_ptr<RocksStorage> storage_;
};

TEST_F(RocksStorageTest, AFreshFolderIsEmptyAndCountsItsStarts) {
  open();
  EXPECT_TRUE(storage_->recovered().state.empty());
  EXPECT_TRUE(storage_->recovered().records.empty());
  EXPECT_EQ(storage_->incarnation(), Incarnation{1});
  open();
  EXPECT_EQ(storage_->incarnation(), Incarnation{2});
}

TEST_F(RocksStorageTest, GivesBackWhatWasWritten) {
  for (const Durability durability : {Durability::async, Durability::group_commit}) {
    fs::remove_all(folder_);
    open(durability);
    state("term 1");
    append(1, "a");
    append(2, "");
    append(3, "c");
    state("term 2");
    settle();
    EXPECT_EQ(storage_->durable(), Ticket{5});
    EXPECT_EQ(storage_->waiting_bytes(), 0U);
    open(durability);
    EXPECT_EQ(text_of(storage_->recovered().state), "term 2");
    EXPECT_THAT(bodies(), testing::ElementsAre("a", "", "c"));
    storage_.reset();
  }
}

TEST_F(RocksStorageTest, TruncatesAndGoesOnFromThere) {
  open();
  for (std::uint64_t i = 1; i <= 5; ++i) append(i, "old" + std::to_string(i));
  truncate(3);
  append(3, "new3");
  settle();
  open();
  EXPECT_THAT(bodies(), testing::ElementsAre("old1", "old2", "new3"));
  truncate(1);
  append(1, "first");
  append(2, "second");
  settle();
  open();
  EXPECT_THAT(bodies(), testing::ElementsAre("first", "second"));
}

TEST_F(RocksStorageTest, TheEndOfTheProcessLosesNothingThatWasTaken) {
  open();
  for (std::uint64_t i = 1; i <= 200; ++i) append(i, std::string(1000, 'x'));
  open();  // without waiting
  EXPECT_EQ(bodies().size(), 200U);
}

TEST_F(RocksStorageTest, ASnapshotTakesThePlaceOfTheRecordsUpToIt) {
  open();
  for (std::uint64_t i = 1; i <= 5; ++i) append(i, "body" + std::to_string(i));
  const Snapshot saved = save(3);
  use(3);
  append(6, "body6");
  settle();
  open();
  EXPECT_EQ(storage_->recovered().snapshot.id, saved.id);
  EXPECT_EQ(text_of(storage_->recovered().snapshot.header), "base");
  ASSERT_EQ(storage_->recovered().snapshot.parts.size(), 2U);
  EXPECT_EQ(text_of(storage_->recovered().snapshot.parts[0]), "part 0 of 3");
  EXPECT_THAT(bodies(), testing::ElementsAre("body4", "body5", "body6"));
  truncate(5);
  append(5, "new5");
  save(5);
  use(5);
  settle();
  EXPECT_FALSE(fs::exists(snapshot_file(3))) << "nobody needs it any more";
  open();
  EXPECT_TRUE(bodies().empty());
  append(6, "after");
  settle();
  open();
  EXPECT_THAT(bodies(), testing::ElementsAre("after"));
}

TEST_F(RocksStorageTest, ASnapshotBeyondTheLogBeginsItAnew) {
  open();
  append(1, "a");
  append(2, "b");
  save(100);
  truncate(1);
  use(100);
  append(101, "c");
  settle();
  EXPECT_EQ(storage_->error(), "");
  open();
  EXPECT_EQ(storage_->recovered().snapshot.id.index, LogIndex{100});
  EXPECT_THAT(bodies(), testing::ElementsAre("c"));
}

TEST_F(RocksStorageTest, ASavedSnapshotThatWasNotPutInUseIsForgotten) {
  open();
  for (std::uint64_t i = 1; i <= 3; ++i) append(i, "body");
  save(2);
  std::ofstream(folder_ / "snapshots" / "3.snapshot.unfinished") << "half";
  settle();
  open();
  EXPECT_EQ(storage_->recovered().snapshot.id.index, LogIndex{});
  EXPECT_EQ(bodies().size(), 3U);
  EXPECT_TRUE(fs::is_empty(folder_ / "snapshots"));
}

TEST_F(RocksStorageTest, AGapBetweenSnapshotAndLogIsRefused) {
  open();
  for (std::uint64_t i = 1; i <= 5; ++i) append(i, "body");
  save(3);
  use(3);
  settle();
  damage('L', 4, [](std::string& value) { value.clear(); });
  EXPECT_THAT(problem_of_open(), HasSubstr("record 5 of the log follows record 3"));
}

TEST_F(RocksStorageTest, ADamagedOrMissingSnapshotIsRefused) {
  open();
  for (std::uint64_t i = 1; i <= 5; ++i) append(i, "body");
  save(3);
  use(3);
  settle();
  storage_.reset();
  std::fstream file(snapshot_file(3), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-1, std::ios::end);
  file.put('!');
  file.close();
  EXPECT_THAT(problem_of_open(), AllOf(HasSubstr("3.snapshot"), HasSubstr("checksum")));
  fs::resize_file(snapshot_file(3), fs::file_size(snapshot_file(3)) - 1);
  EXPECT_THAT(problem_of_open(), HasSubstr("cut short"));
  fs::remove(snapshot_file(3));
  EXPECT_THAT(problem_of_open(), HasSubstr("is missing"));
}

TEST_F(RocksStorageTest, ADamagedMarkIsRefused) {
  open();
  append(1, "a");
  save(1);
  use(1);
  settle();
  damage('P', 0, [](std::string& value) { value[0] = static_cast<char>(value[0] ^ 2); });
  EXPECT_THAT(problem_of_open(), HasSubstr("the snapshot's mark does not match its checksum"));
}

TEST_F(RocksStorageTest, ADamagedClaimIsRefused) {
  open();
  append(1, "a");
  settle();
  damage('M', 0, [](std::string& value) {
    const std::size_t at = value.find("\"starts\":");
    value.replace(at, 10, "\"starts\":\"1\",\"more\":");
  });
  EXPECT_THAT(problem_of_open(), HasSubstr("does not say any more whose it is"));
  damage('M', 0, [](std::string& value) { value = "[]"; });
  EXPECT_THAT(problem_of_open(), HasSubstr("does not say any more whose it is"));
}

TEST_F(RocksStorageTest, WhatIsNotSavedCannotBePutInUse) {
  open();
  append(1, "a");
  use(1);
  settle();
  EXPECT_THAT(storage_->error(), HasSubstr("it is not there"));
}

TEST_F(RocksStorageTest, ASnapshotThatCannotBeWrittenSaysWhyAndHarmsNothing) {
  open();
  append(1, "a");
  fs::create_directories(folder_);
  std::ofstream(folder_ / "snapshots") << "in the way";
  try {
    save(1);
    FAIL() << "it was saved";
  } catch (const StorageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("snapshots"));
  }
  append(2, "b");
  settle();
  EXPECT_EQ(storage_->error(), "");
}

TEST_F(RocksStorageTest, AGapIsAnErrorNotAShorterLog) {
  open();
  append(1, "a");
  append(3, "c");
  settle();
  EXPECT_THAT(storage_->error(), HasSubstr("record 3 was to follow record 1"));
  EXPECT_LT(storage_->durable(), Ticket{2});
}

TEST_F(RocksStorageTest, RefusesTheDataOfAnotherOwnerAndNamesTheField) {
  open();
  append(1, "a");
  storage_.reset();
  const StorageOwner mine = owner_;
  owner_.node = NodeId{2};
  EXPECT_THAT(problem_of_open(),
              AllOf(HasSubstr(folder_.string()), HasSubstr("its node is 1"),
                    HasSubstr("here it is 2"), HasSubstr("nothing was changed")));
  owner_ = mine;
  owner_.algorithm = "bully_2pc";
  EXPECT_THAT(problem_of_open(), HasSubstr("its algorithm is \"raft\""));
  owner_ = mine;
  owner_.application = "canvas 64x64";
  EXPECT_THAT(problem_of_open(), HasSubstr("application"));
  owner_ = mine;
  open();
  EXPECT_THAT(bodies(), testing::ElementsAre("a"));
  EXPECT_EQ(storage_->incarnation(), Incarnation{2}) << "refused starts are not counted";
}

// A majority of others might agree on something else in place of what is in the log.
TEST_F(RocksStorageTest, RefusesOtherFirstMembers) {
  open();  // as an earlier version, which did not say
  state("term 1");
  owner_.first_members = "1 2 3 4 5";
  open();
  owner_.first_members = "1 2 3";
  storage_.reset();
  EXPECT_THAT(problem_of_open(), HasSubstr("its first members are 1 2 3 4 5, here they are 1 2 3"));
  owner_.first_members = "1 2 3 4 5";
  open();
  storage_.reset();

  // Who came later has the members from the others, whatever its file says.
  fs::remove_all(folder_);
  owner_.joins = true;
  open();
  state("term 1");
  owner_.joins = false;
  for (const char* members : {"1 2 3", "1 2 3 4 5"}) {
    owner_.first_members = members;
    open();
    EXPECT_NE(storage_->disk(), DiskId{});
  }
}

// As after a start with a number of nodes that was a mistake: nothing was promised yet.
TEST_F(RocksStorageTest, AFolderWithoutStateMayBecomeAnothersMember) {
  owner_.first_members = "1 2 3 4 5";
  open();
  owner_.first_members = "1 2 3";
  open();
  owner_.joins = true;
  open();
  EXPECT_NE(storage_->disk(), DiskId{});
  storage_.reset();
  owner_.node = NodeId{7};
  EXPECT_THAT(problem_of_open(), HasSubstr("its node is 1"));
}

TEST_F(RocksStorageTest, ANodeThatJoinsHasADiskAndCountsOnFromTheClock) {
  open();
  EXPECT_EQ(storage_->disk(), DiskId{}) << "a member from the beginning";
  state("term 1");
  settle();
  storage_.reset();
  owner_.joins = true;
  EXPECT_THAT(problem_of_open(), HasSubstr("holds the state of a member from the beginning"));

  fs::remove_all(folder_);
  open();
  const DiskId disk = storage_->disk();
  const Incarnation first = storage_->incarnation();
  EXPECT_NE(disk, DiskId{});
  EXPECT_GT(first, Incarnation{1'700'000'000}) << "above all earlier starts with other folders";
  owner_.joins = false;  // its file says so no more
  open();
  EXPECT_EQ(storage_->disk(), disk);
  EXPECT_EQ(storage_->incarnation(), first.next());

  storage_.reset();
  fs::remove_all(folder_);
  owner_.joins = true;
  open();
  EXPECT_NE(storage_->disk(), disk);
}

TEST_F(RocksStorageTest, AMemberWhoseFolderIsGoneDoesNotBeginAnew) {
  owner_.remembered = true;
  open();
  open();
  storage_.reset();
  fs::remove_all(folder_);
  for (const bool emptied : {false, true}) {
    if (emptied) fs::create_directories(folder_);
    EXPECT_THAT(problem_of_open(),
                AllOf(HasSubstr(folder_.string() + ": is empty"), HasSubstr(".started")));
  }
  owner_.joins = true;
  open();
  EXPECT_NE(storage_->disk(), DiskId{});
}

TEST_F(RocksStorageTest, LeavesAForeignFolderAlone) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "thesis.tex") << "the only copy";
  EXPECT_THAT(problem_of_open(), HasSubstr("is not empty and holds no data of a node"));
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    EXPECT_EQ(entry.path().filename(), "thesis.tex");
    ++files;
  }
  EXPECT_EQ(files, 1U);
}

// The disk was full, or the process killed, before there was a database.
TEST_F(RocksStorageTest, GoesOnWhereAStartCameNoFurther) {
  fs::create_directories(folder_);
  for (const char* name : {"LOCK", "IDENTITY", "MANIFEST-000001", "000001.dbtmp"}) {
    std::ofstream(folder_ / name) << "part";
  }
  open();
  append(1, "a");
  settle();
  EXPECT_EQ(storage_->error(), "");
  storage_.reset();
  fs::remove(folder_ / "CURRENT");
  EXPECT_THAT(problem_of_open(), HasSubstr("holds no data of a node")) << "there is a log";
}

TEST_F(RocksStorageTest, LeavesAForeignDatabaseAlone) {
  rocksdb::Options options;
  options.create_if_missing = true;
  fs::create_directories(folder_);
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, folder_.string(), &raw).ok());
  ASSERT_TRUE(raw->Put({}, "key", "value").ok());
  delete raw;
  EXPECT_THAT(problem_of_open(), HasSubstr("holds data that is not a node's"));
}

TEST_F(RocksStorageTest, CannotBeOpenedTwice) {
  open();
  EXPECT_THROW(RocksStorage(folder_, owner_, Durability::async, [] {}), StorageError);
}

TEST_F(RocksStorageTest, SaysWhyTheFolderCannotBeMade) {
  std::ofstream(folder_) << "a file";
  EXPECT_THAT(problem_of_open(), AllOf(HasSubstr(folder_.string()), HasSubstr("cannot be")));
}

TEST_F(RocksStorageTest, SeesAFlippedBitInARecord) {
  open();
  for (std::uint64_t i = 1; i <= 5; ++i) append(i, "body" + std::to_string(i));
  damage('L', 3, [](std::string& value) { value.back() = static_cast<char>(value.back() ^ 4); });
  EXPECT_THAT(problem_of_open(), AllOf(HasSubstr("record 3"), HasSubstr("checksum")));
}

TEST_F(RocksStorageTest, SeesThatARecordIsMissing) {
  open();
  for (std::uint64_t i = 1; i <= 5; ++i) append(i, "body" + std::to_string(i));
  damage('L', 2, [](std::string& value) { value.clear(); });
  EXPECT_THAT(problem_of_open(), HasSubstr("record 3 of the log follows record 1"));
}

TEST_F(RocksStorageTest, SeesThatARecordIsOneOfAnotherPlace) {
  open();
  for (std::uint64_t i = 1; i <= 5; ++i) append(i, "same");
  std::string second;
  damage('L', 2, [&second](std::string& value) { second = value; });
  damage('L', 3, [&second](std::string& value) { value = second; });
  EXPECT_THAT(problem_of_open(), AllOf(HasSubstr("record 3"), HasSubstr("checksum")));
}

TEST_F(RocksStorageTest, SeesADamagedState) {
  open();
  state("term 1 vote 2");
  damage('S', 0, [](std::string& value) { value[6] = static_cast<char>(value[6] ^ 1); });
  EXPECT_THAT(problem_of_open(), HasSubstr("the hard state does not match its checksum"));
}

// A folder that is damaged again and again, and what it held, all of it synced.
class DamagedStorageTest : public RocksStorageTest {
 protected:
  // Writes that many records, of which the first is in a table of RocksDB, and keeps the folder.
  void prepare(std::uint64_t records, std::size_t bytes) {
    open();
    for (std::uint64_t i = 1; i <= records; ++i) {
      state("term " + std::to_string(i));
      all_.push_back(std::string(bytes + i, 'x') + std::to_string(i));
      append(i, all_.back());
      settle();
      if (i == 1) open();
    }
    storage_.reset();
    fs::rename(folder_, kept_);
    for (const auto& entry : fs::directory_iterator(kept_)) {
      if (entry.path().extension() == ".log") log_ = entry.path().filename();
    }
  }
  // Opens a copy of the folder in which that file has these bytes.
  std::string problem_with(const fs::path& name, const std::string& bytes) {
    storage_.reset();
    fs::remove_all(folder_);
    fs::copy(kept_, folder_, fs::copy_options::recursive);
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return problem_of_open();
  }
  // Whether it is refused with one bit changed. If not, nothing may be missing.
  bool refused(const fs::path& name, std::string bytes, std::size_t at, std::size_t bit) {
    bytes[at] = static_cast<char>(bytes[at] ^ 1 << bit);
    if (problem_with(name, bytes) != "none") return true;
    EXPECT_EQ(bodies(), all_) << name << ", bit " << bit << " of byte " << at;
    EXPECT_EQ(text_of(storage_->recovered().state), "term " + std::to_string(all_.size()));
    return false;
  }
  [[nodiscard]] std::string kept(const fs::path& name) const {
    std::ifstream file(kept_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Where the headers of the log's records begin, which have 7 bytes and end with length and kind.
  [[nodiscard]] std::vector<std::size_t> headers() const {
    const std::string log = kept(log_);
    std::vector<std::size_t> found;
    for (std::size_t at = 0; at + 7 <= log.size();) {
      const std::size_t left = 32768 - at % 32768;
      if (left < 7) {
        at += left;
        continue;
      }
      found.push_back(at);
      at +=
          7 + static_cast<std::uint8_t>(log[at + 4]) + 256 * static_cast<std::uint8_t>(log[at + 5]);
    }
    return found;
  }

  fs::path kept_ = top_ / "kept";
  fs::path log_;
  std::vector<std::string> all_;
};

TEST_F(DamagedStorageTest, AnyFlippedBitIsRefusedOrHarmless) {
  prepare(5, 10);
  for (const auto& entry : fs::directory_iterator(kept_)) {
    const fs::path name = entry.path().filename();
    // RocksDB writes down its options for others to read.
    if (!entry.is_regular_file() || name.string().starts_with("OPTIONS")) continue;
    const std::string bytes = kept(name);
    for (std::size_t at = 0; at < bytes.size(); at += name == log_ ? 1 : 3) {
      const bool noticed = refused(name, bytes, at, at * 5 % 8);
      EXPECT_TRUE(noticed || name != log_) << "no byte of the log is without meaning: " << at;
    }
  }
}

// With a bit of its length or kind flipped a record looks as if a crash had cut it short.
TEST_F(DamagedStorageTest, NoBitOfAHeaderHidesWhatWasSynced) {
  prepare(5, 10);
  ASSERT_GE(headers().size(), 5U) << "one of a start, and of each record but for the first";
  for (const std::size_t header : headers()) {
    for (std::size_t bit = 0; bit < std::size_t{7} * 8; ++bit) {
      EXPECT_TRUE(refused(log_, kept(log_), header + bit / 8, bit % 8)) << header << " " << bit;
    }
  }
}

TEST_F(DamagedStorageTest, NorInAnyBlockOfALongLog) {
  prepare(100, 1000);
  ASSERT_GT(kept(log_).size(), 3U * 32768U);
  std::size_t number = 0;
  for (const std::size_t header : headers()) {
    // Of length and kind, which tell where a log goes on.
    const std::size_t bit = 32 + number++ * 5 % 24;
    EXPECT_TRUE(refused(log_, kept(log_), header + bit / 8, bit % 8)) << header << " " << bit;
  }
}

TEST_F(DamagedStorageTest, AWriteThatACrashCutShortIsNoDamage) {
  prepare(5, 100);
  const std::string whole = kept(log_);
  std::size_t most = 0;
  for (std::size_t length = 0; length <= whole.size(); length += 3) {
    ASSERT_EQ(problem_with(log_, whole.substr(0, length)), "none") << length;
    const std::vector<std::string> held = bodies();
    ASSERT_LE(held.size(), all_.size());
    EXPECT_TRUE(std::equal(held.begin(), held.end(), all_.begin())) << "a prefix";
    EXPECT_GE(held.size(), most) << "the more is left, the more is held";
    most = held.size();
  }
  EXPECT_GE(most, 4U);
}

// A bit of a record's length flips, and a crash cuts the write behind it short.
TEST_F(DamagedStorageTest, ALengthThatFlippedIsSeenAlsoBeforeAWriteThatWasCutShort) {
  prepare(5, 100);
  const std::size_t last = headers().back();
  const std::size_t before = headers()[headers().size() - 2];
  for (std::size_t bit = 0; bit < 16; ++bit) {
    std::string bytes = kept(log_).substr(0, last + 20);
    bytes[before + 4 + bit / 8] = static_cast<char>(bytes[before + 4 + bit / 8] ^ 1 << bit % 8);
    EXPECT_NE(problem_with(log_, bytes), "none") << bit;
  }
}

// Where power was lost a page of the log may not have arrived though a later one did.
TEST_F(DamagedStorageTest, ZerosEndALogUnlessWritesFollow) {
  prepare(5, 100);
  const std::string whole = kept(log_);
  const std::size_t last = headers().back();
  const std::string part = whole.substr(last + 20);
  for (const std::size_t zeros : {7U, 20U, 5000U}) {
    EXPECT_EQ(problem_with(log_, whole.substr(0, last) + std::string(zeros, '\0') + part), "none");
    EXPECT_EQ(bodies().size(), all_.size() - 1) << zeros;
  }
  const std::size_t before = headers()[headers().size() - 2];
  std::string hole = whole;
  std::fill(hole.begin() + static_cast<long>(before), hole.begin() + static_cast<long>(last), '\0');
  EXPECT_THAT(problem_with(log_, hole), HasSubstr("records follow where the log ends"));
  const std::string block(32768 - before, '\0');
  EXPECT_THAT(problem_with(log_, whole.substr(0, before) + block + whole.substr(last)),
              HasSubstr("records follow where the log ends"));
}

// A limit on the size of files stands for a full disk.
TEST_F(RocksStorageTest, AFullDiskIsAnErrorThatLasts) {
  open();
  append(1, "a");
  settle();
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1 << 20;
  setrlimit(RLIMIT_FSIZE, &small);
  std::uint64_t index = 2;
  while (storage_->error().empty() && index < 100) {
    append(index++, std::string(100'000, 'x'));
    settle();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_THAT(storage_->error(), AllOf(HasSubstr(folder_.string()), HasSubstr("written")));
  const Ticket durable = storage_->durable();
  append(index, "later");
  EXPECT_EQ(storage_->durable(), durable) << "never tried again";
  open();
  EXPECT_GE(bodies().size(), durable.value) << "and nothing that was durable is lost";
}

TEST_F(RocksStorageTest, AFullDiskOnPurposeIsToldAsTheKernelTellsIt) {
  for (const Durability durability : {Durability::async, Durability::group_commit}) {
    open(durability);
    const std::size_t before = bodies().size();
    append(before + 1, "there is room");
    settle();
    storage_->inject({.full = true});
    const Ticket durable = storage_->durable();
    append(before + 2, "there is none");
    settle();
    EXPECT_THAT(storage_->error(), AllOf(HasSubstr(folder_.string() + ": cannot be written: "),
                                         HasSubstr("No space left on device")));
    storage_->inject({});
    append(before + 2, "later");
    EXPECT_EQ(storage_->durable(), durable) << "room again, and yet never tried again";
    open(durability);
    EXPECT_EQ(bodies().size(), before + 1);
  }
}

TEST_F(RocksStorageTest, ASnapshotForWhichThereIsNoRoomIsTriedAgain) {
  open();
  append(1, "a");
  settle();
  storage_->inject({.full = true});
  try {
    save(1);
    FAIL() << "it was saved";
  } catch (const StorageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot be written: No space left on device"));
  }
  EXPECT_TRUE(fs::is_empty(folder_ / "snapshots")) << "what could not be finished takes no room";
  storage_->inject({});
  save(1);
  use(1);
  settle();
  EXPECT_EQ(storage_->error(), "");
}

TEST_F(RocksStorageTest, ASlowDiskTakesLongerUntilItIsNotSlowAnyMore) {
  using namespace std::chrono_literals;
  open();
  storage_->inject({.write_delay = 100ms});
  const auto begun = std::chrono::steady_clock::now();
  append(1, "a");
  settle();
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 100ms);
  storage_->inject({.write_delay = 10h});
  append(2, "b");
  EXPECT_LT(storage_->durable(), tickets_);
  storage_->inject({});
  settle();
  EXPECT_EQ(storage_->error(), "");
  EXPECT_EQ(storage_->durable(), tickets_) << "also what waited already";
}

// A file system of its own at a folder, which goes with the object.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& at) : at_(at) {
    fs::create_directories(at);
    there_ = mount("tmpfs", at.c_str(), "tmpfs", 0, "size=2m") == 0;
  }
  ~SmallDisk() {
    if (there_) umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] bool there() const { return there_; }
  [[nodiscard]] bool grow() const {
    return mount("tmpfs", at_.c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0;
  }

 private:
  fs::path at_;
  bool there_ = false;
};

// The real thing, for which one must be allowed to mount.
TEST_F(RocksStorageTest, AFileSystemWithoutRoomIsAnErrorOfTheSameWords) {
  const SmallDisk disk(folder_);
  if (!disk.there()) GTEST_SKIP() << "no file system may be mounted here";
  open(Durability::async);
  std::uint64_t index = 0;
  while (storage_->error().empty() && index < 100) {
    append(++index, std::string(100'000, 'x'));
    settle();
  }
  EXPECT_THAT(storage_->error(), AllOf(HasSubstr(folder_.string() + ": cannot be written: "),
                                       HasSubstr("No space left on device")));
  const Ticket durable = storage_->durable();
  EXPECT_GT(durable, Ticket{});
  ASSERT_TRUE(disk.grow());
  open(Durability::async);
  EXPECT_GE(bodies().size(), durable.value) << "nothing that was durable is lost";
  storage_.reset();
}

}  // namespace
}  // namespace parley
