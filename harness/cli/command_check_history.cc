// parley check-history: checks a recorded history.
#include <fmt/core.h>

#include "harness/check/checker.h"
#include "harness/cli/commands.h"

namespace parley::cli {
namespace {

using history::Anomaly;
using history::CheckResult;

void print_findings(const CheckResult& result) {
  for (std::size_t i = 0; i < history::kAnomalies; ++i) {
    const auto anomaly = static_cast<Anomaly>(i);
    const auto& entry = result.findings.of(anomaly);
    if (entry.count == 0) continue;
    fmt::print("  {} {} ({})\n", entry.count, history::anomaly_name(anomaly),
               history::breaks_promise(result.model, anomaly) ? "breaks the promise" : "counted");
    for (const std::string& example : entry.examples) fmt::print("      {}\n", example);
  }
}

void print_result(const CheckResult& result) {
  fmt::print("{}: {}\n", history::model_name(result.model), history::verdict_name(result.verdict));
  fmt::print(
      "  {} operations: {} placements ok, {} refused, {} unknown; {} reads, {} final reads; "
      "{} cells\n",
      result.operations, result.places_ok, result.places_refused, result.places_unknown,
      result.reads, result.final_reads, result.cells);
  fmt::print("  {} journals with {} applied placements\n", result.journals, result.applied);
  print_findings(result);
  for (const std::string& line : result.malformed_examples) fmt::print("  left out: {}\n", line);
  for (const std::string& note : result.notes) fmt::print("  note: {}\n", note);
}

}  // namespace

int run_check_history(const CheckHistoryOptions& options) {
  history::CheckOptions check;
  check.model = *history::parse_model(options.model);
  CheckResult result;
  try {
    result = history::check_history(options.path, check);
  } catch (const std::exception& error) {
    complain(options.path + ": " + error.what());
    return kUsage;
  }
  if (options.common.json) {
    fmt::print("{}\n", history::to_json(result));
  } else {
    print_result(result);
  }
  return result.verdict == history::Verdict::pass ? kDone : kFailed;
}

}  // namespace parley::cli
