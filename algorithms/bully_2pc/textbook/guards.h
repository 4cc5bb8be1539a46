// The rules of the textbook variant that can be left out to test the checks
// (algorithms/contract/guard.h).
#pragma once

#include "algorithms/contract/guard.h"

namespace parley::bully_2pc::textbook::guards {

inline constexpr std::string_view kSetting = "fencing=none";

inline constexpr Guard kClockMerged{
    "clock_merged", "who receives an update knows from then on what its author knew", kSetting};
inline constexpr Guard kClockIncremented{
    "clock_incremented", "an update that is sent has a time above the one before", kSetting};
inline constexpr Guard kDominatingWins{
    "dominating_wins", "an update wins over those that it knew of, whatever the clock says",
    kSetting};
inline constexpr Guard kConcurrentByTime{
    "concurrent_by_time", "of concurrent updates the later wins, not the one that comes last",
    kSetting};
inline constexpr Guard kTieByNode{
    "tie_by_node", "of concurrent updates of one time that of the higher node wins", kSetting};
inline constexpr Guard kStatesCompared{
    "states_compared", "what one node lacks and another holds is found and fetched", kSetting};
inline constexpr const Guard* kAll[] = {&kClockMerged,      &kClockIncremented, &kDominatingWins,
                                        &kConcurrentByTime, &kTieByNode,        &kStatesCompared};

}  // namespace parley::bully_2pc::textbook::guards
