#include "harness/load/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "harness/load/fake_node.h"
#include "harness/load/recovery.h"

namespace parley::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using Answer = FakeNode::Answer;
using Reaction = FakeNode::Reaction;
using Seen = FakeNode::Seen;

const FakeNode::Script kOk = [](const Seen&) { return Reaction{}; };

LoadSpec spec_for(std::initializer_list<const FakeNode*> nodes) {
  LoadSpec spec;
  for (const FakeNode* node : nodes) spec.targets.push_back(node->target());
  spec.rate = 1000;
  spec.clients = 16;
  spec.warmup = Duration{};
  spec.duration = milliseconds(500);
  spec.operation_timeout = seconds(20);
  spec.attempt_timeout = seconds(20);
  return spec;
}

// Stalls the node for at least so long, whenever this is called.
void stall_for(FakeNode& node, milliseconds length) {
  node.stall(true);
  std::this_thread::sleep_for(length);
  node.stall(false);
}

void expect_sums_to_agree(const LoadResult& result) {
  TimelineRow sum;
  std::uint32_t t_ms = 0;
  for (const TimelineRow& row : result.timeline) {
    EXPECT_EQ(row.t_ms, t_ms);
    t_ms += 100;
    sum.completed += row.completed;
    sum.refused += row.refused;
    sum.unknown += row.unknown;
    sum.unsent += row.unsent;
  }
  // What was sent in a warm-up and is answered in the window is in its rows, too.
  EXPECT_GE(sum.completed, result.completed);
  if (result.warmup.took_s == 0) EXPECT_EQ(sum.completed, result.completed);
  EXPECT_EQ(sum.refused, result.refused);
  EXPECT_EQ(sum.unknown, result.unknown);
  EXPECT_EQ(sum.unsent, result.unsent);
  EXPECT_EQ(result.offered, result.completed + sum.refused + sum.unknown + sum.unsent);
  EXPECT_EQ(result.latency.count(), result.completed + result.unknown + result.unsent);
  EXPECT_EQ(result.latency.endless(), result.unknown + result.unsent);
  EXPECT_EQ(result.service.count(), result.completed + result.unknown);
  EXPECT_GE(result.timeline.size(), static_cast<std::size_t>(result.measured_s * 10));
}

std::uint64_t error_of(const LoadResult& result, const std::string& name) {
  const auto found = result.errors.find(name);
  return found == result.errors.end() ? 0 : found->second;
}

TEST(OpenLoop, SendsEveryOperationOnceAndCountsIt) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.arrivals = Arrivals::constant;
  const LoadResult result = run_load(spec);
  EXPECT_EQ(result.completed, 499u);  // one a millisecond, the first after the first millisecond
  EXPECT_EQ(result.offered, 499u);
  expect_sums_to_agree(result);
  EXPECT_DOUBLE_EQ(result.measured_s, 0.5);
  std::map<std::uint32_t, std::vector<std::uint32_t>> sequences;
  for (const Seen& seen : node.seen()) sequences[seen.session].push_back(seen.sequence);
  EXPECT_EQ(sequences.size(), 16u);
  for (const auto& [session, numbers] : sequences) {
    std::vector<std::uint32_t> expected(numbers.size());
    std::iota(expected.begin(), expected.end(), 1u);
    EXPECT_EQ(numbers, expected) << "session " << session;
  }
}

