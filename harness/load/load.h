// Drives load at a cluster's client ports and measures what its users would feel.
//
// Promises: in the open loop operations arrive by the schedule whatever the cluster does, and their
// latency counts from the intended moment, so that a stall shows in every operation that it would
// have delayed (no coordinated omission). Every operation that was due has exactly one outcome:
//   completed  answered ok
//   refused    definitely not done: every attempt was refused, or none could be sent in time
//   unknown    may have been done: no answer within `operation_timeout`, or a node said so
//   unsent     arrived while `max_in_flight` operations (or 64 of its session) were under way;
//              recorded and never delayed
// Needs: one thread; a cluster of the canvas with room for `clients` sessions.
//
// What is counted: operations whose intended moment lies in the measured window, whenever they end
// (the drain after the window is at most `operation_timeout`). `achieved_ops_per_s` counts what
// ended ok within the window, by the clock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/ids.h"
#include "algorithms/contract/node_port.h"
#include "algorithms/contract/time.h"
#include "algorithms/contract/turn.h"
#include "harness/load/histogram.h"

namespace parley::history {
class HistoryWriter;
}

namespace parley::load {

// The load could not be driven: the spec is impossible (the message names the field and what is
// allowed), no node answers, or no session can be opened.
class LoadError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Target {
  NodeId node;
  std::string client_endpoint;  // tcp://127.0.0.1:4711 or ipc://...
};

enum class Loop : std::uint8_t { open, closed };
enum class Arrivals : std::uint8_t { poisson, constant };

// Where the operations of the clients go.
//   any     Client i has node i mod n as its own. While that one is down (not connected, or silent
//           for `silence_limit` although asked), the next one that is up stands in for it; as soon
//           as it is up again its clients return.
//   leader  All go to the leader that most nodes name; while there is none, as under `any`.
enum class Routing : std::uint8_t { any, leader };

struct LoadSpec {
  std::vector<Target> targets;

  Loop loop = Loop::open;
  Arrivals arrivals = Arrivals::poisson;
  double rate = 1000;            // operations per second (open loop); with batches, arrivals are of
                                 // whole messages at rate/batch
  std::uint32_t window = 1024;   // operations in flight over all clients (closed loop)
  std::uint32_t batch = 1;       // commands (or cells read) per message, 1 to 64
  std::uint32_t clients = 1024;  // sessions, 1 to 65536
  double read_share = 0;         // of the messages, 0 to 1
  ReadMode read_mode = ReadMode::local;
  Routing routing = Routing::any;
  // Where each of `targets` is; empty: nowhere in particular. A client is where its first node is.
  std::vector<std::string> regions;
  // Sessions are each node's own (strategies that merge): a client has one with every node and
  // stays with its node as long as that works. What may have been done there is not tried again
  // elsewhere, where it would be a new write.
  bool sessions_of_nodes = false;

  // uniform | zipf[:EXPONENT] | hotspot[:SHARE[@CELLS]] | rplace | replay:FILE, see WorkloadSpec.
  // `rplace` plays the event's rate curve over the duration with `rate` as its mean; a closed loop
  // has no rate, so that only its cells and users remain. A replay has its own times (open loop,
  // batch 1) and ends with its file or with the duration, whichever is first.
  std::string workload = "uniform";
  double replay_speed = 1;  // how many times faster than recorded
  std::uint32_t canvas_width = 1000;
  std::uint32_t canvas_height = 1000;

  Duration warmup = std::chrono::seconds(2);
  // How long the warm-up may last at most if it has not ended steady (warmup.h): the measured
  // window then begins later, and its length stays. 0: the warm-up is not looked at; as `warmup`:
  // it is, but never lasts longer. Replays have none, and the curve of `rplace` in an open loop
  // does not wait.
  Duration warmup_max{};
  Duration duration = std::chrono::seconds(10);
  Duration operation_timeout = std::chrono::seconds(5);
  Duration silence_limit = std::chrono::milliseconds(500);
  Duration setup_timeout = std::chrono::seconds(15);  // for connecting and opening sessions
  std::uint32_t max_in_flight = 65536;                // operations; the open loop's bound

