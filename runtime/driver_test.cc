#include "runtime/driver.h"

#include <gtest/gtest.h>

#include "algorithms/unreplicated/replica.h"
#include "runtime/test_application.h"

namespace parley {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ReplicaConfig config() {
  ReplicaConfig config;
  config.self = NodeId{1};
  config.incarnation = Incarnation{3};
  config.members = {NodeId{1}};
  return config;
}

DriverLimits small_limits() {
  DriverLimits limits;
  limits.max_run_bytes = 100;
  limits.max_waiting_bytes = 400;
  limits.max_pending_runs = 8;
  limits.max_pending_reads = 4;
  limits.session_idle = {};
  return limits;
}

// A strategy that merges: it takes each run at once with stamps from a counter.
class InstantMerge final : public Replica {
 public:
  void step(const Turn& turn, const Store&, Effects& effects) noexcept override {
    for (const CommandRun& run : turn.commands) {
      effects.replies.push_back({run.id, {stamp_ + 1, 5}});
      for (std::uint32_t i = 0; i < run.count; ++i) {
        CellWrite write;
        std::memcpy(&write, run.body.data() + i * sizeof(write), sizeof(write));
        effects.merge.push_back({write.key, write.value, {++stamp_, 5}, write.writer});
      }
    }
  }
  [[nodiscard]] Instant deadline() const noexcept override { return kNever; }
  [[nodiscard]] Status status() const noexcept override { return {}; }

 private:
  std::uint64_t stamp_ = 0;
};

const Algorithm kInstantMerge{
    .name = "instant_merge",
    .summary = "for tests",
    .guarantee = {.ordered = false},
    .options = {},
    .verify = [](const Block&, const Block&) { return false; },
    .make = [](const ReplicaConfig&, const Recovered&) -> std::unique_ptr<Replica> {
      return std::make_unique<InstantMerge>();
    }};

// One that takes its time, and says what the test wants.
class HeldMerge final : public Replica {
 public:
  enum class Says : std::uint8_t { nothing, done, refused };
  static inline Says says = Says::nothing;

  void step(const Turn& turn, const Store&, Effects& effects) noexcept override {
    for (const CommandRun& run : turn.commands) held_.push_back(run.id);
    if (says == Says::nothing) return;
    for (const RunId run : held_) {
      if (says == Says::done) effects.replies.push_back({run, {++stamp_, 5}});
      if (says == Says::refused)
        effects.refused.push_back({Refusal::Kind::run, Refusal::Reason::clock, run.number});
    }
    held_.clear();
  }
  [[nodiscard]] Instant deadline() const noexcept override { return kNever; }
  [[nodiscard]] Status status() const noexcept override { return {}; }

 private:
  std::vector<RunId> held_;
  std::uint64_t stamp_ = 0;
};

const Algorithm kHeldMerge{
    .name = "held_merge",
    .summary = "for tests",
    .guarantee = {.ordered = false},
    .options = {},
    .verify = [](const Block&, const Block&) { return false; },
    .make = [](const ReplicaConfig&, const Recovered&) -> std::unique_ptr<Replica> {
      HeldMerge::says = HeldMerge::Says::nothing;
      return std::make_unique<HeldMerge>();
    }};

class DriverTest : public ::testing::Test {
 protected:
  // Steps until every write is durable.
  void settle_writes(Instant now = Instant{}) {
    const Effects& effects = driver_->step(now, WallTime{});
    if (!effects.writes.empty()) driver_->durable_through(effects.writes.back().ticket);
    keep();
    if (driver_->has_input()) {
      driver_->step(now, WallTime{});
      keep();
    }
  }
  void keep() {
    for (const SettledSubmit& submit : driver_->submits()) {
      const auto results = driver_->results().subspan(submit.first, submit.count);
      settled_[submit.tag.request].assign(results.begin(), results.end());
    }
  }
  bool submit(std::uint64_t request, std::uint32_t sequence, std::uint32_t count = 1) {
    std::vector<std::byte> body;
    for (std::uint32_t i = 0; i < count; ++i) {
      TestApplication::append(body, session_, sequence + i, i, sequence);
    }
    return driver_->submit({9, request}, body, count);
  }
  void start(const Algorithm& algorithm, const Application& application) {
    driver_ = std::make_unique<Driver>(algorithm, application, config(), Recovered{},
                                       small_limits(), nullptr);
    std::vector<std::byte> body;
    TestApplication::append_open(body, 1);
    ASSERT_TRUE(driver_->submit({9, 1000}, body, 1));
    settle_writes();
    ASSERT_EQ(settled_.at(1000).size(), 1U);
    session_ = static_cast<std::uint32_t>(settled_.at(1000)[0].value);
  }