// The test for coordinated omission: the target stops for a while, and every operation that was due
// meanwhile has to show it, not only the one that met the stop.
TEST(OpenLoop, AStallShowsInAllOperationsThatItDelayed) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.arrivals = Arrivals::constant;
  spec.duration = milliseconds(1000);
  spec.silence_limit = seconds(60);
  LoadEvents events;
  events.timed.push_back({milliseconds(300), [&node] { stall_for(node, milliseconds(400)); }});
  const LoadResult result = run_load(spec, events);
  // However slow the machine is: the schedule is kept, and nothing is left out.
  EXPECT_EQ(result.completed, 999u);
  expect_sums_to_agree(result);
  // 400 operations were due in the stall of 400 ms, and waited 200 ms in the mean: 30 % of all
  // waited for at least 100 ms. Measured from a delayed send, hardly any would have.
  EXPECT_GE(result.latency.percentile(0.75, 0).us, 100'000);
  EXPECT_GE(result.latency.percentile(1, 0).us, 380'000);
}

TEST(OpenLoop, ArrivalsBeyondTheBoundAreUnsentAndNeverDelayed) {
  FakeNode node({1}, [](const Seen&) { return Reaction{Answer::silence}; });
  LoadSpec spec = spec_for({&node});
  spec.arrivals = Arrivals::constant;
  spec.max_in_flight = 100;
  spec.duration = milliseconds(200);
  spec.operation_timeout = milliseconds(1500);  // much longer than the load
  const LoadResult result = run_load(spec);
  EXPECT_EQ(result.unknown, 100u);
  EXPECT_EQ(result.unsent, 99u);
  EXPECT_EQ(result.completed, 0u);
  EXPECT_EQ(node.seen().size(), 100u);
  EXPECT_EQ(result.latency.percentile(0.01, result.operation_timeout_us),
            (Percentile{1'500'000, true}));
  EXPECT_EQ(error_of(result, "unknown_no_answer"), 100u);
  expect_sums_to_agree(result);
}

// More than any machine's generator can take up in time: what is left over at the end is offered,
// too.
TEST(OpenLoop, WhatIsDueAtTheEndOfAnOverloadedWindowIsUnsent) {
  FakeNode node({1}, [](const Seen&) { return Reaction{Answer::silence}; });
  LoadSpec spec = spec_for({&node});
  spec.arrivals = Arrivals::constant;
  spec.rate = 50'000'000;
  spec.duration = milliseconds(60);
  spec.operation_timeout = milliseconds(500);
  const LoadResult result = run_load(spec);
  EXPECT_EQ(result.offered, 2'999'999U);
  EXPECT_GT(result.unsent, 2'900'000U);
  expect_sums_to_agree(result);
}

TEST(OpenLoop, ASessionHasAtMost64OperationsInFlight) {
  FakeNode node({1}, [](const Seen&) { return Reaction{Answer::silence}; });
  LoadSpec spec = spec_for({&node});
  spec.arrivals = Arrivals::constant;
  spec.clients = 2;
  spec.duration = milliseconds(200);
  spec.operation_timeout = milliseconds(1500);
  const LoadResult result = run_load(spec);
  EXPECT_EQ(result.unknown, 128u);
  EXPECT_EQ(result.unsent, 71u);
  for (const Seen& seen : node.seen()) EXPECT_LE(seen.sequence, 64u);
}

TEST(OpenLoop, WarmUpIsNotCounted) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.arrivals = Arrivals::constant;
  spec.warmup = milliseconds(300);
  const LoadResult result = run_load(spec);
  EXPECT_NEAR(static_cast<double>(result.completed), 500, 1);
  EXPECT_NEAR(static_cast<double>(node.seen().size()), 799, 1);
  expect_sums_to_agree(result);
}

TEST(OpenLoop, TimeoutsAreUnknownAndLateRepliesAreNoMoreThanCounted) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.arrivals = Arrivals::constant;
  spec.rate = 200;
  spec.duration = milliseconds(600);
  spec.operation_timeout = milliseconds(100);
  spec.silence_limit = seconds(60);
  LoadEvents events;
  events.timed.push_back({milliseconds(5), [&node] { stall_for(node, milliseconds(400)); }});
  const LoadResult result = run_load(spec, events);
  // The first half of what was due in the stall had timed out long before its end.
  EXPECT_GE(result.unknown, 20u);
  EXPECT_EQ(result.unknown + result.completed + result.refused, 119u);
  EXPECT_GE(result.late_replies, 20u);
  expect_sums_to_agree(result);
}

TEST(OpenLoop, BatchesCountEachOperation) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.arrivals = Arrivals::constant;
  spec.rate = 6400;
  spec.batch = 64;
  const LoadResult result = run_load(spec);
  // On a machine that is held up some find all sessions busy; none is forgotten.
  EXPECT_GT(result.completed, 0u);
  EXPECT_EQ(result.completed + result.unsent, 49u * 64);
  EXPECT_EQ(node.commands(), result.completed);
  for (const Seen& seen : node.seen()) {
    EXPECT_EQ(seen.count, 64u);
    EXPECT_EQ(seen.sequence % 64, 1u);
  }
  expect_sums_to_agree(result);
}

