// The table of results for a terminal.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "harness/sweep/baseline.h"
#include "harness/sweep/fault_load.h"
#include "harness/sweep/results.h"

namespace parley::harness {
namespace {

constexpr std::string_view kNothing = "-";

std::string text_of(const ResultRow& row, std::string_view name) {
  const auto it = row.figures.find(name);
  return it == row.figures.end() || it->second.empty() ? std::string(kNothing) : it->second;
}

// 1234567 as "1.23 M", 45678 as "45.7 k", 123 as "123".
std::string rate_text(std::optional<double> rate) {
  if (!rate) return std::string(kNothing);
  if (*rate >= 1e6) return fmt::format("{:.2f} M", *rate / 1e6);
  if (*rate >= 1e4) return fmt::format("{:.1f} k", *rate / 1e3);
  return fmt::format("{:.0f}", *rate);
}

std::string time_text(const ResultRow& row, std::string_view name) {
  const std::string text = text_of(row, name);
  const std::optional<double> us = number_of(row, name);
  if (us) return *us >= 1e4 ? fmt::format("{:.1f} ms", *us / 1e3) : fmt::format("{:.0f} us", *us);
  double limit = 0;
  const bool above =
      text.starts_with('>') &&
      std::from_chars(text.data() + 1, text.data() + text.size(), limit).ec == std::errc{};
  return above ? fmt::format("> {:.0f} ms", limit / 1e3) : text;
}

std::string fixed_text(std::optional<double> value) {
  return value ? fmt::format("{:.2f}", *value) : std::string(kNothing);
}

std::string recovery_text(const ResultRow& row) {
  const std::optional<double> ms = number_of(row, "recovery.back_to_95_ms");
  if (!ms) return std::string(kNothing);
  return std::isinf(*ms) ? "never" : fmt::format("{:.0f} ms", *ms);
}

std::string offered_text(const ResultRow& row) {
  const RunSpec& spec = row.record.run.spec;
  if (spec.closed_loop)
    return spec.batch == 1 ? fmt::format("{} in flight", spec.window)
                           : fmt::format("{} in flight x{}", spec.window, spec.batch);
  return rate_text(number_of(row, "offered_ops_per_s"));
}

bool limited(const ResultRow& row) {
  return text_of(row, "generator.limited") == "true";
}

// A star: see below the table.
std::string achieved_text(const ResultRow& row) {
  return rate_text(number_of(row, "achieved_ops_per_s")) + (limited(row) ? "*" : "");
}

// What tells runs apart besides strategy, nodes and load; shown where not all have the same.
struct Axis {
  std::string_view name;
  std::string (*value)(const RunSpec&);
};
constexpr Axis kAxes[] = {
    {"durability", [](const RunSpec& spec) { return spec.durability; }},
    {"faults", [](const RunSpec& spec) { return spec.faults; }},
    {"links", [](const RunSpec& spec) { return spec.links; }},
    {"workload", [](const RunSpec& spec) { return spec.workload; }},
    {"reads",
     [](const RunSpec& spec) {
       return spec.read_share == 0 ? std::string(kNothing)
                                   : fmt::format("{} {}", spec.read_share, spec.read_mode);
     }},
    {"routing", [](const RunSpec& spec) { return spec.routing; }},
};

bool is_baseline(const ResultRow& row) {
  return row.record.run.spec.baseline;
}

std::vector<Axis> varying(const std::vector<ResultRow>& rows) {
  std::vector<Axis> axes;
  const auto first = std::ranges::find_if_not(rows, is_baseline);
  if (first == rows.end()) return axes;
  std::copy_if(std::begin(kAxes), std::end(kAxes), std::back_inserter(axes), [&](const Axis& axis) {
    return std::any_of(rows.begin(), rows.end(), [&](const ResultRow& row) {
      return !is_baseline(row) &&
             axis.value(row.record.run.spec) != axis.value(first->record.run.spec);
    });
  });
  return axes;
}

std::vector<std::string> cells_of(const ResultRow& row, const std::vector<Axis>& axes) {
  const RunSpec& spec = row.record.run.spec;
  std::optional<double> cpu = number_of(row, "cpu_s_per_mops.nodes");
  if (cpu) *cpu += number_of(row, "cpu_s_per_mops.clients").value_or(0);
  const std::string verdict = row.record.state == RecordState::done
                                  ? text_of(row, "consistency.verdict")
                                  : std::string(state_name(row.record.state));
  std::vector<std::string> cells{std::string(spec.algorithm->name), fmt::format("{}", spec.nodes),
                                 offered_text(row)};
  for (const Axis& axis : axes) cells.push_back(axis.value(spec));
  for (std::string& cell : std::vector<std::string>{
           achieved_text(row), time_text(row, "latency_us.p50"), time_text(row, "latency_us.p99"),
           fixed_text(cpu), fixed_text(number_of(row, "messages_per_op")),
           spec.faults == "none" ? std::string(kNothing) : recovery_text(row), verdict}) {
    cells.push_back(std::move(cell));
  }
  return cells;
}

std::string who(const RunSpec& spec) {
  return fmt::format("{}, {} node{}", spec.algorithm->name, spec.nodes, spec.nodes == 1 ? "" : "s");
}

// What has to be told below the table.
std::string remarks(const std::vector<ResultRow>& rows) {
  std::string text;
  for (const ResultRow& row : rows) {
    if (row.record.state == RecordState::failed) {
      text += fmt::format("{} failed: {}\n", row.record.run.name, row.record.reason);
    } else if (limited(row)) {
      text += fmt::format("* {}: in part the load generator's own figures (its {})\n",
                          row.record.run.name, text_of(row, "generator.limited_by"));
    }
  }
  for (const LoadedRun& run : loaded_fault_runs(rows))
    text += fmt::format("warning: {}\n", to_text(run));
  if (const auto spread = baseline_spread(rows)) {
    text += to_text(*spread) + '\n';
    const std::string warning = warning_of(*spread);
    if (!warning.empty()) text += fmt::format("warning: {}\n", warning);
  }
  return text;
}

}  // namespace

std::string result_line(const ResultRow& row) {
  const std::string subject =
      (row.record.run.spec.baseline ? "baseline, " : "") + who(row.record.run.spec);
  if (row.record.state == RecordState::failed) return subject + ": failed: " + row.record.reason;
  return fmt::format("{}: {} operations/s, p99 {}, {}{}", subject,
                     rate_text(number_of(row, "achieved_ops_per_s")),
                     time_text(row, "latency_us.p99"), text_of(row, "consistency.verdict"),
                     limited(row) ? ", limited by the load generator" : "");
}

std::string skipped_line(const SkippedRun& skipped) {
  return who(skipped.spec) + ": " + skipped.reason;
}

std::string results_table(const std::vector<ResultRow>& rows) {
  const std::vector<Axis> axes = varying(rows);
  std::vector<std::string> head{"algorithm", "nodes", "offered/s"};
  for (const Axis& axis : axes) head.emplace_back(axis.name);
  for (const char* name :
       {"achieved/s", "p50", "p99", "cpu s/M", "msgs/op", "recovery", "verdict"}) {
    head.emplace_back(name);
  }
  std::vector<std::vector<std::string>> lines{std::move(head)};
  std::size_t pending = 0;
  for (const ResultRow& row : rows) {
    const bool ended =
        row.record.state == RecordState::done || row.record.state == RecordState::failed;
    if (ended && !is_baseline(row)) lines.push_back(cells_of(row, axes));
    if (!ended) ++pending;
  }
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : lines) {
    // Words to the left, numbers to the right.
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      text += i == 0 ? fmt::format("{:<{}}  ", line[i], widths[i])
                     : fmt::format("{:>{}}  ", line[i], widths[i]);
    }
    text += line.back() + '\n';
  }
  text += remarks(rows);
  if (pending > 0)
    text += fmt::format("{} of {} runs are still to be done\n", pending, rows.size());
  return text;
}

}  // namespace parley::harness
