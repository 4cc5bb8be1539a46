// Histories without versions: the search for an order agrees with one that tries all of them, and
// gives up where it is told to.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "harness/check/checker.h"

namespace parley::history {
namespace {

// Our own bounded draw: the same histories on every library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(engine_() % bound); }

 private:
  std::mt19937_64 engine_;
};

// One cell; colour 0 stands for an unpainted one.
std::vector<Operation> random_history(Random& random) {
  std::vector<Operation> history(2 + random.below(6));
  for (std::uint32_t i = 0; i < history.size(); ++i) {
    Operation& op = history[i];
    op.client = i + 1;
    op.seq = 1;
    op.kind = random.below(2) == 0 ? Kind::place : Kind::read;
    op.color = 1 + random.below(2);
    if (op.kind == Kind::read && random.below(4) == 0) op.color = kNoColor;
    op.outcome = random.below(5) == 0 ? Outcome::unknown : Outcome::ok;
    if (op.kind == Kind::place && random.below(8) == 0) op.outcome = Outcome::refused;
    op.invoke_ns = random.below(12);
    op.return_ns = op.invoke_ns + random.below(8);
  }
  return history;
}

// Tries every order that real time allows.
class AllOrders {
 public:
  explicit AllOrders(const std::vector<Operation>& history) : history_(history) {
    for (const Operation& op : history_) {
      const bool nothing = op.outcome == Outcome::refused ||
                           (op.outcome == Outcome::unknown && op.kind == Kind::read);
      done_.push_back(nothing);
    }
  }

  bool explain(std::uint32_t color = kNoColor) {
    bool finished = true;
    for (std::size_t i = 0; i < history_.size(); ++i) finished = finished && !must_come(i);
    if (finished) return true;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      const Operation& op = history_[i];
      if (done_[i] || !may_come(op) || (op.kind == Kind::read && op.color != color)) continue;
      done_[i] = true;
      if (explain(op.color)) return true;
      done_[i] = false;
    }
    return false;
  }

 private:
  bool must_come(std::size_t i) const { return !done_[i] && history_[i].outcome == Outcome::ok; }
  bool may_come(const Operation& op) const {
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if (must_come(i) && history_[i].return_ns < op.invoke_ns) return false;
    }
    return true;
  }

  const std::vector<Operation>& history_;
  std::vector<bool> done_;
};

CheckResult checked(const std::vector<Operation>& history, CheckOptions options = {}) {
  options.versions = false;
  Checker checker(options);
  for (std::size_t i = 0; i < history.size(); ++i) checker.add(history[i], i + 1);
  return checker.finish();
}

std::string text_of(const std::vector<Operation>& history) {
  std::string text;
  for (const Operation& op : history) format_operation(op, text);
  return text;
}

TEST(OrderSearch, AgreesWithAllOrdersOnTwentyThousandHistories) {
  Random random(20'260'102);
  int right = 0;
  int wrong = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::vector<Operation> history = random_history(random);
    const bool expected = AllOrders(history).explain();
    const CheckResult result = checked(history);
    ASSERT_EQ(result.verdict, expected ? Verdict::pass : Verdict::fail)
        << "history " << i << "\n"
        << text_of(history) << to_text(result);
    ++(expected ? right : wrong);
  }
  EXPECT_GT(right, 4000);
  EXPECT_GT(wrong, 4000);
}

Operation operation(Kind kind, std::uint32_t color, std::int64_t invoke_ns,
                    std::int64_t return_ns) {
  static std::uint32_t last_seq = 0;
  Operation op;
  op.client = 1;
  op.seq = ++last_seq;
  op.kind = kind;
  op.outcome = Outcome::ok;
  op.color = color;
  op.invoke_ns = invoke_ns;
  op.return_ns = return_ns;
  return op;
}

TEST(OrderSearch, GivesUpBeyondItsBoundAndSaysSo) {
  std::vector<Operation> history;
  for (std::uint32_t color = 1; color <= 12; ++color) {
    history.push_back(operation(Kind::place, color, 0, 100 + color));
  }
  history.push_back(operation(Kind::read, 99, 200, 210));  // which nobody has placed
  CheckOptions options;
  options.max_search_states = 1000;
  const CheckResult bounded = checked(history, options);
  EXPECT_EQ(bounded.verdict, Verdict::not_checked);
  EXPECT_NE(to_text(bounded).find("given up, beyond 1000 states"), std::string::npos)
      << to_text(bounded);
  EXPECT_EQ(checked(history).verdict, Verdict::fail) << "enough for these";
}

TEST(OrderSearch, AHistoryOfManyOperationsOneAfterTheOtherTakesNoSearch) {
  std::vector<Operation> history;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    history.push_back(operation(Kind::place, i % 7, 10 * i, 10 * i + 5));
    history.push_back(operation(Kind::read, i % 7, 10 * i + 6, 10 * i + 9));
  }
  CheckOptions options;
  options.max_search_states = 0;
  EXPECT_EQ(checked(history, options).verdict, Verdict::pass);
  history.back().color = 9;
  const CheckResult wrong = checked(history, options);
  EXPECT_EQ(wrong.verdict, Verdict::fail);
  EXPECT_NE(to_text(wrong).find("line 40000 "), std::string::npos) << to_text(wrong);
}

TEST(OrderSearch, WhatRestsOnLessThanTheClocksErrorIsNotChecked) {
  const std::vector<Operation> history = {operation(Kind::place, 1, 0, 10),
                                          operation(Kind::read, kNoColor, 15, 20)};
  CheckOptions options;
  EXPECT_EQ(checked(history, options).verdict, Verdict::fail);
  options.clock_error_ns = 5;
  EXPECT_EQ(checked(history, options).verdict, Verdict::not_checked);
}

TEST(OrderSearch, OtherModelsAndOtherReadsWantVersions) {
  std::vector<Operation> history = {operation(Kind::place, 1, 0, 10),
                                    operation(Kind::read, 2, 15, 20)};
  history[1].read_mode = ReadMode::local;
  const CheckResult local = checked(history);
  EXPECT_EQ(local.verdict, Verdict::pass);
  EXPECT_NE(to_text(local).find("1 local and final reads were not looked at"), std::string::npos);
  CheckOptions options;
  options.model = Model::session;
  EXPECT_EQ(checked(history, options).verdict, Verdict::not_checked);
}

TEST(OrderSearch, ALineWithAVersionAmongOthersWithoutIsMalformed) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("parley-order-" + std::to_string(std::random_device{}()) + ".jsonl");
  std::ofstream(path)
      << R"({"client":1,"seq":1,"op":"place","x":1,"y":2,"color":"#AA0000","invoke_ns":0,"return_ns":1,"outcome":"ok"})"
      << "\n"
      << R"({"client":1,"seq":2,"op":"place","x":1,"y":2,"color":"#AA0000","invoke_ns":2,"return_ns":3,"outcome":"ok","version":"01"})"
      << "\n";
  const CheckResult result = check_history(path, {});
  std::filesystem::remove(path);
  EXPECT_EQ(result.verdict, Verdict::not_checked);
  EXPECT_EQ(result.malformed, 1U);
  ASSERT_EQ(result.malformed_examples.size(), 1U);
  EXPECT_NE(result.malformed_examples[0].find("line 1: field \"version\": missing"),
            std::string::npos)
      << result.malformed_examples[0];
}

}  // namespace
}  // namespace parley::history