TEST(ClosedLoop, KeepsItsWindowFull) {
  FakeNode node({1}, [](const Seen&) { return Reaction{Answer::silence}; });
  LoadSpec spec = spec_for({&node});
  spec.loop = Loop::closed;
  spec.window = 100;
  spec.duration = milliseconds(200);
  spec.operation_timeout = milliseconds(1500);
  const LoadResult result = run_load(spec);
  EXPECT_EQ(node.seen().size(), 100u);
  EXPECT_EQ(result.unknown, 100u);
  EXPECT_EQ(result.unsent, 0u);
  expect_sums_to_agree(result);
}

TEST(ClosedLoop, SpreadsOverAllClients) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.loop = Loop::closed;
  spec.window = 4;
  const LoadResult result = run_load(spec);
  EXPECT_GT(result.completed, 100u);
  EXPECT_GT(result.achieved_ops_per_s, 0);
  std::set<std::uint32_t> sessions;
  for (const Seen& seen : node.seen()) sessions.insert(seen.session);
  EXPECT_EQ(sessions.size(), 16u);
  expect_sums_to_agree(result);
}

TEST(Reads, HaveTheirShareAndTheirOutcome) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.read_share = 0.5;
  spec.batch = 3;
  const LoadResult result = run_load(spec);
  const auto seen = node.seen();
  const auto reads =
      std::count_if(seen.begin(), seen.end(), [](const Seen& s) { return s.is_query; });
  EXPECT_NEAR(static_cast<double>(reads) / static_cast<double>(seen.size()), 0.5, 0.15);
  EXPECT_EQ(result.completed, seen.size() * 3);
  expect_sums_to_agree(result);
}

TEST(Reads, AreRefusedWhenEveryAttemptIs) {
  FakeNode node({1}, [](const Seen&) { return Reaction{Answer::refuse}; });
  LoadSpec spec = spec_for({&node});
  spec.read_share = 1;
  spec.retry = false;
  const LoadResult result = run_load(spec);
  EXPECT_GT(result.refused, 0u);
  EXPECT_EQ(result.refused, result.offered);
  EXPECT_EQ(error_of(result, "refused_no_leader"), result.refused);
}

TEST(Retries, KeepTheSequenceNumberAndGoToTheNextNode) {
  FakeNode refusing({1}, [](const Seen&) {
    return Reaction{Answer::refuse, RefusedBecause::no_leader};
  });
  FakeNode accepting({2}, kOk);
  const LoadResult result = run_load(spec_for({&refusing, &accepting}));
  EXPECT_EQ(result.completed, result.offered);
  EXPECT_GT(error_of(result, "retried_no_leader"), 0u);
  ASSERT_FALSE(result.refusals.empty());
  EXPECT_EQ(result.refusals.front().node, NodeId{1});
  std::map<std::pair<std::uint32_t, std::uint32_t>, int> done;
  for (const Seen& seen : accepting.seen()) ++done[{seen.session, seen.sequence}];
  EXPECT_EQ(done.size(), accepting.seen().size());
  EXPECT_GE(done.size(), result.completed);
  for (const Seen& seen : refusing.seen()) {
    EXPECT_TRUE(done.contains({seen.session, seen.sequence}));
  }
  expect_sums_to_agree(result);
}

TEST(Retries, AreOffWhenTheSpecSaysSo) {
  FakeNode refusing({1}, [](const Seen&) {
    return Reaction{Answer::refuse, RefusedBecause::no_leader};
  });
  FakeNode accepting({2}, kOk);
  LoadSpec spec = spec_for({&refusing, &accepting});
  spec.retry = false;
  const LoadResult result = run_load(spec);
  EXPECT_GT(result.refused, 0u);
  EXPECT_GT(result.completed, 0u);
  EXPECT_EQ(result.retries, 0u);
  EXPECT_EQ(error_of(result, "refused_no_leader"), result.refused);
}

TEST(Retries, AFullSystemIsNotAskedAgain) {
  FakeNode node({1}, [](const Seen&) {
    return Reaction{Answer::refuse, RefusedBecause::overloaded};
  });
  const LoadResult result = run_load(spec_for({&node}));
  EXPECT_EQ(result.refused, result.offered);
  EXPECT_EQ(result.retries, 0u);
  EXPECT_EQ(error_of(result, "refused_overloaded"), result.refused);
}

