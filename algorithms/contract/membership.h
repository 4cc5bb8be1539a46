// Who takes part in a group whose members change, and what may be asked of that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "algorithms/contract/ids.h"

namespace parley {

// So many nodes take part at most, in whatever part.
inline constexpr std::size_t kMaxMembers = 64;

// A node with one of its disks: with another one it would be another member, since it has forgotten
// what it promised.
struct Member {
  NodeId node;
  DiskId disk;
  constexpr auto operator<=>(const Member&) const = default;
};

// The members at one moment. Lists are rising, without repetition. No voters: not known here.
struct Membership {
  std::vector<NodeId> voters = {};
  // Not empty: on the way from these voters to those, with a majority of each needed for everything
  // (joint consensus, Ongaro's dissertation §4.3).
  std::vector<NodeId> outgoing = {};
  // They get everything, count for nothing, and become voters once they have caught up (§4.2.1).
  std::vector<NodeId> learners = {};
  // Voters that go when the learners have become voters; empty without learners.
  std::vector<NodeId> leaving = {};
  // Those of all of these whose disk is not the one of the beginning; rising, no node twice.
  std::vector<Member> disks = {};

  [[nodiscard]] bool joint() const { return !outgoing.empty(); }
  // With which the node is a member, if it is one.
  [[nodiscard]] DiskId disk_of(NodeId node) const {
    for (const Member& member : disks) {
      if (member.node == node) return member.disk;
    }
    return {};
  }
  bool operator==(const Membership&) const = default;
};

// "1 2 4, from 1 2 3", "1 2 3, learners 4, leaving 3", "none". Disks are not told.
inline std::string text_of(const Membership& members) {
  const auto list = [](const std::vector<NodeId>& nodes) {
    std::string text;
    for (const NodeId node : nodes) text += " " + std::to_string(node.value);
    return text;
  };
  if (members.voters.empty()) return "none";
  std::string text = list(members.voters).substr(1);
  if (!members.outgoing.empty()) text += ", from" + list(members.outgoing);
  if (!members.learners.empty()) text += ", learners" + list(members.learners);
  if (!members.leaving.empty()) text += ", leaving" + list(members.leaving);
  return text;
}

// The numbers of nodes, for those that write them down.
inline std::vector<std::uint32_t> numbers_of(const std::vector<NodeId>& nodes) {
  std::vector<std::uint32_t> numbers;
  for (const NodeId node : nodes) numbers.push_back(node.value);
  return numbers;
}

// One node comes, one goes, or both: the one takes the place of the other.
struct MemberChange {
  NodeId add = {};     // kNoNode: none
  NodeId remove = {};  // kNoNode: none
  DiskId disk = {};    // of the node that is added
};

}  // namespace parley
