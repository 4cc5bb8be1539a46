// The rules of Raft that real implementations broke, each of which can be left out to test the
// checks (algorithms/contract/guard.h). The code names them where it follows them.
#pragma once

#include <span>

#include "algorithms/contract/guard.h"
#include "algorithms/contract/log.h"

namespace parley::raft::guards {

// Votes (dissertation §3.4, §3.6.1, §3.8).
inline constexpr Guard kVoteDurable{"vote_durable", "a vote is on disk before the reply leaves"};
inline constexpr Guard kRequestDurable{"request_durable",
                                       "term and log are on disk before a vote request leaves"};
inline constexpr Guard kOwnVoteStored{"own_vote_stored", "a candidate stores its own vote"};
inline constexpr Guard kVoteKept{"vote_kept", "a step-down within a term keeps the vote"};
inline constexpr Guard kVoteOnce{"vote_once", "a node votes for one candidate a term"};
inline constexpr Guard kVotesDistinct{"votes_distinct", "a vote that arrives twice counts once"};
inline constexpr Guard kVotesOfTerm{"votes_of_term", "votes of an earlier term do not count"};
inline constexpr Guard kTermNeverBack{"term_never_back", "the term never moves back"};
inline constexpr Guard kLogUpToDate{"log_up_to_date", "a vote goes to an up-to-date log only"};
inline constexpr Guard kTermBeforeLength{"term_before_length",
                                         "a later last term beats a longer log"};
inline constexpr Guard kQuorumSize{"quorum_size", "a quorum is more than half of the members"};
inline constexpr Guard kStepDown{"step_down", "a leader gives way to a higher term"};

// The log (§3.5, §3.6.2, §3.8).
inline constexpr Guard kStaleAppend{"stale_append", "entries of an earlier term are refused"};
inline constexpr Guard kPrevTerm{"prev_term",
                                 "entries are taken behind one of the same index and term only"};
inline constexpr Guard kTruncateOnConflictOnly{
    "truncate_on_conflict_only", "a late message does not cut off what a newer one brought"};
inline constexpr Guard kTruncateOnConflict{"truncate_on_conflict",
                                           "an entry that conflicts is cut off with all behind it"};
inline constexpr Guard kAckDurable{"ack_durable", "entries are on disk before they are confirmed"};
inline constexpr Guard kRepeatedAckDurable{
    "repeated_ack_durable", "entries that come again do not confirm what is not on disk yet"};
inline constexpr Guard kAckAgreed{"ack_agreed",
                                  "a follower confirms what agrees with the leader, not its end"};
inline constexpr Guard kCommitClamped{"commit_clamped",
                                      "a follower commits no further than its log is the leader's"};
inline constexpr Guard kCommitOwnTerm{"commit_own_term",
                                      "only entries of the own term are committed by counting"};
inline constexpr Guard kCommitMajority{"commit_majority", "what a majority holds is committed"};
inline constexpr Guard kMatchOfTerm{"match_of_term",
                                    "confirmations of an earlier term do not count"};
using parley::guards::kDurableByTicket;

// Reads (§6.4).
inline constexpr Guard kReadOwnTerm{"read_own_term",
                                    "a leader serves reads once it has committed in its own term"};
inline constexpr Guard kReadRound{"read_round",
                                  "a read waits until a majority has confirmed the leader"};
inline constexpr Guard kReadRoundFresh{
    "read_round_fresh", "a round that began before a read arrived does not confirm it"};
inline constexpr Guard kReadIncarnation{
    "read_incarnation", "a read index for an earlier life of a node answers no read of this one"};
inline constexpr Guard kReadNumber{"read_number", "a read index answers no later read"};

// Leases (§6.4.1).
inline constexpr Guard kLeaseDrift{"lease_drift",
                                   "a lease is shorter than a promise by what clocks may differ",
                                   "reads=lease max_clock_drift_per_million=500000 "
                                   "election_timeout_min_ms=1000 election_timeout_max_ms=1200"};
inline constexpr Guard kLeaseHandover{"lease_handover", "a leader that hands over has no lease",
                                      "reads=lease"};
inline constexpr Guard kLeaseRemembered{
    "lease_remembered",
    "who has heard a leader, or may have before it started, helps no other one for a while",
    "reads=lease max_clock_drift_per_million=0"};

// Snapshots (chapter 5).
inline constexpr Guard kNewerStateKept{"newer_state_kept",
                                       "an older snapshot never replaces a newer state"};
inline constexpr Guard kInstallCutsLog{"install_cuts_log",
                                       "a snapshot replaces a log that does not hold its end"};

// Members (chapter 4).
inline constexpr Guard kMembersAtAppend{"members_at_append",
                                        "other members are in force once they are in the log"};
inline constexpr Guard kMembersReverted{
    "members_reverted", "members that are cut off the log give way to those before them"};
inline constexpr Guard kLearnersNotCounted{"learners_not_counted",
                                           "learners are counted for no majority"};
inline constexpr Guard kJointMajorities{"joint_majorities",
                                        "between two sets of voters a majority of each is needed"};
inline constexpr Guard kSnapshotMembers{"snapshot_members",
                                        "a snapshot brings the members in force at its end"};
inline constexpr Guard kDisksToldApart{
    "disks_told_apart",
    "a node that has lost its disk is not taken for the one it was, nor takes itself for that"};

// Handing over (§3.10).
inline constexpr Guard kHandoverEnds{"handover_ends",
                                     "a leader that hands over in vain takes in runs again"};

inline constexpr const Guard* kAll[] = {
    &kVoteDurable,        &kRequestDurable,  &kOwnVoteStored,
    &kVoteKept,           &kVoteOnce,        &kVotesDistinct,
    &kVotesOfTerm,        &kTermNeverBack,   &kLogUpToDate,
    &kTermBeforeLength,   &kQuorumSize,      &kStepDown,
    &kStaleAppend,        &kPrevTerm,        &kTruncateOnConflictOnly,
    &kTruncateOnConflict, &kAckDurable,      &kRepeatedAckDurable,
    &kAckAgreed,          &kCommitClamped,   &kCommitOwnTerm,
    &kCommitMajority,     &kMatchOfTerm,     &kDurableByTicket,
    &kReadOwnTerm,        &kReadRound,       &kReadRoundFresh,
    &kReadIncarnation,    &kReadNumber,      &kNewerStateKept,
    &kInstallCutsLog,     &kMembersAtAppend, &kMembersReverted,
    &kLearnersNotCounted, &kJointMajorities, &kSnapshotMembers,
    &kDisksToldApart,     &kHandoverEnds,    &kLeaseDrift,
    &kLeaseHandover,      &kLeaseRemembered};

}  // namespace parley::raft::guards
