// What happened in an execution: as one hash, as the story of its end, and in full on request.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/stamp.h"
#include "algorithms/contract/time.h"

namespace parley::sim {

enum class FactKind : std::uint8_t {
  step,       // node
  delivery,   // node; a: the sender
  commit,     // node; a: index, b: origin and incarnation of the run, c: its number
  applied,    // node; a: key, b and c: the stamp
  result,     // node; a: client, b: sequence number, c: the stamp's major part
  refused,    // node; a: client, b: sequence number (or number of the read), c: the reason
  unknown,    // the same
  answer,     // node; a: client, b: key, c: the stamp's major part
  status,     // node; a: epoch, b: leader; text: role
  start,      // node; a: incarnation, b: records found on disk
  crash,      // node; a: writes lost, which were not durable
  pause,      // node; a: for how many nanoseconds
  resume,     // node
  network,    // a: how many directed links are cut; text: the shape
  stall,      // node; a: the other end, b: for how many nanoseconds
  clock,      // node; a: the skew of its wall clock in nanoseconds
  slow_disk,  // node; a: for how many nanoseconds
  snapshot,   // node; a: the index of one that is now saved, b: its bytes, c: 1 if it came from a
              // peer
  no_save,    // node; a: the index of one that could not be saved
  install,    // node; a: the index whose state takes the place of its own
  heal,       // phase two begins
  violation,
};

struct Fact {
  Instant when;
  FactKind kind = FactKind::step;
  std::uint32_t node = 0;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t c = 0;
  std::string_view text = {};  // a literal
};

// The hash covers every fact above, with its time and all of its numbers and words: decoded values
// and never bytes of the wire, addresses or sizes of encodings. Equal hashes mean that the nodes
// took the same turns at the same times and came to the same results.
class Trace {
 public:
  // `full` (may be null) gets every fact as a line of text.
  explicit Trace(std::ostream* full) : full_(full) {}

  void note(const Fact& fact);

  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  // The last events, one a line: first what changed the course of things, then everything.
  [[nodiscard]] std::vector<std::string> story() const;

 private:
  static constexpr std::size_t kKept = 24;
  struct Ring {
    std::array<Fact, kKept> facts{};
    std::size_t count = 0;
    void put(const Fact& fact) { facts[count++ % kKept] = fact; }
    void append_to(std::vector<Fact>& all) const;
  };

  void mix(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15;
    hash_ ^= hash_ >> 32;
  }

  std::ostream* full_;
  std::uint64_t hash_ = 0x243f6a8885a308d3;
  Ring turning_points_;
  Ring recent_;
};

// One line of text.
std::string describe(const Fact& fact);

}  // namespace parley::sim
