// Gossip with last-write-wins, without I/O: turns in, effects out.
//
// Every node takes every write at once, stamps it with its hybrid logical clock, and spreads it:
// first as a rumour, then by anti-entropy (Demers et al., "Epidemic Algorithms for Replicated
// Database Maintenance", PODC 1987, §1.3 and §1.4). The higher stamp wins everywhere, so that all
// nodes come to hold the same. Promises: see README.md. Needs: clocks that are right within
// `max_clock_skew_ms`, as a rule. The parts:
//   core.cc          the step, recovery, hard state, what all parts share
//   writes.cc        runs submitted here: stamped, stored, acknowledged
//   rumors.cc        deltas that come in and are passed on; writes from the future
//   anti_entropy.cc  comparing with one peer after the other, by version vectors
//   near_and_far.cc  whom to talk to, where there are regions
//   walk.cc          finding what differs by digests, when the deltas are gone
//   reads.cc         reads that ask others, and reads by clients that come from elsewhere
//   liveness.cc      pings, and what they say of clocks
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "algorithms/contract/random.h"
#include "algorithms/contract/replica.h"
#include "algorithms/gossip_lww/clock.h"
#include "algorithms/gossip_lww/codec.h"
#include "algorithms/gossip_lww/digest_tree.h"
#include "algorithms/gossip_lww/failure_detector.h"
#include "algorithms/gossip_lww/guards.h"
#include "algorithms/gossip_lww/known.h"
#include "algorithms/gossip_lww/options.h"
#include "algorithms/gossip_lww/partners.h"
#include "algorithms/gossip_lww/recent.h"
#include "algorithms/gossip_lww/regions.h"
#include "algorithms/gossip_lww/turn_stamps.h"

namespace parley::gossip_lww {

class Core {
 public:
  // Broken from the start (see Effects::broken_invariant) when `recovered` is not what a replica of
  // this algorithm wrote, or when `config.members` lacks `config.self`.
  Core(const ReplicaConfig& config, const Recovered& recovered);

  void step(const Turn& turn, const Store& store, Effects& effects);
  [[nodiscard]] Instant deadline() const;
  [[nodiscard]] Status status() const;

 private:
  struct Own {  // a run of this node that is not acknowledged yet
    RunId run;
    Ticket ticket;
    HybridTime first;
    HybridTime last;
    std::uint64_t bytes = 0;
  };

  struct Hot {  // a rumour
    Delta delta;
    std::uint64_t rounds = 0;      // left
    std::uint64_t far_rounds = 0;  // likewise, to other regions
    bool fresh = true;             // had none yet
  };

  // What differs from a peer is looked for, and fetched, one request at a time.
  struct Walk {
    std::size_t peer = 0;
    std::uint64_t number = 0;  // of the last request
    Instant asked;
    std::vector<TreePlace> places;  // that differ, and are not asked for yet
    Known reached;                  // what this node knows when all is fetched
    bool complete = true;           // nothing of it was left out
  };

  // A read that waits: for what its client has seen, and then for other nodes' answers.
  struct Read {
    std::uint64_t id = 0;
    Instant since;
    std::vector<Seen> seen;
    std::vector<TreePlace> places;      // the blocks of what is read
    std::vector<std::size_t> answered;  // who has
    std::uint64_t number = 0;           // of its requests; 0: none yet
    Instant asked;
  };

  struct Relayed {  // a ping on behalf of another node
    std::size_t asker = 0;
    std::size_t target = 0;
    std::uint64_t number = 0;  // the asker's
    Instant asked;
  };

  // --- core.cc ---
  void recover(const Recovered& recovered);
  void replay();
  void receive(const Frame& frame);
  void tick();
  Ticket issue(Write write);
  void append(Block header, const Block& cells);
  void save_state(HybridTime reserved);
  void use_snapshot(const Control& control);
  bool merge(const WireCell& cell, Stamp stamp);
  void send(std::size_t to, Block header, BodyRange body = {});
  void send_when_durable(std::size_t to, Block header, BodyRange body = {});
  BodyRange add_body(const Block& block);
  void broken(std::string story);
  [[nodiscard]] std::optional<std::size_t> place_of(NodeId node) const;
  [[nodiscard]] Stamp stamp_of(const Delta& delta, std::uint32_t offset) const;
  [[nodiscard]] bool in_store(const Block& cells) const;

  // --- writes.cc ---
  void write(const CommandRun& run);
  void refuse_run(const CommandRun& run, Refusal::Reason reason);
  void reserve_times();
  void acknowledge(Ticket durable_through);
  [[nodiscard]] bool clock_too_far_ahead(std::uint32_t count) const;
  [[nodiscard]] std::size_t holders(HybridTime last) const;

