#include "harness/load/recording.h"

#include "harness/load/workload.h"

namespace parley::load {
namespace {

history::ReadMode history_mode(ReadMode mode) {
  return mode == ReadMode::linearizable ? history::ReadMode::linearizable
                                        : history::ReadMode::local;
}

}  // namespace

Recording::Recording(const LoadSpec& spec)
    : writer_(spec.recorded_share > 0 ? spec.history : nullptr),
      share_(spec.recorded_share),
      read_mode_(spec.read_mode),
      width_(spec.canvas_width) {
  if (on()) touched_.resize(std::size_t{spec.canvas_width} * spec.canvas_height);
}

template <class Fill>
void Recording::write(const Message& message, Fill&& fill) {
  if (!on()) return;
  history::Operation operation;
  operation.client = message.session;
  operation.kind = message.is_read ? history::Kind::read : history::Kind::place;
  operation.read_mode = history_mode(read_mode_);
  operation.invoke_ns = message.invoke_ns;
  operation.return_ns = message.return_ns;
  operation.node = message.node.value;
  for (std::uint32_t i = 0; i < message.cells.size(); ++i) {
    const canvas::Place& cell = message.cells[i];
    if (!recorded(cell.x(), cell.y(), share_)) continue;
    operation.seq = message.sequence + i;
    operation.x = cell.x();
    operation.y = cell.y();
    operation.color = message.is_read ? 0 : cell.color();
    operation.version = {};
    operation.writer.reset();
    fill(i, operation);
    touched_[std::size_t{cell.y()} * width_ + cell.x()] = true;
    writer_->append(operation);
    ++written_;
  }
}

void Recording::placed(const Message& message, const client::Done& done,
                       const client::Result* results) {
  write(message, [&](std::uint32_t i, history::Operation& operation) {
    if (results == nullptr) {
      operation.outcome = static_cast<history::Outcome>(done.outcome());
      if (operation.outcome != history::Outcome::ok) return;
      operation.version = {done.stamp_major(), done.stamp_minor() + i};
    } else {
      operation.outcome = static_cast<history::Outcome>(results[i].outcome());
      if (operation.outcome == history::Outcome::refused && !message.refusal_is_final) {
        operation.outcome = history::Outcome::unknown;
      }
      if (operation.outcome != history::Outcome::ok) return;
      operation.version = {results[i].stamp_major(), results[i].stamp_minor()};
    }
  });
}

void Recording::read(const Message& message, std::span<const canvas::CellState> states) {
  write(message, [&](std::uint32_t i, history::Operation& operation) {
    const canvas::CellState& state = states[i];
    operation.outcome = history::Outcome::ok;
    operation.color = state.color();
    operation.version = {state.stamp_major(), state.stamp_minor()};
    if (state.painted() != 0) {
      operation.writer = Writer{state.writer_session(), state.writer_sequence()};
    }
  });
}

void Recording::ended(const Message& message, history::Outcome outcome) {
  write(message,
        [&](std::uint32_t, history::Operation& operation) { operation.outcome = outcome; });
}

std::vector<std::uint32_t> Recording::touched() const {
  std::vector<std::uint32_t> cells;
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    if (!touched_[i]) continue;
    cells.push_back(static_cast<std::uint32_t>(i % width_ << 16 | i / width_));
  }
  return cells;
}

}  // namespace parley::load
