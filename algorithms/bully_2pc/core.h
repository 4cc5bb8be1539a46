// Bully and two-phase commit without I/O: turns in, effects out.
//
// The node of the highest rank that reaches a majority coordinates (Garcia-Molina, "Elections in a
// Distributed Computing System", 1982, §III). It gathers runs into batches and has them prepared
// and committed by the others (Gray and Lamport, "Consensus on Transaction Commit", 2006, §2). Each
// coordinator has an epoch that a majority has promised it, so that none of the past decides
// anything, and begins with all that may have been decided before (Oki and Liskov, "Viewstamped
// Replication", 1988, §4: view changes). The parts:
//   core.cc            the step, recovery, hard state, what all roles share
//   election.cc        who leads: elections, claims, promises
//   coordinator.cc     batches: gathered, prepared, decided
//   participant.cc     batches: prepared, voted for, committed or aborted
//   state_transfer.cc  what a node lacks: fetched from another one; snapshots
//   forwarding.cc      runs submitted here: held until committed, handed to the coordinator
//   reads.cc           from which index on linearizable reads may be served
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "algorithms/bully_2pc/codec.h"
#include "algorithms/bully_2pc/guards.h"
#include "algorithms/bully_2pc/messages.h"
#include "algorithms/bully_2pc/options.h"
#include "algorithms/bully_2pc/peer.h"
#include "algorithms/bully_2pc/vector_clock.h"
#include "algorithms/contract/held_runs.h"
#include "algorithms/contract/random.h"
#include "algorithms/contract/replica.h"

namespace parley::bully_2pc {

class Core {
 public:
  // Broken from the start (see Effects::broken_invariant) when `recovered` is not what a replica of
  // this algorithm wrote, or when `config.members` lacks `config.self`.
  Core(const ReplicaConfig& config, const Recovered& recovered);

  void step(const Turn& turn, Effects& effects);
  [[nodiscard]] Instant deadline() const;
  [[nodiscard]] Status status() const;
  // See Replica::held_by.
  [[nodiscard]] LogIndex held_by(NodeId id) const;

 private:
  enum class Role : std::uint8_t {
    participant,  // follows a coordinator, or looks for one
    claimant,     // asks for promises of its epoch
    catching_up,  // has them, and fetches what it lacks
    coordinator,
  };

  // An election that this node has called, next to any role but a coordinator's.
  struct Asking {
    bool open = false;
    std::uint64_t answered = 0;   // one bit a peer, by its place in peers_
    std::uint64_t agreed = 0;     // of those: have no objection
    std::uint64_t outranked = 0;  // object because they rank higher
    Instant deadline;
  };

  struct Claiming {
    std::uint64_t promises = 0;  // one bit a peer
    bool own = false;            // counted once it is durable
    Ticket own_ticket;
    Position best;  // of the logs of those who promised
    NodeId best_at;
    Instant deadline = kNever;  // for the promises; the claim leaves when the own one is durable
  };

  // Of the present epoch, about the coordinator that is followed in it.
  struct Following {
    LogIndex agreed;   // the log is the coordinator's up to here
    LogIndex decided;  // the highest heard of
    std::uint64_t round = 0;
    bool vote_due = false;  // one a turn, the newest
    LogIndex refused;       // in this turn
  };

  struct Decision {  // on its way to the disk
    Ticket ticket;
    LogIndex index;
  };

  // Of the present epoch, while coordinating it.
  struct Coordinating {
    LogIndex first;  // the empty batch at the start of the epoch
    Instant since;
    std::deque<ForwardedRun> gathered;  // not in a batch yet
    std::uint64_t gathered_bytes = 0;
    Instant batch_at;                // not before
    std::deque<LogIndex> in_flight;  // ends of batches that are not decided
    std::deque<Decision> decisions;
    LogIndex deciding;                // the highest of those
    LogIndex told;                    // decided as this node's disk says, and so told to others
    std::uint64_t reads_waiting = 0;  // at the end of `reads`, not yet in a round
    struct Read {
      NodeId from;
      ReadRequest request;
      std::uint64_t round = 0;
      LogIndex index;
    };
    std::deque<Read> reads;
  };

  // What is being fetched.
  struct Fetching {
    NodeId from;      // kNoNode: nothing is
    LogIndex agreed;  // the logs are the same up to here
    Position target;  // of a coordinator that catches up
    SnapshotId snapshot;
    Base base;               // of the snapshot
    std::uint32_t part = 0;  // the first one that is missing; all are there: it is being loaded
    std::uint32_t asked_to = 0;
    Instant asked;
    Instant progress;
    [[nodiscard]] bool loading() const { return part > 0 && part == snapshot.parts; }
  };