TEST(Retries, OperationsAreRefusedWhenTheirTimeIsUpAndEveryAttemptWasRefused) {
  FakeNode node({1}, [](const Seen&) {
    return Reaction{Answer::refuse, RefusedBecause::no_leader};
  });
  LoadSpec spec = spec_for({&node});
  spec.operation_timeout = milliseconds(100);
  const LoadResult result = run_load(spec);
  EXPECT_GT(result.refused, 0u);
  // An attempt that is still out when the time is up may have been carried out.
  EXPECT_EQ(result.refused + result.unknown, result.offered);
  EXPECT_EQ(error_of(result, "unknown_no_answer"), result.unknown);
  EXPECT_GT(result.retries, 0u);
}

TEST(Retries, ARefusalAfterAnAttemptWithoutAnswerIsUnknown) {
  FakeNode silent({1}, [](const Seen&) { return Reaction{Answer::silence}; });
  FakeNode refusing({2}, [](const Seen&) {
    return Reaction{Answer::refuse, RefusedBecause::overloaded};
  });
  LoadSpec spec = spec_for({&silent, &refusing});
  // Long enough for the node that does answer, on any machine.
  spec.attempt_timeout = seconds(2);
  const LoadResult result = run_load(spec);
  // Clients of the silent node: tried there, then refused at the other one. It may have been done.
  EXPECT_GT(result.unknown, 0u);
  EXPECT_GT(result.refused, 0u);  // those of the other node
  EXPECT_EQ(error_of(result, "refused_overloaded"), result.refused);
  EXPECT_EQ(error_of(result, "unknown_no_answer"), result.unknown);
  expect_sums_to_agree(result);
}

TEST(Retries, AnsweredByAnEarlierAttempt) {
  // The first attempt is only answered after the second was sent to the other node, which is
  // silent.
  FakeNode slow({1}, kOk);
  FakeNode silent({2}, [](const Seen&) { return Reaction{Answer::silence}; });
  LoadSpec spec = spec_for({&slow, &silent});
  spec.clients = 1;  // its node is the first
  spec.rate = 50;
  spec.duration = milliseconds(300);
  spec.attempt_timeout = milliseconds(30);
  spec.silence_limit = seconds(60);
  LoadEvents events;
  events.timed.push_back({milliseconds(1), [&slow] { stall_for(slow, milliseconds(250)); }});
  const LoadResult result = run_load(spec, events);
  EXPECT_EQ(result.completed, result.offered);
  EXPECT_GT(silent.seen().size(), 0u);
}

TEST(Retries, AnUnknownOutcomeIsAskedForAgain) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> asked;
  FakeNode node({1}, [&asked](const Seen& seen) {
    const bool first = asked.insert({seen.session, seen.sequence}).second;
    return first ? Reaction{Answer::unknown, RefusedBecause::timed_out} : Reaction{};
  });
  const LoadResult result = run_load(spec_for({&node}));
  EXPECT_EQ(result.completed, result.offered);
  EXPECT_EQ(error_of(result, "retried_timed_out"), result.completed);
}

TEST(Retries, ANumberTooOldIsUnknownAtOnce) {
  FakeNode node({1}, [](const Seen&) {
    return Reaction{Answer::unknown, RefusedBecause::too_old};
  });
  const LoadResult result = run_load(spec_for({&node}));
  EXPECT_EQ(result.unknown, result.offered);
  EXPECT_EQ(error_of(result, "unknown_too_old"), result.unknown);
  EXPECT_EQ(result.retries, 0u);
}

TEST(Routing, ClientsOfADeadNodeGoToTheOthers) {
  FakeNode dying({1}, kOk);
  FakeNode other({2}, kOk);
  LoadSpec spec = spec_for({&dying, &other});
  spec.duration = milliseconds(800);
  LoadEvents events;
  events.timed.push_back({milliseconds(300), [&dying] { dying.die(); }});
  const LoadResult result = run_load(spec, events);
  // The connection breaks, so what was under way is tried elsewhere at once.
  EXPECT_EQ(result.completed, result.offered);
  EXPECT_GT(dying.seen().size(), 0u);
  EXPECT_GT(other.seen().size(), dying.seen().size());
  ASSERT_EQ(result.notes.size(), 1u);
  EXPECT_THAT(result.notes[0], HasSubstr("the connection to node 1 was lost"));
  expect_sums_to_agree(result);
}

