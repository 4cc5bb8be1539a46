#include "harness/load/limit.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::load {
namespace {

constexpr double kMostCpu = 0.95;
constexpr double kMostOfCeiling = 0.9;
constexpr double kCpuAtCeiling = 0.5;
constexpr double kMostOwnShare = 0.25;
constexpr double kMostOwnUs = 100;

}  // namespace

double own_share(const LatencyHistogram& latency, const LatencyHistogram& handled, double share) {
  const Percentile whole = latency.percentile(share, 0);
  const Percentile clusters = handled.percentile(share, 0);
  if (whole.above || clusters.above || whole.us <= 0) return 0;
  return std::max(0.0, 1 - clusters.us / whole.us);
}

Limit limit_of(const LoadResult& result) {
  const GeneratorFigures& own = result.generator;
  if (own.cpu_share > kMostCpu) return Limit::cpu;
  const double ceiling = own.ceiling_ops_per_s;
  const bool near_it = ceiling > 0 && result.offered_ops_per_s > kMostOfCeiling * ceiling;
  if (near_it && own.cpu_share > kCpuAtCeiling) return Limit::ceiling;
  const auto too_late = [&result](double percentile, double of_it) {
    const double us = result.latency.percentile(percentile, 0).us;
    return of_it > kMostOwnShare && of_it * us > kMostOwnUs;
  };
  const bool late = too_late(0.5, own.latency_share.p50) || too_late(0.9, own.latency_share.p90) ||
                    too_late(0.99, own.latency_share.p99);
  return late ? Limit::lateness : Limit::none;
}

std::string_view limit_name(Limit limit) {
  switch (limit) {
    case Limit::cpu:
      return "cpu";
    case Limit::ceiling:
      return "ceiling";
    case Limit::lateness:
      return "lateness";
    case Limit::none:
      break;
  }
  return "none";
}

std::string limit_text(const LoadResult& result) {
  const GeneratorFigures& own = result.generator;
  constexpr std::string_view kSo = "the figures are in part the load generator's own";
  switch (own.limit) {
    case Limit::cpu:
      return fmt::format("{}: it used {:.0f} % of a core", kSo, own.cpu_share * 100);
    case Limit::ceiling:
      return fmt::format("{}: {:.0f} operations/s, where it was seen to do {:.0f} by itself", kSo,
                         result.offered_ops_per_s, own.ceiling_ops_per_s);
    case Limit::lateness:
      return fmt::format(
          "{}: it was late, which makes up {:.0f} % of p50, {:.0f} % of p90 and {:.0f} % of p99",
          kSo, own.latency_share.p50 * 100, own.latency_share.p90 * 100,
          own.latency_share.p99 * 100);
    case Limit::none:
      break;
  }
  return {};
}

}  // namespace parley::load
