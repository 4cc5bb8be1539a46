// The named anomalies: each file or folder of testdata/<model>/ is a recorded run. Its name up to
// "--" is the one anomaly that must be found in it, or "good".
#include "harness/check/checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace parley::history {
namespace {

namespace fs = std::filesystem;

const fs::path kTestdata = fs::path(PARLEY_SOURCE_DIR) / "harness/check/testdata";

std::string found_in(const CheckResult& result) {
  std::string names;
  for (std::size_t i = 0; i < kAnomalies; ++i) {
    const auto anomaly = static_cast<Anomaly>(i);
    if (!result.found(anomaly) || !breaks_promise(result.model, anomaly)) continue;
    if (!names.empty()) names += ", ";
    names += anomaly_name(anomaly);
  }
  return names.empty() ? "good" : names;
}

struct Case {
  Model model;
  fs::path path;
  std::string expected;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& folder : fs::directory_iterator(kTestdata)) {
    const auto model = parse_model(folder.path().filename().string());
    if (!model) continue;
    for (const auto& item : fs::directory_iterator(folder)) {
      const std::string name = item.path().stem().string();
      all.push_back({*model, item.path(), name.substr(0, name.find("--"))});
    }
  }
  std::sort(all.begin(), all.end(), [](const Case& a, const Case& b) { return a.path < b.path; });
  return all;
}

CheckResult check(const std::string& name, Model model = Model::linearizable) {
  CheckOptions options;
  options.model = model;
  return check_history(kTestdata / std::string(model_name(model)) / name, options);
}

TEST(Testdata, EachHistoryShowsExactlyItsNamedAnomaly) {
  std::set<std::string> rejected;
  std::size_t good = 0;
  for (const Case& c : cases()) {
    CheckOptions options;
    options.model = c.model;
    const CheckResult result = check_history(c.path, options);
    EXPECT_EQ(found_in(result), c.expected) << c.path << "\n" << to_text(result);
    const bool is_good = c.expected == "good";
    EXPECT_EQ(result.verdict, is_good ? Verdict::pass : Verdict::fail) << c.path << "\n"
                                                                       << to_text(result);
    if (is_good) {
      ++good;
    } else {
      rejected.insert(c.expected);
    }
  }
  EXPECT_GE(good, 15u);
  for (std::size_t i = 0; i < kAnomalies; ++i) {
    const auto anomaly = static_cast<Anomaly>(i);
    if (!breaks_promise(Model::linearizable, anomaly)) continue;
    const std::string name(anomaly_name(anomaly));
    EXPECT_TRUE(rejected.contains(name)) << "no history shows " << name;
  }
}

TEST(Testdata, ExplanationsNameTheLinesOfBothOperations) {
  const CheckResult result = check("stale_linearizable_read.jsonl");
  const Findings::Entry& entry = result.findings.of(Anomaly::stale_linearizable_read);
  ASSERT_EQ(entry.count, 1u);
  ASSERT_EQ(entry.examples.size(), 1u);
  EXPECT_NE(entry.examples[0].find("line 3 "), std::string::npos) << entry.examples[0];
  EXPECT_NE(entry.examples[0].find("line 2 "), std::string::npos) << entry.examples[0];
  EXPECT_NE(entry.examples[0].find("(1,2)"), std::string::npos) << entry.examples[0];
}

TEST(Consistency, StaleReadsAreMeasuredInMillisecondsAndVersions) {
  const CheckResult result = check("good--local-read-is-only-counted.jsonl");
  // Stamp 1 was acknowledged at 10 ms and stamp 2 at 30 ms. The first read, at 40 ms, saw stamp 1;
  // the second, at 42 ms, none.
  EXPECT_EQ(result.consistency.stale_reads, 2u);
  EXPECT_DOUBLE_EQ(result.consistency.stale_ms_max, 32.0);
  EXPECT_DOUBLE_EQ(result.consistency.stale_ms_mean, 21.0);
  EXPECT_EQ(result.consistency.stale_versions_max, 2u);
}

TEST(Consistency, LostWritesAreCounted) {
  EXPECT_EQ(check("lost_write.jsonl").consistency.lost, 1u);
  EXPECT_EQ(check("good--sequential.jsonl").consistency.lost, 0u);
  EXPECT_EQ(check("duplicate_stamp.jsonl").consistency.lost, std::nullopt) << "no final reads";
}

// The survivors of a majority that is gone hold what they hold.
TEST(Consistency, WithoutQuiescenceNothingCountsAsLost) {
  CheckOptions options;
  options.quiescent = false;
  const CheckResult result = check_history(kTestdata / "linearizable/lost_write.jsonl", options);
  EXPECT_EQ(result.verdict, Verdict::not_checked) << to_text(result);
  EXPECT_EQ(result.consistency.lost, std::nullopt);
}

