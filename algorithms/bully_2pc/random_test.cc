#include <gtest/gtest.h>

#include "algorithms/bully_2pc/options.h"
#include "algorithms/bully_2pc/replica.h"
#include "algorithms/bully_2pc/test_text.h"
#include "algorithms/contract/story/random_faults.h"

namespace parley::bully_2pc::test {
namespace {

OptionValues small_limits(std::string_view votes) {
  OptionValues options = default_options(kBully2pc.options);
  EXPECT_EQ(set_option(kBully2pc.options, "votes", votes, options), "");
  options.set("max_inflight_messages", 3);
  options.set("max_message_bytes", 1024);
  options.set("batch_bytes", 1024);
  options.set("pipeline", 2);
  return options;
}

TEST(BullyUnderRandomFaults, ThreeNodesStaySafeAndRecover) {
  const OptionValues options = small_limits("majority");
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    story::survive_random_faults(kStrategy, options, seed, 3);
  }
}

TEST(BullyUnderRandomFaults, FiveNodesStaySafeAndRecover) {
  const OptionValues options = small_limits("majority");
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    story::survive_random_faults(kStrategy, options, seed, 5);
  }
}

TEST(BullyUnderRandomFaults, WithAllVotesItIsSafeTooAndGoesOnWhenEveryoneIsBack) {
  const OptionValues options = small_limits("all");
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    story::survive_random_faults(kStrategy, options, seed, 3);
  }
}

TEST(BullyOptions, ProfilesStandForTheirFiguresUnlessOneIsGiven) {
  OptionValues values = default_options(kBully2pc.options);
  EXPECT_EQ(read_options(values).heartbeat, std::chrono::milliseconds(50));
  EXPECT_EQ(read_options(values).batch_interval, Duration{});
  ASSERT_EQ(set_option(kBully2pc.options, "profile", "paper", values), "");
  EXPECT_EQ(read_options(values).heartbeat, std::chrono::seconds(2));
  EXPECT_EQ(read_options(values).timeout, std::chrono::seconds(6));
  EXPECT_EQ(read_options(values).batch_interval, std::chrono::milliseconds(100));
  EXPECT_EQ(read_options(values).pipeline, 1U);
  values.set("pipeline", 9);
  EXPECT_EQ(read_options(values).pipeline, 9U);
  EXPECT_EQ(check_options(values), "");
}

TEST(BullyOptions, ThatDoNotFitAreRefusedByName) {
  const auto problem = [](std::string_view name, std::string_view text) {
    OptionValues values = default_options(kBully2pc.options);
    EXPECT_EQ(set_option(kBully2pc.options, name, text, values), "");
    return check_options(values);
  };
  EXPECT_EQ(problem("timeout_ms", "99"),
            "timeout_ms (99 ms) must be at least twice heartbeat_ms (50 ms), or one lost heartbeat "
            "makes an election");
  EXPECT_EQ(problem("pipeline", "0"), "pipeline must be -1 or at least 1");
  EXPECT_EQ(problem("answer_timeout_ms", "300"),
            "answer_timeout_ms (300 ms) must be at most timeout_ms (200 ms), or others start "
            "elections meanwhile");
  EXPECT_EQ(problem("hash_interval_ms", "0"), "hash_interval_ms must be -1 or at least 1");
}

}  // namespace
}  // namespace parley::bully_2pc::test
