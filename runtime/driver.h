// One replica with the state it drives, without any I/O: the same in a live node, in the simulator
// and under Maelstrom.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/application.h"
#include "algorithms/contract/node_port.h"
#include "runtime/applier.h"
#include "runtime/protocol_trace.h"
#include "runtime/session_watch.h"
#include "runtime/snapshot_keeper.h"

namespace parley {

// Names a request of a client of this node; the numbers are the caller's own.
struct RequestTag {
  std::uint64_t connection = 0;
  std::uint64_t request = 0;
};

struct DriverLimits {
  std::uint32_t max_sessions = 1U << 16;
  std::uint64_t max_run_bytes = 1U << 20;  // of one run; more commands make more runs
  std::uint64_t max_waiting_bytes = 16U
                                    << 20;    // of commands taken and not yet given to the replica
  std::uint32_t max_pending_runs = 1U << 16;  // given to the replica and not yet answered
  std::uint32_t max_pending_reads = 1U << 16;
  std::uint64_t max_pending_read_bytes = 4U << 20;  // of their queries; answers are up to ten times
  Duration request_timeout = std::chrono::seconds(5);  // then the outcome is unknown
  Duration session_idle = std::chrono::hours(1);       // after which a session expires; 0: never
  // Of runs applied since the last snapshot: then the next one is made; 0: never.
  std::uint64_t snapshot_bytes = 128U << 20;
};

// A submit that is settled; its results are Driver::results()[first, first + count).
struct SettledSubmit {
  RequestTag tag;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// A query that is settled; its answer is Driver::answer_bytes()[first, first + size).
struct SettledQuery {
  RequestTag tag;
  RefusedBecause reason = RefusedBecause::none;
  std::string error;  // of the application
  std::size_t first = 0;
  std::size_t size = 0;
};

// Gathers inputs, steps the replica, applies what it commits, and says which requests are settled.
// Used by one thread. What is to be sent and written is in the effects.
class Driver {
 public:
  // `algorithm`, `application`, `journal` and `trace` (either may be null) must outlive the driver.
  Driver(const Algorithm& algorithm, const Application& application, ReplicaConfig config,
         const Recovered& recovered, DriverLimits limits, Journal* journal,
         TraceOutput* trace = nullptr);

  // --- inputs, which the next step takes in ---

  // Commands that Application::validate accepts. False when the queue is full: definitely not done.
  bool submit(RequestTag tag, Bytes body, std::uint32_t count);
  // A query of the application. A local one sees what its client names in `seen`, or is refused.
  // False when the queue is full.
  bool query(RequestTag tag, ReadMode mode, Bytes query, std::vector<Seen> seen = {});
  // A verified frame of a member.
  void receive(Frame frame) { frames_.push_back(std::move(frame)); }
  // Every write up to `ticket` is durable.
  void durable_through(Ticket ticket) { durable_ = ticket; }
  // What became of the task that `take_snapshot_task` gave out.
  void snapshot_done(SnapshotResult result) { snapshots_.done(std::move(result)); }

  // Asks for other members; `id`, not 0, comes back in the next step's effects or a later one's. A
  // strategy whose members do not change refuses.
  void change_members(std::uint64_t id, const MemberChange& change);

  // Asks the replica, if it leads, to hand over to that node, or to any; answered likewise.
  void hand_over(std::uint64_t id, NodeId to = {});

  // Whether there is something for a step to take in.
  [[nodiscard]] bool has_input() const;
  // When to step next even without input.
  [[nodiscard]] Instant deadline() const;

  // --- the step, and what is valid until the next one ---

  // A step in two halves: what the replica makes of the inputs, which may be sent and written at
  // once, so that peers and disk work while this node, in the second half, applies what is
  // committed and answers. `carry_out` follows each `decide`.
  const Effects& decide(Instant now, WallTime wall);
  void carry_out();
  // Both halves.
  const Effects& step(Instant now, WallTime wall) {
    decide(now, wall);
    carry_out();
    return effects_;
  }
  // No step follows: the last line of the trace, if there is one; "crash" or "stop".
  void trace_end(std::string_view event) {
    if (trace_) trace_->ended(event);
  }
  [[nodiscard]] std::span<const SettledSubmit> submits() const { return settled_submits_; }
  [[nodiscard]] std::span<const Result> results() const { return results_; }
  [[nodiscard]] std::span<const SettledQuery> queries() const { return settled_queries_; }
  [[nodiscard]] Bytes answer_bytes() const { return answer_bytes_; }

  // Something to be done about snapshots, in any thread, if there is (run_snapshot_task). One at a
  // time.
  std::optional<SnapshotTask> take_snapshot_task() { return snapshots_.take_task(); }

