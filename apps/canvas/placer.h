// Gives every placement that comes over HTTP its place in a replicated session, so that it is
// carried out at most once even where a strategy forwards it again.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "algorithms/contract/client_session.h"
#include "algorithms/contract/node_port.h"
#include "apps/canvas/gateway_json.h"

namespace parley {

struct PlacerLimits {
  std::uint32_t max_sessions = 16;  // of its own, for requests without client and seq
  // Clients that number their requests themselves, and whose sessions are remembered; beyond them
  // whoever has been silent for longest is forgotten, and opens its session anew, which is the
  // same.
  std::uint32_t max_clients = 4096;
  std::uint32_t max_waiting = 1024;  // requests that wait for a session
};

// Used by one thread; so are the callbacks.
class Placer {
 public:
  using Done = std::function<void(const Result&)>;
  // Submits one command and calls back with its result.
  using Submit = std::function<void(std::vector<std::byte>, Done)>;

  // `nonce` names the sessions of this gateway: no other gateway, nor an earlier start of this one,
  // may use it.
  Placer(Submit submit, PlacerLimits limits, std::uint64_t nonce)
      : submit_(std::move(submit)), limits_(limits), next_nonce_(nonce) {}

  // Without client and seq the placement gets a sequence number of one of the gateway's own
  // sessions. With them it goes through the session of that client, which is the same whichever
  // node the client asks; the nonce that opens it follows from the client's number.
  void place(const PlaceRequest& place, Done done);

 private:
  struct Waiting {
    PlaceRequest place;
    Done done;
  };

  // A session of the gateway's own.
  struct OwnSession {
    std::uint32_t id = 0;
    ClientSession numbers;
    bool lost = false;  // the node does not know it any more

    [[nodiscard]] bool usable() const { return !lost && numbers.has_room(1) && !numbers.used_up(); }
  };

  struct Client {
    std::uint32_t session = 0;  // 0: being opened
    std::uint64_t used = 0;     // at which request, last
    std::vector<Waiting> waiting;
  };

  void place_own(OwnSession& session, const PlaceRequest& place, Done done);
  void place_of_client(std::uint32_t session, const PlaceRequest& place, Done done);
  void wait_for_client(const PlaceRequest& place, Done done);
  void open(std::uint64_t nonce, Done done);
  void open_own();
  bool forget_a_client();
  OwnSession* usable_session();
  void drain();

  Submit submit_;
  PlacerLimits limits_;
  std::uint64_t next_nonce_;
  std::map<std::uint32_t, OwnSession> own_;  // by id
  bool opening_ = false;
  std::deque<Waiting> waiting_;
  std::map<std::uint64_t, Client> clients_;
  std::size_t clients_waiting_ = 0;
  std::uint64_t requests_ = 0;  // of clients
};

// The nonce of a client's session: a permutation of 64-bit numbers, so that no two clients share
// one.
std::uint64_t client_nonce(std::uint64_t client);

}  // namespace parley
