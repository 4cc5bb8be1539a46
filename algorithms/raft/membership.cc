#include "algorithms/raft/membership.h"

#include <algorithm>
#include <cstring>

namespace parley::raft {
namespace {

using Nodes = std::vector<NodeId>;

// Followed by the ids, in the order of the counts, and the disks.
struct Counts {
  std::uint32_t voters = 0;
  std::uint32_t outgoing = 0;
  std::uint32_t learners = 0;
  std::uint32_t leaving = 0;
  std::uint32_t disks = 0;
};
static_assert(sizeof(Counts) == 20);

struct StoredDisk {
  std::uint32_t node = 0;
  std::uint32_t reserved = 0;
  std::uint64_t disk = 0;
};
static_assert(sizeof(StoredDisk) == 16);

bool contains(const Nodes& nodes, NodeId node) {
  return std::binary_search(nodes.begin(), nodes.end(), node);
}

Nodes with(Nodes nodes, NodeId node) {
  nodes.insert(std::lower_bound(nodes.begin(), nodes.end(), node), node);
  return nodes;
}

Nodes without(Nodes nodes, NodeId node) {
  std::erase(nodes, node);
  return nodes;
}

bool rises(const Nodes& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i] == kNoNode || (i > 0 && nodes[i] <= nodes[i - 1])) return false;
  }
  return true;
}

