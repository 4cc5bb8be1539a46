// The loop that sends what is due, takes in what is answered, and tries again what went wrong: one
// thread, one socket a node, thousands of sessions.
//
// Rules
// - An operation has one sequence number for all its attempts; the first ok of any attempt ends it.
// - It is refused only if every attempt was refused. An attempt without an answer may have been
//   done, so the end of the timeout makes it unknown, whatever later attempts were told.
// - Nothing here waits for an answer: what is due is sent, or counted as unsent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "algorithms/contract/random.h"
#include "harness/load/client_wire.h"
#include "harness/load/event_thread.h"
#include "harness/load/load.h"
#include "harness/load/node_link.h"
#include "harness/load/node_sessions.h"
#include "harness/load/operations.h"
#include "harness/load/recorder.h"
#include "harness/load/recording.h"
#include "harness/load/router.h"
#include "harness/load/warmup.h"
#include "harness/load/workload.h"
#include "runtime/live/waiter.h"

namespace parley::load {

// The clock of all times of the load, in ns.
inline std::int64_t clock_ns() {
  return monotonic_now().time_since_epoch().count();
}

class Generator {
 public:
  // Connects and opens the sessions. Throws LoadError.
  Generator(const LoadSpec& spec, const LoadEvents& events);

  // Once.
  LoadResult run();

 private:
  struct CpuTimes {
    double thread_s = 0;
    double process_s = 0;
  };
  static CpuTimes cpu_times();

  void connect();
  [[nodiscard]] bool ready() const;
  void plan();
  void settle_start();
  void begin_at_zero();
  void loop();
  void wait();
  void begin_window();
  void end_window();
  void count_what_is_due();
  LoadResult finish();

  // Sending.
  bool send_due();
  bool launch();
  bool find_client(std::uint32_t& client);
  void attempt(std::uint32_t slot);
  [[nodiscard]] std::uint8_t pick_link(const Flight& flight) const;
  [[nodiscard]] const NodeSessions& sessions_at(std::uint8_t link) const;
  [[nodiscard]] bool knows_client(std::uint8_t link, const Flight& flight) const;
  zmq::message_t request_of(std::uint32_t slot);
  void wait_for_attempt(std::uint32_t slot, std::int64_t pause_ns);
  [[nodiscard]] std::int64_t backoff_ns(std::uint8_t attempts);
  [[nodiscard]] bool worth_retrying(std::uint8_t reason) const;

  // Receiving.
  bool receive_all();
  void take_reply(std::uint8_t link, const zmq::message_t& message);
  void take_done(std::uint8_t link, const client::Done& done, const client::Reply& reply);
  void take_results(std::uint8_t link, std::uint32_t slot, const client::Done& done,
                    const client::Result* results);
  void take_answer(std::uint8_t link, const client::Answer& answer);
  void take_welcome(std::uint8_t link, const client::Welcome& welcome);
  void take_sessions(std::uint8_t link, AttemptId id, const client::Done& done,
                     const client::Reply& reply);
  void take_refusal(std::uint8_t link, AttemptId id, Flight& flight, std::uint8_t reason);

  // Outcomes.
  [[nodiscard]] Recorder::Operations operations_of(const Flight& flight, std::uint32_t count) const;
  [[nodiscard]] Recording::Message message_of(std::uint32_t slot, NodeId node);
  void note_success(const Flight& flight, NodeId node);
  void end_refused(std::uint32_t slot, std::uint8_t reason);
  void end_unknown(std::uint32_t slot, std::uint8_t reason);
  void release(std::uint32_t slot);

  // Every few milliseconds.
  void tick();
  // At most 64, see check_spec.
  [[nodiscard]] std::uint8_t link_count() const { return static_cast<std::uint8_t>(links_.size()); }
  void note_leader(std::uint8_t link);
  void note_applied(std::uint8_t link, std::uint64_t applied);
  void take_changes(std::uint8_t link);
  void lost_connection(std::uint8_t link);
  void say_hello();
  void open_sessions_anew(std::uint8_t link);
  void scan_flights();
  void give_up(std::uint32_t slot);
  void note(std::string text);

  LoadSpec spec_;
  const LoadEvents& events_;
  std::unique_ptr<Source> source_;
  bool closed_;
  std::int64_t timeout_ns_;

  zmq::context_t context_{1};
  std::vector<std::unique_ptr<NodeLink>> links_;
  std::vector<std::int64_t> hello_sent_ns_;  // by link; 0: answered
  std::vector<Epoch> epochs_;                // by link, as last heard
  struct Applied {                           // of what those have applied who were asked last
    std::int64_t asked_ns = 0;
    std::size_t answers = 0;
    std::uint64_t least = 0;
    std::uint64_t most = 0;
  } applied_;
  Bell bell_;  // never rung: the waiter wants one
  std::unique_ptr<Waiter> waiter_;
  Router router_;
  RequestTemplate submit_;
  RequestTemplate query_;
  RequestTemplate hello_;
  ReplyReader reader_;

  std::vector<NodeSessions> node_sessions_;  // of all nodes, or by link
  std::vector<ClientSession> sessions_;      // by client
  FlightTable flights_;
  std::vector<canvas::Place> scratch_;     // the batch being launched
  std::vector<canvas::CellState> states_;  // of the read being answered
  std::uint32_t next_client_ = 0;          // closed loop
  Random jitter_;

  std::int64_t now_ns_ = 0;  // of the step at hand
  std::int64_t begin_ns_ = 0;
  std::int64_t zero_ns_ = 0;
  std::int64_t next_tick_ns_ = 0;
  std::int64_t next_hello_ns_ = 0;
  bool sending_ = true;
  bool start_settled_ = false;  // zero_ns_ is final
  bool in_window_ = false;
  bool stop_now_ = false;

  std::unique_ptr<Recorder> recorder_;
  Recording recording_;
  std::optional<WarmupWatch> warmup_;  // nothing: it is not looked at
  std::unique_ptr<EventThread> event_thread_;
  CpuTimes cpu_at_start_;
  LoadResult result_;
};

}  // namespace parley::load
