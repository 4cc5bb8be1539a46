// Raft without I/O: turns in, effects out.
//
// Follows Ongaro, "Consensus: Bridging Theory and Practice" (2014), cited as § below: leader
// election and log replication of chapter 3, pre-vote (§9.6), check-quorum (§6.2), linearizable
// reads without a log entry (§6.4), parallel and pipelined writes (§10.2), membership by joint
// consensus (chapter 4). The parts:
//   core.cc         the step, recovery, hard state, what all roles share
//   election.cc     roles and votes
//   replication.cc  the leader's side of the log: sending, counting, committing
//   follower.cc     the follower's side of the log
//   snapshots.cc    what takes the place of old entries: kept here, sent to those who lack them
//   changes.cc      which members are in force, and how they change
//   handover.cc     one leader makes way for another
//   forwarding.cc   runs submitted here: held until committed, handed to the leader
//   reads.cc        from which index on linearizable reads may be served
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "algorithms/contract/held_runs.h"
#include "algorithms/contract/log.h"
#include "algorithms/contract/random.h"
#include "algorithms/contract/replica.h"
#include "algorithms/raft/codec.h"
#include "algorithms/raft/guards.h"
#include "algorithms/raft/membership.h"
#include "algorithms/raft/messages.h"
#include "algorithms/raft/options.h"
#include "algorithms/raft/progress.h"

namespace parley::raft {

class Core {
 public:
  // Broken from the start (see Effects::broken_invariant) when `recovered` is not what a replica of
  // this algorithm wrote. Not among `config.members`: it waits until it is added.
  Core(const ReplicaConfig& config, const Recovered& recovered);

  void step(const Turn& turn, Effects& effects);
  [[nodiscard]] Instant deadline() const;
  [[nodiscard]] Status status() const;
  // See Replica::held_by.
  [[nodiscard]] LogIndex held_by(NodeId id) const;
  // See Replica::lease_until.
  [[nodiscard]] Instant lease_until() const;
  // See Replica::membership.
  [[nodiscard]] const Membership& membership() const { return in_force().members; }

 private:
  enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader };

  // Of the present term, kept while standing for election.
  struct Candidacy {
    std::uint64_t votes = 0;  // one bit a peer, by its place in peers_: a duplicate counts once
    bool own_vote = false;    // counted once it is durable
    Ticket own_vote_ticket;
  };

  // Of the present term, about the leader followed in it.
  struct Following {
    DiskId leader_disk;
    LogIndex agreed;         // the log is the leader's up to here
    LogIndex leader_commit;  // the highest heard of
    std::uint64_t round = 0;
    bool ack_due = false;  // one reply a turn, the newest
    LogIndex rejected;     // in this turn
  };

  // Of the present term, while leading it.
  struct Leading {
    LogIndex first;                   // the empty entry at the start of the term
    std::uint64_t reads_waiting = 0;  // at the end of `reads`, not yet in a round
    struct Read {
      Member from;
      ReadIndexRequest request;
      std::uint64_t round = 0;
      LogIndex index;
    };
    std::deque<Read> reads;
    struct Round {
      std::uint64_t number = 0;
      Instant began;
    };
    std::deque<Round> rounds;  // the newest ones, of leases
    bool lease_over = false;   // there is none any more in this term
    struct Handover {
      std::uint64_t id = 0;  // the control to be answered
      NodeId to;             // kNoNode: there is none
      Instant until;
      bool told = false;  // the other one, to stand for election
    };
    Handover handover;
    std::vector<CommandRun> postponed;  // while handing over
    std::uint64_t postponed_bytes = 0;
    std::uint64_t change = 0;  // the control to be answered once the members are in force; 0: none
    LogIndex catch_up_to;      // learners get there, in this round of catching up (§4.2.1)
    Instant round_began;
    Instant change_began;
  };

  struct Configuration {
    LogIndex index;  // of its entry; of the first one kept: or of a snapshot's end, or 0
    Membership members;
  };

  // The snapshot that is coming in.
  struct Incoming {
    Epoch term;  // of the leader that sends it
    SnapshotId snapshot;
    Epoch snapshot_term;
    Membership members;
    std::uint32_t next = 0;  // the first part that is missing; all are there: it is being loaded
    [[nodiscard]] bool loading() const { return next > 0 && next == snapshot.parts; }
  };

  struct WaitingRead {  // of this node's clients
    std::uint64_t id = 0;
    std::uint64_t number = 0;  // answered by a reply to a request of this number or a higher one
    Instant since;
  };