TEST(Consistency, OlderWinsIsCountedWhereNothingElseIsPromised) {
  const CheckResult result = check("good--older-wins-is-counted.jsonl", Model::convergent);
  EXPECT_EQ(result.consistency.older_wins, 1u);
  EXPECT_EQ(result.consistency.lost, 0u);
  EXPECT_EQ(result.consistency.superseded, std::nullopt) << "no journals";
}

TEST(Consistency, SupersededOfAnOrderIsByWhatTheOriginHadAppliedWhenItTookTheWrite) {
  // The order is 1/1, 1/2, 2/1, 1/3, 2/2. 2/1 was taken by a node that had not applied 1/2, and 1/3
  // by one that had not applied 2/1. 1/2 was taken where 1/1 had been, 2/2 by one that had applied
  // all.
  const CheckResult result = check("good--superseded-is-counted", Model::linearizable);
  EXPECT_EQ(result.verdict, Verdict::pass) << to_text(result);
  EXPECT_EQ(result.consistency.superseded, 2u) << to_text(result);
}

TEST(Consistency, SupersededIsByWhatTheOriginHadApplied) {
  // 2/1 was made at a node that had not applied 1/1; 3/1 where 2/1 had been.
  const CheckResult result = check("good--superseded-is-counted", Model::convergent);
  EXPECT_EQ(result.consistency.superseded, 1u);
  EXPECT_EQ(result.consistency.duplicates, 0u);
}

TEST(Consistency, DuplicatesAreCountedUnderAMergeStrategy) {
  const CheckResult result = check("good--duplicate-is-counted.jsonl", Model::convergent);
  EXPECT_EQ(result.consistency.duplicates, 1u);
  EXPECT_TRUE(result.found(Anomaly::seen_under_two_stamps));
}

TEST(Consistency, DivergentCellsAreCountedAtTheEnd) {
  EXPECT_EQ(check("final_reads_differ.jsonl").consistency.divergent_cells_final, 1u);
  EXPECT_EQ(check("good--sequential.jsonl").consistency.divergent_cells_final, 0u);
}

TEST(Verdict, NothingPromisedIsNotAPass) {
  CheckOptions options;
  options.model = Model::none;
  const CheckResult result = check_history(kTestdata / "linearizable/lost_write.jsonl", options);
  EXPECT_EQ(result.verdict, Verdict::not_promised);
  EXPECT_EQ(result.consistency.lost, 1u);
}

TEST(Verdict, ViolationWithinTheClocksErrorIsNotChecked) {
  CheckOptions options;
  options.clock_error_ns = 9'000'000;
  // The read began 10 ms after the write had returned.
  const fs::path path = kTestdata / "linearizable/stale_linearizable_read.jsonl";
  EXPECT_EQ(check_history(path, options).verdict, Verdict::fail);
  options.clock_error_ns = 10'000'000;
  EXPECT_EQ(check_history(path, options).verdict, Verdict::not_checked);
}

TEST(Verdict, ReadThatPrecedesItsWriteByLessThanTheClocksErrorIsNotChecked) {
  CheckOptions options;
  options.clock_error_ns = 4'999'999;
  // The read returned 5 ms before the write was invoked.
  const fs::path path = kTestdata / "linearizable/read_from_future.jsonl";
  EXPECT_EQ(check_history(path, options).verdict, Verdict::fail);
  options.clock_error_ns = 5'000'000;
  EXPECT_EQ(check_history(path, options).verdict, Verdict::not_checked);
}

TEST(Verdict, ConvergenceWithoutFinalReadsIsNotChecked) {
  CheckOptions options;
  options.model = Model::convergent;
  const fs::path path = kTestdata / "linearizable/good--cells-are-independent.jsonl";
  EXPECT_EQ(check_history(path, options).verdict, Verdict::not_checked);
}

Operation placement(std::uint32_t client, std::uint64_t stamp) {
  Operation op;
  op.client = client;
  op.seq = 1;
  op.x = 3;
  op.y = 4;
  op.outcome = Outcome::ok;
  op.invoke_ns = static_cast<std::int64_t>(stamp) * 10;
  op.return_ns = op.invoke_ns + 5;
  op.node = 1;
  op.version = {stamp, 0};
  return op;
}

Operation final_read(std::uint32_t node, const Operation& write) {
  Operation op = write;
  op.kind = Kind::read;
  op.read_mode = ReadMode::final;
  op.node = node;
  op.invoke_ns = 1000;
  op.return_ns = 1001;
  op.writer = Writer{write.client, write.seq};
  return op;
}

