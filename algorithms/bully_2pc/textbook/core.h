// The textbook without I/O: turns in, effects out. What many write first, as it stands in course
// books: nothing keeps two coordinators from deciding side by side.
//
// The highest rank that hears no other coordinator leads (Garcia-Molina 1982, §III); it has batches
// prepared and voted for by the nodes that it takes for alive, and commits them with a majority of
// *those* (Gray and Lamport 2006, §2). Each batch is an update with a vector clock, whose numbers
// are times: that of its coordinator is its wall clock's, or one above all that it knows of. So an
// update that knew another one has the later time, whatever the clocks say, and concurrent ones
// are ordered by time and node: an order that all nodes share, in which every node merges what it
// hears of. States are compared by their hashes. The parts:
//   core.cc      the step, recovery, what all parts share; updates meet
//   election.cc  who leads: heartbeats, elections
//   batches.cc   runs and batches: gathered, prepared, voted for, decided
//   exchange.cc  states: compared, and what differs fetched; joining
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "algorithms/bully_2pc/options.h"
#include "algorithms/bully_2pc/textbook/cells.h"
#include "algorithms/bully_2pc/textbook/codec.h"
#include "algorithms/bully_2pc/textbook/guards.h"
#include "algorithms/contract/random.h"
#include "algorithms/contract/replica.h"

namespace parley::bully_2pc::textbook {

class Core {
 public:
  // Broken from the start (see Effects::broken_invariant) when `recovered` is not what a replica of
  // this algorithm wrote, or when `config.members` lacks `config.self`.
  Core(const ReplicaConfig& config, const Recovered& recovered);

  void step(const Turn& turn, const Store& store, Effects& effects);
  [[nodiscard]] Instant deadline() const;
  [[nodiscard]] Status status() const;

 private:
  enum class Role : std::uint8_t {
    joining,      // has just started: takes over the state of an active node first
    participant,  // follows a coordinator, or waits for one
    electing,     // waits for the answers of those that rank higher
    coordinator,
  };

  struct Peer {
    NodeId id;
    Instant heard;
    bool ever_heard = false;
    RunId last_run;           // that it forwarded
    Incarnation incarnation;  // of the last message
  };

  // Prepared here, and its outcome is not known.
  struct Prepared {
    BatchId id;
    std::vector<RunPart> runs;
    Block body;
    LogIndex record;
    Instant since;
  };

  // Of this coordinator, not decided.
  struct Proposed {
    BatchId id;
    std::vector<RunPart> runs;
    Block body;
    std::uint64_t asked = 0;  // one bit a peer, by its place in peers_
    std::uint64_t yes = 0;
    std::uint64_t no = 0;
    Instant since;
    Instant sent;
  };

  struct Decided {  // for those that ask
    BatchId id;
    bool committed = false;
    VectorClock clock;
  };

  struct Gathered {
    RunPart run;
    Block body;
  };

  struct Held {  // a run of this node on its way
    std::uint64_t bytes = 0;
    Instant since;
  };

  struct DueReply {  // of an own run: once the decision is on disk
    Ticket ticket;
    RunReply reply;
  };

  // What is being fetched, some tiles at a time.
  struct Exchange {
    NodeId peer;
    std::vector<wire::Tile> tiles;     // that differ, and are not asked for yet
    std::vector<std::uint32_t> asked;  // and have not come
    Instant progress;
  };

  // --- core.cc ---
  void recover(const Recovered& recovered);
  void replay();
  void observe_store();
  void receive(const Frame& frame);
  void use_snapshot(const Control& control);
  void apply(const BatchId& batch, const Block& body, ClockView clock);
  bool offer(const WireCell& cell, ClockView clock);
  void observe(ClockView clock);
  [[nodiscard]] Stamp first_stamp(const BatchId& batch, ClockView clock,
                                  std::uint64_t writes) const;
  [[nodiscard]] static NodeId author_of(Stamp stamp) {
    return {static_cast<std::uint32_t>(stamp.minor >> 32)};
  }
  LogIndex append(LogRecord::Kind kind, const BatchId& batch, ClockView clock, const Block& body);
  Ticket issue(Write write);
  void broken(std::string story);
  void send_now(NodeId to, Block header, const Block& body = {});
  void send_when_durable(NodeId to, Block header);
  void send_all(const Block& header);
  void watch_blocking();
  [[nodiscard]] Duration with_jitter(Duration duration);
  [[nodiscard]] Peer* find_peer(NodeId id);
  [[nodiscard]] std::optional<std::size_t> place_of(NodeId node) const;
  [[nodiscard]] std::uint64_t bit(const Peer& peer) const {
    return std::uint64_t{1} << static_cast<unsigned>(&peer - peers_.data());
  }
  [[nodiscard]] bool alive(const Peer& peer) const {
    return peer.ever_heard && now_ - peer.heard < options_.timeout;
  }

