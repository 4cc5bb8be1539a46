#include "apps/canvas/placer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

namespace parley {
namespace {

// Keeps what a placer submits until the test answers it.
class PlacerTest : public ::testing::Test {
 protected:
  struct Submitted {
    CommandHeader header;
    std::uint64_t nonce = 0;
    Placer::Done done;
  };

  Placer make(PlacerLimits limits) {
    return Placer(
        [this](std::vector<std::byte> body, Placer::Done done) {
          Submitted submitted;
          std::memcpy(&submitted.header, body.data(), sizeof(CommandHeader));
          if (is_open(submitted.header)) {
            std::memcpy(&submitted.nonce, body.data() + sizeof(CommandHeader),
                        sizeof(std::uint64_t));
          }
          submitted.done = std::move(done);
          submitted_.push_back(std::move(submitted));
        },
        limits, 1000);
  }

  static bool is_open(const CommandHeader& header) {
    return header.kind == static_cast<std::uint16_t>(CommandKind::open_session);
  }

  void place(Placer& placer, std::optional<std::uint64_t> client = {}, std::uint32_t seq = 0) {
    PlaceRequest request;
    request.client = client;
    request.seq = seq;
    placer.place(request, [this](const Result& result) { results_.push_back(result); });
  }

  Submitted take() {
    Submitted first = std::move(submitted_.front());
    submitted_.pop_front();
    return first;
  }

  static Result ok(std::uint64_t value = 0) {
    Result result;
    result.outcome = Outcome::ok;
    result.value = value;
    return result;
  }
  static Result failed(Outcome outcome, RefusedBecause reason) {
    Result result;
    result.outcome = outcome;
    result.reason = static_cast<std::uint8_t>(reason);
    return result;
  }