  // Why this node must stop; empty as long as all is well.
  [[nodiscard]] const std::string& broken_invariant() const { return effects_.broken_invariant; }
  [[nodiscard]] const Replica& replica() const { return *replica_; }
  [[nodiscard]] const Store& store() const { return applier_.store(); }
  [[nodiscard]] LogIndex applied() const { return applier_.applied(); }
  FrozenStore freeze() { return applier_.store().freeze(); }
  FrozenState freeze_state() { return applier_.freeze(); }
  // Everything about this node but what its transport knows.
  [[nodiscard]] NodeReport report() const;

 private:
  struct Segment {  // the part of a run that one request brought
    RequestTag tag;
    std::uint32_t count = 0;
  };
  struct Screened {
    std::vector<Result> results;
    std::vector<std::uint32_t> written;  // offsets of the commands that became writes
  };
  struct PendingRun {
    Instant since;
    LogIndex known;                   // applied when the run was made
    std::uint64_t first_segment = 0;  // counted over all segments ever
    std::uint32_t segments = 0;
    std::uint32_t commands = 0;
    bool settled = false;
    Screened screened;  // of merge strategies
  };
  struct OpenRun {  // being filled
    std::vector<std::byte> body;
    std::uint32_t count = 0;
    std::uint32_t segments = 0;
  };
  struct PendingRead {
    RequestTag tag;
    Instant since;
    LogIndex index;  // once ready: what the applier has to reach
    std::vector<std::byte> query;
  };

  void close_runs(Instant now);
  void expire_sessions(Instant now);
  CommandRun merge_run(CommandRun run, PendingRun& pending);
  void apply_commits();
  bool install();
  void apply(const CommittedRun& committed);
  void make_snapshot();
  void apply_merges();
  [[nodiscard]] bool has_room_for(Bytes query) const;
  void forget_read(std::map<std::uint64_t, PendingRead>::iterator read);
  void take_stamps(Stamp first, Screened& screened);
  void forget(const Screened& screened);
  void refuse_run(std::uint64_t number, RefusedBecause reason);
  void give_up(std::uint64_t number);
  void answer_reads();
  void take_refusals();
  void expire(Instant now);
  PendingRun* find_pending(RunId run);
  void settle(std::uint64_t number, std::span<const Result> results);
  void settle_all(std::uint64_t number, Outcome outcome, RefusedBecause reason);
  void forget_settled();
  void answer(const RequestTag& tag, Bytes query);

  const Algorithm& algorithm_;
  const Application& application_;
  ReplicaConfig config_;
  DriverLimits limits_;
  Applier applier_;
  std::unique_ptr<Replica> replica_;
  std::optional<ProtocolTrace> trace_;
  SnapshotKeeper snapshots_;
  SessionWatch session_watch_;
  std::vector<SessionWatch::Idle> idle_sessions_;
  std::string broken_;  // from the start
  bool local_reads_ask_;

  // Inputs.
  std::vector<Frame> frames_;
  std::vector<OpenRun> open_;
  std::uint64_t waiting_bytes_ = 0;
  std::uint64_t accept_max_bytes_;
  std::vector<CommandRun> runs_;
  std::vector<ReadRequest> reads_;
  std::vector<std::pair<RequestTag, std::vector<std::byte>>> local_queries_;
  std::vector<Control> wishes_;            // the operator's
  std::vector<ControlReply> not_offered_;  // to those that the strategy does not have
  std::vector<Control> controls_;          // of the step
  Ticket durable_;
  Ticket durable_taken_;
  Instant now_;  // of the step

  // Requests on their way. Runs are numbered without gaps, so a run's place is its number's
  // distance from `first_pending_`; segments are those of the pending runs, one after the other.
  std::deque<PendingRun> pending_;
  std::uint64_t first_pending_ = 1;
  std::deque<Segment> segments_;
  std::uint64_t forgotten_segments_ = 0;
  std::vector<Segment> open_segments_;
  // Runs of a merge strategy whose clients were told that nobody knows, and that may still be done.
  std::map<std::uint64_t, Screened> late_;
  std::map<std::uint64_t, PendingRead> pending_reads_;
  std::vector<std::uint64_t> ready_reads_;
  std::uint64_t last_read_ = 0;
  std::uint64_t read_bytes_ = 0;  // of the queries that wait

  // Outputs.
  Effects effects_;
  std::vector<SettledSubmit> settled_submits_;
  std::vector<Result> results_;
  std::vector<SettledQuery> settled_queries_;
  std::vector<std::byte> answer_bytes_;
};

}  // namespace parley
