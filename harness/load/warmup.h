// Whether a warm-up has ended in a steady state, so that what is measured after it does not depend
// on when the measurement began.
//
// The warm-up is cut into windows. A closed loop is judged by what was completed in each of them,
// an open one, whose rate is given, by how many operations were under way: by Little's law that is
// rate times latency, and it is the backlog of a system that cannot follow.
//
// The criterion is MSER (White, "An effective truncation heuristic for bias reduction in simulation
// output", Simulation 69(6), 1997; the windows are its batch means, in MSER-5 of five observations
// each): the beginning that is best left out is the one without which the mean of the rest has the
// smallest standard error. If that is more than half of the warm-up, there is not enough after it
// to tell (White, Cobb and Spratt, "A comparison of five steady-state truncation heuristics for
// simulation", WSC 2000). Noise moves this point little, a trend moves it to the end. Beside it
// what varies by no more than 2 % is steady (the coefficient of variation of Georges, Buytaert and
// Eeckhout, "Statistically rigorous Java performance evaluation", OOPSLA 2007, section 4.2),
// because a trend within that does not matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "algorithms/contract/ids.h"
#include "harness/load/load.h"

namespace parley::load {

struct WarmupWindow {
  std::uint64_t completed = 0;
  double in_flight = 0;  // operations under way: the median of what was seen in it
  NodeId leader;         // as most nodes name it at its end; kNoNode: none known
};

// Fewer windows say nothing.
inline constexpr std::size_t kLeastWarmupWindows = 10;

// How many values at the beginning are best left out, so that at least five remain. 0 of fewer.
std::size_t mser_truncation(std::span<const double> values);

// The state at the end of these windows.
Steadiness judge_warmup(std::span<const WarmupWindow> windows, Loop loop);

// In a sentence's half: "the leader changed". Empty for steady.
std::string_view steadiness_text(Steadiness steadiness);

// Gathers the windows of a warm-up. Times in ns of one clock that never goes back.
class WarmupWatch {
 public:
  // A twentieth of the warm-up, but from 10 to 100 ms: what a window has to hold.
  static std::int64_t window_of(Duration warmup);

  WarmupWatch(std::int64_t begin_ns, std::int64_t window_ns)
      : window_ns_(window_ns), end_ns_(begin_ns + window_ns) {}

  // The system at this moment; `completed` counts from the start. To be called several times a
  // window: one in which it was not is left out.
  void look(std::int64_t now_ns, std::uint64_t completed, std::uint32_t in_flight, NodeId leader);

  [[nodiscard]] std::span<const WarmupWindow> windows() const { return windows_; }
  [[nodiscard]] std::int64_t window_ns() const { return window_ns_; }

 private:
  void close(std::int64_t now_ns);

  std::int64_t window_ns_;
  std::int64_t end_ns_;  // of the window at hand
  std::uint64_t completed_before_ = 0;
  std::uint64_t completed_ = 0;
  NodeId leader_;
  std::vector<std::uint32_t> in_flight_;  // as seen in the window at hand
  std::vector<WarmupWindow> windows_;
};

}  // namespace parley::load