TEST(Consistency, EqualStampOfAnotherWriterIsALoss) {
  const Operation acknowledged = placement(1, 1);
  Operation unknown = placement(2, 1);
  unknown.outcome = Outcome::unknown;
  unknown.version = {};
  Operation end = final_read(1, acknowledged);
  end.writer = Writer{2, 1};
  Checker checker(CheckOptions{});
  checker.add(acknowledged, 1);
  checker.add(unknown, 2);
  checker.add(end, 3);
  const CheckResult result = checker.finish();
  EXPECT_EQ(found_in(result), "duplicate_stamp, lost_write");
  EXPECT_EQ(result.consistency.lost, 1u);
}

// A write that node 1 acknowledged, of which node 2, the only one alive, knows nothing in the end.
// Node 1's journal has it; node 2's only if `reached`.
CheckResult check_gone(CheckOptions options, bool reached = false) {
  options.live_nodes = {2};
  options.canvas_width = 10;
  if (!options.copies) options.copies = 1;
  const Operation write = placement(1, 1);
  Operation end = final_read(2, write);
  end.version = {};
  end.writer.reset();
  end.color = 0;
  Checker checker(std::move(options));
  checker.add(write, 1);
  checker.add(end, 2);
  for (const std::uint32_t node : {1u, 2u}) {
    checker.begin_journal(node);
    if (node == 1 || reached) checker.add_applied({write.version, {1, 1}, 43}, 2);
  }
  return checker.finish();
}

CheckOptions merging(std::vector<Departure> departures) {
  CheckOptions options;
  options.model = Model::convergent;
  options.departures = std::move(departures);
  return options;
}

TEST(Departures, WhatOnlyADepartedNodeHeldIsLostButNotPromised) {
  const Departure gone{1, placement(1, 1).invoke_ns + 1};
  const CheckResult result = check_gone(merging({gone}));
  EXPECT_EQ(result.verdict, Verdict::pass) << to_text(result);
  EXPECT_EQ(result.consistency.lost, 1u);
  EXPECT_EQ(result.findings.of(Anomaly::lost_with_its_node).count, 1u);
  ASSERT_EQ(result.notes.size(), 1u);
  EXPECT_THAT(result.notes[0], testing::HasSubstr("1 of the 1 lost writes"));
}

TEST(Departures, ExcuseNothingElse) {
  const std::int64_t taken = placement(1, 1).invoke_ns;
  const Departure gone{1, taken + 1};
  const auto fails = [](const CheckResult& result) {
    EXPECT_EQ(result.verdict, Verdict::fail) << to_text(result);
    EXPECT_EQ(result.findings.of(Anomaly::lost_write).count, 1u);
  };
  fails(check_gone(merging({})));
  fails(check_gone(merging({{2, taken + 1}})));  // another node
  fails(check_gone(merging({{1, taken - 1}})));  // it was back by then
  fails(check_gone(merging({gone}), true));      // a live node had it
  CheckOptions two_copies = merging({gone, gone});
  two_copies.copies = 2;
  fails(check_gone(two_copies));
  CheckOptions ordered = merging({gone});
  ordered.model = Model::linearizable;
  EXPECT_EQ(check_gone(ordered).verdict, Verdict::fail);
}

TEST(Departures, OfAsManyAsHeldItExcuse) {
  const std::int64_t later = placement(1, 1).invoke_ns + 1;
  CheckOptions two_copies = merging({{1, later}, {3, later}});
  two_copies.copies = 2;
  EXPECT_EQ(check_gone(two_copies).verdict, Verdict::pass);
}

TEST(Verdict, LiveNodeWithoutFinalReadOfACellIsNotChecked) {
  CheckOptions options;
  options.live_nodes = {2, 1};
  Checker checker(options);
  checker.add(placement(1, 1), 1);
  checker.add(final_read(1, placement(1, 1)), 2);
  EXPECT_EQ(checker.finish().verdict, Verdict::not_checked);
}

TEST(Verdict, LiveNodeWithoutJournalIsNotChecked) {
  CheckOptions options;
  options.canvas_width = 10;
  Checker checker(options);
  checker.add(placement(1, 1), 1);
  checker.add(final_read(1, placement(1, 1)), 2);
  checker.add(final_read(2, placement(1, 1)), 3);
  checker.begin_journal(1);
  checker.add_applied({{1, 0}, {1, 1}, 43}, 2);
  const CheckResult result = checker.finish();
  EXPECT_EQ(found_in(result), "good") << to_text(result);
  EXPECT_EQ(result.verdict, Verdict::not_checked);
}

