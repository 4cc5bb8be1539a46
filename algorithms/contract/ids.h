// Strong types for everything that is only a number on the wire.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace parley {

// A name: can be compared and printed, not calculated with.
template <class Tag, class Rep>
struct Id {
  Rep value{};
  constexpr auto operator<=>(const Id&) const = default;
};

// A position in an order: has a successor and distances.
template <class Tag>
struct Ordinal {
  std::uint64_t value{};
  constexpr auto operator<=>(const Ordinal&) const = default;
  [[nodiscard]] constexpr Ordinal next() const { return {value + 1}; }
  // The predecessor; that of zero is zero.
  [[nodiscard]] constexpr Ordinal prev() const { return {value == 0 ? 0 : value - 1}; }
  [[nodiscard]] constexpr Ordinal plus(std::uint64_t n) const { return {value + n}; }
};

// A node of the cluster, numbered from 1; 0 is no node.
using NodeId = Id<struct NodeTag, std::uint32_t>;
inline constexpr NodeId kNoNode{};
// A replication group; one process can host many.
using GroupId = Id<struct GroupTag, std::uint32_t>;
// The how-manieth start of a node. Grows with each start that remembers the one before it; a node
// without durable state takes one that no earlier start used.
using Incarnation = Ordinal<struct IncarnationTag>;
// Tells the disks apart that a node has had one after the other, of which each knows nothing of
// what was promised with the one before. 0: that of a node that was a member from the beginning.
using DiskId = Id<struct DiskTag, std::uint64_t>;
// A client session: a dense slot handed out by the replicated state.
using SessionId = Id<struct SessionTag, std::uint32_t>;
// A Raft term, Bully epoch or whatever else numbers a strategy's leaders.
using Epoch = Ordinal<struct EpochTag>;
// A position in the replicated log, from 1; 0 is before the first entry.
using LogIndex = Ordinal<struct LogIndexTag>;
// Numbers the writes of a replica to its storage, from 1, in the order of issue.
using Ticket = Ordinal<struct TicketTag>;
// The key of a cell of the stamped store, dense from 0.
using Key = Id<struct KeyTag, std::uint32_t>;

}  // namespace parley
