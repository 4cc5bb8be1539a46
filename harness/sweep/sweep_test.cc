#include "harness/sweep/sweep.h"
#include "harness/sweep/duration_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/cluster/private_folder.h"

namespace parley::harness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Of this seed the order of chance is that of the rates.
constexpr std::uint64_t kSeed = 2;

SweepSpec spec_of(const std::string& extra = "") {
  SweepSpec spec = parse_sweep_spec_text(
      "algorithms = \"raft\"\nnodes = 3\nrate = [100, 200, 300]\nrepetitions = 1\n" + extra, "s");
  if (spec.seed == SweepSpec{}.seed) spec.seed = kSeed;
  return spec;
}

constexpr const char* kSummary =
    R"({"offered_ops_per_s":100.0,"achieved_ops_per_s":99.5,"completed":995,"latency_us":{"p50":12.5,"p99":">5000000"},)"
    R"("cpu_s_per_mops":{"nodes":3.0,"clients":1.25},"peak_rss_bytes":{"1":10,"2":30,"3":20},"messages_per_op":2.5,)"
    R"("recovery":[{"fault":"kill-leader","node":1,"noticed_ms":150,"first_success_ms":200,"back_to_95_ms":700},)"
    R"({"fault":"kill-leader","node":2,"noticed_ms":250,"first_success_ms":260,"back_to_95_ms":null},)"
    R"({"fault":"isolate-leader","node":2,"noticed_ms":1,"first_success_ms":2,"back_to_95_ms":3,"ended_ms":9,"converged_ms":45.5}],)"
    R"("consistency":{"verdict":"pass","lost":0}})";

// Pretends to run: leaves a summary, and notes what it was asked for.
class FakeRuns {
 public:
  RunFunction function() {
    return [this](const RunSpec& spec, const std::filesystem::path& folder,
                  const PhaseCallback& on_phase) {
      on_phase("measuring");
      rates.push_back(spec.rate);
      if (rates.size() == throw_at) throw std::runtime_error("as a kill -9 would");
      std::filesystem::create_directories(folder);
      std::ofstream(folder / "partial") << "x";
      if (rates.size() == stop_at) return RunOutcome{RunState::stopped, "", false};
      if (rates.size() == fail_at)
        return RunOutcome{RunState::failed, "the cluster was not ready, \"really\"", false};
      std::ofstream(folder / "summary.json") << summary;
      return RunOutcome{};
    };
  }

  std::vector<double> rates;
  std::size_t throw_at = 0;  // the how-manieth run, from 1
  std::size_t stop_at = 0;
  std::size_t fail_at = 0;
  std::string summary = kSummary;
};

template <class Error>
std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Sweep, RunsEverythingAndWritesItsFiles) {
  const PrivateFolder folder;
  FakeRuns runs;
  const auto out = folder.path() / "out";
  std::vector<std::string> phases;
  SweepCallbacks callbacks;
  callbacks.on_phase = [&](const SweepProgress& p) { phases.push_back(std::string(p.phase)); };
  std::vector<std::size_t> finished;
  callbacks.on_run = [&](const SweepProgress& p, const ResultRow&) {
    finished.push_back(p.finished);
  };
  const SweepResult result =
      run_sweeps({spec_of()}, {out, false, nullptr}, runs.function(), callbacks);
  EXPECT_THAT(runs.rates, ElementsAre(100, 200, 300));
  EXPECT_THAT(phases, ElementsAre("measuring", "measuring", "measuring"));
  EXPECT_THAT(finished, ElementsAre(1, 2, 3));
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.failed, 0U);
  ASSERT_EQ(result.rows.size(), 3U);
  EXPECT_EQ(result.rows[0].figures.at("latency_us.p50"), "12.5");
  EXPECT_EQ(result.rows[0].figures.at("latency_us.p99"), ">5000000");
  EXPECT_EQ(result.rows[0].figures.at("peak_rss_bytes"), "30");
  EXPECT_EQ(result.rows[0].figures.at("recovery.noticed_ms"), "250");
  EXPECT_EQ(result.rows[0].figures.at("recovery.back_to_95_ms"), "inf");
  EXPECT_EQ(result.rows[0].figures.at("recovery.converged_ms"), "45.5") << "of what healed";
  const std::string state = content_of(out / "sweep.json");
  EXPECT_THAT(state, HasSubstr("\"name\": \"001-raft-n3-r100-rep1\""));
  EXPECT_THAT(state, HasSubstr("\"state\": \"done\""));
  EXPECT_THAT(state, Not(HasSubstr("pending")));
  const std::string csv = content_of(out / "results.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
  std::istringstream lines(csv);
  std::string header;
  std::string row;
  std::getline(lines, header);
  std::getline(lines, row);
  EXPECT_EQ(std::count(header.begin(), header.end(), ','), std::count(row.begin(), row.end(), ','));
  EXPECT_THAT(header, HasSubstr("latency_us.p50"));
  EXPECT_THAT(row, HasSubstr("001-raft-n3-r100-rep1,done,raft,3,100,none,loopback,none,uniform,0,"
                             "local,any,,1,open,1000x1000"));
}