  // Whether an operation is tried again, with the same sequence number and within its timeout, when
  // a node refused it for want of a leader or because it stops, when its connection broke, or when
  // nothing was heard for `attempt_timeout`: at the next node that is up, after 10 to 160 ms if
  // refused. On by default, because that is what a user's client does and the session makes it
  // safe; without it a dead leader would show as a burst of errors instead of as waiting time.
  // `overloaded` is never tried again: it is the answer of a full system, and repeating it would
  // only hide that.
  bool retry = true;
  Duration attempt_timeout = std::chrono::seconds(1);

  std::uint64_t seed = 1;

  // What the generator can do at most (measure_ceiling), to judge the run by; 0: not known.
  double ceiling_ops_per_s = 0;

  // Where operations are recorded, or null; not owned. Recorded are the cells that `recorded`
  // (harness/load/workload.h) picks for the share: always the same ones.
  history::HistoryWriter* history = nullptr;
  double recorded_share = 1;

  // When it becomes true, the run ends early (result.stopped); may be null. For Ctrl-C.
  const std::atomic<bool>* stop = nullptr;
};

// What is called while the load runs, on a thread of its own, one after the other: they may take
// their time without disturbing the load. None is called after run_load has returned.
struct LoadEvents {
  std::function<void(std::chrono::steady_clock::time_point zero)> measure_start;
  std::function<void()> measure_end;
  struct Timed {
    Duration at{};  // after the start of the measured window
    std::function<void()> run;
  };
  std::vector<Timed> timed;  // those that are due before the measured window ends
  // About ten times a second: share done (0 to 1, with warm-up) and operations completed so far.
  std::function<void(double share, std::uint64_t completed)> progress;
};

// 100 ms of the measured window, or of the drain after it.
struct TimelineRow {
  std::uint32_t t_ms = 0;       // start of the row, after the start of the measured window
  std::uint64_t completed = 0;  // by the moment of the answer
  std::uint64_t refused = 0;
  std::uint64_t unknown = 0;
  std::uint64_t unsent = 0;  // by the intended moment
  Percentile p50, p99;       // of latency; of what is counted in this row, refused ones aside
  bool has_latency = false;  // false: nothing to take percentiles of
  NodeId leader;             // as most nodes name it at the row's end; kNoNode: none known
  // The largest distance in indices between what two nodes had applied, of those that were asked at
  // one moment and answered before they were asked again. Nothing: nobody did. Means nothing where
  // a strategy has no order.
  std::optional<std::uint64_t> lag{};
  // The most cells at one moment of the row whose stamps differed between live replicas. Nothing
  // where that was not measured, and under an order.
  std::optional<std::uint64_t> divergent_cells{};
};

// What one node answered in 100 ms of the measured window or of the drain after it.
struct NodeRow {
  std::uint32_t t_ms = 0;  // as of TimelineRow
  NodeId node;
  std::uint64_t placed = 0;   // placements answered ok
  std::uint64_t read = 0;     // cells read
  std::uint64_t refused = 0;  // operations of attempts that it refused, also of those tried again
};

// A node was heard to name another leader than it had named before.
struct LeaderSeen {
  Duration at{};   // after the start of the measured window; may be negative
  NodeId node;     // who said it
  NodeId leader;   // kNoNode: it knows none
  NodeId by_most;  // whom most nodes name as of then
  Epoch epoch{};   // that the node was in; 0: not known
};

// How often the nodes are asked whom they take for their leader, and what they have applied.
inline constexpr Duration kLeaderAskedEvery = std::chrono::milliseconds(25);

// An operation that shows that the cluster works: answered ok, and not a local read (unless all
// operations are). Of those first sent within one millisecond, the one answered first.
struct SuccessSeen {
  Duration sent{};      // first attempt, after the start of the measured window
  Duration answered{};  // likewise
  NodeId node;          // that answered
};

// A node refused an attempt because it knows no leader.
struct RefusalSeen {
  Duration at{};  // after the start of the measured window; may be negative
  NodeId node;
};

// What made a run's figures in part the generator's own; see limit.h.
enum class Limit : std::uint8_t { none, cpu, ceiling, lateness };

// How the generator itself fared: whether the figures are the cluster's or its own.
struct GeneratorFigures {
  double cpu_share = 0;    // of one core, used by the generator's thread in the measured window
  double cpu_seconds = 0;  // used by the whole process in the measured window
  // Late is what the generator took up after its intended moment, whatever became of it then. That
  // no node could be reached does not count: it is the cluster's.
  double late_share = 0;  // operations that were more than 1 ms late
  struct {
    double p50 = 0, p99 = 0, max = 0;
  } late_us;
  // What of these percentiles of latency is the generator's lateness, 0 to 1.
  struct {
    double p50 = 0, p90 = 0, p99 = 0;
  } latency_share;
  double ceiling_ops_per_s = 0;  // as the spec has it; 0: not known
  Limit limit = Limit::none;
};

// In which state a warm-up ended; see warmup.h.
enum class Steadiness : std::uint8_t {
  steady,
  too_short,         // to tell
  nothing_done,      // although something was under way
  too_slow,          // operations took too long for so short a warm-up
  leader_changed,    // an election was under way
  throughput_moves,  // of a closed loop
  backlog_moves,     // of an open loop
};

// How the warm-up was.
struct WarmupFigures {
  double asked_s = 0;
  double took_s = 0;
  std::optional<Steadiness> ended;  // nothing: it was not looked at
};

// What a replay met in its file.
struct ReplayFigures {
  std::uint64_t lines = 0;
  std::uint64_t placements = 0;    // well-formed and on the canvas
  std::uint64_t moderation = 0;    // rectangles painted by moderators (2022): counted, not played
  std::uint64_t outside = 0;       // off the canvas: counted, not played
  std::uint64_t out_of_order = 0;  // earlier than the line before: played at that line's time
  std::uint64_t malformed = 0;
  std::vector<std::string> examples;  // the first 20 malformed lines: "file:line: what is wrong"
  bool finished = false;              // the file was played to its end
};

// What the clients of one region saw, counted as the latency of all.
struct RegionLatency {
  std::string name;
  LatencyHistogram latency;
};

struct LoadResult {
  std::uint64_t offered = 0;  // completed + refused + unknown + unsent
  std::uint64_t completed = 0;
  std::uint64_t refused = 0;
  std::uint64_t unknown = 0;
  std::uint64_t unsent = 0;
  double offered_ops_per_s = 0;
  double achieved_ops_per_s = 0;
  double measured_s = 0;  // length of the window; shorter than asked when stopped
  double operation_timeout_us = 0;

