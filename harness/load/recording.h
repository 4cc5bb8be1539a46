// Which operations go into the history, and what it says of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "apps/canvas/canvas_generated.h"
#include "harness/check/history.h"
#include "harness/load/load.h"
#include "runtime/client_generated.h"

namespace parley::load {

class Recording {
 public:
  // Nothing is recorded when the spec has no history.
  explicit Recording(const LoadSpec& spec);

  [[nodiscard]] bool on() const { return writer_ != nullptr; }

  // The operations of one message.
  struct Message {
    std::uint32_t session = 0;
    std::uint32_t sequence = 0;  // of the first
    bool is_read = false;
    std::int64_t invoke_ns = 0;
    std::int64_t return_ns = 0;
    NodeId node;                   // that answered; kNoNode: none did
    bool refusal_is_final = true;  // no other attempt may have been done
    std::span<const canvas::Place> cells;
  };
  // Each of them has its result in `results`, or shares what `done` says.
  void placed(const Message& message, const client::Done& done, const client::Result* results);
  // What a read saw, as many as cells.
  void read(const Message& message, std::span<const canvas::CellState> states);
  // All of them were refused, or their outcome is unknown.
  void ended(const Message& message, history::Outcome outcome);

  [[nodiscard]] std::uint64_t written() const { return written_; }
  // The cells of recorded operations, x << 16 | y, row by row.
  [[nodiscard]] std::vector<std::uint32_t> touched() const;

 private:
  template <class Fill>
  void write(const Message& message, Fill&& fill);

  history::HistoryWriter* writer_;
  double share_;
  ReadMode read_mode_;
  std::uint32_t width_;
  std::vector<bool> touched_;  // row-major
  std::uint64_t written_ = 0;
};

}  // namespace parley::load