TEST(Routing, OperationsThatNobodyTookAreRefused) {
  FakeNode dying({1}, kOk);
  LoadSpec spec = spec_for({&dying});
  spec.duration = milliseconds(800);
  spec.operation_timeout = milliseconds(100);
  LoadEvents events;
  events.timed.push_back({milliseconds(300), [&dying] { dying.die(); }});
  const LoadResult result = run_load(spec, events);
  EXPECT_GT(result.completed, 0u);
  EXPECT_GT(error_of(result, "refused_unreachable"), 0u);
  expect_sums_to_agree(result);
}

TEST(Routing, ToTheLeaderAndToTheNextOne) {
  FakeNode one({1}, kOk);
  FakeNode two({2}, kOk);
  one.set_leader({1});
  two.set_leader({1});
  LoadSpec spec = spec_for({&one, &two});
  spec.routing = Routing::leader;
  spec.duration = milliseconds(1000);
  LoadEvents events;
  events.timed.push_back({milliseconds(400), [&] {
                            one.set_leader({2});
                            two.set_leader({2});
                          }});
  const LoadResult result = run_load(spec, events);
  EXPECT_EQ(result.completed, result.offered);
  const auto first = one.seen();
  const auto second = two.seen();
  EXPECT_GT(first.size(), 0u);
  EXPECT_GT(second.size(), 0u);
  const auto noticed = noticed_ms(result.leaders, milliseconds(390));
  ASSERT_TRUE(noticed.has_value());
  EXPECT_GE(*noticed, 9.0);
  EXPECT_EQ(result.timeline.front().leader, NodeId{1});
  EXPECT_EQ(result.timeline.back().leader, NodeId{2});
}

TEST(Recovery, OfARunWithADeadNode) {
  FakeNode dying({1}, kOk);
  FakeNode other({2}, kOk);
  LoadSpec spec = spec_for({&dying, &other});
  spec.duration = milliseconds(2000);
  LoadEvents events;
  events.timed.push_back({milliseconds(1000), [&dying] { dying.die(); }});
  const LoadResult result = run_load(spec, events);
  const auto first = first_success_ms(result.successes, milliseconds(1000));
  ASSERT_TRUE(first.has_value());
  EXPECT_GT(*first, 0);
  for (std::size_t i = 1; i < result.successes.size(); ++i) {
    EXPECT_LT(result.successes[i - 1].sent, result.successes[i].sent);
  }
  for (const SuccessSeen& seen : result.successes) EXPECT_GE(seen.answered, seen.sent);
}

class Recorded : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }

  std::vector<history::Operation> read_back() {
    std::vector<history::Operation> operations;
    const auto report =
        history::read_history(path_, [&](const history::Operation& operation, std::uint64_t) {
          operations.push_back(operation);
        });
    EXPECT_EQ(report.malformed, 0u);
    return operations;
  }

  std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("load_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(Recorded, HistoryHasEveryOperationOnceWithItsOutcome) {
  FakeNode node({4}, [](const Seen& seen) {
    if (seen.is_query || seen.sequence % 3 == 0) return Reaction{};
    if (seen.sequence % 3 == 1) return Reaction{Answer::silence};
    return Reaction{Answer::refuse, RefusedBecause::overloaded};
  });
  LoadSpec spec = spec_for({&node});
  spec.canvas_width = 10;
  spec.canvas_height = 4;
  spec.read_share = 0.3;
  spec.batch = 2;
  spec.operation_timeout = milliseconds(200);
  spec.retry = false;
  history::HistoryWriter writer(path_);
  spec.history = &writer;
  const LoadResult result = run_load(spec);
  writer.close();
  const auto operations = read_back();
  EXPECT_EQ(operations.size(), result.history_operations);
  EXPECT_EQ(operations.size(), result.completed + result.refused + result.unknown);
  std::map<history::Outcome, std::uint64_t> outcomes;
  std::set<std::pair<std::uint32_t, std::uint32_t>> names;
  std::set<std::uint32_t> cells;
  for (const history::Operation& operation : operations) {
    ++outcomes[operation.outcome];
    EXPECT_TRUE(names.insert({operation.client, operation.seq}).second);
    cells.insert(operation.x << 16 | operation.y);
    EXPECT_LT(operation.x, 10u);
    EXPECT_LT(operation.y, 4u);
    if (operation.outcome == history::Outcome::ok) {
      EXPECT_EQ(operation.node, 4u);
      EXPECT_LE(operation.invoke_ns, operation.return_ns);
      if (operation.kind == history::Kind::place) {
        EXPECT_NE(operation.version, Stamp{});
      }
    }
  }
  EXPECT_EQ(outcomes[history::Outcome::ok], result.completed);
  EXPECT_EQ(outcomes[history::Outcome::refused], result.refused);
  EXPECT_EQ(outcomes[history::Outcome::unknown], result.unknown);
  EXPECT_GT(result.completed, 0u);
  EXPECT_GT(result.refused, 0u);
  EXPECT_GT(result.unknown, 0u);
  EXPECT_EQ(cells,
            std::set<std::uint32_t>(result.touched_cells.begin(), result.touched_cells.end()));
}