  LatencyHistogram latency;  // from the intended moment; unknown and unsent are endless in it
  LatencyHistogram service;  // from the first attempt; unknown ones are endless in it
  std::vector<RegionLatency> regions;  // in the order of the targets; empty unless they are told

  std::uint64_t attempts = 0;      // messages sent for counted operations
  std::uint64_t retries = 0;       // of these, those sent again
  std::uint64_t late_replies = 0;  // answers to operations that were given up before
  std::uint64_t requests = 0;      // messages sent in the measured window, and their bytes
  std::uint64_t request_bytes = 0;
  std::uint64_t replies = 0;  // messages received in the measured window, and their bytes
  std::uint64_t reply_bytes = 0;
  std::uint64_t bad_replies = 0;  // not understood
  // Why operations were refused, unknown or tried again, as "refused_<reason>",
  // "unknown_<reason>" and "retried_<reason>"; reasons are those of RefusedBecause and
  // "unreachable" (no node was up in time), "connection_lost" and "no_answer".
  std::map<std::string, std::uint64_t> errors;

  std::vector<TimelineRow> timeline;
  std::vector<NodeRow> nodes;          // rows in which a node answered nothing are left out
  std::vector<LeaderSeen> leaders;     // in the order of time, changes only
  std::vector<SuccessSeen> successes;  // in the order of `sent`; at most one a millisecond
  std::vector<RefusalSeen> refusals;   // in the order of time; at most one in ten milliseconds
  GeneratorFigures generator;
  WarmupFigures warmup;
  ReplayFigures replay;

  std::uint64_t history_operations = 0;      // written to the history
  std::vector<std::uint32_t> touched_cells;  // recorded cells that were sent to: x << 16 | y
  bool stopped = false;
  std::vector<std::string> notes;  // what went wrong on the way
};

// Throws LoadError.
LoadResult run_load(const LoadSpec& spec, const LoadEvents& events = {});

// Throws LoadError when a field of the spec is impossible; run_load does so too.
void check_spec(const LoadSpec& spec);

}  // namespace parley::load