  // An append message made in this turn, for other peers that need the same.
  struct SharedAppend {
    AppendEntries message;
    LogIndex last;
    DiskId to;
    Block header;
    BodyRange body;
  };

  // --- core.cc ---
  void recover(const Recovered& recovered);
  void receive(const Frame& frame);
  void tick();
  void flush();
  void save_term(Epoch term, NodeId vote);
  Ticket issue(Write write);
  void append_entry(Epoch term, const CommandRun& run, Block record);
  void advance_commit(LogIndex to);
  void set_leader(NodeId leader);
  void broken(std::string story);
  void send_now(NodeId to, Block header, BodyRange body = {});
  void send_when_durable(const Guard& guard, NodeId to, Block header);
  [[nodiscard]] bool is_own(const CommandRun& run) const;
  [[nodiscard]] Progress* find_peer(NodeId id);
  [[nodiscard]] std::uint64_t accept_max_bytes() const;

  // --- election.cc ---
  void restart_election_timer();
  void become_follower(Epoch term, NodeId leader);
  void stand_for_election();
  void start_pre_vote();
  void start_election(bool handed_over = false);
  void become_leader();
  void count_own_vote(Ticket durable_through);
  void count_votes();
  void request_votes(const VoteRequest& request);
  void on_vote_request(const Member& from, const VoteRequest& request);
  void on_pre_vote_request(const Member& from, const VoteRequest& request);
  void on_vote_reply(const Progress& peer, const VoteReply& reply);
  void check_quorum();
  [[nodiscard]] bool up_to_date(const VoteRequest& request) const;
  [[nodiscard]] bool follows_live_leader() const;
  [[nodiscard]] Instant quorum_heard_at() const;
  [[nodiscard]] bool may_stand() const;

  // --- replication.cc ---
  void on_append_reply(Progress& peer, const AppendReply& reply, const wire::Message& message);
  void on_rejection(Progress& peer, const AppendReply& reply, const wire::Message& message);
  void commit_by_counting();
  [[nodiscard]] LogIndex held_by_majority(const Electorate::Voters& voters) const;
  void replicate();
  void replicate_to(Progress& peer);
  void probe(Progress& peer);
  void note_waiting(NodeId node, LogIndex commit);
  [[nodiscard]] bool commit_news_due(Progress& peer) const;
  void send_append(Progress& peer, LogIndex last, bool wants_ack);
  const SharedAppend& shared_append(const AppendEntries& message, LogIndex last, DiskId to);
  [[nodiscard]] LogIndex chunk_end(LogIndex prev, std::uint64_t max_bytes) const;
  [[nodiscard]] bool heartbeat_due(const Progress& peer) const;
  [[nodiscard]] Instant stall_deadline(const Progress& peer) const;
  [[nodiscard]] Instant leader_deadline() const;

  // --- follower.cc ---
  bool follow(const Member& from, Epoch term);
  void on_append(const Member& from, const AppendEntries& message, EntryReader entries);
  void take_entries(LogIndex prev, EntryReader& entries);
  void send_ack();

  // --- snapshots.cc ---
  void control(const Control& control);
  void use_saved_snapshot();
  void on_snapshot_loaded(const SnapshotId& snapshot);
  void send_snapshot(Progress& peer);
  void send_part(Progress& peer, std::uint32_t part);
  void on_install_reply(Progress& peer, const InstallReply& reply);
  void on_install(const Member& from, const wire::Message& wire, const Block& body);
  void take_part(const InstallSnapshot& message, const wire::Message& wire, const Block& body);
  void send_install_reply();
  [[nodiscard]] bool catches_up(const Progress& peer) const;
  [[nodiscard]] LogIndex compact_to(LogIndex snapshot) const;

  // --- changes.cc ---
  [[nodiscard]] const Configuration& in_force() const;
  [[nodiscard]] const Membership& members_at(LogIndex index) const;
  void take_members();
  void take_peers(const std::vector<Member>& members);
  void note_entry(LogIndex index, const CommandRun& run);
  void revert_members(LogIndex cut);
  void reply(std::uint64_t id, ControlReply::Outcome outcome, std::string reason);
  [[nodiscard]] std::string other_leader() const;
  void change_members(std::uint64_t id, const MemberChange& change);
  void answer_change(ControlReply::Outcome outcome, std::string reason);
  void append_members(const Membership& members);
  void tend_members();
  void tend_learners(const Membership& members);
  void leave_if_removed();
  [[nodiscard]] Instant change_deadline() const;