TEST_F(Recorded, ReadsSayWhatTheySaw) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.canvas_width = 2;
  spec.canvas_height = 2;
  spec.read_share = 0.5;
  spec.read_mode = ReadMode::linearizable;
  history::HistoryWriter writer(path_);
  spec.history = &writer;
  run_load(spec);
  writer.close();
  std::map<Writer, history::Operation> places;
  int painted = 0;
  const auto operations = read_back();
  for (const auto& operation : operations) {
    if (operation.kind == history::Kind::place)
      places[{operation.client, operation.seq}] = operation;
  }
  for (const auto& operation : operations) {
    if (operation.kind != history::Kind::read || !operation.writer) continue;
    ++painted;
    EXPECT_EQ(operation.read_mode, history::ReadMode::linearizable);
    const auto place = places.find(*operation.writer);
    ASSERT_NE(place, places.end());
    EXPECT_EQ(place->second.color, operation.color);
    EXPECT_EQ(place->second.version, operation.version);
    EXPECT_EQ(place->second.x, operation.x);
  }
  EXPECT_GT(painted, 10);
}

TEST_F(Recorded, ASampleHoldsAllOperationsOfItsCells) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.canvas_width = 50;
  spec.canvas_height = 50;
  spec.rate = 4000;
  spec.recorded_share = 0.1;
  history::HistoryWriter writer(path_);
  spec.history = &writer;
  const LoadResult result = run_load(spec);
  writer.close();
  std::size_t expected = 0;
  for (const Seen& seen : node.seen()) {
    expected += recorded(seen.first.x(), seen.first.y(), 0.1) ? 1 : 0;
  }
  EXPECT_EQ(read_back().size(), expected);
  EXPECT_EQ(result.history_operations, expected);
  EXPECT_NEAR(static_cast<double>(expected) / static_cast<double>(result.completed), 0.1, 0.04);
}

TEST(Replayed, PlaysTheWholeFileAndEndsWithIt) {
  const auto path = std::filesystem::path(testing::TempDir()) / "generator_replay.csv";
  {
    std::ofstream file(path);
    file << "t_ms,user,x,y,color\n";
    for (int i = 0; i < 600; ++i) {
      file << i * 10 << ',' << i % 11 << ',' << i % 100 << ',' << i / 100 << ",#0000FF\n";
    }
    file << "broken\n";
  }
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.workload = "replay:" + path.string();
  spec.replay_speed = 20;  // 300 ms
  // No session has more placements than may be in flight: none is unsent, however slow the node.
  spec.clients = 1024;
  spec.warmup = seconds(60);
  spec.duration = seconds(60);
  const LoadResult result = run_load(spec);
  // On a machine that is held up some come too late to be sent; none is forgotten.
  EXPECT_GT(result.completed, 0u);
  EXPECT_EQ(result.completed + result.unsent, 600u);
  EXPECT_TRUE(result.replay.finished);
  EXPECT_EQ(result.replay.placements, 600u);
  EXPECT_EQ(result.replay.malformed, 1u);
  EXPECT_GE(result.measured_s, 0.2995);
  EXPECT_LT(result.measured_s, 30);
  // Each user's placements came in their order, on one session.
  std::map<std::uint32_t, std::uint32_t> session_of;
  std::map<std::uint32_t, std::uint32_t> last;
  for (const Seen& seen : node.seen()) {
    const std::uint32_t place = seen.first.y() * 100u + seen.first.x();
    EXPECT_EQ(session_of.emplace(seen.first.user(), seen.session).first->second, seen.session);
    if (last.contains(seen.first.user())) {
      EXPECT_GT(place, last[seen.first.user()]);
    }
    last[seen.first.user()] = place;
  }
  std::filesystem::remove(path);
}

