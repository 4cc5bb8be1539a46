// What is on its way to one follower of a leader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "algorithms/contract/ids.h"

namespace parley {

// The messages with entries that a follower has not acknowledged yet, oldest first.
class Window {
 public:
  Window(std::size_t max_messages, std::uint64_t max_bytes)
      : messages_(max_messages), max_bytes_(max_bytes) {}

  [[nodiscard]] bool empty() const { return count_ == 0; }
  // One message may go whatever its size, so that a large entry is not stuck.
  [[nodiscard]] bool has_room() const {
    return count_ == 0 || (count_ < messages_.size() && bytes_ < max_bytes_);
  }

  // A message that ends with the entry `last` has left.
  void add(LogIndex last, std::uint64_t bytes) {
    messages_[(first_ + count_) % messages_.size()] = {last, bytes};
    ++count_;
    bytes_ += bytes;
  }

  // The follower has everything up to `index`.
  void acknowledge(LogIndex index) {
    while (count_ > 0 && messages_[first_].last <= index) {
      bytes_ -= messages_[first_].bytes;
      first_ = (first_ + 1) % messages_.size();
      --count_;
    }
  }

  void clear() {
    count_ = 0;
    bytes_ = 0;
  }

 private:
  struct Message {
    LogIndex last;
    std::uint64_t bytes = 0;
  };
  std::vector<Message> messages_;  // a ring
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::uint64_t max_bytes_;
  std::uint64_t bytes_ = 0;
};

}  // namespace parley