Nodes nodes_of(const Membership& members) {
  Nodes all = members.voters;
  all.insert(all.end(), members.outgoing.begin(), members.outgoing.end());
  all.insert(all.end(), members.learners.begin(), members.learners.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool possible_disks(const std::vector<Member>& disks, const Nodes& all) {
  for (std::size_t i = 0; i < disks.size(); ++i) {
    if (disks[i].disk == DiskId{} || !contains(all, disks[i].node)) return false;
    if (i > 0 && disks[i].node <= disks[i - 1].node) return false;
  }
  return true;
}

bool possible(const Membership& members) {
  if (!rises(members.voters) || !rises(members.outgoing) || !rises(members.learners) ||
      !rises(members.leaving) || members.voters.empty()) {
    return false;
  }
  if (members.joint() && !members.learners.empty()) return false;
  if (members.learners.empty() && !members.leaving.empty()) return false;
  const bool apart = std::none_of(members.learners.begin(), members.learners.end(),
                                  [&](NodeId node) { return contains(members.voters, node); });
  const Nodes all = nodes_of(members);
  return apart &&
         std::includes(members.voters.begin(), members.voters.end(), members.leaving.begin(),
                       members.leaving.end()) &&
         possible_disks(members.disks, all) && all.size() <= kMaxMembers;
}

// Nobody's disk is kept in mind who is no member.
Membership with_disks_of_members(Membership members) {
  const Nodes all = nodes_of(members);
  std::erase_if(members.disks, [&](const Member& member) { return !contains(all, member.node); });
  return members;
}

std::string name(NodeId node) {
  return "node " + std::to_string(node.value);
}

}  // namespace

Block encode_members(const Membership& members) {
  const Nodes* lists[] = {&members.voters, &members.outgoing, &members.learners, &members.leaving};
  Counts counts;
  std::uint32_t* count[] = {&counts.voters, &counts.outgoing, &counts.learners, &counts.leaving};
  std::size_t size = sizeof(Counts) + members.disks.size() * sizeof(StoredDisk);
  for (std::size_t i = 0; i < 4; ++i) {
    *count[i] = static_cast<std::uint32_t>(lists[i]->size());
    size += lists[i]->size() * sizeof(NodeId);
  }
  counts.disks = static_cast<std::uint32_t>(members.disks.size());
  return Block::make(size, [&](std::byte* to) {
    const auto put = [&to](const void* from, std::size_t bytes) {
      if (bytes > 0) std::memcpy(to, from, bytes);
      to += bytes;
    };
    put(&counts, sizeof(Counts));
    for (const Nodes* nodes : lists) put(nodes->data(), nodes->size() * sizeof(NodeId));
    for (const Member& member : members.disks) {
      const StoredDisk stored{member.node.value, 0, member.disk.value};
      put(&stored, sizeof(stored));
    }
  });
}

std::optional<Membership> decode_members(Bytes bytes) {
  Counts counts;
  if (bytes.size() < sizeof(Counts)) return std::nullopt;
  std::memcpy(&counts, bytes.data(), sizeof(Counts));
  bytes = bytes.subspan(sizeof(Counts));
  Membership members;
  const auto take = [&bytes](std::uint32_t count, Nodes& to) {
    if (count > kMaxMembers || bytes.size() < count * sizeof(NodeId)) return false;
    to.resize(count);
    if (count > 0) std::memcpy(to.data(), bytes.data(), count * sizeof(NodeId));
    bytes = bytes.subspan(count * sizeof(NodeId));
    return true;
  };
  const bool complete =
      take(counts.voters, members.voters) && take(counts.outgoing, members.outgoing) &&
      take(counts.learners, members.learners) && take(counts.leaving, members.leaving) &&
      counts.disks <= kMaxMembers && bytes.size() == counts.disks * sizeof(StoredDisk);
  if (!complete) return std::nullopt;
  for (; !bytes.empty(); bytes = bytes.subspan(sizeof(StoredDisk))) {
    StoredDisk stored;
    std::memcpy(&stored, bytes.data(), sizeof(stored));
    members.disks.push_back({{stored.node}, {stored.disk}});
  }
  if (!possible(members)) return std::nullopt;
  return members;
}

std::vector<Member> all_of(const Membership& members) {
  std::vector<Member> all;
  for (const NodeId node : nodes_of(members)) all.push_back({node, members.disk_of(node)});
  return all;
}

bool takes_part(const Membership& members, const Member& member) {
  return members.disk_of(member.node) == member.disk && contains(nodes_of(members), member.node);
}

bool votes(const Membership& members, const Member& member) {
  return members.disk_of(member.node) == member.disk &&
         (contains(members.voters, member.node) || contains(members.outgoing, member.node));
}

std::string objection(const Membership& members, const MemberChange& change) {
  const bool adds = change.add != kNoNode;
  const bool removes = change.remove != kNoNode;
  if (!adds && !removes) return "no node is named to be added or removed";
  if (adds && contains(members.voters, change.add))
    return name(change.add) + " is a member already";
  if (adds && contains(members.learners, change.add)) {
    return name(change.add) + " is being added already";
  }
  const bool gives_up = !adds && contains(members.learners, change.remove);
  if (!members.learners.empty() && !gives_up) {
    return "another change goes on: " + name(members.learners.front()) + " is being added";
  }
  if (gives_up) return {};
  if (removes && !contains(members.voters, change.remove)) {
    return name(change.remove) + " is not a member";
  }
  if (removes && !adds && members.voters.size() == 1) {
    return name(change.remove) + " is the only member";
  }
  if (adds && members.voters.size() >= kMaxMembers) {
    return "there are " + std::to_string(kMaxMembers) + " members already, and no more are allowed";
  }
  return {};
}

Membership begin_change(const Membership& members, const MemberChange& change) {
  Membership next = members;
  if (contains(members.learners, change.remove)) return without_learners(members);
  if (change.add == kNoNode) {
    next.outgoing = members.voters;
    next.voters = without(members.voters, change.remove);
    return next;
  }
  next.learners = {change.add};
  if (change.remove != kNoNode) next.leaving = {change.remove};
  if (change.disk != DiskId{}) {
    const Member added{change.add, change.disk};
    next.disks.insert(std::lower_bound(next.disks.begin(), next.disks.end(), added), added);
  }
  return next;
}

Membership next_step(const Membership& members) {
  Membership next;
  next.voters = members.voters;
  next.disks = members.disks;
  if (members.joint()) return with_disks_of_members(std::move(next));
  next.outgoing = members.voters;
  for (const NodeId node : members.learners) next.voters = with(next.voters, node);
  for (const NodeId node : members.leaving) next.voters = without(next.voters, node);
  return next;
}

Membership without_learners(Membership members) {
  members.learners.clear();
  members.leaving.clear();
  return with_disks_of_members(std::move(members));
}

Electorate::Electorate(const Membership& members, const Member& self,
                       std::span<const Member> peers) {
  const auto add = [&](const Nodes& voters) {
    Voters& set = sets_[count_++];
    set.size = voters.size();
    set.self = contains(voters, self.node) && members.disk_of(self.node) == self.disk;
    for (std::size_t place = 0; place < peers.size(); ++place) {
      if (contains(voters, peers[place].node)) set.peers |= std::uint64_t{1} << place;
    }
  };
  if (members.voters.empty()) return;
  Nodes voters = members.voters;
  if (!holds(guards::kLearnersNotCounted)) {
    for (const NodeId node : members.learners) voters = with(voters, node);
  }
  add(voters);
  if (members.joint() && holds(guards::kJointMajorities)) add(members.outgoing);
}

bool Electorate::majority(std::uint64_t peers, bool own) const {
  for (const Voters& set : sets()) {
    const auto others = static_cast<std::size_t>(std::popcount(peers & set.peers));
    if (others + (own && set.self ? 1 : 0) < set.quorum()) return false;
  }
  return count_ > 0;
}

}  // namespace parley::raft