  // --- handover.cc ---
  [[nodiscard]] Progress* heir();
  [[nodiscard]] bool may_inherit(std::size_t place) const;
  void hand_over(std::uint64_t id, NodeId to);
  void tend_handover();
  void give_up_handover();
  bool postpone(const CommandRun& run);
  void on_timeout_now(NodeId from, const TimeoutNow& message);
  void note_handover();
  void answer_handover(ControlReply::Outcome outcome, std::string reason);
  [[nodiscard]] Instant handover_deadline() const;

  // --- forwarding.cc ---
  void submit(const CommandRun& run);
  void recognise_held_runs();
  void append_held_runs();
  void on_forward(ForwardReader runs);
  void forward_held_runs();
  void forward(std::span<const CommandRun* const> runs);
  void tend_held_runs();
  void refuse(Refusal::Kind kind, Refusal::Reason reason, std::uint64_t number);
  [[nodiscard]] bool leader_missed() const;
  [[nodiscard]] std::uint64_t uncommitted_bytes() const;
  [[nodiscard]] Instant held_deadline() const;

  // --- reads.cc ---
  void submit_read(const ReadRequest& read);
  void request_read_index();
  void on_read_reply(const ReadIndexReply& reply);
  void tend_reads();
  void on_read_request(const Member& from, const ReadIndexRequest& request);
  void start_read_round();
  void start_round();
  void renew_lease();
  [[nodiscard]] bool lease_holds() const { return lease_until() > now_; }
  void finish_read_rounds();
  [[nodiscard]] bool round_confirmed(std::uint64_t round) const;
  [[nodiscard]] Instant reads_deadline() const;

  // Fixed.
  NodeId self_;
  DiskId disk_;
  Incarnation incarnation_;
  Options options_;
  Random random_;

  // Durable (through effects): the hard state and the log.
  Epoch term_;
  NodeId vote_;
  Log log_;
  SnapshotId snapshot_;  // in use; of index 0: none
  Ticket last_ticket_;

  // The members that the log, or what is before it, brought into force: all since the snapshot's
  // end, rising. The last one is in force; what follows from it is kept with it.
  std::vector<Configuration> configurations_;
  bool members_committed_ = true;
  bool members_settled_ = true;  // and nothing is left to be done about them
  Electorate electorate_;
  bool is_member_ = false;  // this node, in any part

  // Volatile, of all roles.
  Role role_ = Role::follower;
  NodeId leader_;
  LogIndex commit_;
  Instant election_deadline_;  // not of a leader
  Instant heard_leader_;       // the last message of `leader_`
  Instant no_leader_since_;    // when `leader_` became none
  std::uint64_t elections_ = 0;
  std::uint64_t handed_over_ = 0;  // the control to be answered once another one leads; 0: none
  std::string broken_;             // the first invariant found broken; nothing is done from then on
  bool reported_ = false;          // that was told
  bool install_reply_due_ = false;  // one a turn, the newest

  // Volatile, about snapshots.
  SnapshotId saved_;                  // not in use yet; of index 0: none
  std::uint64_t saved_at_bytes_ = 0;  // of the log, when that was saved
  Incoming incoming_;

  // Volatile, of one role in one term.
  Candidacy candidacy_;
  Following following_;
  Leading leading_;
  // The other members, by id, and those who were until what is in force is committed; what is known
  // of them is meaningful while leading.
  std::vector<Progress> peers_;

  // Read rounds are numbered through all terms of this replica.
  std::uint64_t round_ = 0;

  // What this node's clients wait for.
  HeldRuns held_;
  bool reads_unasked_ = false;  // the leader has not been asked for all of `reads_`
  NodeId served_by_;  // the leader, and its term, that was last sent the held runs and reads
  Epoch served_term_;
  std::deque<WaitingRead> reads_;
  std::uint64_t read_number_ = 0;  // of the last request for a read index
  Instant reads_asked_;

  // Of the present step.
  Instant now_;
  Effects* effects_ = nullptr;

  // Reused memory.
  Encoder encoder_;
  std::vector<SharedAppend> shared_;
  std::vector<TermStart> term_starts_;
  std::vector<const CommandRun*> forwarding_;
  mutable std::vector<LogIndex> indices_;
  mutable std::vector<Instant> instants_;
};

}  // namespace parley::raft
