#include "algorithms/contract/fnv.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

// As in the test vectors of its authors.
TEST(Fnv1a, GivesThePublishedNumbers) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325U);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8U);
  EXPECT_EQ(fnv1a_32(""), 0x811c9dc5U);
  EXPECT_EQ(fnv1a_32("a"), 0xe40c292cU);
  EXPECT_EQ(fnv1a_32("foobar"), 0xbf9cf968U);
}

TEST(Fnv1a, TakesBytesForNumbersWithoutSign) {
  EXPECT_EQ(fnv1a("\xff"), (0xcbf29ce484222325U ^ 0xffU) * 0x100000001b3U);
  EXPECT_EQ(fnv1a_32("\xff"), 0x7a0b824eU);
  const std::byte bytes[] = {std::byte{0xff}, std::byte{0}};
  EXPECT_EQ(fnv1a(bytes), fnv1a(std::string_view("\xff\0", 2)));
}

}  // namespace
}  // namespace parley
