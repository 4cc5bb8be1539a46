#include "runtime/maelstrom/line_reader.h"

#include <gmock/gmock.h>

namespace parley::maelstrom {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> feed(LineReader& reader, std::string_view bytes) {
  std::vector<std::string> lines;
  reader.feed(bytes, [&lines](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

TEST(LineReader, JoinsThePiecesOfALine) {
  LineReader reader(100);
  EXPECT_THAT(feed(reader, "one\ntw"), ElementsAre("one"));
  EXPECT_THAT(feed(reader, ""), IsEmpty());
  EXPECT_THAT(feed(reader, "o\n\nthree"), ElementsAre("two", ""));
  EXPECT_THAT(feed(reader, "\n"), ElementsAre("three"));
}

TEST(LineReader, PassesOverLinesThatAreTooLong) {
  LineReader reader(4);
  EXPECT_THAT(feed(reader, "1234\n12345\n1\n"), ElementsAre("1234", "1"));
  EXPECT_EQ(reader.dropped(), 1U);
  EXPECT_THAT(feed(reader, "123"), IsEmpty());
  EXPECT_THAT(feed(reader, "45678"), IsEmpty());
  EXPECT_THAT(feed(reader, "1234\nab\n"), ElementsAre("ab"));
  EXPECT_EQ(reader.dropped(), 2U);
}

}  // namespace
}  // namespace parley::maelstrom
