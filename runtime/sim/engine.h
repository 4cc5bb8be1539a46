// What all parts of an execution share: the time, the randomness, the events and the record.
#pragma once

#include <string>
#include <vector>

#include "algorithms/contract/random.h"
#include "runtime/sim/check_names.h"
#include "runtime/sim/event_queue.h"
#include "runtime/sim/faults.h"
#include "runtime/sim/trace.h"

namespace parley::sim {

struct Engine {
  Engine(std::uint64_t seed, std::ostream* full_trace) : random(seed), trace(full_trace) {}

  Instant now;
  Random random;
  EventQueue queue;
  Trace trace;
  Weather weather;
  FaultCounts faults{};
  std::vector<std::string> violations;

  void after(Duration delay, EventKind kind, std::uint32_t subject, std::uint32_t item = 0) {
    queue.push(now + delay, kind, subject, item);
  }
  void note(FactKind kind, std::uint32_t node, std::uint64_t a = 0, std::uint64_t b = 0,
            std::uint64_t c = 0, std::string_view text = {}) {
    trace.note({now, kind, node, a, b, c, text});
  }
  void count(FaultKind kind) { ++faults[static_cast<std::size_t>(kind)]; }
  // Records a violation, found by one of the checks of check_names.h; the execution ends with the
  // event at hand.
  void fail(std::string_view check, const std::string& what) {
    note(FactKind::violation, 0);
    violations.push_back(std::string(check) + ": " + what);
  }
};

}  // namespace parley::sim
