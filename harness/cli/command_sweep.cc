// parley sweep, compare and report: measurements and what is made of them.
#include <fmt/chrono.h>
#include <fmt/core.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/cli/commands.h"
#include "harness/cli/program.h"
#include "harness/cli/reports.h"
#include "harness/cli/software.h"
#include "harness/cluster/stop_signal.h"
#include "harness/sweep/sweep.h"

namespace parley::cli {
namespace {

namespace fs = std::filesystem;
using harness::ResultRow;
using harness::SweepResult;
using harness::SweepSpec;

constexpr const char* kReportPage = "report.html";

harness::SoftwareInfo software_info() {
  return {std::string(kCommit), std::string(kBuildType), std::string(kCompiler),
          std::string(kVersion)};
}

SweepResult measure(const std::vector<SweepSpec>& specs, const fs::path& out, bool resume) {
  fs::create_directories(out);
  harness::RunEnvironment environment;
  environment.software = software_info();
  environment.host = harness::inspect_host(out);
  environment.stop = &harness::StopSignal::requested();
  harness::SweepOptions options;
  options.out = out;
  options.resume = resume;
  options.stop = environment.stop;
  return harness::run_sweeps(specs, options, harness::live_runs(environment),
                             harness::progress_printer());
}

int status_of(const SweepResult& result) {
  return result.stopped || result.failed > 0 || result.checks_failed > 0 ? kFailed : kDone;
}

// The folders below `out` that hold a sweep, or `out` itself.
std::vector<std::string> sweep_folders(const fs::path& out) {
  if (fs::exists(out / "sweep.json")) return {out.string()};
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(out)) {
    if (fs::exists(entry.path() / "sweep.json")) folders.push_back(entry.path().string());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// Makes a report of result folders, which is out / kReportPage, with these kinds of files beside it
// (empty: all). Returns the exit status.
int make_report(const std::vector<std::string>& folders, const fs::path& out,
                const std::string& files = {}) {
  std::vector<std::string> arguments{"node", (reports_folder() / "render.mjs").string()};
  arguments.insert(arguments.end(), folders.begin(), folders.end());
  arguments.insert(arguments.end(), {"--out", out.string()});
  if (!files.empty()) arguments.insert(arguments.end(), {"--files", files});
  return run_program(arguments, true);
}

nlohmann::ordered_json runs_json(const SweepResult& result, bool baseline) {
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  for (const ResultRow& row : result.rows) {
    if (row.record.run.spec.baseline != baseline) continue;
    std::ifstream in(row.folder / "summary.json");
    if (!in) continue;
    runs.push_back({{"name", row.record.run.name},
                    {"algorithm", row.record.run.spec.algorithm->name},
                    {"nodes", row.record.run.spec.nodes},
                    {"summary", nlohmann::ordered_json::parse(in)}});
  }
  return runs;
}

void print_outcome(const Common& common, const fs::path& out, const fs::path& report,
                   const SweepResult& result) {
  if (common.json) {
    nlohmann::ordered_json json{{"results", fs::absolute(out).string()},
                                {"report", nullptr},
                                {"runs", runs_json(result, false)},
                                {"baseline", runs_json(result, true)}};
    if (!report.empty()) json["report"] = fs::absolute(report).string();
    fmt::print("{}\n", json.dump());
    return;
  }
  fmt::print("{}", harness::results_table(result.rows));
  fmt::print("results: {}\n", out.string());
  if (!report.empty()) fmt::print("report:  {}\n", fs::absolute(report).string());
}

std::string stamped_name(const char* prefix) {
  return fmt::format("{}-{:%Y%m%d-%H%M%S}", prefix, fmt::localtime(std::time(nullptr)));
}

}  // namespace

int run_sweep_command(const SweepOptions& options) {
  try {
    SweepSpec spec = harness::parse_sweep_spec(options.spec);
    if (options.common.seed) spec.seed = *options.common.seed;
    if (options.dry_run) {
      fmt::print("{}", harness::price_list({spec}));
      return kDone;
    }
    if (options.out.empty()) {
      complain("out: name a folder for the results with --out");
      return kUsage;
    }
    const harness::StopSignal stop_signal;
    const SweepResult result = measure({spec}, options.out, options.resume);
    print_outcome(options.common, options.out, {}, result);
    return status_of(result);
  } catch (const harness::ConfigError& error) {
    complain(error.what());
    return kUsage;
  }
}

int run_compare(const CompareOptions& options) {
  const fs::path out =
      options.out.empty() ? fs::path("results") / stamped_name("compare") : fs::path(options.out);
  try {
    if (options.resume && options.out.empty()) {
      complain("resume: name the comparison's folder with --out");
      return kUsage;
    }
    // Told now, and not when everything is measured.
    if (const std::string problem = report_problem(); !problem.empty()) {
      complain(problem);
      return kUsage;
    }
    std::vector<SweepSpec> specs = harness::compare_specs(options.quick);
    if (options.common.seed) {
      for (SweepSpec& spec : specs) spec.seed = *options.common.seed;
    }
    const harness::StopSignal stop_signal;
    const SweepResult result = measure(specs, out, options.resume);
    int report_status = kFailed;
    if (!result.stopped) report_status = make_report(sweep_folders(out), out / "report");
    const bool reported = report_status == kDone;
    print_outcome(options.common, out, reported ? out / "report" / kReportPage : "", result);
    return reported ? status_of(result) : report_status;
  } catch (const harness::ConfigError& error) {
    complain(error.what());
    return kUsage;
  }
}

int run_report(const ReportOptions& options) {
  std::vector<std::string> folders;
  for (const std::string& folder : options.folders) {
    if (!fs::is_directory(folder)) {
      complain("DIR: " + folder + " is not a folder");
      return kUsage;
    }
    const std::vector<std::string> found = sweep_folders(folder);
    if (found.empty()) {
      complain("DIR: " + folder + " holds no results (no sweep.json)");
      return kUsage;
    }
    folders.insert(folders.end(), found.begin(), found.end());
  }
  if (const std::string problem = report_problem(); !problem.empty()) {
    complain(problem);
    return kUsage;
  }
  const fs::path out =
      options.out.empty() ? fs::path(options.folders.front()) / "report" : fs::path(options.out);
  const int status = make_report(folders, out, options.files);
  if (status != kDone) return status;
  const fs::path page = out / kReportPage;
  if (options.common.json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"report", fs::absolute(page).string()}}.dump());
  } else {
    fmt::print("report: {}\n", fs::absolute(page).string());
  }
  return kDone;
}

}  // namespace parley::cli
