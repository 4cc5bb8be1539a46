// Whom to talk to next.
#pragma once

#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "algorithms/contract/random.h"

namespace parley::gossip_lww {

// Goes through all peers in a random order, and then through them in another one: every peer has
// its turn within as many choices as there are peers (Das et al., "SWIM", DSN 2002, §4.3).
class PartnerRing {
 public:
  explicit PartnerRing(std::size_t peers) : order_(peers), next_(peers) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
  }

  // The next peer for whom `accept(place)` holds; nothing if there is none.
  template <class Accept>
  std::optional<std::size_t> next(Random& random, Accept&& accept) {
    for (std::size_t tries = 0; tries < 2 * order_.size(); ++tries) {
      if (next_ == order_.size()) shuffle(random);
      const std::size_t peer = order_[next_++];
      if (accept(peer)) return peer;
    }
    return std::nullopt;
  }

 private:
  void shuffle(Random& random) {
    for (std::size_t i = order_.size(); i > 1; --i) {
      const std::uint64_t j = random.below(i);
      std::swap(order_[i - 1], order_[j]);
    }
    next_ = 0;
  }

  std::vector<std::size_t> order_;
  std::size_t next_;
};

}  // namespace parley::gossip_lww
