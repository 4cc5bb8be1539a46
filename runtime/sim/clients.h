// The clients of an execution: they open sessions, write and read, wait, give up and try again.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "runtime/sim/checker.h"
#include "runtime/sim/node.h"

namespace parley::sim {

struct ClientSettings {
  std::uint32_t clients = 0;
  Duration think_max{};  // between two operations of a client; the mean is half of it
  bool counter = false;  // which application
  std::uint32_t keys = kCells;
  bool sessions_move = false;  // every second client names what it has seen when it reads
  std::uint64_t operations = std::numeric_limits<std::uint64_t>::max();  // until they wind down
};

struct ClientCounts {
  std::uint64_t operations = 0;    // begun
  std::uint64_t acknowledged = 0;  // writes
  std::uint64_t refused = 0;       // attempts
  std::uint64_t unknown = 0;       // attempts
  std::uint64_t reads = 0;         // answered
  std::uint64_t expired = 0;       // sessions found expired
};

// Each client has one request under way at a time, of one to three commands. A request that got no
// answer in time is tried again with the same sequence numbers, mostly at another node, or given up
// and left uncertain. What nodes answer is checked when they say it, not when the client hears it:
// an answer that is lost must be right as well.
class Clients {
 public:
  Clients(Engine& engine, const ClientSettings& settings, const Guarantee& guarantee,
          History& history, Checker& checker, std::span<Node> nodes);

  void start();
  // Handles the events of the kinds request, reply and client.
  void handle(const Event& event);
  // Gives waiting requests to a node's driver, which may refuse them.
  void hand_over(Node& node, std::span<const std::uint32_t> requests);
  // Takes what the node's turn settled.
  void take_results(Node& node);

  // From now on each client does one more write and one more read, without giving up, and stops.
  void wind_down();
  // Whether all clients have stopped.
  [[nodiscard]] bool finished() const { return stopped_ == clients_.size(); }
  // What the first client that has not stopped waits for.
  [[nodiscard]] std::string waiting_for() const;
  [[nodiscard]] const ClientCounts& counts() const { return counts_; }
  // When a node last acknowledged a write.
  [[nodiscard]] Instant last_acknowledged() const { return last_acknowledged_; }

 private:
  enum class Kind : std::uint8_t { open, write, local_read, linearizable_read };
  enum class Answer : std::uint8_t { ok, refused, no_session, expired, unknown };
  enum class State : std::uint8_t { thinking, waiting, backing_off, stopped };

  // What a request asks for; packed into the tag that the driver gives back.
  struct Request {
    std::uint32_t attempt = 0;  // 20 bits: of its client
    Kind kind = Kind::open;
    std::uint32_t count = 0;  // commands of a write
    std::uint32_t first = 0;  // sequence number of the first command, or number of the read
  };
  struct Parcel {  // between client and node
    std::uint32_t client = 0;
    std::uint32_t node = 0;
    std::uint32_t session = 0;
    Request request;
    Answer answer = Answer::unknown;
    std::uint64_t value = 0;   // of a reply: the session opened, or the value found
    Stamp stamp;               // of a reply: of the cell written last, or of the one read
    std::vector<Seen> seen;    // of a read: what its client had seen when it sent this
    std::uint64_t number = 0;  // of the message, for the trace
  };
  struct Client {
    State state = State::thinking;
    std::uint32_t timer = 0;
    std::uint32_t attempt = 0;
    std::uint32_t node = 0;  // where the last attempt went
    bool opening = false;    // the attempt under way opens a session for `wanted`
    Request wanted;
    std::vector<std::uint32_t> sessions;  // by node; all the same where sessions are shared
    std::uint64_t last_value = 0;         // of the cell read or written last, and its key
    std::uint32_t last_key = 0;
    std::uint32_t to_do = 0;             // when winding down
    std::vector<std::uint64_t> seen_of;  // by node: the latest time of its writes heard of
    std::vector<Stamp> seen_in;          // by cell: the latest write heard of
  };

  static std::uint64_t pack(const Request& request);
  static Request unpack(std::uint64_t packed);
  // What is asked for, and what a reply says, in words.
  [[nodiscard]] std::string ask_of(const Parcel& parcel) const;
  [[nodiscard]] std::string reply_of(const Parcel& parcel) const;

  void on_timer(std::uint32_t client);
  void begin_operation(std::uint32_t client);
  Kind choose_kind(const Client& client);
  void add_writes(std::uint32_t client);
  CellCommand draw_command(std::uint32_t client);
  void attempt(std::uint32_t client);
  void on_request(const Parcel& parcel);
  void on_reply(const Parcel& parcel);
  void try_again(std::uint32_t client);
  void remember(std::uint32_t client, std::uint32_t key, Stamp stamp);
  [[nodiscard]] std::vector<Seen> token_of(std::uint32_t client) const;
  void think(std::uint32_t client);
  void set_timer(std::uint32_t client, Duration delay);
  bool submit(Node& node, const Parcel& parcel);
  void settle_submit(Node& node, const SettledSubmit& settled);
  Answer settle_write(Node& node, std::uint32_t client, const Request& request,
                      std::span<const Result> results);
  void settle_query(Node& node, const SettledQuery& settled);
  void refuse_writes(std::uint32_t client, const Request& request);
  void reply(std::uint32_t node, std::uint32_t client, const Request& request, Answer answer,
             std::uint64_t value, Stamp stamp = {});

  Engine& engine_;
  Random random_;
  ClientSettings settings_;
  const Guarantee& guarantee_;
  History& history_;
  Checker& checker_;
  std::span<Node> nodes_;
  std::vector<Client> clients_;
  Slab<Parcel> parcels_;
  std::vector<std::byte> body_;
  std::size_t stopped_ = 0;
  bool winding_down_ = false;
  ClientCounts counts_;
  Instant last_acknowledged_;
};

}  // namespace parley::sim
