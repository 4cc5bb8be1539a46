#include "harness/cluster/log_merge.h"

#include <gtest/gtest.h>

#include "harness/cluster/test_support.h"

namespace parley::harness {
namespace {

TEST(LogMerge, OrdersByTimeAndKeepsLinesWithoutOneInPlace) {
  const PrivateFolder folder;
  write_text(folder.path() / "1",
             "2026-01-01T00:00:00.000001Z a\n  stack\n2026-01-01T00:00:00.000004Z d\n");
  write_text(folder.path() / "2", "early\n2026-01-01T00:00:00.000003Z c");
  merge_logs(
      {{"one", folder.path() / "1"}, {"two", folder.path() / "2"}, {"no", folder.path() / "3"}},
      folder.path() / "all");
  EXPECT_EQ(content_of(folder.path() / "all"),
            " [two] early\n"
            "2026-01-01T00:00:00.000001Z [one] a\n"
            "2026-01-01T00:00:00.000001Z [one]   stack\n"
            "2026-01-01T00:00:00.000003Z [two] c\n"
            "2026-01-01T00:00:00.000004Z [one] d\n");
}

TEST(LogMerge, TimesHaveTheWidthThatTheMergeExpects) {
  const auto time = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000) +
                                                          std::chrono::microseconds(42));
  EXPECT_EQ(log_time(time), "2023-11-14T22:13:20.000042Z");
}

TEST(LogMerge, TimesAreReadWhereThereCanBeOne) {
  for (const std::string line : {"1970-01-01T00:00:00.000001Z", "2261-12-31T23:59:59.999999Z"}) {
    const auto time = parse_log_time(line + " a line");
    ASSERT_TRUE(time) << line;
    EXPECT_EQ(log_time(*time), line);
  }
  for (const char* line :
       {"9999-12-31T23:59:59.000000Z", "1969-12-31T23:59:59.999999Z", "", "2026"})
    EXPECT_FALSE(parse_log_time(line)) << line;
}

TEST(LogTail, GivesTheLastLines) {
  const PrivateFolder folder;
  write_text(folder.path() / "l", "a\nb\nc\n");
  EXPECT_EQ(log_tail(folder.path() / "l", 2), "b\nc\n");
  EXPECT_EQ(log_tail(folder.path() / "l", 9), "a\nb\nc\n");
  EXPECT_EQ(log_tail(folder.path() / "none", 2), "");
  write_text(folder.path() / "long", std::string(20'000, 'x'));
  EXPECT_EQ(log_tail(folder.path() / "long", 2).size(), 8192U);
}

}  // namespace
}  // namespace parley::harness
