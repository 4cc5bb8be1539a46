// The workload `rplace`: placements as in the event, in the canvas, the time and the number asked
// for. What is imitated, and after which figures: rplace_event.h.
//
// Promises: the event's 72 hours are played once in the measured time, the requested rate being
// their mean. Each half hour has its own rate and its own concentration on blocks of cells. 1.03 %
// of all placements go to hot pixels. Users place as unevenly as they did, and none again before
// the cooldown, scaled like all times, is over. The same seed gives the same placements.
// Simplified: hot places lie anywhere instead of side by side, the cells of a block are alike but
// for the hot pixels, and a user's placements are spread over the whole event.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "algorithms/contract/random.h"
#include "harness/load/alias_table.h"
#include "harness/load/rplace_event.h"
#include "harness/load/workload.h"

namespace parley::load {

// How far the event is: 0 where it begins, 1 where it ends. After that it begins again.
class EventClock {
 public:
  // Before 0 the rate is the mean: `start` is 0 or less.
  explicit EventClock(double start);

  [[nodiscard]] double position() const { return position_; }
  // The half hour from the event's start, the first one before it.
  [[nodiscard]] std::uint32_t half_hour() const { return half_hour_; }
  // Goes on by that share of the event's placements.
  void advance(double share);

 private:
  void enter(std::uint32_t half_hour);

  double position_;
  double lap_ = 0;   // where the event began
  double end_ = 0;   // of the stretch with this rate
  double pace_ = 1;  // 1 / rate: how far one share of the event's placements brings it
  std::uint32_t half_hour_ = 0;
};

struct Cell {
  std::uint16_t x = 0;
  std::uint16_t y = 0;
};

// Draws cells. The canvas is a grid of at most 200x200 blocks. A block's weight is the product of a
// persistent part and one that moves, each log-normal: blocks of one persistent weight form a
// class, and within it the moving weights, one for each member, are dealt anew every 12 hours. So
// both parts are drawn alone, from small tables, and no weight of a block is ever computed.
class EventCells {
 public:
  EventCells(std::uint32_t width, std::uint32_t height, std::uint64_t seed);

  // The half hour that the next cells belong to. Cheap unless it differs from the one before.
  void enter(std::uint32_t half_hour) {
    if (half_hour != half_hour_) change(half_hour);
  }
  Cell next(Random& random) const;

 private:
  struct Class {
    std::uint32_t first = 0;  // of its blocks, an index into blocks_
    std::uint32_t size = 0;
    std::uint32_t turn = 0;  // which member has the highest moving weight
  };
  void make_classes(std::uint32_t count);
  void make_hot_pixels(std::uint32_t count);
  void change(std::uint32_t half_hour);
  Cell cell_in(std::uint16_t block, std::uint64_t bits) const;

  std::vector<std::uint16_t> column_edges_;  // where each column of blocks begins, and the width
  std::vector<std::uint16_t> row_edges_;
  std::vector<std::uint16_t> blocks_;  // row << 8 | column, in an order given by the seed
  std::vector<Class> classes_;
  std::vector<double> member_edges_;  // between the moving weights' z, in the largest class
  AliasTable classes_or_hot_;         // by persistent weight; the last index is the hot pixels
  AliasTable moving_;
  std::vector<Cell> hot_;
  AliasTable hot_ranks_;
  Random turns_;
  std::uint32_t half_hour_ = UINT32_MAX;
};

// Draws who places. Users of one group place in turns, so that all have done so equally often and
// nothing is remembered of a single one; the group is drawn by its share of the placements.
class EventUsers {
 public:
  // `placements` are those of a whole event; users are numbered from 1.
  explicit EventUsers(double placements);

  // A user whose cooldown is over at that position of the event, which must not be before that of
  // the last call. `bits` are 32 random ones; `random` is asked only if the first draw is resting.
  std::uint32_t next(double position, std::uint32_t bits, Random& random);

 private:
  // Users are checked for their cooldown in batches: 64 of a group, or single users if fewer.
  static constexpr std::uint32_t kBatches = 64;
  struct Group {
    std::uint32_t first = 0;
    std::uint32_t size = 0;
    std::uint32_t batch = 1;              // users
    std::uint32_t at = 0;                 // the batch whose turn it is
    std::uint32_t placed = 0;             // of its users, in this turn
    std::array<double, kBatches> last{};  // when the last one of each batch placed
  };
  std::vector<Group> groups_;
  AliasTable shares_;
  std::uint32_t newcomer_ = 1;
};

// The source of a load with the workload `rplace`. In a closed loop, which has no rate, the event
// goes on with the placements: 16.56 million of them are one.
std::unique_ptr<Source> make_rplace_source(const LoadSpec& spec);

}  // namespace parley::load
