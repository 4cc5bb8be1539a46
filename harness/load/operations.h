// What is under way: the messages sent or to be sent again, and the sessions they belong to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/contract/client_session.h"
#include "apps/canvas/canvas_generated.h"
#include "runtime/sessions.h"

namespace parley::load {

// A message of a client from its intended moment to its outcome.
struct Flight {
  std::int64_t intended_ns = 0;
  std::int64_t first_sent_ns = 0;  // 0: never sent
  std::uint64_t refused = 0;       // bit i: attempt i was refused
  std::uint32_t generation = 0;
  std::uint32_t client = 0;
  std::uint32_t session = 0;    // of the latest attempt; a node that forgets it opens another one
  std::uint32_t sequence = 0;   // of its first operation
  std::uint32_t late_us = 0;    // taken up so long after the intended moment
  std::uint8_t attempts = 0;    // sent
  std::uint8_t unresolved = 0;  // attempts that may have been done: sent and not refused
  std::uint8_t link = 0;        // of the latest attempt
  std::uint8_t reason = 0;      // why the latest attempt failed: an index into Recorder's reasons
  bool is_read = false;
  bool active = false;
  bool waiting = false;  // for its next attempt, not for an answer
};
inline constexpr std::uint8_t kMaxAttempts = 64;

// In place of a slot: the request opens sessions.
inline constexpr std::uint32_t kSessionsSlot = (1U << 24) - 1;

// Names an attempt in a request's id.
struct AttemptId {
  std::uint32_t slot = 0;  // below kSessionsSlot, or that
  std::uint8_t attempt = 0;
  std::uint32_t generation = 0;

  [[nodiscard]] std::uint64_t packed() const {
    return std::uint64_t{generation} << 32 | std::uint64_t{attempt} << 24 | slot;
  }
  static AttemptId unpack(std::uint64_t id) {
    return {static_cast<std::uint32_t>(id & 0xFFFFFF), static_cast<std::uint8_t>(id >> 24),
            static_cast<std::uint32_t>(id >> 32)};
  }
};

// Slots for a bounded number of flights, each with the cells of its batch.
class FlightTable {
 public:
  FlightTable(std::uint32_t slots, std::uint32_t batch);

  [[nodiscard]] bool full() const { return free_.empty() && used_ == slots_; }
  [[nodiscard]] std::uint32_t in_flight() const { return active_; }

  // Takes a slot; not when full. Its flight is blank but for the generation.
  std::uint32_t take();
  void release(std::uint32_t slot);

  Flight& operator[](std::uint32_t slot) { return flights_[slot]; }
  // The flight that an id names, or null when it has had its outcome.
  Flight* find(AttemptId id);
  std::span<canvas::Place> cells(std::uint32_t slot) {
    return std::span(cells_).subspan(std::size_t{slot} * batch_, batch_);
  }

  // When something has to be done about a flight that is not answered. Scanning the times of all
  // slots now and then is cheaper than ordering them: nearly all are answered long before.
  void set_due(std::uint32_t slot, std::int64_t at_ns) { due_ns_[slot] = at_ns; }
  // Slots beyond this were never used.
  [[nodiscard]] std::uint32_t used() const { return used_; }
  [[nodiscard]] bool is_due(std::uint32_t slot, std::int64_t now_ns) const {
    return due_ns_[slot] <= now_ns;
  }

 private:
  std::uint32_t slots_;
  std::uint32_t batch_;
  std::uint32_t used_ = 0;
  std::uint32_t active_ = 0;
  std::vector<std::uint32_t> free_;
  std::vector<Flight> flights_;
  std::vector<std::int64_t> due_ns_;
  std::vector<canvas::Place> cells_;
};

}  // namespace parley::load