  // --- rumors.cc ---
  void on_rumors(std::size_t from, const wire::Message& message, const Block& body);
  bool take(const Delta& delta, bool from_near);
  bool apply(const Delta& delta, std::size_t origin, bool from_near);
  void set_aside(const Delta& delta);
  void retry_set_aside();
  void heat(const Delta& delta, bool to_near);
  void spread_rumors();
  [[nodiscard]] bool rumors_fill_a_message() const;
  bool choose_rumors(std::uint64_t Hot::*rounds);
  template <class Next>
  void choose_partners(std::uint64_t fanout, std::size_t peers, Next&& next);
  void push_rumors();
  void send_deltas(std::span<const std::size_t> to, std::span<const Delta* const> deltas, bool more,
                   bool when_durable);
  void count_superseded(const WireCell& cell, Stamp stamp);
  [[nodiscard]] HybridTime reference_time() const;
  [[nodiscard]] HybridTime latest_allowed() const;
  [[nodiscard]] bool from_the_future(HybridTime time) const;
  void send_acks();

  // --- anti_entropy.cc ---
  void compare_with_next();
  void welcome_back(std::size_t peer);
  void send_summary(std::size_t to, Summary::Stage stage, bool out_of_reach = false);
  void on_summary(std::size_t from, const Summary& summary, const wire::Message& message);
  bool offer_deltas(std::size_t to, const Known& theirs);
  [[nodiscard]] bool settled() const;
  [[nodiscard]] bool whole() const;

  // --- near_and_far.cc ---
  [[nodiscard]] bool near(std::size_t peer) const;
  [[nodiscard]] bool speaks() const;
  [[nodiscard]] bool partner(std::size_t peer) const;
  [[nodiscard]] std::optional<std::size_t> next_near(PartnerRing& ring);
  [[nodiscard]] std::optional<std::size_t> next_far(PartnerRing& ring);
  [[nodiscard]] std::optional<std::size_t> next_to_compare();

  // --- walk.cc ---
  void start_walk(std::size_t peer, const Known& theirs);
  void ask_on();
  void on_tree_request(std::size_t from, const wire::Message& message);
  void on_tree_reply(std::size_t from, const wire::Message& message, const Block& body);
  bool take_cells(const Block& cells);
  void finish_walk();
  [[nodiscard]] Instant walk_deadline() const;

  // --- reads.cc ---
  void read(const ReadRequest& request);
  void serve_reads();
  bool serve(Read& read);
  void ask_others(Read& read);
  bool take_read_answer(std::size_t from, std::uint64_t number, const Block& cells);
  void refuse_read(const Read& read, Refusal::Reason reason);
  [[nodiscard]] bool reached(std::span<const Seen> seen) const;

  // --- liveness.cc ---
  void ping();
  void send_probe(std::size_t to, wire::Kind kind, const Probe& probe);
  void on_probe(std::size_t from, const wire::Message& message);

  // Fixed.
  NodeId self_;
  Incarnation incarnation_;
  std::vector<NodeId> members_;  // rising
  std::size_t place_ = 0;        // of this node among them
  Options options_;
  Regions regions_;
  Random random_;

  // Durable (through effects).
  HybridTime reserved_;  // stamps up to here may be given out
  Ticket reserved_ticket_;
  Known known_;
  Instant whole_at_;  // when that had no gap last
  LogIndex last_;
  LogIndex snapshot_;
  Ticket last_ticket_;

  // Volatile.
  HybridClock clock_;
  ReferenceClock reference_;  // by place; the own place stays unheard
  RecentDeltas recent_;
  FailureDetector detector_;
  std::vector<Hot> hot_;
  std::deque<Own> own_;
  std::uint64_t own_bytes_ = 0;
  std::vector<HybridTime> acked_;  // by place: the own deltas up to there are on that node's disk
  std::vector<Delta> set_aside_;
  std::uint64_t set_aside_bytes_ = 0;
  std::optional<Walk> walk_;
  std::vector<Read> reads_;
  PartnerRing read_ring_;
  std::uint64_t requests_ =
      0;  // the last number given to one; of an earlier life's none comes again
  std::vector<Relayed> relayed_;
  std::uint64_t probes_ = 0;
  // Of indices within the own region, of regions, and of all members.
  PartnerRing rumor_ring_;
  PartnerRing repair_ring_;
  PartnerRing far_rumor_ring_;
  PartnerRing far_repair_ring_;
  PartnerRing anybody_ring_;
  std::uint64_t comparisons_ = 0;  // begun
  Instant next_rumors_;
  Instant next_comparison_;
  std::optional<std::size_t> returned_;  // was taken for dead, and is compared with first
  std::uint64_t superseded_ = 0;
  std::string broken_;  // the first invariant found broken; nothing is done from then on

  // Of the present step.
  mutable std::optional<HybridTime> reference_time_;
  Instant now_;
  WallTime wall_;
  Ticket durable_;
  const Store* store_ = nullptr;
  Effects* effects_ = nullptr;
  TurnStamps turn_stamps_;
  std::vector<bool> acks_due_;  // by place

  // Reused memory.
  Encoder encoder_;
  std::vector<Delta> deltas_;
  std::vector<const Delta*> outgoing_;
  std::vector<std::size_t> partners_;
  std::vector<Update> updates_;
  std::vector<FailureDetector::Action> actions_;
  std::vector<TreeDigest> digests_;

  // What storage held, until the first step.
  std::vector<Delta> recovered_;
  bool replaying_ = false;  // they reach the store when this turn is over
};

}  // namespace parley::gossip_lww
