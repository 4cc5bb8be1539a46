#include "algorithms/contract/client_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "algorithms/contract/random.h"

namespace parley {
namespace {

TEST(ClientSession, HandsOutNumbersWhileTheOldestIsNear) {
  ClientSession session;
  EXPECT_EQ(session.take(1), 1u);
  for (int i = 0; i < 63; ++i) session.take(1);
  EXPECT_FALSE(session.has_room(1));
  session.finish(2, 62);  // all but the first and the last
  EXPECT_FALSE(session.has_room(1));
  session.finish(1, 1);
  EXPECT_TRUE(session.has_room(63));
  EXPECT_FALSE(session.has_room(64));
  session.finish(64, 1);
  EXPECT_TRUE(session.has_room(64));
  EXPECT_EQ(session.take(64), 65u);
  session.finish(65, 64);
  EXPECT_TRUE(session.has_room(64));
}

TEST(ClientSession, AgreesWithAListOfNumbers) {
  ClientSession session;
  Random random(9);
  std::vector<std::uint32_t> open;
  std::uint32_t next = 1;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint32_t oldest = open.empty() ? next : *std::min_element(open.begin(), open.end());
    ASSERT_EQ(session.has_room(1), next - oldest < 64);
    ASSERT_EQ(session.idle(), open.empty());
    if (session.has_room(1) && random.below(2) == 0) {
      ASSERT_EQ(session.take(1), next);
      open.push_back(next++);
    } else if (!open.empty()) {
      const std::size_t at = random.below(open.size());
      session.finish(open[at], 1);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
}

}  // namespace
}  // namespace parley
