#include "algorithms/gossip_lww/options.h"

#include "algorithms/gossip_lww/regions.h"

namespace parley::gossip_lww {
namespace {

constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kMinute = 60'000;  // in ms
constexpr std::int64_t kByProfile = -1;

// What the word of option `profile` stands for.
struct Profile {
  std::int64_t rumor_interval_ms;
  std::int64_t anti_entropy_ms;
};
constexpr Profile kProfiles[] = {
    {0, 100},     // fast: rumours leave with the turn that made them
    {100, 5000},  // paper: as course projects plan it
};

std::int64_t or_by_profile(const OptionValues& values, std::string_view name,
                           std::int64_t Profile::*field) {
  const std::int64_t value = values.at(name);
  const auto profile = static_cast<std::size_t>(values.at("profile"));
  return value == kByProfile ? kProfiles[profile].*field : value;
}

// Telling everyone takes N - 1 messages a rumour, passing it on fanout * rounds * N, and where a
// few nodes are all there are the author sends hardly more.
std::uint64_t fanout_for(std::size_t members) {
  constexpr std::uint64_t kToldByAuthor = 15;
  constexpr std::uint64_t kPassedOn = 4;
  return members <= kToldByAuthor + 1 ? kToldByAuthor : kPassedOn;
}

// Rumours that a node passes on reach nearly everyone; the rest is anti-entropy's. Each node passes
// a rumour on to fanout * rounds others, of which the share that stays without it shrinks
// exponentially (Demers et al., "Epidemic Algorithms", PODC 1987, §1.4).
std::uint64_t rounds_for(std::size_t members, std::uint64_t fanout) {
  return members <= fanout + 1 ? 1 : 2;
}

// How a cluster is made up: not a bound to be tried at any size.
OptionSpec shape_option(std::string name, std::int64_t fallback, std::int64_t min, std::int64_t max,
                        std::string help) {
  OptionSpec spec = integer_option(std::move(name), fallback, min, max, std::move(help));
  spec.limit = false;
  return spec;
}

}  // namespace

std::vector<OptionSpec> option_specs() {
  return {
      {.name = "profile",
       .help = "how eagerly: fast (rumours at once, anti-entropy every 100 ms) or paper (rumours "
               "every 100 ms, anti-entropy every 5 s)",
       .fallback = 0,
       .min = 0,
       .max = 1,
       .choices = {"fast", "paper"}},
      integer_option(
          "ack", 1, 1, 64,
          "how many nodes hold a write before it is acknowledged; at most the nodes there are"),
      integer_option("read", 1, 1, 64,
                     "how many nodes a read asks, this one included; the latest write that one of "
                     "them holds is the answer; at most the nodes there are"),
      integer_option("read_wait_ms", 500, 1, kMinute,
                     "how long a read waits for other nodes' answers, or for what its client has "
                     "seen elsewhere, before it is refused"),
      integer_option("fanout", 0, 0, 64,
                     "peers to whom a rumour is passed on at a time; 0: everyone where there are "
                     "at most 16 nodes, else 4; likewise for regions"),
      shape_option("region_size", 0, 0, 1024,
                   "two levels for large clusters: nodes are in regions, in turn, of at most so "
                   "many (2 or more), which few messages leave; 0: no regions"),
      shape_option("relays", 2, 1, 64,
                   "how many nodes of a region speak with other regions: the lowest ids that seem "
                   "to be there; at most region_size"),
      integer_option(
          "rounds", 0, 0, 16,
          "how often a node passes on a rumour; 0: once if the fanout reaches everyone, else "
          "twice"),
      integer_option(
          "rumor_interval_ms", kByProfile, kByProfile, kMinute,
          "time between two rounds of rumours; 0: the first at once; -1: by the profile"),
      integer_option("anti_entropy_interval_ms", kByProfile, kByProfile, kMinute,
                     "time between two comparisons with a peer, about; -1: by the profile"),
      integer_option("repair_after_ms", 20, 0, kMinute,
                     "how long a rumour has time to arrive by itself before anti-entropy sends it"),
      integer_option("max_clock_skew_ms", 500, 1, 10 * kMinute,
                     "how far a clock may be ahead of the others': beyond, its writes are refused"),
      integer_option("ping_interval_ms", 200, 10, kMinute,
                     "time between two pings of the failure detector"),
      integer_option("ping_timeout_ms", 60, 1, kMinute,
                     "how long an answer may take before others are asked to ping"),
      integer_option("suspicion_ms", 1000, 10, 10 * kMinute,
                     "how long a silent peer is suspected before it is taken for dead"),
      integer_option("max_message_bytes", 256 * kKiB, 64, 16 * kMiB,
                     "bytes of cells in one message; a single larger run still goes"),
      integer_option(
          "recent_bytes", 16 * kMiB, 0, 4096 * kMiB,
          "bytes of runs kept for peers that lack some; beyond, digests find what they lack"),
      integer_option("max_held_bytes", 64 * kMiB, 64 * kKiB, 4096 * kMiB,
                     "bytes of a node's own runs that it holds until they are acknowledged"),
      integer_option("max_set_aside_bytes", 8 * kMiB, 4 * kKiB, 4096 * kMiB,
                     "bytes of writes from the future that a node keeps; more have to come again"),
  };
}

Options read_options(const OptionValues& values, std::size_t members) {
  const auto count = [&values](std::string_view name) {
    return static_cast<std::uint64_t>(values.at(name));
  };
  const auto time = [&values](std::string_view name) -> Duration {
    return std::chrono::milliseconds(values.at(name));
  };
  Options options;
  options.ack = std::min<std::uint64_t>(count("ack"), members);
  options.read = std::min<std::uint64_t>(count("read"), members);
  options.read_wait = time("read_wait_ms");
  options.region_size = count("region_size");
  options.relays = count("relays");
  const Regions regions(members, options.region_size);
  const auto fanout = [&](std::size_t of) {
    return count("fanout") == 0 ? fanout_for(of) : count("fanout");
  };
  const auto rounds = [&](std::size_t of) {
    return count("rounds") == 0 ? rounds_for(of, fanout(of)) : count("rounds");
  };
  options.fanout = fanout(regions.size(0));
  options.rounds = rounds(regions.size(0));
  options.far_fanout = fanout(regions.count());
  // The relays of a region share that.
  options.far_rounds = (rounds(regions.count()) + options.relays - 1) / options.relays;
  options.rumor_interval = std::chrono::milliseconds(
      or_by_profile(values, "rumor_interval_ms", &Profile::rumor_interval_ms));
  options.anti_entropy = std::chrono::milliseconds(
      or_by_profile(values, "anti_entropy_interval_ms", &Profile::anti_entropy_ms));
  options.repair_after = time("repair_after_ms");
  options.max_clock_skew = time("max_clock_skew_ms");
  options.detector = {time("ping_interval_ms"), time("ping_timeout_ms"), time("suspicion_ms")};
  options.max_message_bytes = count("max_message_bytes");
  options.recent_bytes = count("recent_bytes");
  options.max_held_bytes = count("max_held_bytes");
  options.max_set_aside_bytes = count("max_set_aside_bytes");
  return options;
}

std::string check_options(const OptionValues& values) {
  if (values.at("anti_entropy_interval_ms") == 0) {
    return "anti_entropy_interval_ms must be -1 or at least 1: two nodes would compare without end";
  }
  const std::int64_t region_size = values.at("region_size");
  const std::int64_t relays = values.at("relays");
  if (region_size == 1) {
    return "region_size must be 0 (no regions) or at least 2: alone a node speaks for nobody else";
  }
  if (region_size > 0 && relays > region_size) {
    return "relays (" + std::to_string(relays) + ") must be at most region_size (" +
           std::to_string(region_size) + "): they are nodes of the region";
  }
  const std::int64_t timeout = values.at("ping_timeout_ms");
  const std::int64_t interval = values.at("ping_interval_ms");
  if (timeout < interval) return {};
  return "ping_timeout_ms (" + std::to_string(timeout) + ") must be below ping_interval_ms (" +
         std::to_string(interval) + "), or no one else is ever asked";
}

}  // namespace parley::gossip_lww
