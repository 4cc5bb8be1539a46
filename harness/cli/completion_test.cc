#include "harness/cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using testing::HasSubstr;

CommandText program() {
  CommandText sweep{"sweep", "Measure: what [SPEC] says, isn't it", "", {}, {}};
  sweep.options.push_back({{"-h", "--help"}, "", "", {}, "Print this help", false, false});
  sweep.options.push_back({{}, "SPEC", "", {}, "The spec", true, false});
  sweep.options.push_back({{"--out"}, "DIR", "", {}, "Where", false, false});
  sweep.options.push_back(
      {{"--loop"}, "TEXT", "{open,closed}", {"open", "closed"}, "Which", false, false});
  sweep.options.push_back({{"--algorithm"}, "ALGORITHM", "", {}, "Strategy", false, true});
  sweep.options.push_back({{"--seed"}, "UINT", "", {}, "Seed", false, false});
  const CommandText list{"list", "List", "", {}, {}};
  return {
      "tool", "Tool", "", {{{"--version"}, "", "", {}, "Say which", false, false}}, {sweep, list}};
}

const KnownValues kKnown{{"ALGORITHM", {"raft", "gossip"}}};

TEST(Completion, OfBashHasCommandsOptionsAndValues) {
  const std::string script = completion_script("bash", program(), kKnown);
  EXPECT_THAT(script, HasSubstr("' '*) _tool_words 'sweep list' ;;"));
  EXPECT_THAT(script, HasSubstr("' -'*) _tool_words '--version' ;;"));
  EXPECT_THAT(script,
              HasSubstr("'sweep -'*) _tool_words '-h --help --out --loop --algorithm --seed' ;;"));
  EXPECT_THAT(script, HasSubstr("'sweep --loop') _tool_words 'open closed'; return ;;"));
  EXPECT_THAT(script, HasSubstr("'sweep --algorithm') _tool_words 'raft gossip'; return ;;"));
  EXPECT_THAT(script, HasSubstr("'sweep --out') compopt -o dirnames; return ;;"));
  EXPECT_THAT(script, HasSubstr("'sweep --seed') compopt +o default; return ;;"));
  EXPECT_THAT(script, HasSubstr("'sweep '*) : ;;"));  // a file
  EXPECT_THAT(script, HasSubstr("'list '*) compopt +o default ;;"));
  EXPECT_THAT(script, HasSubstr("complete -o default -F _tool tool\n"));
}

TEST(Completion, OfZshEscapesDescriptions) {
  const std::string script = completion_script("zsh", program(), kKnown);
  EXPECT_THAT(script, testing::StartsWith("#compdef tool\n"));
  EXPECT_THAT(script, HasSubstr("'sweep:Measure\\: what \\[SPEC\\] says, isn'\\''t it'"));
  EXPECT_THAT(script, HasSubstr("'--loop[Which]:TEXT:(open closed)'"));
  EXPECT_THAT(script, HasSubstr("'*--algorithm[Strategy]:ALGORITHM:(raft gossip)'"));
  EXPECT_THAT(script, HasSubstr("'--out[Where]:DIR:_files -/'"));
  EXPECT_THAT(script, HasSubstr("':SPEC:_files'"));
}

TEST(Completion, OfFishTellsValuesFromPaths) {
  const std::string script = completion_script("fish", program(), kKnown);
  EXPECT_THAT(script, HasSubstr("-n __fish_use_subcommand -a sweep -d"));
  EXPECT_THAT(script, HasSubstr("seen_subcommand_from sweep' -s h -l help -d 'Print this help'\n"));
  EXPECT_THAT(script, HasSubstr(" -l loop -x -a 'open closed' -d 'Which'\n"));
  EXPECT_THAT(script, HasSubstr(" -l seed -x -d 'Seed'\n"));
  EXPECT_THAT(script, HasSubstr("seen_subcommand_from sweep' -F -d 'The spec'\n"));
}

}  // namespace
}  // namespace parley::cli
