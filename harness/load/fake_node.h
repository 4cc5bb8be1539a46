// A node of one thread that answers as it is told, for tests and for the generator's own ceiling.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "algorithms/contract/command.h"
#include "algorithms/contract/node_port.h"
#include "apps/canvas/canvas.h"
#include "harness/load/client_wire.h"
#include "harness/load/histogram.h"
#include "harness/load/known_server.h"
#include "harness/load/load.h"

namespace parley::load {

class FakeNode {
 public:
  // What becomes of a submit or a query.
  enum class Answer : std::uint8_t { ok, refuse, unknown, silence };
  struct Reaction {
    Answer answer = Answer::ok;
    RefusedBecause reason = RefusedBecause::none;
  };
  // A request as the node saw it.
  struct Seen {
    std::uint64_t id = 0;
    bool is_query = false;
    std::uint32_t session = 0;  // of a submit: of its first command
    std::uint32_t sequence = 0;
    std::uint32_t count = 0;
    canvas::Place first;
  };
  using Script = std::function<Reaction(const Seen&)>;

  // Listens at a free port of the loopback interface. `script` is called in the node's thread;
  // without one all is answered ok and nothing is kept of it, so that the node is quick.
  explicit FakeNode(NodeId id, Script script = nullptr);
  // Answers each submit and query, all ok, when this server has done its work on it. Hellos,
  // sessions and reports are answered at once.
  FakeNode(NodeId id, const KnownService& service);
  ~FakeNode();
  FakeNode(const FakeNode&) = delete;
  FakeNode& operator=(const FakeNode&) = delete;

  [[nodiscard]] Target target() const { return {id_, endpoint_}; }
  // While stalled the node reads nothing; what has waited is answered afterwards.
  void stall(bool stalled) { stalled_.store(stalled); }
  // From when the periods of the known server are counted.
  [[nodiscard]] Instant epoch() const { return epoch_; }
  // How much later than it should have the known server began to answer.
  [[nodiscard]] LatencyHistogram lateness() const;
  void set_leader(NodeId leader) { leader_.store(leader.value); }
  void set_report(std::string report);
  // What replies that are not the node's own look like from now on: sent to everyone who asks.
  void answer_garbage(bool garbage) { garbage_.store(garbage); }
  // Ends the connections of all clients, as a killed node does.
  void die();

  [[nodiscard]] std::vector<Seen> seen() const;
  [[nodiscard]] std::uint64_t commands() const { return commands_.load(); }

 private:
  struct Pending {
    std::vector<client::Done> done;
    std::vector<client::Result> results;
    std::vector<std::uint64_t> refused_queries;
    std::vector<std::pair<std::uint64_t, std::vector<std::byte>>> answers;
    std::uint64_t welcome = 0;
    bool has_welcome = false;
  };

  // A request that the known server works on, or will.
  struct Job {
    Instant done;
    std::string from;
    std::uint64_t id = 0;
    std::uint32_t count = 0;
    bool is_query = false;
  };

  void bind();
  void run();
  void run_server();
  bool receive_one();
  void take(const std::string& identity, const client::Request& request);
  void take_submit(Pending& pending, const client::Request& request);
  void open_sessions(Pending& pending, const client::Request& request);
  void take_query(Pending& pending, const client::Request& request);
  void keep(const Seen& seen);
  bool take_job(const Seen& seen);
  void end_jobs();
  void flush();

  NodeId id_;
  Script script_;
  zmq::context_t context_{1};
  zmq::socket_t socket_{context_, zmq::socket_type::router};
  std::string endpoint_;
  std::map<std::string, Pending> pending_;
  std::vector<std::uint64_t> aligned_;
  std::string sender_;  // of the request being taken
  std::uint32_t last_session_ = 0;
  std::map<std::pair<std::uint16_t, std::uint16_t>, canvas::CellState> cells_;

  std::atomic<bool> stopping_{false};
  std::atomic<bool> stalled_{false};
  std::atomic<bool> garbage_{false};
  std::atomic<std::uint32_t> leader_{1};
  std::atomic<std::uint64_t> commands_{0};
  std::uint64_t index_ = 0;
  Instant epoch_;
  std::optional<KnownServer> server_;
  std::deque<Job> jobs_;
  mutable std::mutex mutex_;
  LatencyHistogram lateness_;
  std::vector<Seen> seen_;
  std::string report_ = R"({"applied":7,"digest":9,"clients":{"in_flight":0}})";
  std::thread thread_;
};

}  // namespace parley::load
