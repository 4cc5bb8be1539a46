// What a comparison looks like, for people and for machines.
#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "harness/diff/diff.h"

namespace parley::diff {
namespace {

using nlohmann::ordered_json;

std::string number(double value) {
  if (std::isinf(value)) return "above the time-out";
  const double size = std::abs(value);
  return fmt::format(fmt::runtime(size >= 1000 ? "{:.0f}"
                                  : size >= 10 ? "{:.1f}"
                                               : "{:.3g}"),
                     value);
}

std::string ratio_text(const RankTest& test) {
  if (!test.ratio) return "-";
  return fmt::format("x {:.3f} ({:.3f} to {:.3f}, {:.0f} %)", test.ratio->estimate, test.ratio->low,
                     test.ratio->high, 100 * test.ratio->confidence);
}

void add_comparison(const Comparison& one, std::string& to) {
  fmt::format_to(std::back_inserter(to), "  {:<26} {:>12} {:>12}  {:<34} p {:<6.3g} {:.2f}  {}\n",
                 one.metric, number(one.a.median), number(one.b.median), ratio_text(one.test),
                 one.p_holm, one.test.larger, verdict_name(one.verdict));
}

void add_point(const Point& point, std::string& to) {
  const std::size_t a = point.comparisons.empty() ? 0 : point.comparisons.front().a.values.size();
  const std::size_t b = point.comparisons.empty() ? 0 : point.comparisons.front().b.values.size();
  fmt::format_to(std::back_inserter(to), "{} ({} repetitions against {})\n", point.name, a, b);
  for (const Difference& one : point.treatment) {
    fmt::format_to(std::back_inserter(to), "  {}: {} in A, {} in B\n", one.name, one.a, one.b);
  }
  fmt::format_to(std::back_inserter(to), "  {:<26} {:>12} {:>12}  {:<34} {:<8} {}\n", "medians of",
                 "A", "B", "B : A (interval, its confidence)", "Holm", "P(B > A)");
  for (const Comparison& one : point.comparisons) add_comparison(one, to);
  for (const std::string& note : point.notes) to += "  note: " + note + "\n";
}

void add_unlike(const Unlike& unlike, std::string& to) {
  to += "NOT COMPARABLE: " + unlike.name + "\n";
  for (const Difference& one : unlike.conditions) {
    fmt::format_to(std::back_inserter(to), "  {}: {} in A, {} in B\n", one.name, one.a, one.b);
  }
}

// Repetitions a side that could show a difference among so many comparisons.
std::size_t enough(std::size_t comparisons) {
  std::size_t each = 1;
  while (each < kMaxSample &&
         smallest_p(each, each) * static_cast<double>(comparisons) > kFamilyError) {
    ++each;
  }
  return each;
}

ordered_json json_of(const std::vector<Difference>& differences) {
  ordered_json all = ordered_json::array();
  for (const Difference& one : differences) {
    all.push_back({{"name", one.name}, {"a", one.a}, {"b", one.b}});
  }
  return all;
}

// JSON has no infinity.
ordered_json json_of(const Sample& sample) {
  const auto finite = [](double value) {
    return std::isfinite(value) ? ordered_json(value) : ordered_json("above the time-out");
  };
  ordered_json values = ordered_json::array();
  for (const double value : sample.values) values.push_back(finite(value));
  return {{"median", finite(sample.median)}, {"values", values}};
}

ordered_json json_of(const Comparison& one) {
  ordered_json told = {{"metric", one.metric},
                       {"a", json_of(one.a)},
                       {"b", json_of(one.b)},
                       {"ratio", nullptr},
                       {"p", one.test.p},
                       {"p_holm", one.p_holm},
                       {"b_larger", one.test.larger},
                       {"verdict", verdict_name(one.verdict)}};
  if (one.test.ratio) {
    told["ratio"] = {{"estimate", one.test.ratio->estimate},
                     {"low", one.test.ratio->low},
                     {"high", one.test.ratio->high},
                     {"confidence", one.test.ratio->confidence}};
  }
  return told;
}

}  // namespace

std::string to_text(const Diff& diff, double tolerance) {
  std::string text;
  std::size_t comparisons = 0;
  for (const Unlike& unlike : diff.unlike) add_unlike(unlike, text);
  for (const Point& point : diff.points) {
    add_point(point, text);
    comparisons += point.comparisons.size();
  }
  for (const std::string& note : diff.notes) text += "note: " + note + "\n";
  if (comparisons == 0) return text + "nothing could be compared\n";
  text += fmt::format(
      "{} (differences beyond {:.3g} %, with {:.0f} % confidence over all {} comparisons)\n",
      verdict_name(verdict_of(diff)), 100 * tolerance, 100 * (1 - kFamilyError), comparisons);
  if (verdict_of(diff) == Verdict::cannot_tell) {
    text += fmt::format(
        "{} repetitions on each side could tell; with --metric NAME for one figure only, {}\n",
        enough(comparisons), enough(diff.points.size()));
  }
  return text;
}

std::string to_json(const Diff& diff) {
  ordered_json points = ordered_json::array();
  for (const Point& point : diff.points) {
    ordered_json comparisons = ordered_json::array();
    for (const Comparison& one : point.comparisons) comparisons.push_back(json_of(one));
    points.push_back({{"point", point.name},
                      {"differs_by", json_of(point.treatment)},
                      {"comparisons", comparisons},
                      {"notes", point.notes}});
  }
  ordered_json unlike = ordered_json::array();
  for (const Unlike& one : diff.unlike) {
    unlike.push_back({{"point", one.name}, {"conditions", json_of(one.conditions)}});
  }
  return ordered_json{{"verdict", verdict_name(verdict_of(diff))},
                      {"points", points},
                      {"not_comparable", unlike},
                      {"notes", diff.notes}}
      .dump();
}

}  // namespace parley::diff
