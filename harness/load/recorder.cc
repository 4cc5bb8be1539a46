#include "harness/load/recorder.h"

#include <algorithm>
#include <utility>

#include "harness/load/limit.h"

namespace parley::load {
namespace {

constexpr std::int64_t kRowNs = 100'000'000;
constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kNsPerUs = 1000;
constexpr std::uint32_t kLateUs = 1000;
constexpr double kNsPerSecond = 1e9;
constexpr std::size_t kMaxSuccesses = 4'000'000;  // milliseconds: more than an hour
constexpr std::size_t kMaxLeadersSeen = 100'000;
constexpr Duration kRefusalEvery = std::chrono::milliseconds(10);
constexpr std::size_t kMaxRefusals = 400'000;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string_view failure_name(std::uint8_t reason) {
  switch (reason) {
    case kUnreachable:
      return "unreachable";
    case kLostConnection:
      return "connection_lost";
    case kNoAnswer:
      return "no_answer";
    default:
      return reason_name(static_cast<RefusedBecause>(reason));
  }
}

Recorder::Recorder(std::int64_t zero_ns, std::int64_t end_ns, double limit_us,
                   const std::vector<std::string>& regions)
    : zero_ns_(zero_ns), end_ns_(end_ns), limit_us_(limit_us), row_end_ns_(zero_ns + kRowNs) {
  for (const std::string& name : regions) {
    const auto known = std::ranges::find(regions_, name, &RegionLatency::name);
    region_of_target_.push_back(static_cast<std::size_t>(known - regions_.begin()));
    if (known == regions_.end()) regions_.push_back({name, {}});
  }
}

void Recorder::completed(const Operations& operations, std::int64_t now_ns) {
  completed_so_far_ += operations.count;
  if (now_ns < zero_ns_) return;
  if (now_ns < end_ns_) completed_in_window_ += operations.count;
  // What comes of the warm-up is completed in this row as well: else the first ones would be empty.
  advance(now_ns);
  row_.completed += operations.count;
  if (!measured(operations.intended_ns)) return;
  completed_ += operations.count;
  row_latency_.add(now_ns - operations.intended_ns, operations.count);
  if (LatencyHistogram* region = region_of(operations)) {
    region->add(now_ns - operations.intended_ns, operations.count);
  }
  service_.add(now_ns - operations.first_sent_ns, operations.count);
  handled_.add(now_ns - operations.intended_ns - operations.late_us * kNsPerUs, operations.count);
}

void Recorder::refused(const Operations& operations, std::uint8_t reason, std::int64_t now_ns) {
  if (!measured(operations.intended_ns)) return;
  advance(now_ns);
  row_.refused += operations.count;
  refused_[reason] += operations.count;
}

void Recorder::unknown(const Operations& operations, std::uint8_t reason, std::int64_t now_ns) {
  if (!measured(operations.intended_ns)) return;
  advance(now_ns);
  row_.unknown += operations.count;
  row_latency_.add_endless(operations.count);
  if (LatencyHistogram* region = region_of(operations)) region->add_endless(operations.count);
  service_.add_endless(operations.count);
  handled_.add_endless(operations.count);
  unknown_[reason] += operations.count;
}

void Recorder::unsent(const Operations& operations, std::int64_t now_ns) {
  if (!measured(operations.intended_ns)) return;
  advance(now_ns);
  row_.unsent += operations.count;
  row_latency_.add_endless(operations.count);
  if (LatencyHistogram* region = region_of(operations)) region->add_endless(operations.count);
  handled_.add_endless(operations.count);
}

void Recorder::answered(const Operations& operations, std::size_t node, Answer answer,
                        std::int64_t now_ns) {
  if (!measured(operations.intended_ns)) return;
  advance(now_ns);
  if (node >= node_rows_.size()) node_rows_.resize(node + 1);
  NodeRow& row = node_rows_[node];
  (answer == Answer::placed ? row.placed
   : answer == Answer::read ? row.read
                            : row.refused) += operations.count;
}

void Recorder::taken_up(const Operations& operations) {
  if (!measured(operations.intended_ns)) return;
  lateness_.add(operations.late_us * kNsPerUs, operations.count);
  taken_up_ += operations.count;
  if (operations.late_us > kLateUs) late_ += operations.count;
}

void Recorder::sent(const Operations& operations) {
  if (measured(operations.intended_ns)) ++attempts_;
}

void Recorder::sent_again(const Operations& operations, std::uint8_t reason) {
  if (!measured(operations.intended_ns)) return;
  ++attempts_;
  ++retries_;
  retried_[reason] += operations.count;
}

void Recorder::success(const Operations& operations, NodeId node, std::int64_t now_ns) {
  if (now_ns < zero_ns_) return;
  // One that was sent before the window shows only that there is an answer in it.
  const std::int64_t sent = std::max<std::int64_t>(operations.first_sent_ns - zero_ns_, 0);
  const std::int64_t seen = operations.first_sent_ns < zero_ns_ ? now_ns - zero_ns_ : sent;
  const auto ms = static_cast<std::size_t>(seen / kNsPerMs);
  if (ms >= kMaxSuccesses) return;
  if (ms >= successes_.size()) successes_.resize(ms + 1);
  SuccessSeen& earliest = successes_[ms];
  const Duration answered(now_ns - zero_ns_);
  if (earliest.answered != Duration{} && earliest.answered <= answered) return;
  earliest = {Duration(sent), answered, node};
}

void Recorder::leader_seen(const LeaderSeen& seen, std::int64_t now_ns) {
  advance(now_ns);
  leader_ = seen.by_most;
  if (leaders_.size() == kMaxLeadersSeen) return;
  leaders_.push_back(seen);
  leaders_.back().at = Duration(now_ns - zero_ns_);
}

void Recorder::lag_seen(std::uint64_t lag, std::int64_t now_ns) {
  if (now_ns < zero_ns_) return;
  advance(now_ns);
  row_.lag = std::max(row_.lag.value_or(0), lag);
}

void Recorder::refused_without_leader(NodeId node, std::int64_t now_ns) {
  const Duration at(now_ns - zero_ns_);
  if (!refusals_.empty() && at < refusals_.back().at + kRefusalEvery) return;
  if (refusals_.size() < kMaxRefusals) refusals_.push_back({at, node});
}

void Recorder::begin_earlier(Duration by) {
  zero_ns_ -= by.count();
  end_ns_ -= by.count();
  row_end_ns_ -= by.count();
  for (LeaderSeen& seen : leaders_) seen.at += by;
  for (RefusalSeen& seen : refusals_) seen.at += by;
}

void Recorder::close_row() {
  row_.leader = leader_;
  row_.has_latency = row_latency_.count() > 0;
  row_.p50 = row_latency_.percentile(0.5, limit_us_);
  row_.p99 = row_latency_.percentile(0.99, limit_us_);
  timeline_.push_back(row_);
  for (std::size_t node = 0; node < node_rows_.size(); ++node) {
    NodeRow& row = node_rows_[node];
    if (row.placed + row.read + row.refused == 0) continue;
    row.t_ms = row_.t_ms;
    row.node = NodeId{static_cast<std::uint32_t>(node)};
    nodes_.push_back(std::exchange(row, {}));
  }
  latency_.add(row_latency_);
  row_latency_.clear();
  row_ = TimelineRow{};
  row_.t_ms = static_cast<std::uint32_t>((row_end_ns_ - zero_ns_) / kNsPerMs);
  row_end_ns_ += kRowNs;
}

void Recorder::finish(LoadResult& result, std::int64_t now_ns) {
  advance(now_ns);
  const std::uint64_t in_row = row_.completed + row_.refused + row_.unknown + row_.unsent;
  if (in_row > 0 || row_end_ns_ - kRowNs < end_ns_) close_row();
  result.completed = completed_;
  for (const TimelineRow& row : timeline_) {
    result.refused += row.refused;
    result.unknown += row.unknown;
    result.unsent += row.unsent;
  }
  result.offered = result.completed + result.refused + result.unknown + result.unsent;
  result.measured_s =
      static_cast<double>(std::max<std::int64_t>(end_ns_ - zero_ns_, 0)) / kNsPerSecond;
  if (result.measured_s > 0) {
    result.offered_ops_per_s = static_cast<double>(result.offered) / result.measured_s;
    result.achieved_ops_per_s = static_cast<double>(completed_in_window_) / result.measured_s;
  }
  result.operation_timeout_us = limit_us_;
  result.latency = std::move(latency_);
  result.service = std::move(service_);
  result.regions = std::move(regions_);
  result.attempts = attempts_;
  result.retries = retries_;
  for (std::uint8_t reason = 0; reason < kReasons; ++reason) {
    const std::string name(failure_name(reason));
    if (refused_[reason] > 0) result.errors["refused_" + name] = refused_[reason];
    if (unknown_[reason] > 0) result.errors["unknown_" + name] = unknown_[reason];
    if (retried_[reason] > 0) result.errors["retried_" + name] = retried_[reason];
  }
  result.timeline = std::move(timeline_);
  result.nodes = std::move(nodes_);
  result.leaders = std::move(leaders_);
  std::erase_if(successes_, [](const SuccessSeen& seen) { return seen.answered == Duration{}; });
  result.successes = std::move(successes_);
  result.refusals = std::move(refusals_);
  finish_generator(result);
}

void Recorder::finish_generator(LoadResult& result) const {
  GeneratorFigures& figures = result.generator;
  figures.late_share = share(late_, taken_up_);
  figures.late_us = {lateness_.percentile(0.5, 0).us, lateness_.percentile(0.99, 0).us,
                     lateness_.percentile(1, 0).us};
  figures.latency_share = {own_share(result.latency, handled_, 0.5),
                           own_share(result.latency, handled_, 0.9),
                           own_share(result.latency, handled_, 0.99)};
}

}  // namespace parley::load
