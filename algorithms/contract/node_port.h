// How a gateway (a web server, a bot) reaches the node that it runs in.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/effects.h"
#include "algorithms/contract/membership.h"
#include "algorithms/contract/replica.h"
#include "algorithms/contract/store.h"
#include "algorithms/contract/turn.h"

namespace parley {

enum class Outcome : std::uint8_t {
  ok,
  refused,  // definitely not done, and never will be
  unknown,  // may have been done: every time-out
};

// The result of one command.
struct Result {
  std::uint32_t session = 0;
  std::uint32_t sequence = 0;
  Outcome outcome = Outcome::unknown;
  std::uint8_t reason = 0;  // of refused and unknown: a RefusedBecause
  std::uint16_t code = 0;   // the application's
  std::uint32_t reserved = 0;
  Stamp stamp;              // of ok
  std::uint64_t value = 0;  // the application's
};
static_assert(sizeof(Result) == 40);

// Why a command was refused or its outcome is unknown.
enum class RefusedBecause : std::uint8_t {
  none = 0,
  no_leader = 1,
  overloaded = 2,
  stopping = 3,
  invalid = 4,     // the command was malformed or out of range
  no_session = 5,  // no such session
  too_many_sessions = 6,
  timed_out = 7,        // unknown: no answer within the node's own limit
  too_old = 8,          // unknown: a retry beyond the window of replies that a session keeps
  session_expired = 9,  // unknown: what was executed in the session is forgotten
  clock = 10,           // the node's clock is too far from the others', or they are not known yet
  not_offered = 11,     // the strategy does not have that
  behind = 12,          // the node has not reached what the client has seen elsewhere
  unanswered = 13,      // too few other nodes answered a read in time
};

// "no_leader", "overloaded", ...: as clients, figures and pages spell it; "other" for a number that
// is none of these.
std::string_view reason_name(RefusedBecause reason);

// A peer as this node sees it.
struct PeerReport {
  NodeId id;
  bool connected = false;  // its frames arrived within the last second
  std::uint64_t sent = 0;  // frames
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;  // not sent: no connection or a full queue
};

struct NodeReport {
  NodeId node;
  Incarnation incarnation;
  std::string algorithm;
  std::string role;
  Status status;  // its `role` is not to be used after the report: use the string
  // Who takes part as far as known here; where members do not change, those of the configuration.
  Membership members;
  bool changes_members = false;  // whether the strategy's members change while it runs
  DiskId disk;                   // with which this node takes part, or waits to
  LogIndex applied;
  std::uint64_t digest = 0;
  std::uint32_t written_cells = 0;
  std::uint32_t sessions = 0;
  std::uint64_t commands_applied = 0;
  std::uint64_t snapshots_made = 0;  // since the start
  std::uint64_t snapshots_installed = 0;
  std::uint64_t snapshot_bytes = 0;  // of the one in use
  std::string snapshot_error;        // why the last one was not saved or read; empty if it was
  std::uint64_t frames_refused = 0;  // malformed or not from a member
  std::string client_endpoint;
  std::vector<PeerReport> peers;
};

// Which part the node has in the members that it knows: "voter", "learner" or "outsider". With
// another disk than its own a member is somebody else.
std::string_view part_of(const NodeReport& report);

// All functions may be called from any thread and return at once; what they ask for is done by the
// node's loop, and the callback is called there: it must be quick and hand the work on. When the
// node's queue is full the callback gets `refused` / an error at once, in the caller's thread.
class NodePort {
 public:
  virtual ~NodePort() = default;

  using ResultsCallback = std::function<void(std::span<const Result>)>;
  // Submits the commands of `body` (CommandHeader and payload each; at most 4096). One result each,
  // in their order, in one call.
  virtual void submit(std::vector<std::byte> body, ResultsCallback done) = 0;

  // `error` is empty, or why there is no answer; `reason` says it in a word for machines.
  using QueryCallback =
      std::function<void(const std::string& error, RefusedBecause reason, Bytes answer)>;
  // `seen`: what the answer of a local query must not miss, wherever the client saw it.
  virtual void query(std::vector<std::byte> query, ReadMode mode, std::vector<Seen> seen,
                     QueryCallback done) = 0;

  using FreezeCallback = std::function<void(FrozenStore, NodeReport)>;
  virtual void freeze(FreezeCallback done) = 0;

  using ReportCallback = std::function<void(NodeReport)>;
  virtual void report(ReportCallback done) = 0;

  // Asks for other members. Called once they are in force, or not to be; that can take as long as a
  // node needs to catch up. `reason`, for people, is empty when it is done.
  using ChangeCallback =
      std::function<void(ControlReply::Outcome outcome, const std::string& reason)>;
  virtual void change_members(const MemberChange& change, ChangeCallback done) = 0;
};

}  // namespace parley