  struct WaitingRead {  // of this node's clients
    std::uint64_t id = 0;
    std::uint64_t number = 0;  // answered by a reply to a request of this number or a higher one
    Instant since;
  };

  // A prepare message made in this turn, for other peers that need the same.
  struct SharedPrepare {
    Prepare message;
    LogIndex last;
    Block header;
    BodyRange body;
  };

  // --- core.cc ---
  void recover(const Recovered& recovered);
  void finish_recovery();
  void receive(const Frame& frame);
  void receive_batches(Peer& peer, const wire::Message& message, const Frame& frame);
  void tick();
  void flush();
  void save_state(Epoch epoch, NodeId promised, LogIndex decided);
  Ticket issue(Write write);
  void append_entry(Epoch epoch, const CommandRun& run, EntryNote note);
  void advance_commit(LogIndex to);
  void count_concurrency(const BatchLog::Entry& entry);
  void set_coordinator(NodeId coordinator);
  void watch_blocking(bool settled);
  void broken(std::string story);
  void send_now(NodeId to, Block header, BodyRange body = {});
  void send_when_durable(const Guard& guard, NodeId to, Block header);
  void send_all(const Block& header);
  BodyRange add_bodies(LogIndex prev, LogIndex last);
  [[nodiscard]] bool is_own(const CommandRun& run) const;
  [[nodiscard]] Peer* find_peer(NodeId id);
  [[nodiscard]] std::uint64_t bit(const Peer& peer) const {
    return std::uint64_t{1} << static_cast<unsigned>(&peer - peers_.data());
  }
  [[nodiscard]] std::size_t majority() const { return (peers_.size() + 1) / 2 + 1; }
  // The end of the log, as far as batches are whole.
  [[nodiscard]] Position last_position() const {
    const LogIndex last = batch_end_at(log_.last());
    return {log_.term_at(last), last};
  }
  [[nodiscard]] LogIndex batch_end_at(LogIndex index) const;
  [[nodiscard]] std::uint64_t accept_max_bytes() const;
  [[nodiscard]] Duration with_jitter(Duration duration);
  [[nodiscard]] std::string_view role_name() const;

  // --- election.cc ---
  [[nodiscard]] bool outranks(NodeId a, NodeId b) const;
  [[nodiscard]] bool hears_coordinator() const;
  [[nodiscard]] Objection objection_to(NodeId asker) const;
  void heard_coordinator();
  void become_participant(Epoch epoch, NodeId coordinator);
  void call_election();
  void on_election(const Peer& peer, const Election& message);
  void on_answer(const Peer& peer, const Answer& message);
  void close_election();
  [[nodiscard]] bool election_decided() const;
  void claim();
  void on_claim(const Peer& peer, const Claim& message);
  void on_promised(const Peer& peer, const Promised& message);
  void count_own_promise(Ticket durable_through);
  void count_promises();
  void lead();
  void on_coordinator(const Peer& peer, const Coordinator& message);
  void check_majority();
  [[nodiscard]] bool wants_to_challenge() const;
  [[nodiscard]] Instant majority_heard_at() const;
  [[nodiscard]] Instant election_deadline() const;
  void tend_election();

  // --- coordinator.cc ---
  void gather(ForwardedRun run);
  void make_batches();
  void make_batch();
  [[nodiscard]] Instant batch_deadline() const;
  void on_vote(Peer& peer, const Vote& vote);
  void on_no(Peer& peer, const Vote& vote);
  void decide();
  void settle_decisions(Ticket durable_through);
  void prepare_all();
  void prepare(Peer& peer);
  void prepare_probe(Peer& peer);
  void send_prepare(Peer& peer, LogIndex last, bool wants_vote);
  const SharedPrepare& shared_prepare(const Prepare& message, LogIndex last);
  void note_waiting(NodeId node, LogIndex index);
  [[nodiscard]] bool commit_news_due(Peer& peer) const;
  [[nodiscard]] LogIndex message_end(LogIndex prev, std::uint64_t max_bytes) const;
  [[nodiscard]] Instant stall_deadline(const Peer& peer) const;
  [[nodiscard]] Instant coordinator_deadline() const;

  // --- participant.cc ---
  bool follow(const Peer& peer, Epoch epoch, const Guard& guard);
  void on_prepare(const Peer& peer, const Prepare& message, EntryReader entries);
  void on_commit(const Peer& peer, const Commit& message);
  bool take_entries(LogIndex prev, EntryReader& entries);
  void commit_heard();
  void send_vote();

