// What the protocol does at a node, as lines of JSON: what is received and sent, every change of
// state, log and members, with its numbers. Enough to be held against a specification of the
// strategy step by step; docs/protocol_trace.md says what stands in a line.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "algorithms/contract/algorithm.h"

namespace parley {

// Where lines go.
class TraceOutput {
 public:
  virtual ~TraceOutput() = default;
  // What the lines of the turn at hand have as their time.
  [[nodiscard]] virtual Instant now() const = 0;
  // Takes the lines of a turn, each with its newline, and returns at once. False: none of them is
  // taken, since too many wait or the file is broken.
  virtual bool take(std::string_view lines) = 0;
};

// The trace of one start of a node. Used by the thread that drives the replica.
class ProtocolTrace {
 public:
  // `algorithm` and `output` must outlive it.
  ProtocolTrace(const Algorithm& algorithm, const ReplicaConfig& config, TraceOutput& output);

  // The replica was made from that.
  void started(const Recovered& recovered, const Replica& replica);
  // It has taken a step.
  void stepped(const Turn& turn, const Effects& effects, const Replica& replica);
  // There will not be another step: "crash" or "stop".
  void ended(std::string_view event);

 private:
  class Line;

  Line line(std::string_view event);
  void put_inputs(const Turn& turn);
  void put_message(Line& to, const Block& header, std::uint64_t body_bytes) const;
  void put_control(const Control& control);
  void put_write(const Write& write);
  void put_status(Line& to) const;
  void put_changes(const Effects& effects, const Replica& replica);
  void put_applied(const Effects& effects);
  void put_answers(const Effects& effects);
  void put_sends(std::span<const Message> messages, const Effects& effects, Ticket after);
  void begin();
  void give();

  const Algorithm& algorithm_;
  TraceOutput& output_;
  NodeId self_;
  Incarnation incarnation_;
  DiskId disk_;

  std::uint64_t sequence_ = 0;  // of the last line
  std::uint64_t turn_ = 0;
  std::uint64_t time_ns_ = 0;  // of the turn
  std::uint64_t dropped_ = 0;  // lines not taken since the last ones that were
  std::uint64_t lines_ = 0;    // in `buffer_`
  std::string buffer_;

  Ticket durable_;
  Ticket issued_;
  Promise promise_;    // as issued
  NodeId shown_vote_;  // in the last line of the state
  Status status_;
  Membership members_;
};

}  // namespace parley
