// Which members there are, whose agreement is a majority, and how one set of members follows
// another (dissertation chapter 4; joint consensus, §4.3).
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/membership.h"
#include "algorithms/raft/guards.h"

namespace parley::raft {

// A configuration as the body of an entry of no commands, and in the header of a snapshot.
Block encode_members(const Membership& members);
// Nothing if the bytes are not what encode_members makes of a possible membership with voters.
// Withstands any bytes.
std::optional<Membership> decode_members(Bytes bytes);

// All members, in whatever part, by node, rising.
std::vector<Member> all_of(const Membership& members);
// Whether the node, with that disk, is a member in any part; whether it is a voter.
bool takes_part(const Membership& members, const Member& member);
bool votes(const Membership& members, const Member& member);

// Why `change` cannot be made of these members, which are not joint; empty: it can be.
std::string objection(const Membership& members, const MemberChange& change);
// What comes after `members` for `change`, to which there is no objection: learners first, if a
// node is added; else the joint one; or no learner any more, if that is what is removed.
Membership begin_change(const Membership& members, const MemberChange& change);
// What comes next by itself: the new voters alone after a joint membership (§4.3), the joint one
// once the learners have caught up.
Membership next_step(const Membership& members);
// The same without its learners, who did not catch up.
Membership without_learners(Membership members);

// The members whose agreement is needed, as places in a list of peers, so that counting looks up
// nobody by name.
class Electorate {
 public:
  struct Voters {
    std::uint64_t peers = 0;  // one bit a peer, by its place
    bool self = false;
    std::size_t size = 0;
    // Of so many voters: more than half.
    [[nodiscard]] std::size_t quorum() const {
      return (holds(guards::kQuorumSize) ? size : size - 1) / 2 + 1;
    }
    [[nodiscard]] bool has(std::size_t place) const { return (peers >> place & 1U) != 0; }
  };

  // `peers`: the list, without `self`; at most kMaxMembers.
  Electorate() = default;
  Electorate(const Membership& members, const Member& self, std::span<const Member> peers);

  // The sets of voters of each of which a majority is needed: one, two of a joint membership, none
  // where the voters are not known.
  [[nodiscard]] std::span<const Voters> sets() const { return {sets_, count_}; }
  // Whether these peers, and this node if `own`, are a majority of each set.
  [[nodiscard]] bool majority(std::uint64_t peers, bool own) const;
  // Whether the peer votes, or this node.
  [[nodiscard]] bool has(std::size_t place) const {
    return sets_[0].has(place) || sets_[1].has(place);
  }
  // Whether the peer votes, and goes on to.
  [[nodiscard]] bool stays(std::size_t place) const { return sets_[0].has(place); }
  [[nodiscard]] bool has_self() const { return sets_[0].self || sets_[1].self; }

 private:
  Voters sets_[2];
  std::size_t count_ = 0;
};

}  // namespace parley::raft
