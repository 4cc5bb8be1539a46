#include "runtime/applier.h"

#include <gtest/gtest.h>

#include "runtime/test_application.h"

namespace parley {
namespace {

class RecordingJournal final : public Journal {
 public:
  void applied(Key key, Stamp stamp, Writer, std::uint64_t value) override {
    lines.push_back({key.value, stamp.major, stamp.minor, value});
  }
  void restored(LogIndex) override {}
  std::vector<std::array<std::uint64_t, 4>> lines;
};

CommittedRun committed(std::uint64_t index, const std::vector<std::byte>& body) {
  CommandReader reader(body);
  Command command;
  while (reader.next(command)) {
  }
  return {LogIndex{index},
          {{NodeId{1}, Incarnation{1}, index}, reader.count(), Block::copy_of(body)}};
}

class ApplierTest : public ::testing::Test {
 protected:
  ApplierTest() {
    std::vector<std::byte> body;
    TestApplication::append_open(body, 77);
    session_ = static_cast<std::uint32_t>(applier_.apply(committed(1, body))[0].value);
  }

  TestApplication application_{TestApplication::Kind::add};
  RecordingJournal journal_;
  Applier applier_{application_, 4, 0, &journal_};
  std::uint32_t session_ = 0;
};

TEST_F(ApplierTest, StampsWithIndexAndOffset) {
  std::vector<std::byte> body;
  TestApplication::append(body, session_, 1, 5, 10);
  TestApplication::append(body, session_, 2, 5, 20);
  const auto results = applier_.apply(committed(2, body));
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[1].stamp, (Stamp{2, 1}));
  EXPECT_EQ(results[1].value, 10U) << "a command sees what the one before it in the run wrote";
  EXPECT_EQ(applier_.store().at(Key{5}).value, 30U);
  EXPECT_EQ(applier_.store().at(Key{5}).writer, (Writer{session_, 2}));
}

TEST_F(ApplierTest, ARetryIsNotExecutedTwice) {
  std::vector<std::byte> body;
  TestApplication::append(body, session_, 1, 5, 10);
  const Result first = applier_.apply(committed(2, body))[0];
  const Result again = applier_.apply(committed(3, body))[0];
  EXPECT_EQ(again.stamp, first.stamp);
  EXPECT_EQ(again.value, first.value);
  EXPECT_EQ(applier_.store().at(Key{5}).value, 10U);
  EXPECT_EQ(journal_.lines.size(), 1U);
}

TEST_F(ApplierTest, ARetryWithinTheSameRunIsNotExecutedTwice) {
  std::vector<std::byte> body;
  TestApplication::append(body, session_, 1, 5, 1);
  TestApplication::append(body, session_, 2, 5, 10);
  TestApplication::append(body, session_, 2, 5, 10);
  const auto results = applier_.apply(committed(2, body));
  EXPECT_EQ(applier_.store().at(Key{5}).value, 11U);
  EXPECT_EQ(results[2].stamp, results[1].stamp);
  EXPECT_EQ(results[2].value, results[1].value);
  EXPECT_EQ(results[2].outcome, Outcome::ok);
}

// More of one session than its window holds; some results are recorded once more after the others.
TEST_F(ApplierTest, TheNewestOfALargeRunIsRecognised) {
  std::vector<std::byte> body;
  TestApplication::append(body, session_, 1, 5, 10);
  for (std::uint32_t sequence = 2; sequence <= kSessionWindow + 1; ++sequence) {
    TestApplication::append(body, session_, sequence, sequence % 3 == 0 ? 5 : 100 + sequence, 1);
  }
  const auto first = applier_.apply(committed(2, body));
  const Result last = first.back();
  std::vector<std::byte> retry;
  TestApplication::append(retry, session_, kSessionWindow + 1, 5, 1);
  const Result again = applier_.apply(committed(3, retry))[0];
  EXPECT_EQ(again.outcome, Outcome::ok);
  EXPECT_EQ(again.stamp, last.stamp);
}

TEST_F(ApplierTest, WithoutASessionNothingIsExecuted) {
  std::vector<std::byte> body;
  TestApplication::append(body, session_ + 1, 1, 5, 10);
  const auto results = applier_.apply(committed(2, body));
  EXPECT_EQ(results[0].outcome, Outcome::refused);
  EXPECT_EQ(results[0].reason, static_cast<std::uint8_t>(RefusedBecause::no_session));
  EXPECT_EQ(applier_.store().written_cells(), 0U);
}

TEST_F(ApplierTest, BehindTheWindowTheOutcomeIsUnknown) {
  std::vector<std::byte> body;
  TestApplication::append(body, session_, kSessionWindow + 1, 5, 10);
  TestApplication::append(body, session_, 1, 5, 10);
  const auto results = applier_.apply(committed(2, body));
  EXPECT_EQ(results[1].outcome, Outcome::unknown);
  EXPECT_EQ(results[1].reason, static_cast<std::uint8_t>(RefusedBecause::too_old));
  EXPECT_EQ(applier_.store().at(Key{5}).value, 10U);
}

TEST_F(ApplierTest, SessionsAreBounded) {
  std::vector<std::byte> body;
  for (std::uint64_t nonce = 1; nonce <= 4; ++nonce) TestApplication::append_open(body, nonce);
  const auto results = applier_.apply(committed(2, body));
  EXPECT_EQ(results[2].outcome, Outcome::ok);
  EXPECT_EQ(results[3].outcome, Outcome::refused);
  EXPECT_EQ(results[3].reason, static_cast<std::uint8_t>(RefusedBecause::too_many_sessions));
}

TEST_F(ApplierTest, SameRunsSameDigest) {
  Applier other(application_, 4, 0, nullptr);
  std::vector<std::byte> open;
  TestApplication::append_open(open, 77);
  other.apply(committed(1, open));
  for (std::uint32_t i = 1; i <= 50; ++i) {
    std::vector<std::byte> body;
    TestApplication::append(body, session_, i, i % 7, i);
    applier_.apply(committed(i + 1, body));
    EXPECT_NE(applier_.store().digest(), other.store().digest());
    other.apply(committed(i + 1, body));
    EXPECT_EQ(applier_.store().digest(), other.store().digest());
  }
}

}  // namespace
}  // namespace parley