TEST(Events, AreCalledAtTheirTimesApartFromTheLoad) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.arrivals = Arrivals::constant;
  std::vector<std::string> calls;
  LoadEvents events;
  std::chrono::steady_clock::time_point zero;
  events.measure_start = [&](std::chrono::steady_clock::time_point at) {
    calls.emplace_back("start");
    zero = at;
    EXPECT_GE(std::chrono::steady_clock::now(), at);
  };
  events.measure_end = [&] {
    calls.emplace_back("end");
    EXPECT_GE(std::chrono::steady_clock::now(), zero + milliseconds(500));
  };
  events.timed.push_back({milliseconds(200), [&] { calls.emplace_back("second"); }});
  events.timed.push_back({milliseconds(100), [&] {
                            calls.emplace_back("first");
                            EXPECT_GE(std::chrono::steady_clock::now(), zero + milliseconds(100));
                          }});
  events.timed.push_back({milliseconds(900), [&] { calls.emplace_back("never"); }});
  events.progress = [](double share, std::uint64_t) {
    EXPECT_GE(share, 0);
    EXPECT_LE(share, 1);
  };
  const LoadResult result = run_load(spec, events);
  EXPECT_THAT(calls, testing::ElementsAre("start", "first", "second", "end"));
  EXPECT_EQ(result.completed, 499u);
}

// A closed loop whose warm-up is looked at: 20 windows of 20 ms, if it takes as long as planned.
LoadSpec with_warmup(const FakeNode& node) {
  LoadSpec spec = spec_for({&node});
  spec.loop = Loop::closed;
  spec.window = 16;
  spec.warmup = milliseconds(400);
  spec.warmup_max = seconds(4);
  spec.silence_limit = seconds(60);
  return spec;
}

// The node stands still for 600 ms from the first operation on. However slow the machine is,
// nothing is done in the 400 ms that were planned, and so there is nothing to be told from them.
TEST(Warmup, LastsLongerWhereNothingIsSteadyAndTheWindowKeepsItsLength) {
  FakeNode node({1}, [first = true](const Seen&) mutable {
    if (std::exchange(first, false)) std::this_thread::sleep_for(milliseconds(600));
    return Reaction{};
  });
  LoadSpec spec = with_warmup(node);
  spec.loop = Loop::open;
  std::optional<std::chrono::steady_clock::time_point> zero;
  LoadEvents events;
  events.measure_start = [&zero](auto moment) { zero = moment; };
  const auto before = std::chrono::steady_clock::now();
  const LoadResult result = run_load(spec, events);
  EXPECT_GT(result.warmup.took_s, 0.4);
  EXPECT_LE(result.warmup.took_s, 4);
  EXPECT_DOUBLE_EQ(result.warmup.asked_s, 0.4);
  ASSERT_TRUE(result.warmup.ended.has_value());
  // A machine that is held up may never get steady; else that is what ends it.
  if (result.warmup.took_s < 4) EXPECT_EQ(result.warmup.ended, Steadiness::steady);
  EXPECT_DOUBLE_EQ(result.measured_s, 0.5);
  ASSERT_TRUE(zero.has_value());
  EXPECT_GE(*zero - before, std::chrono::duration<double>(result.warmup.took_s));
  EXPECT_GE(result.timeline.size(), 5U);
  expect_sums_to_agree(result);
}

TEST(Warmup, OfADeadNodeLastsAsLongAsItMayAndIsToldOf) {
  FakeNode node({1}, [](const Seen&) { return Reaction{Answer::silence}; });
  LoadSpec spec = with_warmup(node);
  spec.warmup_max = milliseconds(700);
  spec.operation_timeout = milliseconds(1500);
  const LoadResult result = run_load(spec);
  EXPECT_DOUBLE_EQ(result.warmup.took_s, 0.7);
  EXPECT_EQ(result.warmup.ended, Steadiness::nothing_done);
  EXPECT_THAT(result.notes, testing::Contains("the warm-up did not end steady after 0.7 s: nothing "
                                              "was completed"));
}

TEST(Warmup, IsNotLookedAtUnasked) {
  FakeNode node({1}, [](const Seen&) { return Reaction{Answer::silence}; });
  LoadSpec spec = with_warmup(node);
  spec.warmup_max = Duration{};
  spec.operation_timeout = milliseconds(800);
  const LoadResult result = run_load(spec);
  EXPECT_DOUBLE_EQ(result.warmup.took_s, 0.4);
  EXPECT_EQ(result.warmup.ended, std::nullopt);
}

