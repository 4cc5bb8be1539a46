#include "algorithms/registry/registry.h"

#include "algorithms/bully_2pc/replica.h"
#include "algorithms/gossip_lww/replica.h"
#include "algorithms/raft/replica.h"
#include "algorithms/unreplicated/replica.h"

namespace parley {
namespace {

// One line an algorithm.
constexpr const Algorithm* kAlgorithms[] = {
    &kUnreplicated,
    &kRaft,
    &kBully2pc,
    &kGossipLww,
};

}  // namespace

std::span<const Algorithm* const> algorithms() {
  return kAlgorithms;
}

const Algorithm* find_algorithm(std::string_view name) {
  for (const Algorithm* algorithm : kAlgorithms) {
    if (algorithm->name == name) return algorithm;
  }
  return nullptr;
}

}  // namespace parley
