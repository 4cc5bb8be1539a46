// Counts what became of the operations, as the figures of a LoadResult.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/load/load.h"

namespace parley::load {

// Why an operation failed: a RefusedBecause, or one of these.
inline constexpr std::uint8_t kUnreachable = 13;  // no node was up in time: never sent
inline constexpr std::uint8_t kLostConnection = 14;
inline constexpr std::uint8_t kNoAnswer = 15;
inline constexpr std::size_t kReasons = 16;
std::string_view failure_name(std::uint8_t reason);

// Times in ns of one clock; `now` never goes back. Operations intended outside of the measured
// window are left out, but for what is about its time rather than about them: `achieved`, the
// timeline's completions, and how long nothing succeeded.
class Recorder {
 public:
  // `regions`: as in LoadSpec.
  Recorder(std::int64_t zero_ns, std::int64_t end_ns, double limit_us,
           const std::vector<std::string>& regions = {});

  // What a message's operations have in common.
  struct Operations {
    std::int64_t intended_ns = 0;
    std::int64_t first_sent_ns = 0;
    std::uint32_t count = 0;
    std::uint32_t late_us = 0;  // as the generator took them up
    std::uint32_t client = 0;
  };
  void completed(const Operations& operations, std::int64_t now_ns);
  void refused(const Operations& operations, std::uint8_t reason, std::int64_t now_ns);
  void unknown(const Operations& operations, std::uint8_t reason, std::int64_t now_ns);
  void unsent(const Operations& operations, std::int64_t now_ns);

  // What a node answered; `node` is its place among the targets.
  enum class Answer : std::uint8_t { placed, read, refused };
  void answered(const Operations& operations, std::size_t node, Answer answer, std::int64_t now_ns);

  // The generator took them up, so many of them that were due: sent at once or not.
  void taken_up(const Operations& operations);
  // An attempt of theirs was sent for the first time, or again because of `reason`.
  void sent(const Operations& operations);
  void sent_again(const Operations& operations, std::uint8_t reason);
  // An operation that shows that the cluster coordinates again.
  void success(const Operations& operations, NodeId node, std::int64_t now_ns);
  // `seen.at` is filled in.
  void leader_seen(const LeaderSeen& seen, std::int64_t now_ns);
  void lag_seen(std::uint64_t lag, std::int64_t now_ns);
  void refused_without_leader(NodeId node, std::int64_t now_ns);

  // The window begins, and ends, so much earlier than it was to. Before its new beginning only.
  void begin_earlier(Duration by);
  // The window ends earlier than planned.
  void end_early(std::int64_t end_ns) { end_ns_ = end_ns; }
  [[nodiscard]] std::int64_t end_ns() const { return end_ns_; }
  [[nodiscard]] std::uint64_t completed_so_far() const { return completed_so_far_; }

  // Moves on in the timeline.
  void advance(std::int64_t now_ns) {
    while (now_ns >= row_end_ns_) close_row();
  }
  // Writes everything into `result`; the nodes of its `nodes` are places among the targets.
  void finish(LoadResult& result, std::int64_t now_ns);

 private:
  [[nodiscard]] bool measured(std::int64_t intended_ns) const {
    return intended_ns >= zero_ns_ && intended_ns < end_ns_;
  }
  // Where the client is; null if that is nowhere in particular.
  LatencyHistogram* region_of(const Operations& operations) {
    if (region_of_target_.empty()) return nullptr;
    return &regions_[region_of_target_[operations.client % region_of_target_.size()]].latency;
  }
  void close_row();
  void finish_generator(LoadResult& result) const;

  std::int64_t zero_ns_;
  std::int64_t end_ns_;
  double limit_us_;
  LatencyHistogram latency_;
  LatencyHistogram row_latency_;
  LatencyHistogram service_;
  LatencyHistogram handled_;  // latency without the generator's lateness
  LatencyHistogram lateness_;
  std::vector<std::size_t> region_of_target_;  // places in regions_
  std::vector<RegionLatency> regions_;
  TimelineRow row_;
  std::vector<NodeRow> node_rows_;  // of this row, by place among the targets
  std::vector<NodeRow> nodes_;
  std::int64_t row_end_ns_;
  std::vector<TimelineRow> timeline_;
  NodeId leader_;
  std::vector<LeaderSeen> leaders_;
  std::vector<SuccessSeen> successes_;  // by the millisecond of `sent`; answered 0: none
  std::vector<RefusalSeen> refusals_;
  std::array<std::uint64_t, kReasons> refused_{};
  std::array<std::uint64_t, kReasons> unknown_{};
  std::array<std::uint64_t, kReasons> retried_{};
  std::uint64_t completed_so_far_ = 0;  // with warm-up
  std::uint64_t completed_in_window_ = 0;
  std::uint64_t completed_ = 0;  // of those intended in the window
  std::uint64_t attempts_ = 0;
  std::uint64_t retries_ = 0;
  std::uint64_t taken_up_ = 0;
  std::uint64_t late_ = 0;
};

}  // namespace parley::load