  TestApplication set_;
  TestApplication add_{TestApplication::Kind::add};
  std::unique_ptr<Driver> driver_;
  std::uint32_t session_ = 0;
  std::map<std::uint64_t, std::vector<Result>> settled_;
};

TEST_F(DriverTest, EachRequestGetsItsOwnResults) {
  start(kUnreplicated, add_);
  ASSERT_TRUE(submit(1, 1, 2));
  ASSERT_TRUE(submit(2, 3, 1));
  settle_writes();
  ASSERT_EQ(settled_[1].size(), 2U);
  ASSERT_EQ(settled_[2].size(), 1U);
  EXPECT_EQ(settled_[1][1].sequence, 2U);
  EXPECT_EQ(settled_[2][0].sequence, 3U);
  EXPECT_EQ(settled_[2][0].value, 1U) << "the third command found what the first had added";
}

TEST_F(DriverTest, NothingIsSettledBeforeItIsDurable) {
  start(kUnreplicated, set_);
  submit(1, 1);
  driver_->step(Instant{}, WallTime{});
  EXPECT_TRUE(driver_->submits().empty());
  EXPECT_FALSE(driver_->has_input());
}

TEST_F(DriverTest, AFullQueueRefusesAndLosesNothing) {
  start(kUnreplicated, set_);
  std::uint32_t taken = 0;
  while (taken < 100 && submit(taken, taken + 1)) ++taken;
  EXPECT_GT(taken, 3U);
  EXPECT_LT(taken, 100U);
  settle_writes();
  for (std::uint32_t i = 0; i < taken; ++i) EXPECT_EQ(settled_[i].size(), 1U) << i;
  EXPECT_TRUE(submit(200, taken + 1));
}

TEST_F(DriverTest, WithoutAnAnswerTheOutcomeIsUnknown) {
  start(kUnreplicated, set_);
  submit(1, 1);
  driver_->step(Instant{}, WallTime{});  // its write never becomes durable
  EXPECT_EQ(driver_->deadline(), Instant{} + seconds(5));
  driver_->step(Instant{} + milliseconds(4999), WallTime{});
  EXPECT_TRUE(driver_->submits().empty());
  driver_->step(Instant{} + seconds(5), WallTime{});
  ASSERT_EQ(driver_->submits().size(), 1U);
  EXPECT_EQ(driver_->results()[0].outcome, Outcome::unknown);
  EXPECT_EQ(driver_->results()[0].reason, static_cast<std::uint8_t>(RefusedBecause::timed_out));
  EXPECT_EQ(driver_->deadline(), kNever);
}

TEST_F(DriverTest, ALinearizableReadSeesWhatWasSubmittedAndSettledBefore) {
  start(kUnreplicated, set_);
  submit(1, 1);
  settle_writes();
  const std::uint32_t key = 0;
  const Bytes query = std::as_bytes(std::span(&key, 1));
  for (const ReadMode mode : {ReadMode::linearizable, ReadMode::local}) {
    ASSERT_TRUE(driver_->query({9, 7}, mode, query));
    driver_->step(Instant{}, WallTime{});
    ASSERT_EQ(driver_->queries().size(), 1U);
    ASSERT_EQ(driver_->queries()[0].size, 8U);
    std::uint64_t value = 0;
    std::memcpy(&value, driver_->answer_bytes().data(), sizeof(value));
    EXPECT_EQ(value, 1U);
  }
}

TEST_F(DriverTest, QueriesAreBoundedAndTheirErrorsReported) {
  start(kUnreplicated, set_);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(driver_->query({}, ReadMode::local, {}));
  EXPECT_FALSE(driver_->query({}, ReadMode::local, {}));
  driver_->step(Instant{}, WallTime{});
  ASSERT_EQ(driver_->queries().size(), 4U);
  EXPECT_EQ(driver_->queries()[0].error, "query: must have 4 bytes");
  EXPECT_EQ(driver_->queries()[0].reason, RefusedBecause::invalid);
}

TEST_F(DriverTest, AMergeStrategyIsAnsweredWithItsStamps) {
  start(kInstantMerge, set_);
  EXPECT_EQ(session_, (1U << 25) + (3U << 16) + 1) << "node and incarnation keep sessions apart";
  submit(1, 1, 2);
  submit(2, 3, 1);
  settle_writes();
  ASSERT_EQ(settled_[1].size(), 2U);
  EXPECT_EQ(settled_[1][1].stamp, (Stamp{2, 5}));
  EXPECT_EQ(settled_[2][0].stamp, (Stamp{3, 5}));
  EXPECT_EQ(driver_->store().at(Key{1}).stamp, (Stamp{2, 5}));
}

TEST_F(DriverTest, ARetryIsNoNewWriteWhileTheFirstAttemptWaits) {
  start(kHeldMerge, set_);
  submit(1, 1);
  settle_writes();
  submit(2, 1);
  settle_writes();
  ASSERT_EQ(settled_[2].size(), 1U);
  EXPECT_EQ(settled_[2][0].outcome, Outcome::unknown);
  EXPECT_EQ(settled_[2][0].reason, static_cast<std::uint8_t>(RefusedBecause::timed_out));
  settle_writes(Instant{} + seconds(5));
  EXPECT_EQ(settled_[1].at(0).outcome, Outcome::unknown);
  HeldMerge::says = HeldMerge::Says::done;
  settle_writes(Instant{} + seconds(60));
  submit(3, 1);
  settle_writes(Instant{} + seconds(60));
  ASSERT_EQ(settled_[3].size(), 1U) << "also of what was done after all had given it up";
  EXPECT_EQ(settled_[3][0].outcome, Outcome::ok);
  EXPECT_EQ(settled_[3][0].stamp, (Stamp{1, 5}));
}

TEST_F(DriverTest, ARepetitionWithinARunHasTheSameResult) {
  start(kHeldMerge, set_);
  submit(1, 1);
  submit(2, 1);
  HeldMerge::says = HeldMerge::Says::done;
  settle_writes();
  for (const std::uint64_t request : {1U, 2U}) {
    ASSERT_EQ(settled_[request].size(), 1U);
    EXPECT_EQ(settled_[request][0].outcome, Outcome::ok);
    EXPECT_EQ(settled_[request][0].reason, 0);
    EXPECT_EQ(settled_[request][0].stamp, (Stamp{1, 5}));
  }
}

TEST_F(DriverTest, WhatIsRefusedIsANewWriteTheNextTime) {
  start(kHeldMerge, set_);
  submit(1, 1);
  HeldMerge::says = HeldMerge::Says::refused;
  settle_writes();
  EXPECT_EQ(settled_[1].at(0).outcome, Outcome::refused);
  HeldMerge::says = HeldMerge::Says::done;
  submit(2, 1);
  settle_writes();
  EXPECT_EQ(settled_[2].at(0).outcome, Outcome::ok);
}

TEST_F(DriverTest, WaitingQueriesAreBoundedByTheirBytes) {
  DriverLimits limits = small_limits();
  limits.max_pending_read_bytes = 100;
  Driver driver(kUnreplicated, set_, config(), Recovered{}, limits, nullptr);
  const std::vector<std::byte> query(60);
  for (const ReadMode mode : {ReadMode::local, ReadMode::linearizable}) {
    EXPECT_TRUE(driver.query({}, mode, query));
    EXPECT_FALSE(driver.query({}, mode, query)) << "a second one does not fit";
    driver.step(Instant{}, WallTime{});
  }
  EXPECT_TRUE(driver.query({}, ReadMode::local, query)) << "all were answered";
}

TEST_F(DriverTest, AMergeStrategyRecognisesARetryAtTheSameNode) {
  start(kInstantMerge, set_);
  submit(1, 1);
  settle_writes();
  const Result first = settled_[1][0];
  submit(2, 1);
  settle_writes();
  ASSERT_EQ(settled_[2].size(), 1U);
  EXPECT_EQ(settled_[2][0].stamp, first.stamp);
  EXPECT_EQ(driver_->report().commands_applied, 1U);
}

}  // namespace
}  // namespace parley
