// Compares two sets of results: only what was measured under the same conditions, with the
// uncertainty that the repetitions leave.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/diff/rank_test.h"
#include "harness/diff/result_set.h"

namespace parley::diff {

struct DiffOptions {
  std::vector<std::string> metrics;  // dotted names of summary.json; empty: the usual ones
  double tolerance = 0.05;           // smaller shares are no difference, however certain
};

// How sure a difference has to be, over all comparisons of a diff together (Holm 1979).
inline constexpr double kFamilyError = 0.05;
inline constexpr double kConfidence = 0.95;  // of each interval by itself

enum class Verdict : std::uint8_t {
  same,         // no difference was found
  differs,      // a difference beyond the tolerance, and beyond chance
  cannot_tell,  // so few repetitions could not show any difference
};
std::string_view verdict_name(Verdict verdict);

struct Sample {
  std::vector<double> values;  // of the repetitions
  double median = 0;
};

struct Comparison {
  std::string metric;
  Sample a;
  Sample b;
  RankTest test;
  double p_holm = 1;  // corrected for the number of comparisons
  Verdict verdict = Verdict::same;
};

// Named values that two sides do not share.
struct Difference {
  std::string name;
  std::string a;
  std::string b;
};

// What was measured on both sides: "raft, 3 nodes, 10000/s offered".
struct Point {
  std::string name;
  std::vector<Difference>
      treatment;  // what was changed on purpose: options, the commit, the strategy
  std::vector<Comparison> comparisons;
  std::vector<std::string> notes;
};

// Of one name on both sides, but under other conditions.
struct Unlike {
  std::string name;
  std::vector<Difference> conditions;
};

struct Diff {
  std::vector<Point> points;
  std::vector<Unlike> unlike;
  std::vector<std::string> notes;  // what is on one side only, failed runs
};

// Throws ResultError for a metric that no run has, and for more than kMaxSample repetitions.
Diff compare_results(const ResultSet& a, const ResultSet& b, const DiffOptions& options);

// Over all points: differs if any does; else cannot_tell if there is no point or any cannot.
Verdict verdict_of(const Diff& diff);

std::string to_text(const Diff& diff, double tolerance);
std::string to_json(const Diff& diff);

}  // namespace parley::diff
