#include "runtime/live/file_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <system_error>

#include "runtime/live/test_folder.h"
#include "runtime/live/test_journal.h"

namespace parley {
namespace {

TEST(FileJournal, WritesLinesWhenFlushed) {
  const TestFolder folder;
  const auto path = folder.path() / "1.applied.csv";
  FileJournal journal(path, FileJournal::Mode::anew, nullptr);
  EXPECT_EQ(without_times(path), "stamp,client,seq,cell,t_ns,known\n");
  EXPECT_FALSE(journal.dirty());

  journal.applied(Key{42}, Stamp{0x1f, 3}, Writer{7, 9}, 5);
  EXPECT_TRUE(journal.dirty());
  EXPECT_EQ(without_times(path), "stamp,client,seq,cell,t_ns,known\n");
  journal.flush();
  EXPECT_FALSE(journal.dirty());
  EXPECT_EQ(without_times(path),
            "stamp,client,seq,cell,t_ns,known\n"
            "000000000000001f0000000000000003,7,9,42,T,\n");
}

TEST(FileJournal, MapsKeysToCells) {
  const TestFolder folder;
  const auto path = folder.path() / "journal";
  {
    FileJournal journal(path, FileJournal::Mode::anew,
                        [](Key key) { return 1000 + std::uint64_t{key.value}; });
    journal.applied(Key{1}, Stamp{~std::uint64_t{0}, ~std::uint64_t{0}}, Writer{~0U, ~0U}, 0);
  }
  EXPECT_EQ(without_times(path),
            "stamp,client,seq,cell,t_ns,known\n"
            "ffffffffffffffffffffffffffffffff,4294967295,4294967295,1001,T,\n");
}

TEST(FileJournal, GoesOnBehindTheLastWholeLineOfAnEarlierStart) {
  const TestFolder folder;
  const auto path = folder.path() / "journal";
  std::ofstream(path) << "stamp,client,seq,cell,t_ns,known\n"
                         "00000000000000010000000000000000,1,1,5,3,\n"
                         "00000000000000020000";
  {
    FileJournal journal(path, FileJournal::Mode::go_on, nullptr);
    journal.restored(LogIndex{7});
    journal.applied(Key{6}, Stamp{8, 0}, Writer{1, 2}, 0);
  }
  EXPECT_EQ(without_times(path),
            "stamp,client,seq,cell,t_ns,known\n"
            "00000000000000010000000000000000,1,1,5,T,\n"
            "00000000000000000000000000000000,0,0,0,T,\n"
            "00000000000000070000000000000000,0,0,0,T,\n"
            "00000000000000080000000000000000,1,2,6,T,\n");
  { FileJournal journal(path, FileJournal::Mode::anew, nullptr); }
  EXPECT_EQ(without_times(path), "stamp,client,seq,cell,t_ns,known\n");
  std::filesystem::remove(path);
  { FileJournal journal(path, FileJournal::Mode::go_on, nullptr); }
  EXPECT_EQ(without_times(path), "stamp,client,seq,cell,t_ns,known\n") << "there was none";
}

TEST(FileJournal, SaysWhatTheNodeHadAppliedWhenItTookARun) {
  const TestFolder folder;
  const auto path = folder.path() / "journal";
  {
    FileJournal journal(path, FileJournal::Mode::anew, nullptr);
    journal.next_run(LogIndex{3});
    journal.applied(Key{6}, Stamp{8, 0}, Writer{1, 2}, 0);
    journal.applied(Key{7}, Stamp{8, 1}, Writer{1, 3}, 0);
    journal.next_run(std::nullopt);
    journal.applied(Key{6}, Stamp{9, 0}, Writer{2, 1}, 0);
    journal.next_run(LogIndex{9});
    journal.restored(LogIndex{12});
  }
  EXPECT_EQ(without_times(path),
            "stamp,client,seq,cell,t_ns,known\n"
            "00000000000000080000000000000000,1,2,6,T,3\n"
            "00000000000000080000000000000001,1,3,7,T,3\n"
            "00000000000000090000000000000000,2,1,6,T,\n"
            "000000000000000c0000000000000000,0,0,0,T,\n");
}

TEST(FileJournal, AFullDiskIsToldAndDisturbsNothing) {
  FileJournal journal("/dev/full", FileJournal::Mode::anew, nullptr);
  EXPECT_THAT(journal.error(), testing::HasSubstr("cannot write the journal"));
  journal.applied(Key{1}, Stamp{1, 0}, Writer{1, 1}, 0);
  journal.flush();
  EXPECT_FALSE(journal.dirty());
}

TEST(FileJournal, SaysWhichFileCannotBeMade) {
  const TestFolder folder;
  try {
    FileJournal journal(folder.path() / "missing" / "journal", FileJournal::Mode::anew, nullptr);
    FAIL() << "it was made";
  } catch (const std::system_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("missing/journal"));
  }
}

}  // namespace
}  // namespace parley
