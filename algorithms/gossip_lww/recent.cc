#include "algorithms/gossip_lww/recent.h"

#include <algorithm>

namespace parley::gossip_lww {

void RecentDeltas::add(std::size_t member, const Delta& delta, Instant now) {
  auto& held = members_[member];
  auto at = held.end();
  while (at != held.begin() && std::prev(at)->delta.first > delta.first) --at;
  held.insert(at, {delta, now});
  order_.push_back(member);
  bytes_ += size_of(delta);
  while (bytes_ > max_bytes_ && !order_.empty()) {
    auto& oldest = members_[order_.front()];
    bytes_ -= size_of(oldest.front().delta);
    oldest.pop_front();
    order_.pop_front();
  }
}

RecentDeltas::Offer RecentDeltas::offer(const Known& ours, const Known& theirs, Instant until,
                                        std::uint64_t max_bytes) const {
  Offer offer;
  std::uint64_t left = max_bytes;
  for (std::size_t member = 0; member < members_.size(); ++member) {
    if (ours.through(member) <= theirs.through(member)) continue;
    left = offer_of(member, ours, theirs, until, left, offer);
  }
  return offer;
}

std::uint64_t RecentDeltas::offer_of(std::size_t member, const Known& ours, const Known& theirs,
                                     Instant until, std::uint64_t bytes, Offer& offer) const {
  const auto& held = members_[member];
  HybridTime reached = theirs.through(member);
  auto at = std::partition_point(held.begin(), held.end(),
                                 [reached](const Held& h) { return h.delta.last() <= reached; });
  for (; at != held.end() && reached < ours.through(member); ++at) {
    if (at->delta.previous > reached) break;
    if (at->arrived > until) return bytes;
    const std::uint64_t size = size_of(at->delta);
    if (size > bytes && !offer.deltas.empty()) {
      offer.more = true;
      return 0;
    }
    bytes -= std::min(bytes, size);
    offer.deltas.push_back(&at->delta);
    reached = std::max(reached, at->delta.last());
  }
  if (reached < ours.through(member)) offer.out_of_reach = true;
  return bytes;
}

}  // namespace parley::gossip_lww
