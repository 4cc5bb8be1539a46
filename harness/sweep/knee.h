// Finds the highest rate at which a cluster still meets a latency objective: the knee of the curve
// of latency against throughput.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/sweep/sweep.h"

namespace parley::harness {

// "p99<=10ms": a percentile of the latency from the intended moment, and what it may be at most.
struct Objective {
  std::string percentile;  // a name in summary.json's latency_us: p50, p90, p99, p999
  double limit_us = 0;
};
// Throws ConfigError that says what is allowed.
Objective parse_objective(std::string_view text);

inline constexpr double kKneeGap = 1.05;
inline constexpr double kKneeDepth = 1024;
// No search tries more often: ten halves and four steps, up to three times each.
inline constexpr std::uint32_t kMaxProbes = 3 * (10 + 4);

// Which rate to try next. A rate counts as met when two of up to three tries at it met the
// objective, so that one disturbed second does not decide. The search goes down from the saturation
// by halves until a rate is met, then halves the gap (as a ratio) until it is below kKneeGap.
class KneeSearch {
 public:
  // `saturation`: the throughput of the closed loop, which no open loop can exceed; above 0.
  explicit KneeSearch(double saturation)
      : high_(saturation), rate_(saturation / 2), least_(saturation / kKneeDepth) {}

  // None when the search is over.
  [[nodiscard]] std::optional<double> next() const;
  // What came of a try at next().
  void tell(bool met);

  // The highest rate that was met; 0 if none was down to a kKneeDepth-th of the saturation.
  [[nodiscard]] double low() const { return low_; }
  // The lowest rate that was not, or the saturation.
  [[nodiscard]] double high() const { return high_; }

 private:
  void decide(bool met);

  double low_ = 0;
  double high_;
  double rate_;
  double least_;
  int met_ = 0;  // of the tries at rate_
  int missed_ = 0;
  bool over_ = false;
};
// Runs specs whose rate is to be searched for (RunSpec::objective) as a search: a closed loop for
// the saturation, a run for each try, and a last run at the rate found, whose figures are those of
// the folder. All others are kept under folder/probes, and summary.json gets "search": {objective,
// saturation_ops_per_s, rate_low, rate_high, confirmed, limited, probes}. Other specs are run as
// they are.
RunFunction with_search(RunFunction run);

}  // namespace parley::harness