TEST(Events, WhatACallbackThrowsEndsTheRun) {
  FakeNode node({1}, kOk);
  LoadEvents events;
  events.measure_end = [] { throw std::runtime_error("no report"); };
  EXPECT_THROW(run_load(spec_for({&node}), events), std::runtime_error);
}

TEST(Stop, EndsTheRunEarly) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.duration = seconds(600);
  std::atomic<bool> stop{false};
  spec.stop = &stop;
  LoadEvents events;
  events.timed.push_back({milliseconds(200), [&stop] { stop.store(true); }});
  const LoadResult result = run_load(spec, events);
  EXPECT_TRUE(result.stopped);
  EXPECT_GT(result.completed, 0u);
  EXPECT_LT(result.measured_s, 300);
  expect_sums_to_agree(result);
}

TEST(Replies, ThatAreNoneAreCounted) {
  FakeNode node({1}, kOk);
  LoadSpec spec = spec_for({&node});
  spec.operation_timeout = milliseconds(100);
  LoadEvents events;
  events.timed.push_back({milliseconds(100), [&node] { node.answer_garbage(true); }});
  const LoadResult result = run_load(spec, events);
  EXPECT_GT(result.bad_replies, 0u);
  EXPECT_GT(result.unknown, 0u);
  expect_sums_to_agree(result);
}

TEST(Setup, FailsWhenNobodyAnswers) {
  LoadSpec spec;
  spec.targets = {{{1}, "ipc://" + testing::TempDir() + "nobody.sock"}};
  spec.setup_timeout = milliseconds(200);
  EXPECT_THROW(run_load(spec), LoadError);
  spec.targets = {{{1}, "nonsense"}};
  EXPECT_THROW(run_load(spec), LoadError);
}

std::string problem_of(const LoadSpec& spec) {
  try {
    check_spec(spec);
  } catch (const LoadError& error) {
    return error.what();
  }
  return {};
}

TEST(Spec, ImpossibleFieldsAreNamed) {
  LoadSpec good;
  good.targets = {{{1}, "tcp://127.0.0.1:1"}, {{2}, "tcp://127.0.0.1:2"}};
  EXPECT_EQ(problem_of(good), "");
  const auto with = [&good](auto change) {
    LoadSpec spec = good;
    change(spec);
    return problem_of(spec);
  };
  EXPECT_THAT(with([](LoadSpec& s) { s.targets.clear(); }), HasSubstr("targets: must be 1 to 64"));
  EXPECT_THAT(with([](LoadSpec& s) { s.targets[1].node = {1}; }), HasSubstr("different ids"));
  EXPECT_THAT(with([](LoadSpec& s) { s.batch = 65; }), HasSubstr("batch: must be from 1 to 64"));
  EXPECT_THAT(with([](LoadSpec& s) { s.rate = 0; }), HasSubstr("rate: must be above 0"));
  EXPECT_THAT(with([](LoadSpec& s) { s.clients = 0; }), HasSubstr("clients: must be from 1"));
  EXPECT_THAT(with([](LoadSpec& s) { s.read_share = 1.5; }), HasSubstr("read_share: must be"));
  EXPECT_THAT(with([](LoadSpec& s) { s.duration = Duration{}; }), HasSubstr("duration: must be"));
  EXPECT_THAT(with([](LoadSpec& s) { s.warmup_max = seconds(1); }),
              HasSubstr("warmup_max: must be 0 s, or from warmup"));
  EXPECT_THAT(with([](LoadSpec& s) { s.canvas_width = 4097; }), HasSubstr("canvas_width: must be"));
  EXPECT_THAT(with([](LoadSpec& s) { s.workload = "gauss"; }), HasSubstr("workload: "));
  EXPECT_THAT(with([](LoadSpec& s) {
                s.loop = Loop::closed;
                s.clients = 10;
                s.batch = 40;
                s.window = 1000;
              }),
              HasSubstr("window: must be at most 400 with 10 clients and batch 40"));
  EXPECT_THAT(with([](LoadSpec& s) {
                s.workload = "replay:x";
                s.batch = 2;
              }),
              HasSubstr("batch: must be 1 for a replay"));
}

}  // namespace
}  // namespace parley::load
