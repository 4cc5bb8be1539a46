// parley test and parley bench: run what the build folder holds.
#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <thread>

#include "harness/cli/commands.h"
#include "harness/cli/program.h"
#include "harness/cli/software.h"

namespace parley::cli {
namespace {

namespace fs = std::filesystem;

struct TestCounts {
  int total = 0;
  int failed = 0;
  int skipped = 0;
};

// The counts in the first element of a JUnit file.
TestCounts read_counts(const fs::path& file) {
  std::ifstream in(file);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const auto number = [&text](const char* attribute) {
    std::smatch match;
    return std::regex_search(text, match, std::regex(fmt::format("{}=\"(\\d+)\"", attribute)))
               ? std::stoi(match[1])
               : 0;
  };
  return {number("tests"), number("failures"), number("skipped") + number("disabled")};
}

// What the names of an algorithm's tests contain: "raft" as a folder or label, "Raft" in a test's
// own name.
std::string test_names(const std::string& algorithm) {
  std::string camel;
  bool upper = true;
  for (const char c : algorithm) {
    if (c != '_') camel += upper ? static_cast<char>(std::toupper(c)) : c;
    upper = c == '_';
  }
  return algorithm + "|" + camel;
}

// One more than there are cores, since those of live clusters wait for clocks most of the time.
std::string tests_at_once() {
  return "-j" + std::to_string(std::max(1U, std::thread::hardware_concurrency()) + 1);
}

}  // namespace

int run_test(const TestOptions& options) {
  if (!options.algorithm.empty() && !known_algorithm(options.algorithm)) return kUsage;
  const fs::path build(kBuildFolder);
  if (!fs::exists(build / "tests")) {
    complain("there are no tests in " + build.string() +
             ": run ./parley test in a checkout of the source");
    return kUsage;
  }
  const fs::path report = build / "test-results.xml";
  fs::remove(report);
  std::vector<std::string> arguments{
      "ctest",         "--test-dir",     build.string(), "--output-on-failure",
      tests_at_once(), "--output-junit", report.string()};
  if (!options.algorithm.empty()) {
    arguments.insert(arguments.end(), {"-R", test_names(options.algorithm)});
  }
  if (!options.full) arguments.insert(arguments.end(), {"-LE", "^full$"});
  const int status = run_program(arguments, options.common.json);
  const TestCounts counts = read_counts(report);
  const int passed = counts.total - counts.failed - counts.skipped;
  if (options.common.json) {
    fmt::print("{}\n",
               nlohmann::ordered_json{
                   {"passed", passed}, {"failed", counts.failed}, {"skipped", counts.skipped}}
                   .dump());
  } else {
    if (!options.full) {
      fmt::print("left out: the tests that take long or want an idle machine (--full)\n");
    }
    fmt::print("{} passed, {} failed, {} skipped\n", passed, counts.failed, counts.skipped);
  }
  return status == 0 && passed > 0 ? kDone : kFailed;
}

int run_bench(const BenchOptions& options) {
  const fs::path folder = fs::path(kBuildFolder) / "benchmarks";
  if (!fs::exists(folder)) {
    complain("there are no benchmarks in " + folder.string() +
             ": run ./parley bench in a checkout of the source");
    return kUsage;
  }
  std::vector<std::string> programs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) programs.push_back(entry.path().string());
  }
  std::sort(programs.begin(), programs.end());
  int worst = kDone;
  const char* separator = "[";  // with --json: one array with the document of each program
  for (const std::string& program : programs) {
    std::vector<std::string> arguments{program};
    if (!options.filter.empty()) arguments.push_back("--benchmark_filter=" + options.filter);
    if (options.common.json) {
      arguments.push_back("--benchmark_format=json");
      fmt::print("{}", separator);
      separator = ",";
    }
    if (run_program(arguments, false) != 0) worst = kFailed;
  }
  if (options.common.json) fmt::print("]\n");
  return worst;
}

}  // namespace parley::cli
