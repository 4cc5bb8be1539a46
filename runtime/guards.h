// Rules about sessions and disks that can be left out to test the checks
// (algorithms/contract/guard.h). They belong to the runtime, and so to every strategy with one
// order.
#pragma once

#include "algorithms/contract/guard.h"

namespace parley::guards {

inline constexpr Guard kRetryRecognised{"retry_recognised",
                                        "a command that comes again is not executed again"};
inline constexpr Guard kSessionsInSnapshot{"sessions_in_snapshot",
                                           "a snapshot holds what sessions remember"};
inline constexpr Guard kExpiryUnlessUsed{
    "expiry_unless_used", "a session does not expire if it was used after that was proposed"};
inline constexpr Guard kSessionIdsNew{"session_ids_new",
                                      "a session's id is never handed out again"};

inline constexpr Guard kDiskErrorEnds{
    "disk_error_ends", "a sync that reports an error ends the process and is never tried again"};

inline constexpr const Guard* kAll[] = {&kRetryRecognised, &kSessionsInSnapshot, &kExpiryUnlessUsed,
                                        &kSessionIdsNew, &kDiskErrorEnds};

}  // namespace parley::guards
