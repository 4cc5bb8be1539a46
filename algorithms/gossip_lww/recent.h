// The deltas of late, for peers that lack a few.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "algorithms/contract/time.h"
#include "algorithms/gossip_lww/known.h"
#include "algorithms/gossip_lww/messages.h"

namespace parley::gossip_lww {

// Bounded in bytes: the first that came are the first to go.
class RecentDeltas {
 public:
  RecentDeltas(std::size_t members, std::uint64_t max_bytes)
      : max_bytes_(max_bytes), members_(members) {}

  void add(std::size_t member, const Delta& delta, Instant now);

  struct Offer {
    std::vector<const Delta*> deltas;  // in the order of their chains; valid until the next `add`
    bool more = false;                 // there were more than fit
    bool out_of_reach = false;         // the peer lacks some that are no longer here
  };
  // What a peer lacks who knows `theirs`, as far as this node knows it, that came before `until`,
  // and at most about `max_bytes`. Later ones may be on their way to the peer already.
  [[nodiscard]] Offer offer(const Known& ours, const Known& theirs, Instant until,
                            std::uint64_t max_bytes) const;

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Held {
    Delta delta;
    Instant arrived;
  };
  static std::uint64_t size_of(const Delta& delta) { return delta.cells.size() + sizeof(Held); }
  // Adds those of one member; the bytes that are left.
  std::uint64_t offer_of(std::size_t member, const Known& ours, const Known& theirs, Instant until,
                         std::uint64_t bytes, Offer& offer) const;

  std::uint64_t max_bytes_;
  std::uint64_t bytes_ = 0;
  std::vector<std::deque<Held>> members_;  // by time
  std::deque<std::size_t> order_;          // of arrival: whose delta it was
};

}  // namespace parley::gossip_lww
