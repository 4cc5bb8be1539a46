// Gossip with last-write-wins: no leader, every node takes every write at once.
//
// Promises: all nodes come to hold the same; nothing that was acknowledged as durable is lost
// unless a later write superseded it, and writes superseded by ones that did not know them are
// counted; both sides of a partition go on. Reads are local. Needs: clocks that are right within
// `max_clock_skew_ms` as a rule, and storage that keeps what it acknowledged. See README.md.
#pragma once

#include "algorithms/contract/algorithm.h"

namespace parley {

extern const Algorithm kGossipLww;

}  // namespace parley
