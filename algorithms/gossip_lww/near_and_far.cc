#include <algorithm>
#include <utility>

#include "algorithms/gossip_lww/core.h"

// Whom to talk to. Where there are regions (regions.h), all but the relays stay within their own;
// without them everybody is near.
namespace parley::gossip_lww {

bool Core::near(std::size_t peer) const {
  return regions_.of(peer) == regions_.of(place_);
}

// Whether this node is a relay, as far as it knows.
bool Core::speaks() const {
  return regions_.speaks(place_, options_.relays,
                         [this](std::size_t peer) { return detector_.dead(peer); });
}

bool Core::partner(std::size_t peer) const {
  if (!holds(guards::kReachAll) && peer % 2 != place_ % 2) return false;
  return peer != place_ && !detector_.dead(peer);
}

std::optional<std::size_t> Core::next_near(PartnerRing& ring) {
  const std::size_t here = regions_.of(place_);
  const auto index = ring.next(
      random_, [this, here](std::size_t each) { return partner(regions_.member(here, each)); });
  if (!index) return std::nullopt;
  return regions_.member(here, *index);
}

// A relay of the next of the other regions: one after the other, so that none is left out.
std::optional<std::size_t> Core::next_far(PartnerRing& ring) {
  const auto gone = [this](std::size_t peer) { return detector_.dead(peer); };
  const auto region = ring.next(random_, [&](std::size_t each) {
    return each != regions_.of(place_) && regions_.relay(each, 0, gone);
  });
  if (!region) return std::nullopt;
  const std::uint64_t number = random_.below(options_.relays);
  const auto relay = regions_.relay(*region, number, gone);
  return relay ? relay : regions_.relay(*region, 0, gone);
}

// A relay compares with its own region and with the others in turn. Relays may be there and yet not
// be reached, or be taken for alive by some and not by others: so each node compares with anybody
// now and then, a region about once a round, or less often where it is small.
std::optional<std::size_t> Core::next_to_compare() {
  if (returned_) return std::exchange(returned_, std::nullopt);
  if (regions_.count() == 1 || !holds(guards::kRegionsMeet)) return next_near(repair_ring_);
  constexpr std::size_t kLeastBetween = 8;
  const std::size_t between = std::max(kLeastBetween, regions_.size(regions_.of(place_)));
  const std::uint64_t number = comparisons_++;
  const auto next_of_all = [this] {
    return anybody_ring_.next(random_, [this](std::size_t peer) { return partner(peer); });
  };
  std::optional<std::size_t> next;
  if (number % between == 0) next = next_of_all();
  if (!next && number % 2 == 1 && speaks()) next = next_far(far_repair_ring_);
  if (!next) next = next_near(repair_ring_);
  return next ? next : next_of_all();  // who is alone in its region has nobody else
}

}  // namespace parley::gossip_lww
