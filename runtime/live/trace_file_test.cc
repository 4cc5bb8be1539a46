#include "runtime/live/trace_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <system_error>

#include "runtime/live/test_folder.h"

namespace parley {
namespace {

using ::testing::HasSubstr;

std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(TraceFile, HoldsWhatWasTakenOnceItIsDrained) {
  const TestFolder folder;
  const auto path = folder.path() / "1.jsonl";
  TraceFile file(path, LineFile::Mode::anew);
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    const std::string lines = std::to_string(i) + "\n" + std::to_string(-i) + "\n";
    ASSERT_TRUE(file.take(lines));
    all += lines;
  }
  file.drain();
  EXPECT_EQ(content(path), all);
  ASSERT_TRUE(file.take("last\n"));
  file.drain();
  EXPECT_EQ(content(path), all + "last\n");
  EXPECT_EQ(file.error(), "");
}

TEST(TraceFile, GoesOnBehindTheLastWholeLineOfAnEarlierStart) {
  const TestFolder folder;
  const auto path = folder.path() / "1.jsonl";
  std::ofstream(path) << "one\ntw";
  ASSERT_TRUE(TraceFile(path, LineFile::Mode::go_on).take("three\n"));
  EXPECT_EQ(content(path), "one\nthree\n");
  ASSERT_TRUE(TraceFile(path, LineFile::Mode::anew).take("four\n"));
  EXPECT_EQ(content(path), "four\n");
}

TEST(TraceFile, TakesNoMoreThanItsBound) {
  const TestFolder folder;
  const auto path = folder.path() / "1.jsonl";
  TraceFile file(path, LineFile::Mode::anew, 10);
  EXPECT_FALSE(file.take("0123456789\n")) << "all of it or nothing";
  EXPECT_TRUE(file.take("01234\n"));
  file.drain();
  EXPECT_TRUE(file.take("56789\n")) << "what is written does not count";
  file.drain();
  EXPECT_EQ(content(path), "01234\n56789\n");
}

TEST(TraceFile, AFullDiskEndsTheTraceAndNothingElse) {
  TraceFile file("/dev/full", LineFile::Mode::anew);
  EXPECT_TRUE(file.take("one\n"));
  file.drain();
  EXPECT_THAT(file.error(), HasSubstr("cannot write the trace: No space left on device"));
  EXPECT_FALSE(file.take("two\n"));
}

TEST(TraceFile, AFileThatCannotBeMadeIsNamed) {
  const TestFolder folder;
  try {
    const TraceFile file(folder.path() / "missing" / "1.jsonl", LineFile::Mode::anew);
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("missing/1.jsonl: No such file or directory"));
  }
}

}  // namespace
}  // namespace parley
