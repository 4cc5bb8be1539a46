// What a network does to the messages of one directed link: delay, jitter, loss, a cut. Pure and
// deterministic: time and randomness come in, so that real sockets and the simulator shape alike.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "algorithms/contract/random.h"
#include "algorithms/contract/time.h"

namespace parley {

struct LinkProfile {
  enum class Jitter : std::uint8_t {
    uniform,  // every value within the bound is as likely
    normal,   // mostly near the delay, never beyond the bound: the mean of four uniform draws
  };

  Duration delay{};   // one way
  Duration jitter{};  // the most by which a message's delay differs from `delay`; never below zero
  Jitter jitter_shape = Jitter::uniform;
  std::uint32_t loss_per_million = 0;
  bool cut = false;            // nothing passes in this direction
  bool allow_reorder = false;  // a message may overtake an earlier one

  constexpr bool operator==(const LinkProfile&) const = default;

  // Whether it does anything at all.
  [[nodiscard]] bool shapes() const { return *this != LinkProfile{.allow_reorder = allow_reorder}; }
};

// The shaper of one directed link.
class LinkShaper {
 public:
  LinkShaper() : LinkShaper(LinkProfile{}, 0) {}
  LinkShaper(const LinkProfile& profile, std::uint64_t seed) : profile_(profile), random_(seed) {}

  [[nodiscard]] const LinkProfile& profile() const { return profile_; }
  // Changes the link from now on; messages under way are not affected.
  void set_profile(const LinkProfile& profile) { profile_ = profile; }

  // When a message handed over at `now` comes out at the other end, or nothing if it is lost.
  // Without reordering it never comes out before one handed over earlier.
  std::optional<Instant> pass(Instant now);

 private:
  Duration draw_delay();

  LinkProfile profile_;
  Random random_;
  Instant latest_{};  // when the last message comes out
};

// Messages under way, in the order in which they come out; those of one moment in the order in
// which they went in. Bounded.
template <class T>
class DelayLine {
 public:
  // At most `capacity` messages are under way.
  explicit DelayLine(std::size_t capacity) : capacity_(capacity) {}

  // False, and the message is left as it was, when the line is full.
  bool push(Instant due, T&& message) {
    if (heap_.size() >= capacity_) return false;
    heap_.push_back({due, next_++, std::move(message)});
    std::push_heap(heap_.begin(), heap_.end(), later);
    return true;
  }

  // The next message that is due at `now`.
  std::optional<T> pop(Instant now) {
    if (heap_.empty() || heap_.front().due > now) return std::nullopt;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    std::optional<T> message(std::move(heap_.back().message));
    heap_.pop_back();
    return message;
  }

  // When the next message comes out; kNever if none is under way.
  [[nodiscard]] Instant next_due() const { return heap_.empty() ? kNever : heap_.front().due; }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    Instant due;
    std::uint64_t number = 0;
    T message;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.due != b.due ? a.due > b.due : a.number > b.number;
  }

  std::size_t capacity_;
  std::uint64_t next_ = 0;
  std::vector<Entry> heap_;
};

}  // namespace parley
