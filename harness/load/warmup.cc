#include "harness/load/warmup.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace parley::load {
namespace {

constexpr std::size_t kLeastRest = 5;  // values whose spread says something
constexpr double kImmaterial = 0.02;   // coefficient of variation
constexpr double kMostOfIt = 0.5;      // of the latter half, that an operation may take
constexpr double kOneOperation = 1;    // under way: more or less of that is no trend
constexpr std::size_t kMostWindows = 100'000;
constexpr std::int64_t kNsPerMs = 1'000'000;

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double squares_about_mean(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum;
}

struct Totals {
  double completed = 0;
  double in_flight = 0;

  // The mean, by Little's law.
  [[nodiscard]] double latency_in_windows() const {
    return completed > 0 ? in_flight / completed : 0;
  }
};

Totals totals_of(std::span<const WarmupWindow> windows) {
  Totals totals;
  for (const WarmupWindow& window : windows) {
    totals.completed += static_cast<double>(window.completed);
    totals.in_flight += window.in_flight;
  }
  return totals;
}

// Whether what they differ by does not matter.
bool varies_little(std::span<const double> values, double floor) {
  const double deviation =
      std::sqrt(squares_about_mean(values) / static_cast<double>(values.size()));
  return deviation <= std::max(floor, kImmaterial * mean_of(values));
}

}  // namespace

// From the back, with one value more each time (Welford 1962): the generator has no time to waste.
std::size_t mser_truncation(std::span<const double> values) {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  double mean = 0;
  double squares = 0;  // about the mean
  for (std::size_t left_out = values.size(); left_out-- > 0;) {
    const auto count = static_cast<double>(values.size() - left_out);
    const double step = values[left_out] - mean;
    mean += step / count;
    squares += step * (values[left_out] - mean);
    if (values.size() - left_out < kLeastRest) continue;
    const double error = squares / (count * count);
    if (error > least) continue;
    least = error;
    best = left_out;
  }
  return best;
}

Steadiness judge_warmup(std::span<const WarmupWindow> windows, Loop loop) {
  if (windows.size() < kLeastWarmupWindows) return Steadiness::too_short;
  const std::size_t half = windows.size() / 2;
  const auto latter = windows.subspan(half);
  const Totals totals = totals_of(latter);
  if (totals.completed == 0 && totals.in_flight > 0) return Steadiness::nothing_done;
  if (totals.latency_in_windows() > kMostOfIt * static_cast<double>(latter.size())) {
    return Steadiness::too_slow;
  }
  const NodeId leader = latter.back().leader;
  if (!std::ranges::all_of(latter, [leader](const auto& w) { return w.leader == leader; })) {
    return Steadiness::leader_changed;
  }
  std::vector<double> values;
  for (const WarmupWindow& window : windows) {
    values.push_back(loop == Loop::closed ? static_cast<double>(window.completed)
                                          : window.in_flight);
  }
  if (varies_little(std::span(values).subspan(half), loop == Loop::closed ? 0 : kOneOperation)) {
    return Steadiness::steady;
  }
  if (mser_truncation(values) <= half) return Steadiness::steady;
  return loop == Loop::closed ? Steadiness::throughput_moves : Steadiness::backlog_moves;
}

std::string_view steadiness_text(Steadiness steadiness) {
  switch (steadiness) {
    case Steadiness::too_short:
      return "it was too short to tell";
    case Steadiness::nothing_done:
      return "nothing was completed";
    case Steadiness::too_slow:
      return "operations took more than a quarter of it";
    case Steadiness::leader_changed:
      return "the leader changed";
    case Steadiness::throughput_moves:
      return "throughput was still moving";
    case Steadiness::backlog_moves:
      return "the number of operations under way was still moving";
    case Steadiness::steady:
      break;
  }
  return {};
}

std::int64_t WarmupWatch::window_of(Duration warmup) {
  return std::clamp<std::int64_t>(warmup.count() / 20, 10 * kNsPerMs, 100 * kNsPerMs);
}

void WarmupWatch::look(std::int64_t now_ns, std::uint64_t completed, std::uint32_t in_flight,
                       NodeId leader) {
  if (now_ns >= end_ns_) close(now_ns);
  completed_ = completed;
  leader_ = leader;
  in_flight_.push_back(in_flight);
}

// The windows in which nobody looked have no figures of their own.
void WarmupWatch::close(std::int64_t now_ns) {
  if (!in_flight_.empty() && windows_.size() < kMostWindows) {
    const auto middle = in_flight_.begin() + static_cast<std::ptrdiff_t>(in_flight_.size() / 2);
    std::nth_element(in_flight_.begin(), middle, in_flight_.end());
    windows_.push_back({completed_ - completed_before_, static_cast<double>(*middle), leader_});
  }
  in_flight_.clear();
  completed_before_ = completed_;
  end_ns_ += ((now_ns - end_ns_) / window_ns_ + 1) * window_ns_;
}

}  // namespace parley::load
