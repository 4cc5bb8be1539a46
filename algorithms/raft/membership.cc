#include "algorithms/raft/membership.h"

#include <algorithm>
#include <cstring>

namespace parley::raft {
namespace {

using Nodes = std::vector<NodeId>;

// Followed by the ids, in the order of the counts.
struct Counts {
  std::uint32_t voters = 0;
  std::uint32_t outgoing = 0;
  std::uint32_t learners = 0;
  std::uint32_t leaving = 0;
};
static_assert(sizeof(Counts) == 16);

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

Nodes all_of(const Membership& members) {
  Nodes all = members.voters;
  all.insert(all.end(), members.outgoing.begin(), members.outgoing.end());
  all.insert(all.end(), members.learners.begin(), members.learners.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
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
  return apart &&
         std::includes(members.voters.begin(), members.voters.end(), members.leaving.begin(),
                       members.leaving.end()) &&
         all_of(members).size() <= kMaxMembers;
}

std::string name(NodeId node) {
  return "node " + std::to_string(node.value);
}

}  // namespace

Block encode_members(const Membership& members) {
  const Nodes* lists[] = {&members.voters, &members.outgoing, &members.learners, &members.leaving};
  Counts counts;
  std::uint32_t* count[] = {&counts.voters, &counts.outgoing, &counts.learners, &counts.leaving};
  std::size_t size = sizeof(Counts);
  for (std::size_t i = 0; i < 4; ++i) {
    *count[i] = static_cast<std::uint32_t>(lists[i]->size());
    size += lists[i]->size() * sizeof(NodeId);
  }
  return Block::make(size, [&](std::byte* to) {
    std::memcpy(to, &counts, sizeof(Counts));
    to += sizeof(Counts);
    for (const Nodes* nodes : lists) {
      if (!nodes->empty()) std::memcpy(to, nodes->data(), nodes->size() * sizeof(NodeId));
      to += nodes->size() * sizeof(NodeId);
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
  const bool complete = take(counts.voters, members.voters) &&
                        take(counts.outgoing, members.outgoing) &&
                        take(counts.learners, members.learners) &&
                        take(counts.leaving, members.leaving) && bytes.empty();
  if (!complete || !possible(members)) return std::nullopt;
  return members;
}

bool takes_part(const Membership& members, NodeId node) {
  return votes(members, node) || contains(members.learners, node);
}

bool votes(const Membership& members, NodeId node) {
  return contains(members.voters, node) || contains(members.outgoing, node);
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
  return next;
}

Membership next_step(const Membership& members) {
  Membership next;
  next.voters = members.voters;
  if (members.joint()) return next;
  next.outgoing = members.voters;
  for (const NodeId node : members.learners) next.voters = with(next.voters, node);
  for (const NodeId node : members.leaving) next.voters = without(next.voters, node);
  return next;
}

Membership without_learners(Membership members) {
  members.learners.clear();
  members.leaving.clear();
  return members;
}

Electorate::Electorate(const Membership& members, NodeId self, std::span<const NodeId> peers) {
  const auto add = [&](const Nodes& voters) {
    Voters& set = sets_[count_++];
    set.size = voters.size();
    set.self = contains(voters, self);
    for (std::size_t place = 0; place < peers.size(); ++place) {
      if (contains(voters, peers[place])) set.peers |= std::uint64_t{1} << place;
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
