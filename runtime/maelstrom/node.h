// A node under Maelstrom: one replica whose peers and clients are lines of standard input and
// output. The third driver of replicas, beside sockets (runtime/live) and the simulator
// (runtime/sim).
//
// Promises: no line breaks it: what cannot be understood is answered with error 12 where there is
// somebody to answer, else counted and told on the log. Nothing is stored (durability none): a
// ticket counts as durable at once, so a node that ends must not come back under its name, which
// Maelstrom does not do either. Needs: one thread that uses it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "algorithms/contract/algorithm.h"
#include "runtime/driver.h"
#include "runtime/maelstrom/desk.h"
#include "runtime/maelstrom/line_reader.h"
#include "runtime/maelstrom/peers.h"
#include "runtime/maelstrom/service.h"
#include "runtime/protocol_trace.h"

namespace parley::maelstrom {

struct NodeConfig {
  const Algorithm* algorithm = nullptr;  // must outlive the node
  OptionValues options;                  // complete
  Incarnation incarnation;               // never the same twice
  std::uint64_t seed = 0;                // of the cluster; nodes differ by their ids
  // Opens where the protocol trace of this node goes, or throws; null: none is wanted.
  std::function<std::unique_ptr<TraceOutput>(NodeId)> open_trace{};
};

// What came in and was not served, and what did not go out.
struct Dropped {
  std::uint64_t lines = 0;   // that are no messages, or of nobody who could be told
  std::uint64_t frames = 0;  // of peers, and of those who are none
  std::uint64_t unsent = 0;  // frames of this node that are too long for a line
};

class Node {
 public:
  // Waits for `init`. `service` must outlive the node.
  Node(NodeConfig config, Service& service);

  // Takes a line of input, without its newline.
  void take(std::string_view line, Instant now);
  // Steps the replica if there is something to do.
  void turn(Instant now, WallTime wall);
  // When to call `turn` next even without input; in the past if there is more to do at once.
  [[nodiscard]] Instant deadline() const;
  // No more input comes: the trace is closed.
  void end();
  // The lines to be written since the last call.
  std::string take_output() { return outbox_.take(); }

  // Why the node must end; empty as long as all is well.
  [[nodiscard]] const std::string& story() const { return story_; }
  [[nodiscard]] Dropped dropped() const;
  // Null before `init`.
  [[nodiscard]] const Driver* driver() const { return driver_.get(); }

 private:
  void complain(const Message& message, const std::string& problem);
  void drop(const Message& message, const std::string& problem);
  void take_frame(const Message& message);
  void init(const Message& message, const Asker& asker, Instant now);
  std::string start(const Message& message, Instant now, ErrorCode& code);
  void step(Instant now, WallTime wall);

  NodeConfig config_;
  Service& service_;
  Outbox outbox_;
  std::string name_;  // empty before `init`
  std::unique_ptr<TraceOutput> trace_;
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<Desk> desk_;
  Dropped dropped_;
  std::string story_;
};

// Runs `node` in the caller's thread on two descriptors until the input ends. Returns 0 then, or 1
// when the node must end or a descriptor fails; the log says why.
int run(Node& node, int input, int output);

}  // namespace parley::maelstrom
