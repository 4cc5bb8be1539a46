#include "runtime/sessions.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "runtime/session_watch.h"

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

TEST(Sessions, AnOlderResultDoesNotTakeThePlaceOfANewerOne) {
  SessionTable sessions(10);
  const std::uint32_t id = sessions.open(1);
  Result result;
  sessions.record(result_of(id, kSessionWindow + 1, 42));
  sessions.record(result_of(id, 1, 7));
  ASSERT_EQ(sessions.look_up(id, kSessionWindow + 1, result), SessionTable::Seen::repeated);
  EXPECT_EQ(result.value, 42U);
}

TEST(Sessions, WhatWasNotExecutedIsFreshAgain) {
  SessionTable sessions(10);
  const std::uint32_t id = sessions.open(1);
  Result waiting = result_of(id, 1, 0);
  waiting.stamp = {};
  sessions.record(waiting);
  sessions.record(result_of(id, 2, 42));
  Result result;
  EXPECT_EQ(sessions.look_up(id, 1, result), SessionTable::Seen::repeated);
  for (const std::uint32_t sequence : {1U, 2U}) sessions.forget(id, sequence);
  EXPECT_EQ(sessions.look_up(id, 1, result), SessionTable::Seen::fresh);
  EXPECT_EQ(sessions.look_up(id, 2, result), SessionTable::Seen::repeated) << "it has its stamp";
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

TEST(Sessions, ExpireUnlessTheyWereUsed) {
  SessionTable sessions(10);
  const std::uint32_t id = sessions.open(1);
  sessions.record(result_of(id, 1, 5));
  EXPECT_FALSE(sessions.expire(id, 0)) << "something was executed since";
  EXPECT_FALSE(sessions.expire(id + 1, 0)) << "there is none";
  Result result;
  EXPECT_EQ(sessions.look_up(id, 1, result), SessionTable::Seen::repeated);
  EXPECT_TRUE(sessions.expire(id, 1));
  EXPECT_FALSE(sessions.expire(id, 1)) << "again";
  EXPECT_EQ(sessions.size(), 0U);
  EXPECT_EQ(sessions.look_up(id, 1, result), SessionTable::Seen::expired);
  EXPECT_EQ(sessions.look_up(id, 2, result), SessionTable::Seen::expired);
}

TEST(Sessions, NoIdIsHandedOutTwice) {
  SessionTable sessions(3);
  std::set<std::uint32_t> ids;
  for (std::uint64_t nonce = 1; nonce <= 100; ++nonce) {
    const std::uint32_t id = sessions.open(nonce);
    ASSERT_NE(id, 0U);
    EXPECT_TRUE(ids.insert(id).second) << id;
    Result result;
    EXPECT_EQ(sessions.look_up(id, 1, result), SessionTable::Seen::fresh) << "nothing of the last";
    sessions.record(result_of(id, 1, nonce));
    ASSERT_TRUE(sessions.expire(id, 1));
  }
  Result result;
  for (const std::uint32_t id : ids) {
    EXPECT_EQ(sessions.look_up(id, 1, result), SessionTable::Seen::expired) << id;
  }
  EXPECT_EQ(sessions.look_up(*ids.rbegin() + kMaxSessions, 1, result),
            SessionTable::Seen::no_session);
}

TEST(Sessions, ThoseThatStayAreWhereTheyWereAfterOthersExpired) {
  SessionTable sessions(4);
  const std::uint32_t first = sessions.open(1);
  const std::uint32_t second = sessions.open(2);
  const std::uint32_t third = sessions.open(3);
  ASSERT_TRUE(sessions.expire(first, 0));
  ASSERT_TRUE(sessions.expire(second, 0));
  EXPECT_EQ(sessions.open(3), third);
  EXPECT_EQ(sessions.open(1), first + kMaxSessions) << "the lowest place first, with another id";
  EXPECT_EQ(sessions.open(2), second + kMaxSessions);
  EXPECT_EQ(sessions.open(4), 4U);
  EXPECT_EQ(sessions.open(5), 0U);
}

TEST(SessionWatch, FindsWhatIsIdleAndNothingElse) {
  using std::chrono::seconds;
  SessionTable sessions(100);
  for (std::uint64_t nonce = 1; nonce <= 50; ++nonce) sessions.open(nonce);
  SessionWatch watch(seconds(16));
  std::map<std::uint32_t, Instant> found;
  std::vector<SessionWatch::Idle> now_found;
  std::uint32_t sequence = 0;
  for (Instant now{}; now < Instant(seconds(60)); now += seconds(1)) {
    sessions.record(result_of(7, ++sequence, 0));
    ASSERT_LE(watch.next(), now);
    now_found.clear();
    watch.look(sessions, now, now_found);
    for (const SessionWatch::Idle& idle : now_found) {
      EXPECT_EQ(idle.highest, 0U);
      found.emplace(idle.session, now);
    }
  }
  EXPECT_EQ(found.size(), 49U);
  EXPECT_FALSE(found.contains(7)) << "it is in use";
  for (const auto& [session, when] : found) {
    EXPECT_GE(when, Instant(seconds(16))) << session;
    EXPECT_LE(when, Instant(seconds(16 + 2 * 17))) << session;
  }
  EXPECT_EQ(SessionWatch(Duration{}).next(), kNever);
}

}  // namespace
}  // namespace parley
