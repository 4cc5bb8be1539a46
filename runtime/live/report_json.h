// A node's counters as JSON text: the answer to a report request, and what the harness samples.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "algorithms/contract/node_port.h"
#include "runtime/live/process_figures.h"
#include "runtime/live/transport.h"

namespace parley {

// Counters of a node's client port, since the start.
struct ClientTraffic {
  std::uint64_t connections = 0;       // known now
  std::uint64_t requests = 0;          // understood
  std::uint64_t requests_refused = 0;  // not understood
  std::uint64_t commands = 0;          // accepted into runs
  std::uint64_t commands_refused = 0;  // invalid or one too many
  std::uint64_t received_bytes = 0;
  std::uint64_t replies = 0;          // messages
  std::uint64_t replies_dropped = 0;  // the client was gone or did not read
  std::uint64_t sent_bytes = 0;
  std::uint64_t in_flight = 0;  // requests taken and not answered
  // Of these the questions who leads and what was applied, which a load generator asks all the
  // time; replies with nothing else; and the bytes of both.
  std::uint64_t hellos = 0;
  std::uint64_t welcomes = 0;
  std::uint64_t hello_bytes = 0;
};

// Counters of a node's loop, since the start.
struct LoopTraffic {
  std::uint64_t turns = 0;  // steps of the replica
  std::uint64_t waits = 0;  // how often there was nothing to do
};

struct NodeFigures {
  NodeReport node;
  std::span<const PeerTraffic> peers;
  std::array<std::uint64_t, kFrameFaults> refused{};
  std::size_t delayed_frames = 0;
  ClientTraffic clients;
  LoopTraffic loop;
  ProcessFigures process;
  std::string journal_error;
  std::uint64_t monotonic_ns = 0;  // when this was
};

// One JSON object; the names are those of the fields, times in the units that they name.
std::string report_json(const NodeFigures& figures);

}  // namespace parley
