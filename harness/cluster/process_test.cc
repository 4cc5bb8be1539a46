#include "harness/cluster/process.h"

#include <linux/magic.h>
#include <sys/vfs.h>

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

TEST(ReadUsage, TellsWhatWasWrittenToDisk) {
  const auto file = std::filesystem::current_path() / ("written-by-" + std::to_string(getpid()));
  struct statfs of_folder {};
  ASSERT_EQ(statfs(file.parent_path().c_str(), &of_folder), 0);
  const std::optional<ProcessUsage> before = read_usage(getpid());
  ASSERT_TRUE(before);
  if (of_folder.f_type == TMPFS_MAGIC || !before->written_bytes) {
    GTEST_SKIP() << "a folder in memory, or a kernel that does not count";
  }
  std::ofstream(file) << std::string(1 << 18, 'x') << std::flush;
  const std::optional<ProcessUsage> after = read_usage(getpid());
  std::filesystem::remove(file);
  ASSERT_TRUE(after && after->written_bytes);
  // As where an overlay's upper layer is in memory.
  if (*after->written_bytes == *before->written_bytes)
    GTEST_SKIP() << "nothing is written to a disk here";
  EXPECT_GE(*after->written_bytes - *before->written_bytes, 1U << 18);
  ProcessUsage earlier;
  earlier.written_bytes = 5;
  EXPECT_EQ((earlier + *after).written_bytes, *after->written_bytes + 5);
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