TEST(Sweep, AfterAKillOnlyTheRunInFlightIsRepeated) {
  const PrivateFolder folder;
  const auto out = folder.path() / "out";
  FakeRuns first;
  first.throw_at = 2;
  EXPECT_THROW(run_sweeps({spec_of()}, {out, false, nullptr}, first.function(), {}),
               std::runtime_error);
  EXPECT_THAT(content_of(out / "sweep.json"), HasSubstr("\"state\": \"running\""));
  FakeRuns second;
  const SweepResult result = run_sweeps({spec_of()}, {out, true, nullptr}, second.function(), {});
  EXPECT_THAT(second.rates, ElementsAre(200, 300));
  EXPECT_EQ(result.rows[0].figures.at("completed"), "995");
  const std::string csv = content_of(out / "results.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
}

TEST(Sweep, StoppingARunLeavesItForTheNextTime) {
  const PrivateFolder folder;
  const auto out = folder.path() / "out";
  FakeRuns first;
  first.stop_at = 2;
  const SweepResult stopped = run_sweeps({spec_of()}, {out, false, nullptr}, first.function(), {});
  EXPECT_TRUE(stopped.stopped);
  EXPECT_THAT(results_table(stopped.rows), HasSubstr("2 of 3 runs are still to be done\n"));
  EXPECT_FALSE(std::filesystem::exists(out / "002-raft-n3-r200-rep1"));
  FakeRuns second;
  EXPECT_FALSE(run_sweeps({spec_of()}, {out, true, nullptr}, second.function(), {}).stopped);
  EXPECT_THAT(second.rates, ElementsAre(200, 300));
}

TEST(Sweep, StoppingBetweenRunsStartsNoOther) {
  const PrivateFolder folder;
  FakeRuns runs;
  std::atomic<bool> stop{false};
  SweepCallbacks callbacks;
  callbacks.on_run = [&stop](const SweepProgress&, const ResultRow&) { stop = true; };
  EXPECT_TRUE(
      run_sweeps({spec_of()}, {folder.path() / "out", false, &stop}, runs.function(), callbacks)
          .stopped);
  EXPECT_THAT(runs.rates, ElementsAre(100));
}

TEST(Sweep, AFailedRunIsKeptWithItsReason) {
  const PrivateFolder folder;
  const auto out = folder.path() / "out";
  FakeRuns runs;
  runs.fail_at = 2;
  const SweepResult result = run_sweeps({spec_of()}, {out, false, nullptr}, runs.function(), {});
  EXPECT_EQ(result.failed, 1U);
  EXPECT_THAT(runs.rates, ElementsAre(100, 200, 300));
  EXPECT_THAT(content_of(out / "results.csv"), HasSubstr("002-raft-n3-r200-rep1,failed,"));
  EXPECT_THAT(content_of(out / "results.csv"),
              HasSubstr(",\"the cluster was not ready, \"\"really\"\"\","));
  EXPECT_THAT(results_table(result.rows),
              HasSubstr("002-raft-n3-r200-rep1 failed: the cluster was not ready"));
  FakeRuns again;
  run_sweeps({spec_of()}, {out, true, nullptr}, again.function(), {});
  EXPECT_THAT(again.rates, testing::IsEmpty());
}

TEST(Sweep, AFailedCheckIsCounted) {
  const PrivateFolder folder;
  FakeRuns runs;
  runs.summary = R"({"consistency":{"verdict":"fail"}})";
  EXPECT_EQ(run_sweeps({spec_of()}, {folder.path() / "o", false, nullptr}, runs.function(), {})
                .checks_failed,
            3U);
}

TEST(Sweep, ResultsAreNeverOverwrittenUnasked) {
  const PrivateFolder folder;
  const auto out = folder.path() / "out";
  FakeRuns runs;
  run_sweeps({spec_of()}, {out, false, nullptr}, runs.function(), {});
  EXPECT_THAT(error_of<ConfigError>([&] {
                run_sweeps({spec_of()}, {out, false, nullptr}, runs.function(), {});
              }),
              HasSubstr("holds a sweep already; go on with it (--resume)"));
  EXPECT_THAT(error_of<ConfigError>([&] {
                run_sweeps({spec_of("seed = 3\n")}, {out, true, nullptr}, runs.function(), {});
              }),
              HasSubstr("sweep.json: belongs to a sweep with another spec"));
  std::ofstream(out / "sweep.json") << "{]";
  EXPECT_THAT(error_of<ConfigError>([&] {
                run_sweeps({spec_of()}, {out, true, nullptr}, runs.function(), {});
              }),
              HasSubstr("is not the state of a sweep"));
}

// What another program wrote, or an editor.
TEST(SweepState, ValuesOfOtherKindsAreNone) {
  const PrivateFolder folder;
  const SweepSpec spec =
      parse_sweep_spec_text("algorithms = \"raft\"\nnodes = 3\nrate = 100\n", "s.toml");
  std::ofstream(folder.path() / "sweep.json")
      << R"({"spec":)" << spec_json(spec)
      << R"(,"runs":[{"name":"a","state":"done"},{"name":7,"state":[]},{"name":"b","state":1,"reason":{}},3]})";
  const auto runs = read_sweep_json(folder.path(), spec);
  EXPECT_EQ(runs.at("a").state, RecordState::done);
  EXPECT_EQ(runs.at("b").state, RecordState::pending);
  std::ofstream(folder.path() / "summary.json")
      << R"({"recovery":[{"ended_ms":9},[],{"noticed_ms":"x"}]})";
  EXPECT_EQ(read_figures(folder.path()).at("recovery.converged_ms"), "inf");
}

TEST(Sweep, SeveralSpecsShareAFolderAndResumeTogether) {
  const PrivateFolder folder;
  const auto out = folder.path() / "out";
  SweepSpec one = spec_of();
  one.name = "one";
  SweepSpec two = spec_of();
  two.name = "two";
  FakeRuns first;
  first.stop_at = 5;
  EXPECT_TRUE(run_sweeps({one, two}, {out, false, nullptr}, first.function(), {}).stopped);
  EXPECT_TRUE(std::filesystem::exists(out / "one" / "sweep.json"));
  FakeRuns second;
  const SweepResult result = run_sweeps({one, two}, {out, true, nullptr}, second.function(), {});
  EXPECT_THAT(second.rates, ElementsAre(200, 300));
  EXPECT_EQ(result.rows.size(), 6U);
}

// 9 runs of 14 s, and with them three of the baseline.
SweepSpec spec_with_baseline() {
  return parse_sweep_spec_text(
      "algorithms = \"raft\"\nnodes = 3\nrate = [100, 200, 300]\nrepetitions = 3\nseed = 2\n", "s");
}

TEST(Sweep, TheBaselineIsMarkedGoneOnWithAndNoLineOfTheTable) {
  const PrivateFolder folder;
  const auto out = folder.path() / "out";
  FakeRuns first;
  first.stop_at = 6;
  EXPECT_TRUE(
      run_sweeps({spec_with_baseline()}, {out, false, nullptr}, first.function(), {}).stopped);
  FakeRuns second;
  const SweepResult result =
      run_sweeps({spec_with_baseline()}, {out, true, nullptr}, second.function(), {});
  EXPECT_EQ(second.rates.size(), 7U);
  ASSERT_EQ(result.rows.size(), 12U);
  // Behind the others, though carried out between them.
  const Json sweep = Json::parse(content_of(out / "sweep.json"));
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(result.rows[i].record.run.spec.baseline, i >= 9) << i;
    EXPECT_EQ(sweep["runs"][i].contains("baseline"), i >= 9) << i;
  }
  EXPECT_EQ(sweep["spec"]["baseline"], true);
  std::istringstream lines(content_of(out / "results.csv"));
  std::map<std::string, int> marks;
  for (std::string line; std::getline(lines, line);) ++marks[line.substr(line.rfind(',') + 1)];
  EXPECT_EQ(marks, (std::map<std::string, int>{{"baseline", 1}, {"true", 3}, {"false", 9}}));
  const std::string table = results_table(result.rows);
  EXPECT_THAT(table, HasSubstr("3 baseline runs (unreplicated, 1 node): 100 operations/s, 0.0 %"));
  EXPECT_THAT(table, Not(testing::ContainsRegex("unreplicated +1 ")));
  EXPECT_EQ(result_line(result.rows[9]).find("baseline, unreplicated, 1 node: "), 0U);
}

