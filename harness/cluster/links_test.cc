#include "harness/cluster/links.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "harness/cluster/link_profiles.h"
#include "harness/cluster/test_support.h"
#include "runtime/live/transport.h"
#include "runtime/live/waiter.h"

namespace parley::harness {
namespace {

std::string link_error(const std::string& name) {
  try {
    load_network_profile(name);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(NetworkProfile, ReadsAFileAndGivesEachNodeItsRules) {
  const PrivateFolder folder;
  const auto path = folder.path() / "wan.toml";
  write_text(path, "delay_ms = 20\njitter_ms = 0.5\n[[link]]\nfrom = 1\nto = 2\ncut = true\n");
  const NetworkProfile profile = load_network_profile(path.string());
  const LinkShape far{20'000, 500, 0, false, false};
  EXPECT_EQ(shape_of(profile.rules, NodeId{1}, NodeId{3}), far);
  EXPECT_EQ(shape_of(profile.rules, NodeId{1}, NodeId{2}), (LinkShape{0, 0, 0, true, false}));
  EXPECT_EQ(shape_of(profile.rules, NodeId{2}, NodeId{1}), far);
  EXPECT_EQ(profile.leaving(NodeId{1}).size(), 2U);
  EXPECT_EQ(profile.leaving(NodeId{2}).size(), 1U);
  EXPECT_EQ(shape_of(load_network_profile("loopback").rules, NodeId{1}, NodeId{2}), std::nullopt);
}

TEST(NetworkProfile, RefusesWhatItDoesNotKnow) {
  const PrivateFolder folder;
  EXPECT_NE(link_error("geo-4").find(
                "links: \"geo-4\" is not a profile; allowed: \"loopback\", \"lan\", \"metro\", "),
            std::string::npos);
  const auto path = folder.path() / "bad.toml";
  write_text(path, "delay_sm = 20\n");
  EXPECT_NE(link_error(path.string())
                .find("unknown key \"delay_sm\"; the nearest known one is \"delay_ms\""),
            std::string::npos);
  write_text(path, "[[link]]\nfrom = 1\n");
  EXPECT_NE(link_error(path.string()).find("link.to: is missing; it must be a node"),
            std::string::npos);
}

TEST(NetworkProfile, PlacesNodesInRegionsInTurn) {
  const NetworkProfile profile = load_network_profile("five-regions");
  ASSERT_EQ(profile.regions.size(), 5U);
  EXPECT_EQ(profile.regions[profile.region_of(NodeId{1})], "Washington DC");
  EXPECT_EQ(profile.regions[profile.region_of(NodeId{7})], "Frankfurt");
  // Tokyo to Frankfurt is 230 ms there and back, Frankfurt to Tokyo 228.
  EXPECT_EQ(shape_of(profile.rules, NodeId{3}, NodeId{2}),
            (LinkShape{115'000, 5750, 0, false, false}));
  EXPECT_EQ(shape_of(profile.rules, NodeId{2}, NodeId{3}),
            (LinkShape{114'000, 5700, 0, false, false}));
  // Two nodes of Frankfurt.
  EXPECT_EQ(shape_of(profile.rules, NodeId{2}, NodeId{7})->delay_us, 50U);
}

TEST(NetworkProfile, RefusesIncompleteRegions) {
  const PrivateFolder folder;
  const auto path = folder.path() / "bad.toml";
  write_text(
      path,
      "[[region]]\nname = \"a\"\nrtt_ms = [0.1]\n[[region]]\nname = \"b\"\nrtt_ms = [1, 2]\n");
  EXPECT_NE(link_error(path.string()).find("rtt_ms: has 1 values; each of the 2 regions"),
            std::string::npos)
      << link_error(path.string());
  write_text(path, "delay_ms = 1\n[[region]]\nname = \"a\"\nrtt_ms = [0.1]\n");
  EXPECT_NE(link_error(path.string()).find("unknown key \"delay_ms\""), std::string::npos);
}

TEST(NetworkProfile, RefusesAnEmptyListOfRegions) {
  const PrivateFolder folder;
  const auto path = folder.path() / "bad.toml";
  write_text(path, "region = []\n");
  EXPECT_NE(link_error(path.string()).find("region: is empty"), std::string::npos)
      << link_error(path.string());
}

class NamedProfiles : public testing::TestWithParam<NamedLinks> {};

// Round trips are between what light in glass would take and half a second, and the two ways of a
// link are nearly the same.
TEST_P(NamedProfiles, AreWhole) {
  const NetworkProfile profile = load_network_profile(std::string(GetParam().name));
  const auto nodes = static_cast<std::uint32_t>(profile.regions.size());
  for (std::uint32_t a = 1; a <= nodes; ++a) {
    for (std::uint32_t b = 1; b <= nodes; ++b) {
      if (a == b) continue;
      const LinkShape there = *shape_of(profile.rules, NodeId{a}, NodeId{b});
      const LinkShape back = *shape_of(profile.rules, NodeId{b}, NodeId{a});
      EXPECT_GT(there.delay_us, 0U);
      EXPECT_LT(there.delay_us, 250'000U);
      EXPECT_NEAR(there.delay_us, back.delay_us, 2500)
          << profile.regions[a - 1] << " to " << profile.regions[b - 1];
    }
  }
}

// What a node of the live cluster is made of: how long messages really take between two of them.
class Pair {
 public:
  Pair() : from_(context_, kPlain, replica(1), {}), to_(context_, kPlain, replica(2), {}) {
    to_.bind("tcp://127.0.0.1:0");
    from_.connect(NodeId{2}, to_.endpoint());
  }

  // Sends messages until 12 have arrived; their times in microseconds.
  std::vector<double> measure(const LinkShape& shape) {
    from_.shape(NodeId{2}, profile_of(shape));
    std::vector<double> times;
    const Instant give_up = monotonic_now() + std::chrono::seconds(60);
    Instant next;
    while (times.size() < 12 && monotonic_now() < give_up) {
      const Instant now = monotonic_now();
      if (now >= next) {
        send(now);
        next = now + std::chrono::milliseconds(5);
      }
      from_.send_due(now);
      std::vector<Frame> frames;
      to_.receive(now, 100, 1U << 20, frames);
      for (const Frame& frame : frames) {
        std::int64_t sent = 0;
        std::memcpy(&sent, frame.header.data(), sizeof(sent));
        times.push_back(static_cast<double>((monotonic_now() - Instant(Duration(sent))).count()) /
                        1e3);
      }
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return times;
  }

 private:
  static const Algorithm kPlain;

  static ReplicaConfig replica(std::uint32_t id) {
    ReplicaConfig config;
    config.self = NodeId{id};
    config.incarnation = Incarnation{1};
    config.members = {NodeId{1}, NodeId{2}};
    return config;
  }

  void send(Instant now) {
    const std::int64_t sent = now.time_since_epoch().count();
    Effects effects;
    effects.send_now.push_back(
        {NodeId{2}, Block::copy_of(std::as_bytes(std::span(&sent, 1))), {0, 0}});
    from_.send(now, effects.bodies, effects.send_now);
  }

  zmq::context_t context_;
  Transport from_;
  Transport to_;
};

const Algorithm Pair::kPlain{.name = "plain",
                             .summary = "",
                             .guarantee = {},
                             .options = {},
                             .verify = [](const Block&, const Block&) { return true; }};

// Never sooner than the profile says; the soonest is not much later. How late the others are is the
// machine's doing.
TEST_P(NamedProfiles, RealMessagesTakeAsLongAsTheySay) {
  const NetworkProfile profile = load_network_profile(std::string(GetParam().name));
  const auto nodes = static_cast<std::uint32_t>(std::max<std::size_t>(profile.regions.size(), 2));
  for (std::uint32_t to = 2; to <= nodes; ++to) {
    const LinkShape shape = *shape_of(profile.rules, NodeId{1}, NodeId{to});
    Pair pair;
    const std::vector<double> times = pair.measure(shape);
    ASSERT_GE(times.size(), 12U);
    const double soonest = *std::ranges::min_element(times);
    EXPECT_GE(soonest, shape.delay_us - shape.jitter_us);
    EXPECT_LE(soonest, shape.delay_us + shape.jitter_us + 25'000);
  }
}

INSTANTIATE_TEST_SUITE_P(All, NamedProfiles,
                         testing::ValuesIn(named_links().begin(), named_links().end()),
                         [](const auto& profile) {
                           std::string name(profile.param.name);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace parley::harness
