#include "harness/load/operations.h"

namespace parley::load {
namespace {

constexpr std::int64_t kNotDue = INT64_MAX;

}  // namespace

FlightTable::FlightTable(std::uint32_t slots, std::uint32_t batch)
    : slots_(slots),
      batch_(batch),
      flights_(slots),
      due_ns_(slots, kNotDue),
      cells_(std::size_t{slots} * batch) {}

std::uint32_t FlightTable::take() {
  std::uint32_t slot = used_;
  if (free_.empty()) {
    ++used_;
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  const std::uint32_t generation = flights_[slot].generation;
  flights_[slot] = Flight{};
  flights_[slot].generation = generation;
  flights_[slot].active = true;
  ++active_;
  return slot;
}

void FlightTable::release(std::uint32_t slot) {
  flights_[slot].active = false;
  ++flights_[slot].generation;
  due_ns_[slot] = kNotDue;
  free_.push_back(slot);
  --active_;
}

Flight* FlightTable::find(AttemptId id) {
  if (id.slot >= used_) return nullptr;
  Flight& flight = flights_[id.slot];
  if (!flight.active || flight.generation != id.generation || id.attempt >= flight.attempts) {
    return nullptr;
  }
  return &flight;
}

}  // namespace parley::load
