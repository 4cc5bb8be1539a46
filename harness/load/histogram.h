// Distributions of latencies, including those that never ended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace parley::load {

// A point of a distribution. `above` says that it falls among the operations that had no answer
// when their time was up (or were never sent): it is larger than `us`, the limit.
struct Percentile {
  double us = 0;
  bool above = false;
  bool operator==(const Percentile&) const = default;
};

// As INTERFACE prints it: 12.5, or ">5000000" when above the limit (quotes included, for JSON).
std::string to_json(Percentile percentile);
// The same without quotes, for CSV.
std::string to_csv(Percentile percentile);

struct LatencySummary {
  Percentile min, p50, p90, p99, p999, max;
};

// Counts latencies in logarithmic bins of 1 % (Boost.Histogram), so that a percentile is at most
// 1 % off; the smallest and the largest latency are exact. Operations without an end count as
// longer than everything.
class LatencyHistogram {
 public:
  LatencyHistogram();
  ~LatencyHistogram();
  LatencyHistogram(const LatencyHistogram& other);
  LatencyHistogram& operator=(const LatencyHistogram& other);
  LatencyHistogram(LatencyHistogram&&) noexcept;
  LatencyHistogram& operator=(LatencyHistogram&&) noexcept;

  void add(std::int64_t latency_ns, std::uint64_t operations = 1);
  void add_endless(std::uint64_t operations) { endless_ += operations; }
  void add(const LatencyHistogram& other);
  void clear();

  [[nodiscard]] std::uint64_t count() const { return ended_ + endless_; }
  [[nodiscard]] std::uint64_t endless() const { return endless_; }

  // The smallest latency that at least `share` (0 to 1) of all operations do not exceed. `limit_us`
  // is what to print for those without an end. Zero when nothing was counted.
  [[nodiscard]] Percentile percentile(double share, double limit_us) const;
  [[nodiscard]] LatencySummary summary(double limit_us) const;

  struct Bin {
    double low_us = 0;
    double high_us = 0;
    std::uint64_t count = 0;
  };
  // The bins that hold something, in rising order; those of the ends reach to the exact extremes.
  [[nodiscard]] std::vector<Bin> bins() const;

 private:
  struct Counts;
  std::unique_ptr<Counts> counts_;
  std::uint64_t ended_ = 0;
  std::uint64_t endless_ = 0;
  std::int64_t min_ns_ = 0;
  std::int64_t max_ns_ = 0;
};

}  // namespace parley::load
