#include "algorithms/contract/held_runs.h"

#include <algorithm>

namespace parley {

void HeldRuns::add(const CommandRun& run, Instant now, Block note) {
  bytes_ += cost(run);
  runs_.push_back({run, now, now, false, false, false, std::move(note)});
}

HeldRun* HeldRuns::find(std::uint64_t number) {
  if (runs_.empty() || number < runs_.front().run.id.number) return nullptr;
  if (number == runs_.front().run.id.number) return &runs_.front();  // nearly always
  const auto it = std::lower_bound(
      runs_.begin(), runs_.end(), number,
      [](const HeldRun& held, std::uint64_t wanted) { return held.run.id.number < wanted; });
  return it == runs_.end() || it->run.id.number != number ? nullptr : &*it;
}

void HeldRuns::settle(std::uint64_t number) {
  HeldRun* held = find(number);
  if (held == nullptr || held->committed) return;
  held->committed = true;
  ++committed_;
  pop_committed();
}

void HeldRuns::skip(std::uint64_t number) {
  if (HeldRun* held = find(number)) held->skip = true;
}

void HeldRuns::give_up(Instant time) {
  while (!runs_.empty() && runs_.front().since <= time && runs_.front().ever_sent) pop_front();
  pop_committed();
}

void HeldRuns::pop_front() {
  bytes_ -= cost(runs_.front().run);
  if (runs_.front().committed) --committed_;
  if (sent_ > 0) --sent_;
  runs_.pop_front();
}

void HeldRuns::pop_committed() {
  while (!runs_.empty() && runs_.front().committed) pop_front();
}

}  // namespace parley