TEST(Verdict, EmptyHistoryIsNotChecked) {
  EXPECT_EQ(Checker(CheckOptions{}).finish().verdict, Verdict::not_checked);
}

TEST(Journals, WithoutFinalReadsWhoeverHasOneWasAlive) {
  CheckOptions options;
  options.canvas_width = 10;
  Checker checker(options);
  checker.add(placement(1, 1), 1);
  checker.begin_journal(1);
  checker.add_applied({{1, 0}, {1, 1}, 43}, 2);
  checker.begin_journal(2);
  const CheckResult result = checker.finish();
  EXPECT_EQ(found_in(result), "missing_apply");
  EXPECT_EQ(result.live_nodes, (std::vector<std::uint32_t>{1, 2}));
}

TEST(Journals, WithoutTheCanvasWidthThereIsNoVerdict) {
  Checker checker(CheckOptions{});
  checker.add(placement(1, 1), 1);
  checker.begin_journal(1);
  checker.add_applied({{1, 0}, {1, 1}, 44}, 2);
  EXPECT_EQ(checker.finish().verdict, Verdict::not_checked);
}

// What is found in node 2's journal, where clients 1, 2 and 3 placed one pixel each, under the
// indices 1, 2 and 3.
std::string found_after(const std::vector<JournalEntry>& second_journal) {
  CheckOptions options;
  options.canvas_width = 10;
  Checker checker(options);
  for (std::uint32_t i = 1; i <= 3; ++i) checker.add(placement(i, i), i);
  for (std::uint32_t node = 1; node <= 2; ++node)
    checker.add(final_read(node, placement(3, 3)), 3 + node);
  std::uint64_t line = 1;
  checker.begin_journal(1);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    checker.add_applied({{i, 0}, {static_cast<std::uint32_t>(i), 1}, 43}, ++line);
  }
  checker.begin_journal(2);
  for (const JournalEntry& entry : second_journal) checker.add_applied(entry, ++line);
  return found_in(checker.finish());
}

TEST(Journals, AfterARestartWhatComesAgainMustBeTheSame) {
  const auto applied = [](std::uint64_t index, std::uint32_t client) {
    return JournalEntry{{index, 0}, {client, 1}, 43};
  };
  const auto restored = [](std::uint64_t index) { return JournalEntry{{index, 0}, {}, 0}; };
  EXPECT_EQ(found_after({applied(1, 1), applied(2, 2), applied(3, 3)}), "good");
  EXPECT_EQ(found_after({applied(1, 1), restored(0), applied(1, 1), applied(2, 2), applied(3, 3)}),
            "good");
  EXPECT_EQ(found_after({applied(1, 1), applied(2, 2), restored(1), applied(2, 2), applied(3, 3)}),
            "good");
  EXPECT_EQ(found_after({applied(1, 1), restored(2), applied(3, 3)}), "good") << "by snapshot";
  EXPECT_EQ(found_after({restored(3)}), "good") << "all of it by snapshot";

  EXPECT_NE(found_after({applied(1, 1), applied(1, 1), applied(2, 2), applied(3, 3)}), "good")
      << "again without a restart";
  EXPECT_NE(found_after({applied(1, 1), restored(0), applied(1, 1), applied(1, 1), applied(2, 2),
                         applied(3, 3)}),
            "good")
      << "twice after one restart";
  EXPECT_NE(found_after({applied(1, 1), restored(0), applied(2, 1), applied(2, 2), applied(3, 3)}),
            "good")
      << "under another stamp";
  EXPECT_NE(found_after({applied(1, 1), restored(1), applied(3, 3)}), "good") << "2 is missing";
  JournalEntry elsewhere = applied(1, 1);
  ++elsewhere.cell;
  EXPECT_EQ(found_after({applied(1, 1), restored(0), elsewhere, applied(2, 2), applied(3, 3)}),
            "wrong_cell");
  EXPECT_NE(found_after({applied(1, 1), applied(2, 2), restored(2)}), "good") << "3 is missing";
}

TEST(Journals, EntriesOfUnsampledCellsArePassedOver) {
  for (const bool sampled : {false, true}) {
    CheckOptions options;
    options.canvas_width = 10;
    options.sampled = sampled;
    Checker checker(options);
    checker.add(placement(1, 1), 1);
    checker.begin_journal(1);
    checker.add_applied({{1, 0}, {1, 1}, 43}, 2);
    checker.add_applied({{2, 0}, {7, 1}, 44}, 3);
    EXPECT_EQ(found_in(checker.finish()), sampled ? "good" : "phantom_apply");
  }
}

