#include "algorithms/contract/options.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

const std::vector<OptionSpec> kSpecs = {
    {.name = "heartbeat_ms",
     .help = "time between heartbeats",
     .fallback = 50,
     .min = 1,
     .max = 999},
    {.name = "pre_vote", .help = "ask first", .fallback = 1, .choices = {"off", "on"}},
};

TEST(Options, DefaultsAreComplete) {
  const OptionValues values = default_options(kSpecs);
  EXPECT_EQ(values.at("heartbeat_ms"), 50);
  EXPECT_EQ(option_text(kSpecs, "pre_vote", values), "on");
}

TEST(Options, TakesIntegersAndChoices) {
  OptionValues values = default_options(kSpecs);
  EXPECT_EQ(set_option(kSpecs, "heartbeat_ms", "999", values), "");
  EXPECT_EQ(set_option(kSpecs, "pre_vote", "off", values), "");
  EXPECT_EQ(option_text(kSpecs, "heartbeat_ms", values), "999");
  EXPECT_EQ(values.at("pre_vote"), 0);
}

TEST(Options, RefusesWhatIsNotAllowedAndSaysWhatIs) {
  OptionValues values = default_options(kSpecs);
  for (const char* text : {"0", "1000", "", "5x", "-5", "99999999999999999999"}) {
    EXPECT_EQ(set_option(kSpecs, "heartbeat_ms", text, values),
              "heartbeat_ms: \"" + std::string(text) + "\" is not a whole number from 1 to 999");
  }
  EXPECT_EQ(set_option(kSpecs, "pre_vote", "maybe", values),
            "pre_vote: \"maybe\" is not one of off, on");
  EXPECT_EQ(set_option(kSpecs, "hartbeat_ms", "5", values),
            "unknown option \"hartbeat_ms\"; known: heartbeat_ms, pre_vote");
  EXPECT_EQ(values.all(), default_options(kSpecs).all());
}

}  // namespace
}  // namespace parley
