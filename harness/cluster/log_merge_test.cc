#include "harness/cluster/log_merge.h"

#include <gtest/gtest.h>

#include "harness/cluster/links.h"
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

TEST(LogTail, GivesTheLastLines) {
  const PrivateFolder folder;
  write_text(folder.path() / "l", "a\nb\nc\n");
  EXPECT_EQ(log_tail(folder.path() / "l", 2), "b\nc\n");
  EXPECT_EQ(log_tail(folder.path() / "l", 9), "a\nb\nc\n");
  EXPECT_EQ(log_tail(folder.path() / "none", 2), "");
  write_text(folder.path() / "long", std::string(20'000, 'x'));
  EXPECT_EQ(log_tail(folder.path() / "long", 2).size(), 8192U);
}

std::string link_error(const std::string& name) {
  try {
    load_network_profile(name);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(NetworkProfile, ReadsAFileAndGivesEachNodeItsRules) {
  const PrivateFolder folder;
  const auto path = folder.path() / "wan.toml";
  write_text(path, "delay_ms = 20\njitter_ms = 0.5\n[[link]]\nfrom = 1\nto = 2\ncut = true\n");
  const NetworkProfile profile = load_network_profile(path.string());
  const LinkShape far{20'000, 500, 0, false, false};
  EXPECT_EQ(shape_of(profile.rules, NodeId{1}, NodeId{3}), far);
  EXPECT_EQ(shape_of(profile.rules, NodeId{1}, NodeId{2}), (LinkShape{0, 0, 0, true, false}));
  EXPECT_EQ(shape_of(profile.rules, NodeId{2}, NodeId{1}), far);
  EXPECT_EQ(profile.leaving(NodeId{1}).size(), 2U);
  EXPECT_EQ(profile.leaving(NodeId{2}).size(), 1U);
  EXPECT_EQ(shape_of(load_network_profile("loopback").rules, NodeId{1}, NodeId{2}), std::nullopt);
}

TEST(NetworkProfile, RefusesWhatItDoesNotKnow) {
  const PrivateFolder folder;
  EXPECT_NE(link_error("geo-4").find(
                "links: \"geo-4\" is not a profile of this version; allowed: \"loopback\""),
            std::string::npos);
  const auto path = folder.path() / "bad.toml";
  write_text(path, "delay_sm = 20\n");
  EXPECT_NE(link_error(path.string())
                .find("unknown key \"delay_sm\"; the nearest known one is \"delay_ms\""),
            std::string::npos);
  write_text(path, "[[link]]\nfrom = 1\n");
  EXPECT_NE(link_error(path.string()).find("link.to: is missing; it must be a node"),
            std::string::npos);
}

}  // namespace
}  // namespace parley::harness
