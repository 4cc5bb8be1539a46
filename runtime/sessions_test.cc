#include "runtime/sessions.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

Result result_of(std::uint32_t session, std::uint32_t sequence, std::uint64_t value) {
  Result result;
  result.session = session;
  result.sequence = sequence;
  result.value = value;
  result.stamp = {sequence, 7};
  return result;
}

TEST(Sessions, OpeningAgainFindsTheSameSession) {
  SessionTable sessions(10);
  EXPECT_EQ(sessions.open(99), 1U);
  EXPECT_EQ(sessions.open(98), 2U);
  EXPECT_EQ(sessions.open(99), 1U);
  EXPECT_EQ(sessions.size(), 2U);
}

TEST(Sessions, TheirNumberIsBounded) {
  SessionTable sessions(2);
  sessions.open(1);
  sessions.open(2);
  EXPECT_EQ(sessions.open(3), 0U);
  EXPECT_EQ(sessions.open(2), 2U);
}

TEST(Sessions, ARetryGetsTheFirstResult) {
  SessionTable sessions(10);
  const std::uint32_t id = sessions.open(1);
  Result result;
  EXPECT_EQ(sessions.look_up(id, 1, result), SessionTable::Seen::fresh);
  sessions.record(result_of(id, 1, 42));
  ASSERT_EQ(sessions.look_up(id, 1, result), SessionTable::Seen::repeated);
  EXPECT_EQ(result.value, 42U);
  EXPECT_EQ(result.stamp, (Stamp{1, 7}));
  EXPECT_EQ(result.outcome, Outcome::ok);
}

TEST(Sessions, SequenceNumbersMayOvertakeEachOtherWithinTheWindow) {
  SessionTable sessions(10);
  const std::uint32_t id = sessions.open(1);
  Result result;
  sessions.record(result_of(id, kSessionWindow, 1));
  EXPECT_EQ(sessions.look_up(id, 1, result), SessionTable::Seen::fresh);
  sessions.record(result_of(id, 1, 2));
  EXPECT_EQ(sessions.look_up(id, 1, result), SessionTable::Seen::repeated);
  EXPECT_EQ(sessions.look_up(id, kSessionWindow, result), SessionTable::Seen::repeated);
  EXPECT_EQ(sessions.look_up(id, 2, result), SessionTable::Seen::fresh);
}

TEST(Sessions, BehindTheWindowNothingIsExecutedAgain) {
  SessionTable sessions(10);
  const std::uint32_t id = sessions.open(1);
  Result result;
  sessions.record(result_of(id, kSessionWindow + 1, 1));
  EXPECT_EQ(sessions.look_up(id, 1, result), SessionTable::Seen::too_old);
  EXPECT_EQ(sessions.look_up(id, 2, result), SessionTable::Seen::fresh);
}

TEST(Sessions, UnknownSessionsAndSequenceZeroAreRefused) {
  SessionTable sessions(10, 1000);
  const std::uint32_t id = sessions.open(1);
  EXPECT_EQ(id, 1001U);
  Result result;
  for (const std::uint32_t other : {0U, 1U, 1000U, 1002U, 0xffffffffU}) {
    EXPECT_EQ(sessions.look_up(other, 1, result), SessionTable::Seen::no_session) << other;
  }
  EXPECT_EQ(sessions.look_up(id, 0, result), SessionTable::Seen::no_session);
}

}  // namespace
}  // namespace parley
