// The rules of this strategy that real implementations broke, each of which can be left out to test
// the checks (algorithms/contract/guard.h). The code names them where it follows them.
#pragma once

#include "algorithms/contract/guard.h"

namespace parley::bully_2pc::guards {

// Elections and epochs.
inline constexpr Guard kQuorumToLead{"quorum_to_lead",
                                     "a coordinator has the promises of a majority"};
inline constexpr Guard kPromiseDurable{"promise_durable",
                                       "a promise is on disk before the answer leaves"};
inline constexpr Guard kClaimDurable{"claim_durable",
                                     "the own promise is on disk before a claim leaves"};
inline constexpr Guard kPromiseOnce{"promise_once", "an epoch is promised to one node"};
inline constexpr Guard kPromisesDistinct{"promises_distinct",
                                         "a promise that arrives twice counts once"};
inline constexpr Guard kPromisesOfEpoch{"promises_of_epoch",
                                        "promises for an earlier claim do not count"};
inline constexpr Guard kEpochNeverBack{"epoch_never_back", "the epoch never moves back"};
inline constexpr Guard kCatchUp{"catch_up",
                                "who is behind the promises' logs catches up before it leads"};
inline constexpr Guard kEpochBeforeLength{"epoch_before_length",
                                          "a later last epoch beats a longer log"};
inline constexpr Guard kStepDown{"step_down", "a coordinator gives way to a later epoch"};

// Two-phase commit.
inline constexpr Guard kStalePrepare{"stale_prepare", "batches of an earlier epoch are refused"};
inline constexpr Guard kStaleCoordinator{"stale_coordinator",
                                         "a coordinator of an earlier epoch is not followed"};
inline constexpr Guard kPrepareFollows{
    "prepare_follows", "batches are prepared behind the same entry as at the coordinator only"};
inline constexpr Guard kAbortOnConflictOnly{
    "abort_on_conflict_only", "a late message does not abort what a newer one brought"};
inline constexpr Guard kAbortOnConflict{"abort_on_conflict",
                                        "a batch that gives way is aborted with all behind it"};
inline constexpr Guard kVoteDurable{"vote_durable", "a batch is on disk before the vote for it"};
inline constexpr Guard kRepeatedVoteDurable{
    "repeated_vote_durable", "batches that come again do not vote for what is not on disk yet"};
inline constexpr Guard kVoteAgreed{"vote_agreed",
                                   "a vote is for what the coordinator has, not for the log's end"};
inline constexpr Guard kVotesOfEpoch{"votes_of_epoch", "votes of an earlier epoch do not count"};
inline constexpr Guard kCommitVoted{"commit_voted", "what has its votes is committed"};
inline constexpr Guard kCommitOwnEpoch{
    "commit_own_epoch", "batches of earlier epochs are decided with one of the own epoch"};
inline constexpr Guard kDecisionDurable{"decision_durable",
                                        "a decision is on disk before anyone hears of it"};
inline constexpr Guard kDecisionKept{"decision_kept", "a decision on disk is never taken back"};
inline constexpr Guard kCommitPrepared{"commit_prepared",
                                       "a commit that overtakes its batches waits for them"};
inline constexpr Guard kInDoubtWaits{"in_doubt_waits",
                                     "who is in doubt after a crash does not decide alone"};
inline constexpr Guard kBatchWhole{"batch_whole",
                                   "a batch of which a crash left a part is dropped whole"};

// Reads.
inline constexpr Guard kReadOwnEpoch{"read_own_epoch",
                                     "a coordinator serves reads once it has committed itself"};
inline constexpr Guard kReadRound{"read_round",
                                  "a read waits until a majority has confirmed the coordinator"};
inline constexpr Guard kReadRoundFresh{
    "read_round_fresh", "a round that began before a read arrived does not confirm it"};
inline constexpr Guard kReadIncarnation{
    "read_incarnation", "an answer to an earlier life of a node serves no read of this one"};
inline constexpr Guard kReadNumber{"read_number", "an answer serves no later read"};

// States.
inline constexpr Guard kNewerStateKept{"newer_state_kept",
                                       "an older snapshot never replaces a newer state"};
inline constexpr Guard kInstallCutsLog{"install_cuts_log",
                                       "a snapshot replaces a log that does not hold its end"};

inline constexpr const Guard* kAll[] = {&kQuorumToLead,        &kPromiseDurable,
                                        &kClaimDurable,        &kPromiseOnce,
                                        &kPromisesDistinct,    &kPromisesOfEpoch,
                                        &kEpochNeverBack,      &kCatchUp,
                                        &kEpochBeforeLength,   &kStepDown,
                                        &kStalePrepare,        &kStaleCoordinator,
                                        &kPrepareFollows,      &kAbortOnConflictOnly,
                                        &kAbortOnConflict,     &kVoteDurable,
                                        &kRepeatedVoteDurable, &kVoteAgreed,
                                        &kVotesOfEpoch,        &kCommitVoted,
                                        &kCommitOwnEpoch,      &kDecisionDurable,
                                        &kDecisionKept,        &kCommitPrepared,
                                        &kInDoubtWaits,        &kBatchWhole,
                                        &kReadOwnEpoch,        &kReadRound,
                                        &kReadRoundFresh,      &kReadIncarnation,
                                        &kReadNumber,          &kNewerStateKept,
                                        &kInstallCutsLog};

}  // namespace parley::bully_2pc::guards
