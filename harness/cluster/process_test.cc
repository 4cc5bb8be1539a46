#include "harness/cluster/process.h"

#include <csignal>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/cluster/test_support.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto kLong = 60s;

ChildProcess::Command shell(const PrivateFolder& folder, const std::string& script) {
  return {"/bin/sh", {"-c", script}, folder.path() / "out"};
}

TEST(ChildProcess, SaysHowItEndedAndKeepsItsOutput) {
  const PrivateFolder folder;
  ChildProcess child(shell(folder, "echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(child.wait(kLong));
  EXPECT_FALSE(child.running());
  EXPECT_EQ(child.ending(), "exit status 3");
  EXPECT_EQ(content_of(folder.path() / "out"), "out\nerr\n");
  EXPECT_FALSE(child.usage());
}

TEST(ChildProcess, AProgramThatIsNotThereIsAnError) {
  const PrivateFolder folder;
  try {
    const ChildProcess child({"/nonexistent/program", {}, folder.path() / "out"});
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nonexistent/program"));
    EXPECT_EQ(error.code().value(), ENOENT);
  }
}

TEST(ChildProcess, WaitGivesUpAndKillDoesNot) {
  const PrivateFolder folder;
  ChildProcess child(shell(folder, "trap '' TERM; echo ready; while :; do sleep 1000; done"));
  EXPECT_TRUE(child.running());
  EXPECT_FALSE(child.wait(1ms));
  EXPECT_EQ(child.ending(), "");
  child.kill();
  EXPECT_FALSE(child.running());
  EXPECT_EQ(child.ending(), "killed by signal 9 (Killed)");
}

TEST(ChildProcess, OutlivesTheThreadThatAskedForIt) {
  const PrivateFolder folder;
  std::optional<ChildProcess> child;
  std::thread([&] { child.emplace(shell(folder, "exec sleep 1000")); }).join();
  // Were it bound to that thread, it would be dead before this long wait is over.
  EXPECT_FALSE(child->wait(200ms));
}

TEST(ChildProcess, DiesWithItsWholeGroup) {
  const PrivateFolder folder;
  const auto pid_file = folder.path() / "pid";
  ChildProcess child(shell(folder, "sleep 1000 & echo $! > " + pid_file.string() + ".tmp; mv " +
                                       pid_file.string() + ".tmp " + pid_file.string() + "; wait"));
  while (!std::filesystem::exists(pid_file)) std::this_thread::sleep_for(1ms);
  const pid_t grandchild = std::stoi(content_of(pid_file));
  EXPECT_EQ(getpgid(grandchild), child.pid());
  child.kill();
  // Its process is gone, or a zombie that its new parent has yet to collect.
  const auto gone = [grandchild] {
    const std::string stat = content_of("/proc/" + std::to_string(grandchild) + "/stat");
    return stat.empty() || stat.find(") Z ") != std::string::npos ||
           stat.find(") X ") != std::string::npos;
  };
  while (!gone()) std::this_thread::sleep_for(1ms);
}

TEST(ChildProcess, ReportsWhatItUsed) {
  const PrivateFolder folder;
  ChildProcess child(shell(folder, "i=0; while :; do i=$((i+1)); done"));
  std::optional<ProcessUsage> usage = child.usage();
  while (usage && usage->cpu_s < 0.05) usage = child.usage();
  ASSERT_TRUE(usage);
  EXPECT_GT(usage->peak_rss_bytes, 100'000U);
  EXPECT_LT(usage->user_s + usage->system_s, usage->cpu_s + 1);
  EXPECT_FALSE(read_usage(1 << 30));
}

}  // namespace
}  // namespace parley::harness
