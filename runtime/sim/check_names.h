// What the checks are called in violations and in the table of mutants.
#pragma once

#include <string_view>

namespace parley::sim::check {

// Of every strategy.
inline constexpr std::string_view kContract =
    "contract";  // tickets, frames, results as they must be
inline constexpr std::string_view kOwnInvariant =
    "own invariant";  // the replica found itself broken
inline constexpr std::string_view kMonotonicity = "monotonicity";  // of epochs and commit indices
inline constexpr std::string_view kReplies = "replies";            // what clients are told is so
inline constexpr std::string_view kExactlyOnce = "exactly once";
inline constexpr std::string_view kSessions = "sessions";
inline constexpr std::string_view kReads = "linearizable reads";
inline constexpr std::string_view kRealTimeOrder = "real-time order";
inline constexpr std::string_view kLost = "lost";
inline constexpr std::string_view kConvergence = "convergence";
inline constexpr std::string_view kLiveness = "liveness";

// Of strategies that merge cells.
inline constexpr std::string_view kCausality =
    "causality";  // a write made where another one is known never loses to it
inline constexpr std::string_view kCopies = "copies";  // so many nodes hold what is acknowledged
inline constexpr std::string_view kFuture = "future";  // no stamp is far ahead of all clocks
inline constexpr std::string_view kQuorumReads =
    "quorum reads";  // asking enough nodes shows all that is acknowledged
inline constexpr std::string_view kQuiet = "quiet";  // once all agree, no cells are sent

// Of strategies with one order (Ongaro's dissertation, Figure 3.2).
inline constexpr std::string_view kElectionSafety = "election safety";
inline constexpr std::string_view kStateMachineSafety = "state machine safety";
inline constexpr std::string_view kValidity = "validity";  // what is committed was asked for

// Of strategies whose log can be read (log_checker.h).
inline constexpr std::string_view kDurability = "durability";  // of what a frame vouches for
inline constexpr std::string_view kLogMatching = "log matching";
inline constexpr std::string_view kLeaderCompleteness = "leader completeness";
inline constexpr std::string_view kCommitSafety = "commit safety";
inline constexpr std::string_view kLeases = "leases";    // nobody else leads while one lasts
inline constexpr std::string_view kMembers = "members";  // in force are those of the log

}  // namespace parley::sim::check
