// A client's part of a session: which sequence numbers it may use.
#pragma once

#include <bit>
#include <cstdint>

namespace parley {

// How many of its latest sequence numbers a session remembers, with their results. A client has at
// most this many commands of a session in flight.
inline constexpr std::uint32_t kSessionWindow = 64;

// Hands out sequence numbers in order, and a new one only while the oldest unfinished one is near
// enough for the replicas to tell a retry (Ongaro's dissertation, §6.3).
class ClientSession {
 public:
  [[nodiscard]] bool has_room(std::uint32_t count) const {
    return next_ + count - oldest_ <= kSessionWindow;
  }
  // Takes `count` sequence numbers, for which there is room, and returns the first.
  std::uint32_t take(std::uint32_t count) {
    const std::uint32_t first = next_;
    next_ += count;
    return first;
  }
  // The operations with these numbers have their outcome.
  void finish(std::uint32_t first, std::uint32_t count) {
    const std::uint64_t ones = count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    finished_ |= ones << (first - oldest_);
    const int done = std::countr_one(finished_);
    finished_ = done >= 64 ? 0 : finished_ >> done;
    oldest_ += static_cast<std::uint32_t>(done);
  }
  // Nothing is in flight.
  [[nodiscard]] bool idle() const { return oldest_ == next_; }
  // There are no further numbers.
  [[nodiscard]] bool used_up() const { return next_ == 0; }

 private:
  std::uint32_t next_ = 1;
  std::uint32_t oldest_ = 1;    // the lowest number without an outcome, or next_
  std::uint64_t finished_ = 0;  // bit i: oldest_ + i has its outcome
};
static_assert(kSessionWindow == 64, "ClientSession keeps the window in one word");

}  // namespace parley