  // --- election.cc ---
  [[nodiscard]] bool outranks(NodeId a, NodeId b) const;
  void tend_election();
  void on_heartbeat(Peer& peer, const wire::Heartbeat& heartbeat);
  void on_election(const Peer& peer);
  void on_coordinator(const Peer& peer);
  void call_election();
  void lead();
  void follow(NodeId coordinator);
  [[nodiscard]] Instant election_deadline() const;

  // --- batches.cc ---
  [[nodiscard]] bool is_own(const RunPart& run) const;
  void submit(const CommandRun& run);
  void forward();
  void on_forward(Peer& peer, const wire::Message& message, const Block& body);
  void gather(const RunPart& run, Block body);
  void refuse(const RunPart& run);
  void on_refuse(const wire::Message& message);
  void settle_held(const RunPart& run);
  void give_up_held();
  [[nodiscard]] Instant batch_deadline() const;
  void make_batches();
  void make_batch();
  void ask_for_votes(Proposed& batch);
  void on_vote(const Peer& peer, const wire::Batch& vote);
  void decide();
  [[nodiscard]] VectorClock next_clock(std::uint64_t writes) const;
  void commit(Proposed& batch);
  void abort(const Proposed& batch);
  void resign();
  void remember(Decided decided);
  void on_inquire(const Peer& peer, const BatchId& id);
  void on_prepare(const Peer& peer, const wire::Message& message, const Block& body);
  void on_outcome(const wire::Message& message);
  void ask_for_outcomes();
  std::vector<RunReply> replies_to(const BatchId& batch, std::span<const RunPart> runs,
                                   ClockView clock);
  void send_replies(Ticket durable_through);
  [[nodiscard]] Instant inquiry_deadline() const;
  [[nodiscard]] Instant batches_deadline() const;

  // --- exchange.cc ---
  void compare_with_next();
  void compare_with(const Peer& peer);
  void on_hash(const Peer& peer, std::uint64_t digest);
  void on_tiles(const Peer& peer, const wire::Message& message);
  void ask_for_tiles();
  [[nodiscard]] VectorClock clock_of_cell(Key key, Stamp stamp) const;
  void on_want(const Peer& peer, const wire::Message& message);
  void on_cells(const Peer& peer, const wire::Message& message, const Block& body);
  void end_exchange(bool whole);
  [[nodiscard]] Instant exchange_deadline() const;

  // Fixed.
  NodeId self_;
  Incarnation incarnation_;
  Options options_;
  Random random_;
  std::vector<NodeId> members_;  // by id: a member's place in clocks
  std::size_t place_ = 0;        // of this node
  std::vector<Peer> peers_;      // the other members, by id

  // Durable (through effects).
  LogIndex last_;
  LogIndex snapshot_;
  Ticket last_ticket_;
  std::vector<LogRecord> recovered_;  // not in the store yet
  bool started_ = false;              // the first step has been

  // What is known here.
  VectorClock clock_;
  CellClocks cells_;
  std::uint64_t superseded_ = 0;
  std::uint64_t concurrent_ = 0;

  // Elections.
  Role role_ = Role::joining;
  NodeId coordinator_;
  Instant next_heartbeat_;
  Instant election_at_;  // joining: when that is given up; electing: answers are due
  bool answered_ = false;
  std::uint64_t elections_ = 0;

  // Runs and batches.
  std::vector<RunPart> forwarding_;
  std::vector<Block> forwarding_bodies_;
  std::map<std::uint64_t, Held> held_;
  std::uint64_t held_bytes_ = 0;
  std::deque<Gathered> gathered_;
  std::uint64_t gathered_bytes_ = 0;
  Instant batch_at_;
  std::uint64_t batches_ = 0;
  std::deque<Proposed> proposed_;
  std::deque<Prepared> prepared_;  // by since
  Instant next_inquiry_;
  std::uint64_t prepared_bytes_ = 0;
  std::deque<Decided> decided_;
  std::deque<DueReply> replies_;

  // Blocking: prepared, and no outcome for as long as it takes to notice a failure.
  Instant blocked_since_ = kNever;
  Duration blocked_before_{};
  std::uint64_t blockings_ = 0;

  // States.
  std::size_t next_partner_ = 0;
  Instant next_comparison_;
  std::optional<Exchange> exchange_;

  std::string broken_;

  // Of the present step.
  Instant now_;
  std::uint64_t wall_ = 0;
  const Store* store_ = nullptr;
  Effects* effects_ = nullptr;
  Encoder encoder_;
};

}  // namespace parley::bully_2pc::textbook
