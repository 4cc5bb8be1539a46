#include "harness/load/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/histogram.hpp>
#include <cmath>
#include <tuple>

namespace parley::load {
namespace {

namespace bh = boost::histogram;

constexpr double kLowUs = 1;
constexpr double kHighUs = 1e9;
constexpr unsigned kBins = 2083;  // ln(1e9) / ln(1.01)

using LogAxis = bh::axis::regular<double, bh::axis::transform::log>;
using Histogram = bh::histogram<std::tuple<LogAxis>, bh::dense_storage<std::uint64_t>>;

constexpr double kNsPerUs = 1000;

}  // namespace

struct LatencyHistogram::Counts {
  Histogram bins{std::make_tuple(LogAxis(kBins, kLowUs, kHighUs)),
                 bh::dense_storage<std::uint64_t>()};
};

LatencyHistogram::LatencyHistogram() : counts_(std::make_unique<Counts>()) {}
LatencyHistogram::~LatencyHistogram() = default;
LatencyHistogram::LatencyHistogram(const LatencyHistogram& other)
    : counts_(std::make_unique<Counts>(*other.counts_)),
      ended_(other.ended_),
      endless_(other.endless_),
      min_ns_(other.min_ns_),
      max_ns_(other.max_ns_) {}
LatencyHistogram& LatencyHistogram::operator=(const LatencyHistogram& other) {
  if (this != &other) *this = LatencyHistogram(other);
  return *this;
}
LatencyHistogram::LatencyHistogram(LatencyHistogram&&) noexcept = default;
LatencyHistogram& LatencyHistogram::operator=(LatencyHistogram&&) noexcept = default;

void LatencyHistogram::add(std::int64_t latency_ns, std::uint64_t operations) {
  if (operations == 0) return;
  counts_->bins(bh::weight(operations), static_cast<double>(latency_ns) / kNsPerUs);
  min_ns_ = ended_ == 0 ? latency_ns : std::min(min_ns_, latency_ns);
  max_ns_ = ended_ == 0 ? latency_ns : std::max(max_ns_, latency_ns);
  ended_ += operations;
}

void LatencyHistogram::add(const LatencyHistogram& other) {
  endless_ += other.endless_;
  if (other.ended_ == 0) return;
  counts_->bins += other.counts_->bins;
  min_ns_ = ended_ == 0 ? other.min_ns_ : std::min(min_ns_, other.min_ns_);
  max_ns_ = ended_ == 0 ? other.max_ns_ : std::max(max_ns_, other.max_ns_);
  ended_ += other.ended_;
}

void LatencyHistogram::clear() {
  counts_->bins.reset();
  ended_ = 0;
  endless_ = 0;
  min_ns_ = 0;
  max_ns_ = 0;
}

Percentile LatencyHistogram::percentile(double share, double limit_us) const {
  if (count() == 0) return {};
  const double min_us = static_cast<double>(min_ns_) / kNsPerUs;
  const double max_us = static_cast<double>(max_ns_) / kNsPerUs;
  const auto rank =
      static_cast<std::uint64_t>(std::max(1.0, std::ceil(share * static_cast<double>(count()))));
  if (rank > ended_) return {limit_us, true};
  if (rank == 1) return {min_us, false};
  if (rank == ended_) return {max_us, false};
  const LogAxis& axis = counts_->bins.axis();
  std::uint64_t seen = 0;
  for (int bin = -1; bin < axis.size(); ++bin) {  // -1: below kLowUs
    seen += counts_->bins.at(bin);
    if (seen < rank) continue;
    // The geometric mean of the bin's ends is at most half a per cent from either.
    return {std::clamp(bin < 0 ? min_us : axis.value(bin + 0.5), min_us, max_us), false};
  }
  return {max_us, false};
}

LatencySummary LatencyHistogram::summary(double limit_us) const {
  return {percentile(0, limit_us),    percentile(0.5, limit_us),   percentile(0.9, limit_us),
          percentile(0.99, limit_us), percentile(0.999, limit_us), percentile(1, limit_us)};
}

std::vector<LatencyHistogram::Bin> LatencyHistogram::bins() const {
  std::vector<Bin> found;
  const LogAxis& axis = counts_->bins.axis();
  for (int bin = -1; bin <= axis.size(); ++bin) {
    const std::uint64_t count = counts_->bins.at(bin);
    if (count == 0) continue;
    const double low = bin < 0 ? 0 : axis.value(bin);
    const double high =
        bin < axis.size() ? axis.value(bin + 1) : static_cast<double>(max_ns_) / kNsPerUs;
    found.push_back({low, high, count});
  }
  return found;
}

std::string to_csv(Percentile percentile) {
  return percentile.above ? fmt::format(">{:.0f}", percentile.us)
                          : fmt::format("{:.3f}", percentile.us);
}

std::string to_json(Percentile percentile) {
  return percentile.above ? '"' + to_csv(percentile) + '"' : to_csv(percentile);
}

}  // namespace parley::load
