// What happened in an execution: as one hash, and fact by fact for those who want to see it.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "algorithms/contract/time.h"

namespace parley::sim {

enum class FactKind : std::uint8_t {
  step,      // node
  delivery,  // of a message; node: who gets it, a: its number, b: the sender
  send,      // of a message; node: the sender, a: its number, b: who is to get it, c: the number of
             // the one that it is a second copy of, or 0
  lost,      // a message under way; node: the sender, a: its number, b: who was to get it, c: Loss
  commit,    // node; a: index, b: origin and incarnation of the run, c: its number
  applied,   // node; a: key, b and c: the stamp
  result,    // node; a: client, b: sequence number, c: the stamp's major part
  refused,   // node; a: client, b: sequence number (or number of the read), c: the reason
  unknown,   // the same
  answer,    // node; a: client, b: key, c: the stamp's major part
  status,    // node; a: epoch, b: leader; text: role
  start,     // node; a: incarnation, b: records found on disk
  crash,     // node; a: writes lost, which were not durable
  pause,     // node; a: for how many nanoseconds
  resume,    // node
  network,   // node: around which, a: how many directed links are cut; text: the shape
  stall,     // node; a: the other end, b: for how many nanoseconds
  clock,     // node; a: the skew of its wall clock in nanoseconds
  slow_disk,  // node; a: for how many nanoseconds
  snapshot,   // node; a: the index of one that is now saved, b: its bytes, c: 1 if it came from a
              // peer
  no_save,    // node; a: the index of one that could not be saved
  no_sync,    // node; a: how many writes it was for, whose fate is open
  install,    // node; a: the index whose state takes the place of its own
  members,    // node that is asked; a: the node to be added, or 0, b: the one to be removed, or 0
  handover,   // node that is asked to hand over; a: to whom, or 0
  wipe,       // node, whose disk is empty now
  truncate,   // node; a: the index from which on its log is forgotten
  heal,       // phase two begins
  violation,
  full_disk,  // node; a: 1 if it is full now, 0 if there is room again
};

struct Fact {
  Instant when;
  FactKind kind = FactKind::step;
  std::uint32_t node = 0;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t c = 0;
  std::string_view text = {};  // a literal
  // Of a write's result, refused and unknown: when the client first asked for it.
  Instant asked = {};
};

// Why a message was lost.
enum class Loss : std::uint8_t { cut, chance, cut_under_way, receiver_down };
std::string_view loss_text(const Fact& lost);

// Senders and receivers: nodes by their number, clients after all nodes.
inline constexpr std::uint32_t kFirstClientHost = 1U << 16;
constexpr bool is_client(std::uint64_t host) {
  return host >= kFirstClientHost;
}
constexpr std::uint32_t client_host(std::uint32_t client) {
  return kFirstClientHost + client;
}
// "node 2", "client 5".
std::string host_name(std::uint64_t host);

// What a fact says. `words`: of a message what it says, of a violation what is wrong, of a cut
// which links; may be empty.
std::string describe(const Fact& fact, std::string_view words);

struct TraceStart {
  std::string_view algorithm;
  std::uint64_t seed = 0;
  std::uint32_t nodes = 0;
};

// Gets everything that happens in one execution, in the order of time.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void begin(const TraceStart& start) = 0;
  // `words` as for `describe`; valid during the call.
  virtual void take(const Fact& fact, std::string_view words) = 0;
  virtual void end(Instant now) = 0;
  // Where the nodes' protocol traces go (runtime/protocol_trace.h); null: they are not wanted.
  virtual std::ostream* protocol() { return nullptr; }
};

// The hash covers every fact above, with its time and all of its numbers and literals: decoded
// values and never bytes of the wire, addresses or sizes of encodings, nor what is only there for a
// sink: words, and when a write was first asked for. Equal hashes mean that the nodes took the same
// turns at the same times and came to the same results.
class Trace {
 public:
  // `sink` may be null.
  explicit Trace(TraceSink* sink) : sink_(sink) {}

  // `words` is a function that makes them; it is called only if somebody reads them.
  template <class Words>
  void note(const Fact& fact, Words&& words) {
    mix(fact);
    if (sink_ != nullptr) sink_->take(fact, words());
  }
  void note(const Fact& fact) {
    note(fact, [] { return std::string_view(); });
  }

  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  void mix(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15;
    hash_ ^= hash_ >> 32;
  }
  void mix(const Fact& fact);

  TraceSink* sink_;
  std::uint64_t hash_ = 0x243f6a8885a308d3;
};

}  // namespace parley::sim
