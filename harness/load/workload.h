// What the clients do: which cell is painted, in which colour, by whom, and when.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "algorithms/contract/random.h"
#include "apps/canvas/canvas_generated.h"
#include "harness/load/load.h"

namespace parley::load {

// Ranks from 1 to `count`, rank k with a probability proportional to 1 / k^exponent. Exact and
// without a table: rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate
// variates from monotone discrete distributions", TOMACS 1996).
class ZipfSampler {
 public:
  // `exponent` above 0.
  ZipfSampler(std::uint64_t count, double exponent);
  std::uint64_t draw(Random& random) const;

 private:
  [[nodiscard]] double hat(double x) const;  // x^-exponent
  [[nodiscard]] double integral(double x) const;
  [[nodiscard]] double integral_inverse(double y) const;

  double count_;
  double exponent_;
  double low_;  // of the draws under the hat
  double high_;
  double cut_;  // draws this near to a rank are accepted at once
};

// Uniform in [0, 1).
double unit(Random& random);

// Exponential with mean 1: the gaps between arrivals at random.
double exponential(Random& random);

// Mixes all bits of x (the finaliser of SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
std::uint64_t mixed(std::uint64_t x);

// A message of a client: `batch` placements, or as many cells to read.
struct Message {
  std::int64_t due_ns = 0;  // the intended moment, after the start of the load
  std::uint32_t client = 0;
  bool is_read = false;
};

inline constexpr std::int64_t kNoMore = INT64_MAX;

// The messages of all clients in the order of their intended moments. A client's come in the order
// in which it wants them done.
class Source {
 public:
  virtual ~Source() = default;
  // When the next message is due; kNoMore if there is none. A closed loop's are due at once.
  [[nodiscard]] virtual std::int64_t due_ns() const = 0;
  // Takes the next message; `places` has the size of a batch. Throws LoadError when a file that is
  // replayed turns out damaged.
  virtual Message take(std::span<canvas::Place> places) = 0;
  // What a replay met so far.
  [[nodiscard]] virtual ReplayFigures replay_figures() const { return {}; }
};

// A workload as written in a spec:
//   uniform                all cells alike
//   zipf[:EXPONENT]        rank^-EXPONENT, above 0 and at most 10; 1 if not given
//   hotspot[:SHARE[@CELLS]]  that share of all placements goes to so many hot cells, each alike,
//   and
//                          the rest to all other cells; 0.9@16 if not given. For contention: the
//                          share of placements that meet another one on their cell
//   rplace                 as in the event of 2017, see rplace.h
//   replay:FILE            a published log
struct WorkloadSpec {
  enum class Kind : std::uint8_t { uniform, zipf, hotspot, rplace, replay };
  Kind kind = Kind::uniform;
  double exponent = 1;
  double hot_share = 0.9;
  std::uint32_t hot_cells = 16;
  std::string file;
};
// Throws LoadError that says what is allowed.
WorkloadSpec parse_workload(const std::string& text);
// Also that the workload fits a canvas of so many cells.
WorkloadSpec parse_workload(const std::string& text, std::uint64_t canvas_cells);

// The source of a load. Throws LoadError when a replay's file cannot be read.
std::unique_ptr<Source> make_source(const LoadSpec& spec);

// Whether the cell belongs to the fixed sample of that share of all cells. It does not depend on
// the seed, and the sample of a smaller share is part of that of a larger one.
bool recorded(std::uint32_t x, std::uint32_t y, double share);

}  // namespace parley::load
