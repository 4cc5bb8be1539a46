#include "algorithms/gossip_lww/known.h"

#include <algorithm>

namespace parley::gossip_lww {

bool Known::add(std::size_t place, HybridTime previous, HybridTime last) {
  if (has(place, last)) return false;
  Member& member = members_[place];
  if (previous <= member.through) {
    member.through = last;
    absorb(member);
    return true;
  }
  return add_island(member, {previous, last});
}

bool Known::add_island(Member& member, Island island) {
  auto& islands = member.islands;
  // Those that it touches become one with it.
  const auto first = std::find_if(islands.begin(), islands.end(),
                                  [&island](const Island& i) { return i.last >= island.after; });
  auto end = first;
  for (; end != islands.end() && end->after <= island.last; ++end) {
    island.after = std::min(island.after, end->after);
    island.last = std::max(island.last, end->last);
  }
  if (first == end && islands.size() == kMaxIslands) return false;
  islands_ -= static_cast<std::size_t>(end - first);
  islands.insert(islands.erase(first, end), island);
  ++islands_;
  return true;
}

bool Known::has(std::size_t place, HybridTime last) const {
  const Member& member = members_[place];
  if (last <= member.through) return true;
  return std::any_of(member.islands.begin(), member.islands.end(),
                     [last](const Island& i) { return i.after < last && last <= i.last; });
}

void Known::join(std::size_t place, HybridTime through) {
  Member& member = members_[place];
  if (through <= member.through) return;
  member.through = through;
  absorb(member);
}

// Islands that what is known has reached become part of it.
void Known::absorb(Member& member) {
  auto& islands = member.islands;
  std::size_t reached = 0;
  while (reached < islands.size() && islands[reached].after <= member.through) {
    member.through = std::max(member.through, islands[reached].last);
    ++reached;
  }
  islands.erase(islands.begin(), islands.begin() + static_cast<std::ptrdiff_t>(reached));
  islands_ -= reached;
}

}  // namespace parley::gossip_lww
