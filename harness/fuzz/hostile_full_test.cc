// Malformed frames, requests and connections over real sockets while a cluster commits, at length.
#include "harness/fuzz/hostile.h"

namespace parley::fuzz {
namespace {

class Hostile : public ::testing::TestWithParam<const char*> {};

TEST_P(Hostile, MuchTrafficDisturbsNobody) {
  expect_undisturbed(GetParam(), 100'000);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, Hostile, ::testing::Values("raft", "bully_2pc", "gossip_lww"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace parley::fuzz
