// A live node: one replica with its state, on real sockets.
//
// One thread runs the loop; ZeroMQ has an I/O thread of its own, storage another one; gateways live
// in other threads and reach the loop through NodePort. Without storage (durability none) a ticket
// counts as durable as soon as it is issued, and a node that starts anew is not the same voter.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/application.h"
#include "algorithms/contract/node_port.h"
#include "runtime/driver.h"
#include "runtime/link_shaper.h"
#include "runtime/live/client_port.h"
#include "runtime/live/node_faults.h"
#include "runtime/live/transport.h"
#include "runtime/storage/storage.h"

namespace parley {

struct NodeConfig {
  const Algorithm* algorithm = nullptr;      // must outlive the node
  const Application* application = nullptr;  // must outlive the node
  // `now` is set by the node. Its incarnation is the caller's choice, never the same twice; with
  // storage it is the number of the start that storage counts. Not among its members it waits to
  // be added, where the strategy has that, with a disk of the node's choice; so does one whose
  // storage says that it has been added before.
  ReplicaConfig replica;
  DriverLimits limits;

  // Where nodes are to be found, by id: members, and those that may be added. Its own is bound and
  // may be tcp://host:0, or empty for a node without others; a missing member's can come later
  // (Node::connect_peer).
  std::map<NodeId, std::string> peers;
  std::vector<std::string> client_endpoints;  // to bind; tcp://127.0.0.1:0 picks a free port
  LinkProfile link;                           // of every link from here
  std::map<NodeId, LinkProfile> links;        // of single links from here, instead
  NodeFaults faults;                          // from the start on
  Durability durability = Durability::none;
  std::filesystem::path data;     // the folder of this node's storage; not for Durability::none
  std::filesystem::path journal;  // empty: none is kept
  std::filesystem::path trace;    // of the protocol (trace_file.h); empty: none is kept
  std::function<std::uint64_t(Key)> journal_cell;  // see FileJournal::CellNumber; may be null

  TransportOptions transport;
  ClientOptions clients;
  std::size_t port_capacity = 1U << 14;  // requests of gateways that wait
  // Shared by nodes of one process that talk over inproc://; null: the node has its own.
  std::shared_ptr<zmq::context_t> context;
};

// What stands before the numbers in a node's log when its role changes or it begins elections.
inline constexpr std::string_view kLogLeader = ", leader ";
inline constexpr std::string_view kLogElections = ", elections begun ";

class Node {
 public:
  // Opens the storage and binds all endpoints. Throws StorageError, or another std::runtime_error
  // that names what is wrong.
  explicit Node(NodeConfig config);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Where this node was bound, with the ports that were picked.
  [[nodiscard]] std::string peer_endpoint() const;
  [[nodiscard]] std::vector<std::string> client_endpoints() const;

  // Names the place of another member. Only before run().
  void connect_peer(NodeId peer, const std::string& endpoint);

  // Runs the loop in the caller's thread until stop(); once. Returns 0, or 1 when the replica found
  // its state impossible, or a socket or the disk failed: `story()` and the log say what happened.
  int run();
  // Makes run() return soon; a leader hands over first where the strategy has that, for a second at
  // most. Callable from any thread and from a signal handler.
  void stop() noexcept;
  [[nodiscard]] const std::string& story() const;

  // How gateways reach the loop. Every callback is called, at the latest when run() returns.
  [[nodiscard]] NodePort& port();
  // Changes the link from here to `peer`, for instance cuts it. Callable from any thread. The
  // future is ready once the loop sends accordingly, and broken if it ends before.
  std::future<void> shape_link(NodeId peer, const LinkProfile& profile);
  // From now on these are wrong, instead of what was before. Callable from any thread.
  void inject(const NodeFaults& faults);

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace parley
