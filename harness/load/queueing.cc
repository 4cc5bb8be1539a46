#include "harness/load/queueing.h"

#include <algorithm>
#include <cmath>

namespace parley::load {
namespace {

// The time of a server that stands still in stalls.
class WorkingTime {
 public:
  explicit WorkingTime(const KnownService& service)
      : every_(service.stall_every.count()), stall_(service.stall_for.count()) {}

  // How long the server has worked, or could have, before that moment.
  [[nodiscard]] std::int64_t before(std::int64_t moment) const {
    if (every_ == 0) return moment;
    const std::int64_t in_period = moment % every_ - stall_;
    return moment / every_ * (every_ - stall_) + std::max<std::int64_t>(in_period, 0);
  }

  // The first moment before which it has worked for so long, which is above 0.
  [[nodiscard]] std::int64_t moment_of(std::int64_t worked) const {
    if (every_ == 0) return worked;
    const std::int64_t periods = (worked - 1) / (every_ - stall_);
    return periods * every_ + stall_ + worked - periods * (every_ - stall_);
  }

 private:
  std::int64_t every_;
  std::int64_t stall_;
};

}  // namespace

std::vector<std::int64_t> latencies(const std::vector<std::int64_t>& arrivals,
                                    const KnownService& service) {
  const WorkingTime time(service);
  std::vector<std::int64_t> found;
  found.reserve(arrivals.size());
  std::int64_t done = 0;  // in working time
  for (const std::int64_t arrival : arrivals) {
    done = std::max(time.before(arrival), done) + service.work.count();
    found.push_back(time.moment_of(done) - arrival);
  }
  return found;
}

std::int64_t stalled_latency(std::int64_t index, std::int64_t first, std::int64_t gap,
                             const KnownService& service) {
  const std::int64_t work = service.work.count();
  const std::int64_t waited = first + index * gap;
  return std::max(work, service.stall_for.count() - waited + (index + 1) * work);
}

double md1_wait_at_most(double wait, double rate, double work) {
  if (wait < 0) return 0;
  long double sum = 0;
  for (int k = 0; k <= static_cast<int>(std::floor(wait / work)); ++k) {
    const long double x =
        static_cast<long double>(rate) * (k * static_cast<long double>(work) - wait);
    long double term = std::exp(-x);  // x^k / k! e^-x
    for (int i = 1; i <= k; ++i) term *= x / i;
    sum += term;
  }
  return static_cast<double>((1 - static_cast<long double>(rate) * work) * sum);
}

double md1_latency(double share, double rate, double work) {
  if (share <= md1_wait_at_most(0, rate, work)) return work;
  double low = 0;
  double high = work;
  while (md1_wait_at_most(high, rate, work) < share) high += work;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (md1_wait_at_most(middle, rate, work) < share ? low : high) = middle;
  }
  return work + high;
}

std::int64_t percentile_of(std::vector<std::int64_t> values, double share) {
  const double rank = std::ceil(share * static_cast<double>(values.size()));
  const auto at =
      values.begin() + std::max<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(rank) - 1, 0);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace parley::load
