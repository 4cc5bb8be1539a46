#include "harness/cluster/config_file.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::harness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ConfigReader, ReadsEveryKindAndLeavesDefaultsAlone) {
  ConfigReader reader = ConfigReader::from_text(
      "n = 7\nr = 0.5\nwhole = 3\nt = \"x\\ty\"\nb = true\nl = [1, 2]\none = 9\n[sub]\nk = "
      "1\n[[many]]\nk = 2\n",
      "f");
  int n = 0;
  double r = 0;
  double whole = 0;
  std::string t;
  bool b = false;
  int absent = 42;
  reader.integer("n", 0, 10, n);
  reader.real("r", 0, 1, r);
  reader.real("whole", 0, 10, whole);
  reader.text("t", t);
  reader.boolean("b", b);
  reader.integer("absent", 0, 10, absent);
  EXPECT_EQ(n, 7);
  EXPECT_EQ(r, 0.5);
  EXPECT_EQ(whole, 3);
  EXPECT_EQ(t, "x\ty");
  EXPECT_TRUE(b);
  EXPECT_EQ(absent, 42);
  EXPECT_EQ(reader.elements("l").size(), 2U);
  EXPECT_EQ(reader.elements("one").size(), 1U);
  int k = 0;
  reader.table("sub")->integer("k", 0, 10, k);
  EXPECT_EQ(k, 1);
  EXPECT_EQ(reader.tables("many").size(), 1U);
  EXPECT_NO_THROW(reader.finish());
}

TEST(ConfigReader, AnUnknownKeyNamesTheNearestThatWasAskedFor) {
  ConfigReader reader = ConfigReader::from_text("a = 1\nduratoin_s = 3\n", "spec.toml");
  int value = 0;
  reader.integer("a", 0, 9, value);
  reader.integer("duration_s", 0, 9, value);
  EXPECT_EQ(error_of([&] { reader.finish(); }),
            "spec.toml:2: unknown key \"duratoin_s\"; the nearest known one is \"duration_s\"");
}

TEST(ConfigReader, AKeyLikeNoOtherListsTheKnownOnes) {
  ConfigReader reader = ConfigReader::from_text("[t]\nzzzzzzzzzz = 3\n", "f");
  std::optional<ConfigReader> table = reader.table("t");
  table->find("alpha");
  table->find("beta");
  EXPECT_EQ(error_of([&] { table->finish(); }),
            "f:2: unknown key \"t.zzzzzzzzzz\"; known: alpha, beta");
}

TEST(ConfigReader, WrongTypesAndRangesNameLineKeyAndWhatIsAllowed) {
  ConfigReader reader = ConfigReader::from_text(
      "\nn = \"seven\"\nbig = 11\nr = inf\nt = 5\nb = 1\nl = []\nc = \"x\"\nsub = 3\n", "f");
  int n = 0;
  double r = 0;
  std::string t;
  bool b = false;
  constexpr std::string_view kChoices[] = {"open", "closed"};
  EXPECT_EQ(error_of([&] { reader.integer("n", 0, 10, n); }),
            "f:2: n: \"seven\" is not a whole number from 0 to 10");
  EXPECT_EQ(error_of([&] { reader.integer("big", 0, 10, n); }),
            "f:3: big: 11 is not a whole number from 0 to 10");
  EXPECT_EQ(error_of([&] { reader.real("r", 0, 1, r); }),
            "f:4: r: inf is not a number from 0 to 1");
  EXPECT_EQ(error_of([&] { reader.text("t", t); }), "f:5: t: 5 is not text in quotes");
  EXPECT_EQ(error_of([&] { reader.boolean("b", b); }), "f:6: b: 1 is not true or false");
  EXPECT_EQ(error_of([&] { reader.elements("l"); }),
            "f:7: l: is an empty list; it must hold at least one value");
  EXPECT_EQ(error_of([&] { reader.choice("c", kChoices, t); }),
            "f:8: c: \"x\" is not one of open, closed");
  EXPECT_EQ(error_of([&] { reader.table("sub"); }), "f:9: sub: 3 is not a table; write [sub]");
  EXPECT_EQ(error_of([&] { reader.tables("sub"); }),
            "f:9: sub: must be tables; write [[sub]] before each");
}

TEST(ConfigReader, TextThatIsNotTomlNamesTheLine) {
  EXPECT_THAT(error_of([] { ConfigReader::from_text("a = 1\nb = = 2\n", "f"); }),
              HasSubstr("f:2: not TOML: "));
  EXPECT_THAT(error_of([] { ConfigReader::from_text("a = 1\na = 2\n", "f"); }),
              HasSubstr("f:2: not TOML: "));
  EXPECT_THAT(error_of([] { ConfigReader::from_text("a = \"\xff\"\n", "f"); }),
              HasSubstr("f:1: not TOML: "));
}

TEST(ConfigReader, TablesWithinTablesAreBounded) {
  std::string deep = "a";
  for (int i = 0; i < 30'000; ++i) deep += ".a";
  EXPECT_EQ(error_of([&] { ConfigReader::from_text("b = 1\n" + deep + " = 1\n", "f"); }),
            "f:2: has more than 1000 dots in a line");
  std::string many = " = [0.5";
  for (int i = 0; i < 900; ++i) many += ", 0.5";
  many += "]\n";
  EXPECT_EQ(error_of([&] { ConfigReader::from_text("l" + many + "m" + many, "f"); }), "no error");
}

TEST(ConfigReader, AFileThatCannotBeReadIsNamed) {
  EXPECT_THAT(error_of([] { ConfigReader::from_file("/nonexistent/x.toml"); }),
              HasSubstr("/nonexistent/x.toml: cannot be read"));
}

TEST(Nearest, FindsSlipsAndNothingElse) {
  const std::vector<std::string> known{"nodes", "rate", "routing"};
  EXPECT_EQ(nearest("ndoes", known), "nodes");
  EXPECT_EQ(nearest("node", known), "nodes");
  EXPECT_EQ(nearest("rotuing", known), "routing");
  EXPECT_EQ(nearest("elephantine", known), "");
}

TEST(TomlQuoted, ReadsBackAsItWas) {
  const std::string text = "a\"b\\c\n\x01 d";
  ConfigReader reader = ConfigReader::from_text("t = " + toml_quoted(text), "f");
  std::string back;
  reader.text("t", back);
  EXPECT_EQ(back, text);
}

}  // namespace
}  // namespace parley::harness