TEST(Journals, LimitsAreNamed) {
  Checker checker(CheckOptions{});
  Operation outside = placement(1, 1);
  outside.x = kMaxCoordinate + 1;
  EXPECT_THROW(checker.add(outside, 1), std::invalid_argument);
  Operation distant = placement(1, 1);
  distant.return_ns = kMaxTimeNs + 1;
  EXPECT_THROW(checker.add(distant, 1), std::invalid_argument);
  checker.begin_journal(1);
  EXPECT_THROW(checker.begin_journal(1), std::invalid_argument);
  for (std::uint32_t node = 2; node <= Checker::kMaxJournals; ++node) checker.begin_journal(node);
  EXPECT_THROW(checker.begin_journal(99), std::invalid_argument);
}

TEST(Result, ExplanationsAreBounded) {
  CheckOptions options;
  options.max_examples = 2;
  Checker checker(options);
  for (std::uint32_t client = 1; client <= 5; ++client) {
    Operation op = placement(client, 1);
    checker.add(op, client);
  }
  const CheckResult result = checker.finish();
  const Findings::Entry& entry = result.findings.of(Anomaly::duplicate_stamp);
  EXPECT_EQ(entry.count, 4u);
  EXPECT_EQ(entry.examples.size(), 2u);
  EXPECT_NE(to_text(result).find("and 2 more"), std::string::npos);
}

TEST(Result, JsonHasTheNamesOfTheSummary) {
  const CheckResult result = check("lost_write.jsonl");
  const std::string json = to_json(result);
  EXPECT_NE(json.find(R"("lost_write")"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("verdict": "fail")"), std::string::npos) << json;
  EXPECT_EQ(
      consistency_json(result),
      R"({"converged_ms":null,"divergent_cells_max":1,"duplicates":0,"lag_max":null,"lost":1,)"
      R"("older_wins":0,"places":2,"reads":0,"stale_ms_max":0.0,"stale_ms_mean":0.0,"stale_ms_p99":null,)"
      R"("stale_reads":0,"stale_versions_max":0,"stale_versions_p99":null,"superseded":null,)"
      R"("verdict":"fail"})");
}

TEST(Input, MissingHistoryIsAnError) {
  EXPECT_THROW(check_history(kTestdata / "none.jsonl", {}), std::invalid_argument);
  EXPECT_THROW(check_history(kTestdata, {}), std::invalid_argument);
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "parley-check-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(Input, MalformedLinesForbidAVerdict) {
  for (const char* name : {"good--sequential.jsonl", "lost_write.jsonl"}) {
    TemporaryFolder folder;
    const fs::path copy = folder.path() / "history.jsonl";
    fs::copy_file(kTestdata / "linearizable" / name, copy);
    EXPECT_NE(check_history(folder.path(), {}).verdict, Verdict::not_checked) << name;
    std::ofstream(copy, std::ios::app) << "{\"client\":1}\n";
    const CheckResult result = check_history(folder.path(), {});
    EXPECT_EQ(result.verdict, Verdict::not_checked) << name;
    EXPECT_EQ(result.malformed, 1u);
    ASSERT_EQ(result.malformed_examples.size(), 1u);
    EXPECT_NE(result.malformed_examples[0].find("field \"seq\": missing"), std::string::npos);
  }
}

// A run is judged alike when it is checked again.
TEST(Input, ARunSaysWhetherWhatWasLeftIsFinal) {
  TemporaryFolder folder;
  fs::copy_file(kTestdata / "linearizable/lost_write.jsonl", folder.path() / "history.jsonl");
  for (const bool quiescent : {true, false}) {
    std::ofstream(folder.path() / "manifest.json")
        << (quiescent ? R"({"quiescent":true})" : R"({"quiescent":false})");
    EXPECT_EQ(check_history(folder.path(), {}).verdict,
              quiescent ? Verdict::fail : Verdict::not_checked);
  }
}

TEST(Input, ManifestAndJournalNamesAreChecked) {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "history.jsonl").flush();
  std::ofstream(folder.path() / "manifest.json") << "[";
  EXPECT_THROW(check_history(folder.path(), {}), std::invalid_argument);
  std::ofstream(folder.path() / "manifest.json") << R"({"spec":{"canvas":"10x20","record":"1%"}})";
  EXPECT_EQ(check_history(folder.path(), {}).verdict, Verdict::not_checked);
  fs::create_directory(folder.path() / "nodes");
  std::ofstream(folder.path() / "nodes/one.applied.csv") << kJournalHeader << "\n";
  EXPECT_THROW(check_history(folder.path(), {}), std::invalid_argument);
}

}  // namespace
}  // namespace parley::history
