// The rules of last-write-wins gossip that real systems broke, each of which can be left out to
// test the checkers (algorithms/contract/guard.h). The code names them where it follows them.
#pragma once

#include <span>

#include "algorithms/contract/guard.h"

namespace parley::gossip_lww::guards {

// Stamps and clocks.
inline constexpr Guard kStampsRise{"stamps_rise", "no two writes of a node have one stamp"};
inline constexpr Guard kTieByNode{"tie_by_node", "writes of one time are told apart by their node"};
inline constexpr Guard kTimeWhole{"time_whole", "a stamp holds the whole time"};
inline constexpr Guard kClockObserves{"clock_observes",
                                      "a node's next stamp is above every stamp that it has seen"};
inline constexpr Guard kClockReserved{
    "clock_reserved", "after a crash a node's stamps go on above those it had given out"};
inline constexpr Guard kSkewRefused{
    "skew_refused", "a node whose clock is far ahead of the others' takes no writes"};

// Spreading.
inline constexpr Guard kRepair{"repair", "rumours that were lost are found by comparing"};
inline constexpr Guard kWalk{"walk", "what no delta brings any more is found by digests"};
inline constexpr Guard kReachAll{"reach_all", "every node is chosen as a partner by every other"};
inline constexpr Guard kRegionsMeet{"regions_meet", "what a region lacks is found by comparing",
                                    "region_size=2"};
inline constexpr Guard kAskTheDead{"ask_the_dead",
                                   "those taken for dead are asked whether they are back"};
inline constexpr Guard kDigestSettled{
    "digest_settled",
    "a digest is told with the version vector only when the store holds what that says", "ack=2"};
inline constexpr Guard kPassOnNew{"pass_on_new", "only what is new is passed on"};

// Durability.
inline constexpr Guard kReplyDurable{"reply_durable",
                                     "a write is on its node's disk before it is acknowledged"};
inline constexpr Guard kAckCounted{"ack_counted",
                                   "a write is acknowledged when so many nodes hold it", "ack=2"};
// Reads.
inline constexpr Guard kReadAsks{"read_asks", "a read is answered when so many nodes were asked",
                                 "read=64"};
inline constexpr Guard kTokenReached{"token_reached",
                                     "a node that lacks what a client has seen does not answer it"};

inline constexpr Guard kStampsKept{"stamps_kept", "what comes back from disk keeps its stamp"};

inline constexpr const Guard* kAll[] = {
    &kStampsRise, &kTieByNode,    &kTimeWhole,  &kClockObserves, &kClockReserved, &kSkewRefused,
    &kRepair,     &kWalk,         &kReachAll,   &kRegionsMeet,   &kAskTheDead,    &kDigestSettled,
    &kPassOnNew,  &kReplyDurable, &kAckCounted, &kStampsKept,    &kReadAsks,      &kTokenReached};

}  // namespace parley::gossip_lww::guards
