#include "algorithms/bully_2pc/options.h"

namespace parley::bully_2pc {
namespace {

constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kMinute = 60'000;  // in ms
constexpr std::int64_t kByProfile = -1;

// What the word of option `profile` stands for.
struct Profile {
  std::int64_t heartbeat_ms;
  std::int64_t timeout_ms;
  std::int64_t answer_timeout_ms;
  std::int64_t batch_interval_ms;
  std::int64_t pipeline;
  std::int64_t hash_interval_ms;
};
constexpr Profile kProfiles[] = {
    {50, 200, 50, 0, 256, 250},        // fast
    {2000, 6000, 1000, 100, 1, 5000},  // paper: as course projects plan it
};

std::int64_t or_by_profile(const OptionValues& values, std::string_view name,
                           std::int64_t Profile::*field) {
  const std::int64_t value = values.at(name);
  const auto profile = static_cast<std::size_t>(values.at("profile"));
  return value == kByProfile ? kProfiles[profile].*field : value;
}

OptionSpec choice(std::string name, std::vector<std::string> choices, std::string help) {
  const auto last = static_cast<std::int64_t>(choices.size()) - 1;
  return {std::move(name), std::move(help), 0, 0, last, std::move(choices)};
}

}  // namespace

std::vector<OptionSpec> option_specs() {
  return {
      choice("profile", {"fast", "paper"},
             "how eagerly: fast (heartbeats every 50 ms, failed after 200 ms, batches as soon as "
             "there is something) or paper (2 s, 6 s, a batch every 100 ms)"),
      choice(
          "fencing", {"epoch", "none"},
          "what keeps a coordinator of the past from deciding: epoch (promised by a majority), or "
          "none, the textbook: two may decide, and what that costs is counted"),
      choice("elect", {"highest", "lowest"}, "the id that leads, of those that are there"),
      choice("votes", {"majority", "all"},
             "whose votes commit a batch; with all, one missing node blocks everything"),
      integer_option("heartbeat_ms", kByProfile, kByProfile, kMinute,
                     "longest silence of a coordinator; -1: by the profile"),
      integer_option("timeout_ms", kByProfile, kByProfile, 2 * kMinute,
                     "silence after which a node has failed; -1: by the profile"),
      integer_option("answer_timeout_ms", kByProfile, kByProfile, kMinute,
                     "how long the others have time to answer an election; -1: by the profile"),
      integer_option(
          "heartbeat_jitter", 20, 0, 100,
          "percent by which timeouts are longer at random, and heartbeats come earlier by "
          "up to half of it, so that nodes do not start elections at once"),
      integer_option("batch_interval_ms", kByProfile, kByProfile, kMinute,
                     "time between two batches; 0: as soon as there is something; -1: by the "
                     "profile"),
      integer_option("batch_bytes", 256 * kKiB, kKiB, 16 * kMiB,
                     "bytes of runs in a batch; a single larger run still goes"),
      integer_option("pipeline", kByProfile, kByProfile, 65536,
                     "batches on their way to a decision at a time; -1: by the profile"),
      integer_option("hash_interval_ms", kByProfile, kByProfile, 5 * kMinute,
                     "without fencing: time between two comparisons of a node's state with "
                     "another one's; -1: by the profile (250 or 5000)"),
      integer_option("commit_notice_ms", 2, 0, kMinute,
                     "how long a node without a client waiting may be left untold of a commit"),
      integer_option("max_inflight_messages", 256, 1, 65536,
                     "messages with batches on their way to one node"),
      integer_option("max_inflight_bytes", 16 * kMiB, kKiB, 4096 * kMiB,
                     "bytes of batches on their way to one node"),
      integer_option("max_message_bytes", kMiB, kKiB, 64 * kMiB,
                     "bytes of batches in one message; a single larger one still goes"),
      integer_option("max_undecided_bytes", 64 * kMiB, 64 * kKiB, 4096 * kMiB,
                     "bytes of runs that a coordinator takes before they are decided"),
      integer_option("max_held_bytes", 64 * kMiB, 64 * kKiB, 4096 * kMiB,
                     "bytes of a node's own runs that it holds until they are committed"),
      integer_option(
          "log_keep_bytes", 16 * kMiB, 0, 4096 * kMiB,
          "bytes of batches kept before a snapshot's end, for nodes that are a little behind"),
      integer_option(
          "forward_retry_ms", 1000, 10, kMinute,
          "time after which a forwarded run or read that was not answered is sent again"),
      integer_option("forward_give_up_ms", 5000, 10, 10 * kMinute,
                     "age at which a held run that may have been carried out is given up"),
  };
}

Options read_options(const OptionValues& values) {
  const auto time = [&values](std::string_view name) -> Duration {
    return std::chrono::milliseconds(values.at(name));
  };
  const auto profiled = [&values](std::string_view name, std::int64_t Profile::*field) -> Duration {
    return std::chrono::milliseconds(or_by_profile(values, name, field));
  };
  const auto count = [&values](std::string_view name) {
    return static_cast<std::uint64_t>(values.at(name));
  };
  Options options;
  options.fenced = values.at("fencing") == 0;
  options.elect_highest = values.at("elect") == 0;
  options.all_votes = values.at("votes") == 1;
  options.heartbeat = profiled("heartbeat_ms", &Profile::heartbeat_ms);
  options.timeout = profiled("timeout_ms", &Profile::timeout_ms);
  options.answer_timeout = profiled("answer_timeout_ms", &Profile::answer_timeout_ms);
  options.jitter_percent = static_cast<std::uint32_t>(values.at("heartbeat_jitter"));
  options.batch_interval = profiled("batch_interval_ms", &Profile::batch_interval_ms);
  options.batch_bytes = count("batch_bytes");
  options.pipeline =
      static_cast<std::uint64_t>(or_by_profile(values, "pipeline", &Profile::pipeline));
  options.hash_interval = profiled("hash_interval_ms", &Profile::hash_interval_ms);
  options.commit_notice = time("commit_notice_ms");
  options.max_inflight_messages = count("max_inflight_messages");
  options.max_inflight_bytes = count("max_inflight_bytes");
  options.max_message_bytes = count("max_message_bytes");
  options.max_undecided_bytes = count("max_undecided_bytes");
  options.max_held_bytes = count("max_held_bytes");
  options.log_keep_bytes = count("log_keep_bytes");
  options.forward_retry = time("forward_retry_ms");
  options.forward_give_up = time("forward_give_up_ms");
  return options;
}

Duration recovery_time(const OptionValues& values, std::uint32_t members) {
  const Options options = read_options(values);
  const Duration timeout = options.timeout * (100 + options.jitter_percent) / 100;
  if (!options.fenced) {
    // A node joins, one that is gone is missed, whoever answers is waited for; then states are
    // compared with one node after the other.
    return 3 * timeout + 2 * options.answer_timeout + members * options.hash_interval * 5 / 4;
  }
  // One that is gone is missed; one that objects by its rank is waited for, twice as long; a claim
  // may come to nothing.
  return 4 * timeout + 2 * options.answer_timeout;
}

std::string check_options(const OptionValues& values) {
  const Options options = read_options(values);
  for (const auto& [name, field] : {std::pair{"heartbeat_ms", &Profile::heartbeat_ms},
                                    std::pair{"timeout_ms", &Profile::timeout_ms},
                                    std::pair{"answer_timeout_ms", &Profile::answer_timeout_ms},
                                    std::pair{"hash_interval_ms", &Profile::hash_interval_ms},
                                    std::pair{"pipeline", &Profile::pipeline}}) {
    if (or_by_profile(values, name, field) == 0) {
      return std::string(name) + " must be -1 or at least 1";
    }
  }
  const auto text = [](Duration time) { return std::to_string(time.count() / 1'000'000) + " ms"; };
  if (2 * options.heartbeat > options.timeout) {
    return "timeout_ms (" + text(options.timeout) + ") must be at least twice heartbeat_ms (" +
           text(options.heartbeat) + "), or one lost heartbeat makes an election";
  }
  if (options.answer_timeout > options.timeout) {
    return "answer_timeout_ms (" + text(options.answer_timeout) + ") must be at most timeout_ms (" +
           text(options.timeout) + "), or others start elections meanwhile";
  }
  if (options.max_message_bytes > options.max_inflight_bytes) {
    return "max_message_bytes (" + std::to_string(options.max_message_bytes) +
           ") must be at most max_inflight_bytes (" + std::to_string(options.max_inflight_bytes) +
           "), or no full message may be on its way";
  }
  if (options.forward_retry > options.forward_give_up) {
    return "forward_retry_ms (" + text(options.forward_retry) +
           ") must be at most forward_give_up_ms (" + text(options.forward_give_up) +
           "), or nothing is ever sent again";
  }
  return {};
}

}  // namespace parley::bully_2pc
