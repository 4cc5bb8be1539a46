// Who is near, and who speaks for those who are.
//
// Two levels, as in the multi-level gossip of van Renesse, Minsky and Hayden ("A Gossip-Style
// Failure Detection Service", Middleware 1998): most messages stay within a region, few leave it.
// Nodes are in regions in turn, as they are in the regions of a link profile, so that regions
// differ in size by one at most. Nothing is agreed on: each node takes those for relays who seem to
// be there, and where views differ there are more of them for a while, or fewer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

namespace parley::gossip_lww {

// Nodes are named by their place among the members.
class Regions {
 public:
  // As few as hold all with at most `largest` members each; 0: one holds all.
  Regions(std::size_t members, std::size_t largest)
      : members_(members),
        count_(largest == 0 ? 1 : std::max<std::size_t>(1, (members + largest - 1) / largest)) {}

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t of(std::size_t place) const { return place % count_; }
  // Of a region: how many it has, and the one of that index below, rising.
  [[nodiscard]] std::size_t size(std::size_t region) const {
    return (members_ - region + count_ - 1) / count_;
  }
  [[nodiscard]] std::size_t member(std::size_t region, std::size_t index) const {
    return region + index * count_;
  }
  [[nodiscard]] std::size_t index(std::size_t place) const { return place / count_; }

  // The relays of a region are the first so many of its members who are not `gone`. The one of that
  // number, from 0 on; nothing if there are fewer.
  template <class Gone>
  [[nodiscard]] std::optional<std::size_t> relay(std::size_t region, std::size_t number,
                                                 Gone&& gone) const {
    for (std::size_t place = region; place < members_; place += count_) {
      if (!gone(place) && number-- == 0) return place;
    }
    return std::nullopt;
  }

  // Whether `place` is one of the first `relays` of its region.
  template <class Gone>
  [[nodiscard]] bool speaks(std::size_t place, std::size_t relays, Gone&& gone) const {
    for (std::size_t before = of(place); before < place && relays > 0; before += count_) {
      if (!gone(before)) --relays;
    }
    return relays > 0;
  }

 private:
  std::size_t members_;
  std::size_t count_;
};

}  // namespace parley::gossip_lww
