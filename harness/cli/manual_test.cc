#include "harness/cli/manual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

CommandText program() {
  CommandText sweep{
      "sweep", "Measure what SPEC says", "Examples:\n  tool sweep a.toml\n  .hidden", {}, {}};
  sweep.options.push_back({{"-h", "--help"}, "", "", {}, "Print this help", false, false});
  sweep.options.push_back({{}, "SPEC", "", {}, "The spec", true, false});
  sweep.options.push_back(
      {{"--loop"}, "TEXT", "{open,closed}", {"open", "closed"}, "Which", false, true});
  return {"tool",
          "Tool: measures things.",
          "",
          {{{"--version"}, "", "", {}, "Say which", false, false}},
          {sweep}};
}

TEST(RoffText, EscapesWhatRoffWouldTake) {
  EXPECT_EQ(roff_text("a-b"), "a\\-b");
  EXPECT_EQ(roff_text("a\\b"), "a\\eb");
  EXPECT_EQ(roff_text(".TH"), "\\&.TH");
  EXPECT_EQ(roff_text("'quote"), "\\&\\(aqquote");
  EXPECT_EQ(roff_text("HOST:PORT,…"), "HOST:PORT,\\[u2026]");
  EXPECT_EQ(roff_text("µ𝄞"), "\\[u00B5]\\[u1D11E]");
  EXPECT_EQ(roff_text("cut \xE2"), "cut \\[u00E2]");
}

TEST(ManualPage, HasTheSectionsOfOne) {
  const std::string page = manual_page(program(), {"1.2.3", {{0, "Done."}, {2, "Wrong usage."}}});
  EXPECT_THAT(page, HasSubstr(".TH TOOL 1 \"\" \"tool 1.2.3\" \"User Commands\"\n"));
  EXPECT_THAT(page, HasSubstr(".SH NAME\ntool \\- measures things\n"));
  EXPECT_THAT(page, HasSubstr(".SH OPTIONS\n.TP\n\\fB\\-\\-version\\fR\nSay which\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n2\nWrong usage.\n"));
}

TEST(ManualPage, HasEveryCommandWithItsOptionsAndExamples) {
  const std::string page = manual_page(program(), {"1", {}});
  EXPECT_THAT(page,
              HasSubstr(".SS tool sweep [OPTION]... \\fISPEC\\fR\nMeasure what SPEC says.\n"));
  EXPECT_THAT(page, Not(HasSubstr("Print this help"))) << "every command has it";
  EXPECT_THAT(page, HasSubstr(".TP\n\\fISPEC\\fR\nThe spec (required)\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n\\fB\\-\\-loop\\fR \\fITEXT\\fR\n"
                              "Which ({open,closed}; may be given more than once)\n"));
  EXPECT_THAT(page, HasSubstr(".nf\nExamples:\n  tool sweep a.toml\n"));
}

TEST(ManualPage, DoesNotSayTwiceWhatMayBeChosen) {
  CommandText text = program();
  text.commands[0].options.back().help = "open or closed";
  EXPECT_THAT(manual_page(text, {"1", {}}),
              HasSubstr("open or closed (may be given more than once)\n"));
}

TEST(ManualPage, IsAscii) {
  CommandText text = program();
  text.commands[0].help = "20 µs …";
  const std::string page = manual_page(text, {"1", {}});
  EXPECT_THAT(page, Not(testing::ContainsRegex("[\x80-\xff]")));
  EXPECT_THAT(page, HasSubstr("20 \\[u00B5]s"));
}

}  // namespace
}  // namespace parley::cli
