// A version vector: which deltas of each node are here.
#pragma once

#include <cstdint>
#include <vector>

#include "algorithms/gossip_lww/clock.h"

namespace parley::gossip_lww {

// One hybrid time per member (Parker et al., "Detection of Mutual Inconsistency in Distributed
// Systems", 1983, with times for counters): all of its deltas up to there are here. What arrived
// ahead of a gap is remembered apart until the gap is filled. Members are named by their place in
// the list of members.
class Known {
 public:
  explicit Known(std::size_t members) : members_(members) {}

  // Notes a delta. False if it is not news: it was known, or cannot be remembered because there are
  // too many gaps before it. Whoever takes in what cannot be remembered takes it for news for ever.
  bool add(std::size_t member, HybridTime previous, HybridTime last);
  [[nodiscard]] bool has(std::size_t member, HybridTime last) const;
  // Notes that all of `member` up to `through` is here by other ways than its deltas.
  void join(std::size_t member, HybridTime through);

  [[nodiscard]] HybridTime through(std::size_t member) const { return members_[member].through; }
  [[nodiscard]] std::size_t size() const { return members_.size(); }
  // Whether nothing arrived ahead of a gap.
  [[nodiscard]] bool whole() const { return islands_ == 0; }

 private:
  struct Island {  // (after, last] is here, what is just before is not
    HybridTime after;
    HybridTime last;
  };
  struct Member {
    HybridTime through;
    std::vector<Island> islands;  // by `after`, with gaps between them
  };
  static constexpr std::size_t kMaxIslands = 64;  // of one member

  bool add_island(Member& member, Island island);
  void absorb(Member& member);

  std::vector<Member> members_;
  std::size_t islands_ = 0;
};

}  // namespace parley::gossip_lww
