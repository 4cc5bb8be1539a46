#include "harness/load/recovery.h"

#include <algorithm>
#include <cmath>

namespace parley::load {
namespace {

constexpr double kRowMs = 100;
constexpr std::size_t kWindowRows = 5;   // 500 ms
constexpr std::size_t kBeforeRows = 50;  // 5 s
constexpr double kBackShare = 0.95;

double ms(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double completed(std::span<const TimelineRow> rows) {
  std::uint64_t sum = 0;
  for (const TimelineRow& row : rows) sum += row.completed;
  return static_cast<double>(sum);
}

}  // namespace

std::optional<double> noticed_ms(std::span<const LeaderSeen> leaders, Duration fault_at) {
  NodeId before = kNoNode;
  for (const LeaderSeen& seen : leaders) {
    if (seen.at <= fault_at) {
      if (seen.by_most != kNoNode) before = seen.by_most;
    } else if (seen.leader != kNoNode && seen.leader != before) {
      return ms(seen.at - fault_at);
    }
  }
  return std::nullopt;
}

std::optional<double> first_success_ms(std::span<const SuccessSeen> successes, Duration fault_at) {
  std::optional<Duration> first;
  for (const SuccessSeen& seen : successes) {
    if (seen.sent <= fault_at || (first && *first <= seen.answered)) continue;
    first = seen.answered;
  }
  if (!first) return std::nullopt;
  return ms(*first - fault_at);
}

std::optional<double> back_to_95_ms(std::span<const TimelineRow> timeline, double measured_s,
                                    Duration fault_at) {
  const double fault_ms = ms(fault_at);
  const auto measured_rows = static_cast<std::size_t>(std::max(0.0, measured_s * 1000 / kRowMs));
  timeline = timeline.first(std::min(timeline.size(), measured_rows));
  const auto whole_rows_before = static_cast<std::size_t>(std::max(0.0, fault_ms / kRowMs));
  const std::size_t before_end = std::min(whole_rows_before, timeline.size());
  const std::size_t before_begin = before_end - std::min(before_end, kBeforeRows);
  if (before_begin == before_end) return std::nullopt;
  const auto before = timeline.subspan(before_begin, before_end - before_begin);
  const double wanted =
      kBackShare * completed(before) / static_cast<double>(before.size()) * kWindowRows;
  const auto first = static_cast<std::size_t>(std::ceil(std::max(0.0, fault_ms / kRowMs)));
  for (std::size_t row = first; row + kWindowRows <= timeline.size(); ++row) {
    if (completed(timeline.subspan(row, kWindowRows)) < wanted) continue;
    return static_cast<double>(row + kWindowRows) * kRowMs - fault_ms;
  }
  return std::nullopt;
}

double unavailable_ms(std::span<const SuccessSeen> successes, Duration from, Duration until) {
  std::vector<Duration> moments{from, until};
  for (const SuccessSeen& seen : successes) {
    if (seen.answered > from && seen.answered < until) moments.push_back(seen.answered);
  }
  std::sort(moments.begin(), moments.end());
  Duration longest{};
  for (std::size_t i = 1; i < moments.size(); ++i)
    longest = std::max(longest, moments[i] - moments[i - 1]);
  return ms(longest);
}

Recovery recovery_of(const LoadResult& result, Duration fault_at) {
  return {noticed_ms(result.leaders, fault_at), first_success_ms(result.successes, fault_at),
          back_to_95_ms(result.timeline, result.measured_s, fault_at)};
}

}  // namespace parley::load
