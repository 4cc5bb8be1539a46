#include "harness/load/node_sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/contract/command.h"
#include "algorithms/contract/node_port.h"
#include "harness/load/fake_node.h"

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

// --- what becomes of them under load ---

using std::chrono::milliseconds;
using Answer = FakeNode::Answer;
using Reaction = FakeNode::Reaction;
using Seen = FakeNode::Seen;

// 1,000 operations a second by 16 clients, for half a second.
LoadSpec load_on(std::initializer_list<const FakeNode*> nodes) {
  LoadSpec spec;
  for (const FakeNode* node : nodes) spec.targets.push_back(node->target());
  spec.clients = 16;
  spec.warmup = Duration{};
  spec.duration = milliseconds(500);
  spec.operation_timeout = spec.attempt_timeout = std::chrono::seconds(20);
  spec.sessions_of_nodes = true;
  return spec;
}

std::uint64_t error_of(const LoadResult& result, const std::string& name) {
  const auto found = result.errors.find(name);
  return found == result.errors.end() ? 0 : found->second;
}

// A node that forgets the first 16 sessions, one for each client, when the load has run for a
// while.
class Forgetful {
 public:
  explicit Forgetful(NodeId id)
      : node_(id, [this](const Seen& seen) {
          const bool forgotten = forgot_.load() && seen.session <= 16;
          return forgotten ? Reaction{Answer::refuse, RefusedBecause::no_session} : Reaction{};
        }) {}

  FakeNode& node() { return node_; }
  LoadEvents events() {
    LoadEvents events;
    events.timed.push_back({milliseconds(150), [this] { forgot_.store(true); }});
    return events;
  }

 private:
  std::atomic<bool> forgot_{false};
  FakeNode node_;
};

TEST(Sessions, OfANodeThatForgotThemAreOpenedAnew) {
  Forgetful forgetful({1});
  FakeNode other({2}, [](const Seen&) { return Reaction{}; });
  LoadSpec spec = load_on({&forgetful.node(), &other});
  const LoadResult result = run_load(spec, forgetful.events());
  EXPECT_EQ(result.completed, result.offered);
  EXPECT_GT(error_of(result, "retried_no_session"), 0u);
  std::set<std::uint32_t> anew;
  for (const Seen& seen : forgetful.node().seen()) {
    if (seen.session > 16) anew.insert(seen.session);
  }
  EXPECT_EQ(anew.size(), 8u) << "the clients whose node this is, each under a session of its own";
}

TEST(Sessions, WithoutAnotherNodeClientsWaitForThem) {
  Forgetful forgetful({1});
  LoadSpec spec = load_on({&forgetful.node()});
  const LoadResult result = run_load(spec, forgetful.events());
  EXPECT_EQ(result.completed, result.offered);
  EXPECT_GT(error_of(result, "retried_no_session"), 0u);
  EXPECT_LE(error_of(result, "retried_no_session"), 100u) << "opened once, not asked for again";
}

TEST(Sessions, OfTheWholeClusterAreNotOpenedAnew) {
  Forgetful forgetful({1});
  LoadSpec spec = load_on({&forgetful.node()});
  spec.sessions_of_nodes = false;
  const LoadResult result = run_load(spec, forgetful.events());
  EXPECT_GT(error_of(result, "refused_no_session"), 0u);
  for (const Seen& seen : forgetful.node().seen()) EXPECT_LE(seen.session, 16u);
}

TEST(Sessions, WhatMayHaveBeenDoneUnderAForgottenOneIsUnknown) {
  // The sessions of client c are c + 1 and then c + 17.
  std::set<std::pair<std::uint32_t, std::uint32_t>> perhaps_done;
  std::atomic<bool> forgot{false};
  FakeNode node({1}, [&](const Seen& seen) {
    if (!forgot.load()) {
      perhaps_done.insert({seen.session, seen.sequence});
      return Reaction{Answer::silence};
    }
    if (seen.session <= 16) return Reaction{Answer::refuse, RefusedBecause::no_session};
    return Reaction{};
  });
  LoadSpec spec = load_on({&node});
  spec.attempt_timeout = milliseconds(100);
  LoadEvents events;
  events.timed.push_back({milliseconds(50), [&forgot] { forgot.store(true); }});
  const LoadResult result = run_load(spec, events);
  EXPECT_GT(error_of(result, "unknown_no_session"), 0u);
  EXPECT_GT(result.completed, 0u);
  EXPECT_EQ(result.refused, 0u);
  node.die();
  EXPECT_FALSE(perhaps_done.empty());
  for (const Seen& seen : node.seen()) {
    if (seen.session <= 16) continue;
    EXPECT_FALSE(perhaps_done.contains({seen.session - 16, seen.sequence})) << seen.sequence;
  }
}

}  // namespace
}  // namespace parley::load
