#include "algorithms/raft/options.h"

#include "algorithms/raft/guards.h"

namespace parley::raft {
namespace {

constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kMillion = 1'000'000;
constexpr std::int64_t kMinute = 60'000;  // in ms

OptionSpec on_off(std::string name, std::string help) {
  return {std::move(name), std::move(help), 1, 0, 1, {"off", "on"}};
}

}  // namespace

std::vector<OptionSpec> option_specs() {
  return {
      integer_option(
          "election_timeout_min_ms", 150, 10, kMinute,
          "shortest time without a leader's message after which a follower stands for election"),
      integer_option("election_timeout_max_ms", 300, 11, 2 * kMinute,
                     "longest such time; each wait is drawn at random in between"),
      integer_option("heartbeat_ms", 50, 1, kMinute,
                     "longest silence of a leader towards a follower"),
      integer_option("commit_notice_ms", 2, 0, kMinute,
                     "how long a follower without a client waiting may be left untold of a commit"),
      on_off("pre_vote", "ask whether an election could be won before starting one"),
      on_off("check_quorum",
             "a leader that hears no majority for election_timeout_max_ms steps down"),
      {"reads",
       "how a leader makes sure that it still leads: read_index asks a majority for each turn's "
       "reads, lease relies on clocks instead for less than an election timeout",
       0,
       0,
       1,
       {"read_index", "lease"}},
      integer_option("max_clock_drift_per_million", 100'000, 0, 500'000,
                     "with reads=lease: how much faster or slower than real time a node's "
                     "monotonic clock may run"),
      integer_option("max_inflight_messages", 256, 1, 65536,
                     "messages with entries on their way to one follower"),
      integer_option("max_inflight_bytes", 16 * kMiB, kKiB, 4096 * kMiB,
                     "bytes of entries on their way to one follower"),
      integer_option("max_append_bytes", kMiB, kKiB, 64 * kMiB,
                     "bytes of entries in one message; a single larger entry still goes"),
      // A probe may have to be repeated, and most of it may be refused, so it is kept small.
      integer_option("max_probe_bytes", 64 * kKiB, 0, 64 * kMiB,
                     "bytes of entries in a message that asks where two logs part"),
      integer_option("max_uncommitted_bytes", 64 * kMiB, 64 * kKiB, 4096 * kMiB,
                     "bytes of entries that a leader takes before they are committed"),
      integer_option("max_held_bytes", 64 * kMiB, 64 * kKiB, 4096 * kMiB,
                     "bytes of a node's own runs that it holds until they are committed"),
      integer_option(
          "log_keep_bytes", 16 * kMiB, 0, 4096 * kMiB,
          "bytes of entries kept before a snapshot's end, for followers that are a little behind"),
      integer_option(
          "forward_retry_ms", 1000, 10, kMinute,
          "time after which a forwarded run or read that was not answered is sent again"),
      integer_option("forward_give_up_ms", 5000, 10, 10 * kMinute,
                     "age at which a held run that may have been carried out is given up"),
      integer_option("catch_up_timeout_ms", kMinute, 100, 60 * kMinute,
                     "how long a new member may take to get the log before it is left out again"),
  };
}

Options read_options(const OptionValues& values) {
  const auto time = [&values](std::string_view name) -> Duration {
    return std::chrono::milliseconds(values.at(name));
  };
  const auto count = [&values](std::string_view name) {
    return static_cast<std::uint64_t>(values.at(name));
  };
  Options options;
  options.election_timeout_min = time("election_timeout_min_ms");
  options.election_timeout_max = time("election_timeout_max_ms");
  options.heartbeat = time("heartbeat_ms");
  options.commit_notice = time("commit_notice_ms");
  options.pre_vote = values.at("pre_vote") != 0;
  options.check_quorum = values.at("check_quorum") != 0;
  options.lease = values.at("reads") != 0;
  // §6.4.1: a voter's promise lasts for the shortest election timeout by its own clock, which may
  // be fast; this one's may be slow.
  const std::int64_t drift = values.at("max_clock_drift_per_million");
  options.lease_time = options.election_timeout_min;
  if (holds(guards::kLeaseDrift)) {
    options.lease_time = options.lease_time / (kMillion + drift) * (kMillion - drift);
  }
  options.max_inflight_messages = count("max_inflight_messages");
  options.max_inflight_bytes = count("max_inflight_bytes");
  options.max_append_bytes = count("max_append_bytes");
  options.max_probe_bytes = count("max_probe_bytes");
  options.max_uncommitted_bytes = count("max_uncommitted_bytes");
  options.max_held_bytes = count("max_held_bytes");
  options.log_keep_bytes = count("log_keep_bytes");
  options.forward_retry = time("forward_retry_ms");
  options.forward_give_up = time("forward_give_up_ms");
  options.catch_up_timeout = time("catch_up_timeout_ms");
  return options;
}

std::uint32_t max_clock_drift(const OptionValues& values) {
  if (values.at("reads") == 0) return 0;
  return static_cast<std::uint32_t>(values.at("max_clock_drift_per_million"));
}

std::string check_options(const OptionValues& values) {
  if (values.at("reads") != 0 && values.at("check_quorum") == 0) {
    return "reads=lease needs check_quorum=on, or who follows a leader may help another one to "
           "lead while the lease lasts";
  }
  struct Order {
    std::string_view low;
    std::string_view high;
    bool may_be_equal;
    std::string_view why;
  };
  static constexpr Order kOrders[] = {
      {"election_timeout_min_ms", "election_timeout_max_ms", false,
       "or all followers stand for election at once"},
      {"heartbeat_ms", "election_timeout_min_ms", false,
       "or followers stand for election between two heartbeats"},
      {"commit_notice_ms", "heartbeat_ms", true, "or a heartbeat tells of every commit first"},
      {"max_append_bytes", "max_inflight_bytes", true, "or no full message may be on its way"},
      {"forward_retry_ms", "forward_give_up_ms", true, "or nothing is ever sent again"},
  };
  for (const Order& order : kOrders) {
    const std::int64_t low = values.at(order.low);
    const std::int64_t high = values.at(order.high);
    if (low < high || (order.may_be_equal && low == high)) continue;
    return std::string(order.low) + " (" + std::to_string(low) + ") must be " +
           (order.may_be_equal ? "at most " : "below ") + std::string(order.high) + " (" +
           std::to_string(high) + "), " + std::string(order.why);
  }
  return {};
}

}  // namespace parley::raft