TEST(Sweep, AWideBaselineIsAWarning) {
  const PrivateFolder folder;
  const auto out = folder.path() / "out";
  FakeRuns runs;
  const RunFunction slower = [&](const RunSpec& spec, const std::filesystem::path& where,
                                 const PhaseCallback& on_phase) {
    runs.summary = spec.repetition == 3 && spec.baseline ? R"({"achieved_ops_per_s":70})"
                                                         : R"({"achieved_ops_per_s":100})";
    return runs.function()(spec, where, on_phase);
  };
  const SweepResult result = run_sweeps({spec_with_baseline()}, {out, false, nullptr}, slower, {});
  const char* warning = "the baseline runs are 30 % apart (70 to 100 operations/s)";
  EXPECT_THAT(results_table(result.rows), HasSubstr(warning));
  EXPECT_THAT(content_of(out / "sweep.json"), HasSubstr(warning));
}

TEST(Sweep, TheTimeLeftShrinks) {
  const PrivateFolder folder;
  FakeRuns runs;
  std::vector<double> left;
  SweepCallbacks callbacks;
  callbacks.on_phase = [&left](const SweepProgress& progress) {
    left.push_back(progress.seconds_left);
  };
  run_sweeps({spec_of()}, {folder.path() / "o", false, nullptr}, runs.function(), callbacks);
  EXPECT_NEAR(left[0], 3 * 14, 1);  // 2 + 10 + 2 s each
  EXPECT_LT(left[1], left[0]);      // the first run took next to nothing, so the rest will
}

