// Where clients reach a node: the protocol of runtime/client.fbs over a ZeroMQ router.
//
// Promises: every request that is understood gets exactly one answer, unless the client is gone or
// does not read; requests beyond the limits are refused, not lost; replies of one turn to one
// client travel in one message; a client that is gone costs nothing. Needs: one thread that uses
// it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>

#include "algorithms/contract/application.h"
#include "runtime/client_generated.h"
#include "runtime/driver.h"
#include "runtime/live/report_json.h"

namespace parley {

struct ClientOptions {
  std::uint32_t max_request_bytes = 256U << 10;  // of one message
  std::uint32_t max_connections = 4096;          // the least recently used idle one gives way
  std::uint32_t max_in_flight = 1U << 18;        // requests taken and not answered
  int high_water_mark = 1024;                    // messages queued per client and direction
};

// What a client port says of the node that it belongs to.
class NodeDesk {
 public:
  virtual ~NodeDesk() = default;
  struct Greeting {
    NodeId node;
    Incarnation incarnation;
    NodeId leader;
    Epoch epoch;
    LogIndex applied;
    std::string_view algorithm;
    bool sessions_of_nodes = false;  // a session is known to the node that opened it only
  };
  [[nodiscard]] virtual Greeting greeting() const = 0;
  [[nodiscard]] virtual std::string report() const = 0;
};

class ClientPort {
 public:
  // `context`, `application` and `desk` must outlive the port.
  ClientPort(zmq::context_t& context, const Application& application, const NodeDesk& desk,
             const ClientOptions& options);

  // Listens at `endpoint` too; tcp://host:0 picks a free port. Throws std::runtime_error that names
  // the endpoint.
  void bind(const std::string& endpoint);
  // The endpoints bound, with the ports that were picked.
  [[nodiscard]] const std::vector<std::string>& endpoints() const { return endpoints_; }

  // Hands requests that wait to `driver`, at most `max_requests` and about `max_bytes`. True if it
  // stopped at a bound, so that more may wait.
  bool receive(Driver& driver, std::size_t max_requests, std::size_t max_bytes);

  // Takes in what became of a request of this port.
  void settle(const SettledSubmit& settled, std::span<const Result> results);
  void settle(const SettledQuery& settled, Bytes answers);
  // Sends what was taken in since the last time.
  void flush();

  [[nodiscard]] zmq::socket_t& socket() { return socket_; }
  [[nodiscard]] ClientTraffic traffic() const;
  // How often something was sent, or tried to be.
  [[nodiscard]] std::uint64_t sends() const { return traffic_.replies + traffic_.replies_dropped; }

 private:
  struct Answer {
    std::uint64_t id = 0;
    RefusedBecause reason = RefusedBecause::none;
    std::string error;
    std::size_t first = 0;  // of its bytes in Connection::answer_bytes
    std::size_t size = 0;
  };
  // A client, with the reply that is being gathered for it.
  struct Connection {
    std::string identity;  // ZeroMQ's name for it; empty when the slot is free
    std::uint32_t generation = 0;
    std::uint32_t in_flight = 0;
    std::uint64_t last_seen = 0;  // counts messages
    bool dirty = false;
    std::vector<client::Done> done;
    std::vector<client::Result> results;
    std::vector<Answer> answers;
    std::vector<std::byte> answer_bytes;
    bool has_welcome = false;
    std::uint64_t welcome_id = 0;
    std::string error;
  };
  struct IdentityHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view identity) const {
      return std::hash<std::string_view>{}(identity);
    }
  };

  static constexpr std::uint32_t kNoSlot = ~0U;

  bool receive_message(std::size_t& parts);
  std::uint32_t slot_of(std::string_view identity);
  std::uint32_t free_slot();
  void release(std::uint32_t slot);
  Connection* find(const RequestTag& tag);
  void handle(std::uint32_t slot, Driver& driver);
  void submit(std::uint32_t slot, std::uint64_t id, Bytes body, Driver& driver);
  void query(std::uint32_t slot, const client::Request& request, Driver& driver);
  void hello(std::uint32_t slot, std::uint64_t id);
  void refuse(std::uint32_t slot, std::uint64_t id, std::uint32_t count, RefusedBecause reason);
  void answer(std::uint32_t slot, Answer answer, Bytes bytes);
  void misunderstood(std::uint32_t slot, std::string error);
  void touch(std::uint32_t slot);
  void send_reply(std::uint32_t slot);
  void build_reply(const Connection& connection);
  RequestTag tag(std::uint32_t slot, std::uint64_t id) const;

  const Application& application_;
  const NodeDesk& desk_;
  ClientOptions options_;
  zmq::socket_t socket_;
  std::vector<std::string> endpoints_;

  std::vector<Connection> connections_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<std::string, std::uint32_t, IdentityHash, std::equal_to<>> slots_;
  std::uint32_t last_slot_ = kNoSlot;  // of the last message: the next is often of the same client
  std::vector<std::uint32_t> dirty_;
  std::uint64_t messages_ = 0;
  std::uint64_t in_flight_ = 0;
  ClientTraffic traffic_;
  std::size_t charged_ = 0;  // for the request at hand, besides its bytes

  zmq::message_t identity_;
  zmq::message_t request_;
  // Not empty, so that it has an address.
  std::vector<std::uint64_t> aligned_{0};  // the request, where FlatBuffers can read it
  flatbuffers::FlatBufferBuilder builder_;
};

}  // namespace parley
