// The lines of one node; whole executions are checked in harness/check/protocol_trace_test.cc.
#include "runtime/protocol_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "algorithms/unreplicated/replica.h"
#include "runtime/driver.h"
#include "runtime/test_application.h"

namespace parley {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Lines final : public TraceOutput {
 public:
  [[nodiscard]] Instant now() const override { return Instant{} + std::chrono::microseconds(7); }
  bool take(std::string_view lines) override {
    if (full) return false;
    text += lines;
    return true;
  }

  std::string text;
  bool full = false;
};

class ProtocolTraceTest : public ::testing::Test {
 protected:
  static ReplicaConfig config() {
    ReplicaConfig config;
    config.self = NodeId{1};
    config.incarnation = Incarnation{3};
    config.members = {NodeId{1}};
    return config;
  }

  // What a step adds to the trace, after so many commands were submitted.
  std::string step(std::uint32_t commands) {
    std::vector<std::byte> body;
    for (std::uint32_t i = 0; i < commands; ++i) TestApplication::append_open(body, ++opened_);
    if (commands > 0) EXPECT_TRUE(driver_.submit({1, opened_}, body, commands));
    const std::size_t before = lines_.text.size();
    const Effects& effects = driver_.step(Instant{}, WallTime{});
    if (!effects.writes.empty()) driver_.durable_through(effects.writes.back().ticket);
    return lines_.text.substr(before);
  }

  TestApplication application_;
  Lines lines_;
  Driver driver_{kUnreplicated,  application_, config(), Recovered{},
                 DriverLimits{}, nullptr,      &lines_};
  std::uint64_t opened_ = 0;
};

TEST_F(ProtocolTraceTest, BeginsWithTheStart) {
  EXPECT_EQ(
      lines_.text,
      R"({"node":1,"incarnation":3,"seq":1,"turn":0,"time_ns":7000,"event":"start",)"
      R"("format":1,"algorithm":"unreplicated","disk":"0","role":"standalone","term":0,"leader":1,)"
      R"("last":0,"snapshot":0,"commit":0,"members":{"voters":[1],"outgoing":[],)"
      R"("learners":[],"leaving":[],"disks":{}}})"
      "\n");
}

TEST_F(ProtocolTraceTest, TellsOfEachTurnWhatCameInAndWhatCameOfIt) {
  EXPECT_EQ(step(2),
            R"({"node":1,"incarnation":3,"seq":2,"turn":1,"time_ns":7000,"event":"submit",)"
            R"("number":1,"commands":2})"
            "\n"
            R"({"node":1,"incarnation":3,"seq":3,"turn":1,"time_ns":7000,"event":"append",)"
            R"("ticket":1,"index":1})"
            "\n");
  const std::string text = step(0);
  EXPECT_THAT(text, HasSubstr(R"("seq":4,"turn":2,"time_ns":7000,"event":"durable","ticket":1})"));
  EXPECT_THAT(text, HasSubstr(R"("event":"commit","index":1})"));
  EXPECT_THAT(text, HasSubstr(R"("event":"apply","index":1,"origin":1,"origin_incarnation":3,)"
                              R"("number":1,"commands":2})"));
  EXPECT_EQ(step(0), "") << "nothing has happened";
}

TEST_F(ProtocolTraceTest, SaysHowManyLinesWereDropped) {
  lines_.full = true;
  EXPECT_EQ(step(1), "");  // submit, append: 2 and 3
  EXPECT_EQ(step(1),
            "");  // that lines were dropped, durable, submit, append, commit, apply: 4 to 9
  lines_.full = false;
  EXPECT_THAT(step(1), StartsWith(R"({"node":1,"incarnation":3,"seq":10,"turn":3,"time_ns":7000,)"
                                  R"("event":"dropped","lines":8})"
                                  "\n"));
  EXPECT_THAT(step(1), Not(HasSubstr("dropped"))) << "once";
}

TEST_F(ProtocolTraceTest, EndsWithTheEnd) {
  const std::size_t before = lines_.text.size();
  driver_.trace_end("stop");
  EXPECT_EQ(lines_.text.substr(before),
            R"({"node":1,"incarnation":3,"seq":2,"turn":0,"time_ns":7000,"event":"stop"})"
            "\n");
}

}  // namespace
}  // namespace parley
