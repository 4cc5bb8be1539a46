#include "harness/load/node_sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

#include "algorithms/contract/command.h"
#include "algorithms/contract/node_port.h"

namespace parley::load {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kCommandBytes = sizeof(CommandHeader) + sizeof(std::uint64_t);

std::uint8_t byte_of(Outcome outcome) {
  return static_cast<std::uint8_t>(outcome);
}

// A node's answer that opens sessions `first`, `first` + 1, ...; the last one is not ok if
// `refused` says so.
class Opened {
 public:
  Opened(std::uint32_t first, std::size_t count, bool refused = false) {
    std::vector<client::Result> results;
    for (std::uint32_t i = 0; i < count; ++i) {
      const bool bad = refused && i + 1 == count;
      const auto reason = bad ? RefusedBecause::too_many_sessions : RefusedBecause::none;
      results.emplace_back(0, 0, byte_of(bad ? Outcome::refused : Outcome::ok),
                           static_cast<std::uint8_t>(reason), 0, 0, 1, i, first + i);
    }
    const std::vector<client::Done> done{
        client::Done(7, 1, 0, static_cast<std::uint32_t>(count), 0, byte_of(Outcome::ok), 0, 0, 0)};
    const auto done_at = builder_.CreateVectorOfStructs(done);
    const auto results_at = builder_.CreateVectorOfStructs(results);
    builder_.Finish(client::CreateReply(builder_, done_at, results_at));
  }

  [[nodiscard]] std::string give(NodeSessions& sessions) const {
    const auto& reply = *flatbuffers::GetRoot<client::Reply>(builder_.GetBufferPointer());
    return sessions.take(*reply.done()->Get(0), reply);
  }

 private:
  flatbuffers::FlatBufferBuilder builder_;
};

std::vector<std::uint32_t> ids_from(std::uint32_t first, std::size_t count) {
  std::vector<std::uint32_t> ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

TEST(NodeSessions, AreOpenedAnewOnceTheNodeHasForgottenOne) {
  NodeSessions sessions({11, 12, 13});
  EXPECT_TRUE(sessions.complete());
  EXPECT_TRUE(sessions.next_request(1).empty());
  EXPECT_TRUE(sessions.forgotten(1, 12));
  EXPECT_FALSE(sessions.complete());
  for (std::uint32_t client = 0; client < 3; ++client) EXPECT_EQ(sessions.of(client), 0u);
  EXPECT_EQ(sessions.next_request(1).size(), 3 * kCommandBytes);
  EXPECT_EQ(Opened(21, 3).give(sessions), "");
  EXPECT_TRUE(sessions.complete());
  for (std::uint32_t client = 0; client < 3; ++client) EXPECT_EQ(sessions.of(client), 21 + client);
  EXPECT_TRUE(sessions.next_request(2).empty());
}

TEST(NodeSessions, ALateRefusalOfAnEarlierSessionForgetsNothing) {
  NodeSessions sessions({11, 12});
  EXPECT_TRUE(sessions.forgotten(0, 11));
  EXPECT_FALSE(sessions.forgotten(1, 12));
  const std::vector<std::byte> asked = sessions.next_request(1);
  EXPECT_FALSE(asked.empty());
  EXPECT_EQ(Opened(21, 2).give(sessions), "");
  EXPECT_FALSE(sessions.forgotten(1, 12));
  EXPECT_TRUE(sessions.complete());
  EXPECT_TRUE(sessions.forgotten(1, 22));
  EXPECT_NE(sessions.next_request(1), asked) << "the nonces of another opening";
}

TEST(NodeSessions, OneRequestIsUnderWayAndRepeatedWhenNoAnswerComes) {
  NodeSessions sessions({11, 12});
  sessions.forgotten(0, 11);
  const std::vector<std::byte> asked = sessions.next_request(kSecond);
  const std::uint32_t first = sessions.request();
  EXPECT_TRUE(sessions.next_request(2 * kSecond - 1).empty());
  EXPECT_EQ(sessions.next_request(2 * kSecond), asked);
  EXPECT_NE(sessions.request(), first);
  sessions.lost_connection();
  EXPECT_EQ(sessions.next_request(2 * kSecond + 1), asked);
}

TEST(NodeSessions, ManyAreOpenedInParts) {
  const std::size_t many = NodeSessions::kPerMessage + 5;
  NodeSessions sessions(ids_from(1, many));
  sessions.forgotten(0, 1);
  EXPECT_EQ(sessions.next_request(1).size(), NodeSessions::kPerMessage * kCommandBytes);
  EXPECT_EQ(Opened(5000, NodeSessions::kPerMessage).give(sessions), "");
  EXPECT_FALSE(sessions.complete());
  EXPECT_EQ(sessions.of(0), 5000u);
  EXPECT_EQ(sessions.of(NodeSessions::kPerMessage), 0u);
  EXPECT_EQ(sessions.next_request(2).size(), 5 * kCommandBytes);
  EXPECT_EQ(Opened(9000, 5).give(sessions), "");
  EXPECT_TRUE(sessions.complete());
  EXPECT_EQ(sessions.of(NodeSessions::kPerMessage + 4), 9004u);
}

TEST(NodeSessions, WhatIsRefusedIsToldAndTriedAgainLater) {
  NodeSessions sessions({11, 12});
  sessions.forgotten(0, 11);
  const std::vector<std::byte> asked = sessions.next_request(kSecond);
  EXPECT_EQ(Opened(21, 2, true).give(sessions), "too_many_sessions");
  EXPECT_EQ(sessions.of(0), 0u);
  EXPECT_TRUE(sessions.next_request(kSecond + 1).empty());
  EXPECT_EQ(sessions.next_request(2 * kSecond), asked);
  EXPECT_EQ(Opened(21, 1).give(sessions), "not as many as were asked for");
  EXPECT_FALSE(sessions.complete());
}

TEST(NodeSessions, NoncesDiffer) {
  const std::vector<std::uint64_t> nonces = random_nonces(1000);
  EXPECT_EQ(std::set(nonces.begin(), nonces.end()).size(), 1000u);
}

}  // namespace
}  // namespace parley::load
