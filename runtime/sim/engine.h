// What all parts of an execution share: the time, the randomness, the events and the record.
#pragma once

#include <string>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/random.h"
#include "runtime/sim/check_names.h"
#include "runtime/sim/event_queue.h"
#include "runtime/sim/faults.h"
#include "runtime/sim/trace.h"

namespace parley::sim {

// What clocks that are right show when an execution begins.
inline constexpr WallTime kWallStart{std::chrono::seconds(1'600'000'000)};

// Two numbers as one that depends on every bit of both.
constexpr std::uint64_t scatter(std::uint64_t seed, std::uint64_t number) {
  std::uint64_t x = number ^ (seed * 0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Each of these draws from a stream of its own, so that what one draws changes nothing for the
// others: an execution with less of one is as like the whole one as can be.
enum class Stream : std::uint8_t {
  setting,  // sizes, limits, weather
  strike_times,
  strike,  // one for each strike of the nemesis
  network,
  link,   // of the shapers, by directed link
  turns,  // of a node
  disk,   // of a node
  clients,
  members,    // whether they change
  handovers,  // whether there are any
};

struct Engine {
  // `sink` may be null; `algorithm`, which may be null too, says what its messages mean.
  Engine(std::uint64_t its_seed, TraceSink* sink, const Algorithm* described = nullptr,
         std::uint32_t in_regions = 1)
      : seed(its_seed), trace(sink), algorithm(described), regions(in_regions) {}

  [[nodiscard]] std::uint64_t stream_seed(Stream of, std::uint32_t number) const {
    return scatter(seed, ((static_cast<std::uint64_t>(of) + 1) << 32) | number);
  }
  [[nodiscard]] Random stream(Stream of, std::uint32_t number = 0) const {
    return Random(stream_seed(of, number));
  }

  std::uint64_t seed;
  Instant now;
  EventQueue queue;
  Trace trace;
  const Algorithm* algorithm;
  std::uint32_t regions;  // see SimOptions
  Weather weather;
  FaultCounts faults{};
  std::vector<std::string> violations;
  std::uint64_t messages = 0;        // that were numbered
  std::uint64_t bodies = 0;          // sent by nodes: messages that carry writes
  std::uint64_t bodies_crossed = 0;  // of these, from one region to another
  std::uint64_t crossings = 0;       // messages of any kind that did so
  std::uint64_t bytes = 0;  // sent by nodes: of the strategy's messages, without what frames them

  void after(Duration delay, EventKind kind, std::uint32_t subject, std::uint32_t item = 0) {
    queue.push(now + delay, kind, subject, item);
  }
  void note(FactKind kind, std::uint32_t node, std::uint64_t a = 0, std::uint64_t b = 0,
            std::uint64_t c = 0, std::string_view text = {}) {
    trace.note({now, kind, node, a, b, c, text});
  }

  // A message leaves, and arrives or is lost later; see FactKind. `sent` gives it its number.
  template <class Words>
  std::uint64_t sent(std::uint32_t from, std::uint32_t to, Words&& words,
                     std::uint64_t copy_of = 0) {
    trace.note({now, FactKind::send, from, ++messages, to, copy_of}, words);
    return messages;
  }
  template <class Words>
  void delivered(std::uint64_t number, std::uint32_t from, std::uint32_t to, Words&& words) {
    trace.note({now, FactKind::delivery, to, number, from}, words);
  }
  template <class Words>
  void lost(std::uint64_t number, std::uint32_t from, std::uint32_t to, Loss why, Words&& words) {
    trace.note({now, FactKind::lost, from, number, to, static_cast<std::uint64_t>(why)}, words);
  }
  [[nodiscard]] std::string words_of(const Frame& frame) const {
    if (algorithm == nullptr || algorithm->describe == nullptr) return {};
    if (!algorithm->verify(frame.header, frame.body)) return "malformed";
    return algorithm->describe(frame.header, frame.body);
  }

  void count(FaultKind kind) { ++faults[static_cast<std::size_t>(kind)]; }
  // Records a violation, found by one of the checks of check_names.h; the execution ends with the
  // event at hand.
  void fail(std::string_view check, const std::string& what) {
    std::string story = std::string(check) + ": " + what;
    trace.note({now, FactKind::violation}, [&story] { return std::string_view(story); });
    violations.push_back(std::move(story));
  }
};

}  // namespace parley::sim