  // --- state_transfer.cc ---
  void control(const Control& control);
  void use_saved_snapshot();
  [[nodiscard]] LogIndex compact_to(LogIndex snapshot) const;
  void start_fetch(NodeId from, LogIndex agreed, Position target);
  void send_fetch();
  void tend_fetch();
  [[nodiscard]] Instant fetch_deadline() const;
  void on_fetch(Peer& peer, const Fetch& message);
  void send_parts();
  void on_batches(const Peer& peer, const Batches& message, EntryReader entries);
  void on_part(const Peer& peer, const Part& message, const wire::Message& wire, const Block& body);
  void on_snapshot_loaded(const SnapshotId& snapshot);
  void fetched();

  // --- forwarding.cc ---
  void submit(const CommandRun& run);
  void recognise_held_runs();
  void gather_held_runs();
  void on_forward(ForwardReader runs);
  void forward_held_runs();
  void forward(std::span<const HeldRun* const> runs);
  void tend_held_runs();
  void refuse(Refusal::Kind kind, Refusal::Reason reason, std::uint64_t number);
  [[nodiscard]] bool coordinator_missed() const;
  [[nodiscard]] std::uint64_t undecided_bytes() const;
  [[nodiscard]] Instant held_deadline() const;

  // --- reads.cc ---
  void submit_read(const parley::ReadRequest& read);
  void request_read();
  void on_read_reply(const ReadReply& reply);
  void tend_reads();
  void on_read_request(NodeId from, const ReadRequest& request);
  void start_read_round();
  void finish_read_rounds();
  [[nodiscard]] bool round_confirmed(std::uint64_t round) const;
  [[nodiscard]] Instant reads_deadline() const;

  // Fixed.
  NodeId self_;
  Incarnation incarnation_;
  Options options_;
  Random random_;
  std::vector<NodeId> members_;  // by id: a member's place in clocks
  std::size_t place_ = 0;        // of this node

  // Durable (through effects): the hard state and the log.
  Epoch epoch_;
  NodeId promised_;
  LogIndex decided_;  // as the hard state says
  BatchLog log_;
  SnapshotId snapshot_;  // in use; of index 0: none
  Base snapshot_base_;   // what precedes its end
  Base log_base_;        // what precedes the log
  Ticket last_ticket_;

  // Volatile, of all roles.
  Role role_ = Role::participant;
  NodeId coordinator_;
  LogIndex commit_;
  VectorClock committed_clock_;  // of the runs up to commit_
  VectorClock clock_;            // of this node
  std::uint64_t concurrent_ = 0;
  Epoch highest_heard_;  // of an epoch, in whatever message
  Instant heard_coordinator_;
  Instant no_coordinator_since_;
  std::uint64_t elections_ = 0;
  std::string broken_;      // the first invariant found broken; nothing is done from then on
  bool reported_ = false;   // that was told
  bool recovering_ = true;  // the first step has not been

  // Volatile, about elections.
  Asking asking_;
  std::uint64_t round_asked_ = 0;
  Instant election_at_;            // when to call one
  Instant challenge_at_ = kNever;  // when to call one though a coordinator of a lower rank is there
  std::uint32_t flaps_ = 0;        // times of coordinating that ended soon, in a row
  Claiming claiming_;

  // Volatile, about states.
  SnapshotId saved_;                  // not in use yet; of index 0: none
  std::uint64_t saved_at_bytes_ = 0;  // of the log, when that was saved
  Instant served_until_{};            // somebody is fetching the snapshot
  Fetching fetching_;
  Instant announced_;  // catching up: last time the others were told

  // Volatile, of one role in one epoch.
  Following following_;
  Coordinating coordinating_;
  std::vector<Peer> peers_;  // the other members, by id

  // Read rounds are numbered through all epochs of this replica.
  std::uint64_t round_ = 0;

  // Blocking: batches are prepared here, and their outcome is not known.
  Instant in_doubt_since_ = kNever;  // the last time that an outcome became known, or none was open
  Duration blocked_before_{};        // in all such times that ended
  std::uint64_t blockings_ = 0;

  // What this node's clients wait for.
  HeldRuns held_;
  bool reads_unasked_ = false;  // the coordinator has not been asked for all of `reads_`
  NodeId served_by_;  // the coordinator, and its epoch, that was last sent the held runs and reads
  Epoch served_epoch_;
  std::deque<WaitingRead> reads_;
  std::uint64_t read_number_ = 0;  // of the last request for a read index
  Instant reads_asked_;

  // Of the present step.
  Instant now_;
  Effects* effects_ = nullptr;

  // Reused memory.
  Encoder encoder_;
  std::vector<SharedPrepare> shared_;
  std::vector<const HeldRun*> forwarding_;
  std::vector<std::pair<NodeId, Fetch>> parts_asked_;  // in this turn
  std::vector<LogIndex> indices_;
  mutable std::vector<Instant> instants_;
};

}  // namespace parley::bully_2pc