TEST(PriceList, HasTheBaseline) {
  const std::string text = price_list({spec_with_baseline()});
  EXPECT_EQ(text.find("     4 s  baseline-01\n    14 s  001-raft-n3-r100-rep1\n"), 0U) << text;
  EXPECT_THAT(text, HasSubstr("     4 s  baseline-03\n12 runs, about 2 min 18 s (138 s)\n"));
}

TEST(PriceList, NamesRunsSecondsAndWhatIsLeftOut) {
  const SweepSpec spec = parse_sweep_spec_text(
      "algorithms = [\"unreplicated\", \"raft\"]\nnodes = [1, 3]\nrate = 5\nrepetitions = 1\n",
      "s");
  const std::string text = price_list({spec});
  EXPECT_THAT(text, HasSubstr("    14 s  001-unreplicated-n1-r5-rep1\n"));
  EXPECT_THAT(text,
              HasSubstr("left out  unreplicated, 3 nodes: unreplicated runs on at most 1 node\n"));
  EXPECT_THAT(text, HasSubstr("3 runs, about 42 s (42 s)\n"));
}

TEST(ResultsTable, ShowsFiguresInUnitsForPeople) {
  const PrivateFolder folder;
  FakeRuns runs;
  const SweepResult result = run_sweeps({spec_of("faults = \"kill-leader\"\n")},
                                        {folder.path() / "o", false, nullptr}, runs.function(), {});
  const std::string table = results_table(result.rows);
  EXPECT_THAT(table, HasSubstr("algorithm  nodes  offered/s"));
  EXPECT_THAT(table, testing::ContainsRegex(
                         "raft +3 +100 +100 +12 us +> 5000 ms +4.25 +2.50 +never  pass\n"));
}

TEST(ResultsTable, ShowsWhatTellsTheRunsApart) {
  const PrivateFolder folder;
  FakeRuns runs;
  const SweepResult result = run_sweeps({spec_of("durability = [\"none\", \"async\"]\n")},
                                        {folder.path() / "o", false, nullptr}, runs.function(), {});
  const std::string table = results_table(result.rows);
  EXPECT_THAT(table, HasSubstr("offered/s  durability  achieved/s"));
  EXPECT_THAT(table, testing::ContainsRegex("raft +3 +100 +none +100 "));
  EXPECT_THAT(table, testing::ContainsRegex("raft +3 +100 +async +100 "));
}

TEST(ResultsTable, FlagsRunsThatTheGeneratorLimited) {
  const PrivateFolder folder;
  FakeRuns runs;
  runs.summary =
      R"({"offered_ops_per_s":100,"achieved_ops_per_s":99.5,"latency_us":{"p50":12,"p99":15},)"
      R"("generator":{"limited":true,"limited_by":"lateness"},"consistency":{"verdict":"pass"}})";
  const SweepResult result =
      run_sweeps({spec_of()}, {folder.path() / "o", false, nullptr}, runs.function(), {});
  const std::string table = results_table(result.rows);
  EXPECT_THAT(table, testing::ContainsRegex("raft +3 +100 +100\\* +12 us"));
  EXPECT_THAT(table, HasSubstr("* 001-raft-n3-r100-rep1: in part the load generator's own figures "
                               "(its lateness)\n"));
  EXPECT_THAT(result_line(result.rows[0]), HasSubstr("pass, limited by the load generator"));
}

TEST(ResultLine, SaysWhatARunGave) {
  const PrivateFolder folder;
  FakeRuns runs;
  runs.fail_at = 2;
  const SweepResult result =
      run_sweeps({spec_of()}, {folder.path() / "o", false, nullptr}, runs.function(), {});
  EXPECT_EQ(result_line(result.rows[0]), "raft, 3 nodes: 100 operations/s, p99 > 5000 ms, pass");
  EXPECT_THAT(result_line(result.rows[1]),
              HasSubstr("raft, 3 nodes: failed: the cluster was not ready"));
}

TEST(DurationText, HasTwoUnitsAtMost) {
  EXPECT_EQ(duration_text(12.4), "12 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(3725), "1 h 02 min");
}

}  // namespace
}  // namespace parley::harness