  std::deque<Submitted> submitted_;
  std::vector<Result> results_;
};

TEST_F(PlacerTest, OpensASessionFirstAndCountsUp) {
  Placer placer = make({});
  place(placer);
  place(placer);
  ASSERT_EQ(submitted_.size(), 1U);
  ASSERT_TRUE(is_open(submitted_.front().header));
  EXPECT_EQ(submitted_.front().nonce, 1000U);
  take().done(ok(5));
  ASSERT_EQ(submitted_.size(), 2U);
  for (std::uint32_t sequence = 1; sequence <= 2; ++sequence) {
    const Submitted submitted = take();
    EXPECT_EQ(submitted.header.session, 5U);
    EXPECT_EQ(submitted.header.sequence, sequence);
    submitted.done(ok());
  }
  EXPECT_EQ(results_.size(), 2U);
}

TEST_F(PlacerTest, KeepsAWindowOfSequenceNumbersPerSession) {
  Placer placer = make({.max_sessions = 1});
  for (std::uint32_t i = 0; i < kSessionWindow + 10; ++i) place(placer);
  take().done(ok(5));
  ASSERT_EQ(submitted_.size(), kSessionWindow);
  // As long as the oldest is in flight nothing beyond its window may go out.
  const Submitted oldest = take();
  while (!submitted_.empty()) take().done(ok());
  EXPECT_EQ(results_.size(), kSessionWindow - 1);
  oldest.done(failed(Outcome::unknown, RefusedBecause::timed_out));
  ASSERT_EQ(submitted_.size(), 10U);
  EXPECT_EQ(submitted_.front().header.sequence, kSessionWindow + 1);
}

TEST_F(PlacerTest, OpensFurtherSessionsOnlyAsNeeded) {
  Placer placer = make({.max_sessions = 2});
  for (std::uint32_t i = 0; i < 3 * kSessionWindow; ++i) place(placer);
  std::set<std::uint64_t> nonces;
  std::map<std::uint32_t, std::uint32_t> in_flight;
  std::uint32_t next_session = 5;
  while (!submitted_.empty()) {
    const Submitted submitted = take();
    if (is_open(submitted.header)) {
      nonces.insert(submitted.nonce);
      submitted.done(ok(next_session++));
    } else {
      ++in_flight[submitted.header.session];
    }
  }
  EXPECT_EQ(nonces.size(), 2U);
  EXPECT_EQ(in_flight, (std::map<std::uint32_t, std::uint32_t>{{5, 64}, {6, 64}}));
}

TEST_F(PlacerTest, BoundsTheQueue) {
  Placer placer = make({.max_sessions = 1, .max_waiting = 3});
  for (int i = 0; i < 4; ++i) place(placer);
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_EQ(results_[0].outcome, Outcome::refused);
  EXPECT_EQ(results_[0].reason, static_cast<std::uint8_t>(RefusedBecause::overloaded));
}

TEST_F(PlacerTest, RefusesWhereNoSessionCanBeOpenedAndTriesAgainWithTheSameNonce) {
  Placer placer = make({});
  place(placer);
  take().done(failed(Outcome::unknown, RefusedBecause::timed_out));
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_EQ(results_[0].outcome, Outcome::refused) << "it was never submitted";
  place(placer);
  EXPECT_EQ(submitted_.front().nonce, 1000U);
  take().done(failed(Outcome::refused, RefusedBecause::too_many_sessions));
  EXPECT_EQ(results_[1].reason, static_cast<std::uint8_t>(RefusedBecause::too_many_sessions));
}

TEST_F(PlacerTest, ReplacesASessionThatTheNodeDoesNotKnowAnyMore) {
  Placer placer = make({.max_sessions = 1});
  place(placer);
  take().done(ok(5));
  take().done(failed(Outcome::refused, RefusedBecause::no_session));
  place(placer);
  ASSERT_EQ(submitted_.size(), 1U);
  EXPECT_TRUE(is_open(submitted_.front().header));
  EXPECT_EQ(submitted_.front().nonce, 1001U);
}

TEST_F(PlacerTest, KeepsClientsApartAndTheirNumbersAsTheyAre) {
  Placer placer = make({});
  place(placer, 7, 41);
  place(placer, 7, 42);
  place(placer, 8, 41);
  ASSERT_EQ(submitted_.size(), 2U);
  const Submitted seven = take();
  const Submitted eight = take();
  EXPECT_EQ(seven.nonce, client_nonce(7));
  EXPECT_EQ(eight.nonce, client_nonce(8));
  eight.done(ok(6));
  EXPECT_EQ(submitted_.front().header.session, 6U);
  take().done(ok());
  seven.done(ok(5));
  ASSERT_EQ(submitted_.size(), 2U);
  EXPECT_EQ(submitted_[0].header.session, 5U);
  EXPECT_EQ(submitted_[0].header.sequence, 41U);
  EXPECT_EQ(submitted_[1].header.sequence, 42U);
  place(placer, 7, 41);
  ASSERT_EQ(submitted_.size(), 3U) << "its session is open now";
  EXPECT_EQ(submitted_[2].header.session, 5U);
}

TEST_F(PlacerTest, BoundsTheClientsItKnows) {
  Placer placer = make({.max_clients = 2});
  place(placer, 1, 1);
  place(placer, 2, 1);
  place(placer, 3, 1);
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_EQ(results_[0].reason, static_cast<std::uint8_t>(RefusedBecause::too_many_sessions));
  take().done(failed(Outcome::refused, RefusedBecause::no_leader));
  ASSERT_EQ(results_.size(), 2U);
  EXPECT_EQ(results_[1].reason, static_cast<std::uint8_t>(RefusedBecause::no_leader));
  place(placer, 3, 1);
  EXPECT_EQ(results_.size(), 2U) << "the one that failed made room";
}

TEST_F(PlacerTest, ForgetsWhoWasSilentForLongestWhenThereAreTooMany) {
  Placer placer = make({.max_clients = 2});
  const auto opens_and_places = [&](std::uint64_t client, std::uint32_t session) {
    place(placer, client, 1);
    EXPECT_TRUE(is_open(submitted_.front().header)) << client;
    take().done(ok(session));
    take().done(ok(1));
  };
  opens_and_places(1, 5);
  opens_and_places(2, 6);
  place(placer, 1, 2);
  take().done(ok(1));
  opens_and_places(3, 7);
  place(placer, 1, 3);
  EXPECT_EQ(take().header.session, 5U) << "it is still known";
  opens_and_places(2, 6);
}

TEST_F(PlacerTest, ForgetsAClientsSessionThatIsGone) {
  Placer placer = make({});
  place(placer, 7, 1);
  take().done(ok(5));
  take().done(failed(Outcome::refused, RefusedBecause::no_session));
  place(placer, 7, 1);
  EXPECT_TRUE(is_open(submitted_.front().header));
}

TEST(ClientNonces, Differ) {
  std::set<std::uint64_t> nonces;
  for (std::uint64_t client = 0; client < 10'000; ++client) nonces.insert(client_nonce(client));
  EXPECT_EQ(nonces.size(), 10'000U);
}

}  // namespace
}  // namespace parley
