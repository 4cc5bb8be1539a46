// What the clients of an execution asked for and what they were told.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "algorithms/contract/stamp.h"
#include "algorithms/contract/turn.h"
#include "runtime/sim/applications.h"

namespace parley::sim {

// The command with one sequence number of a client.
struct WriteOperation {
  CellCommand command;
  // The highest stamp that anyone had been told when this was first asked for: whatever order the
  // operations are given, this one comes later.
  Stamp floor;
  Instant asked;            // when that was
  Stamp stamp;              // once carried out
  Stamp second_stamp;       // of a duplicate, where those are not excluded
  Stamp told;               // the highest that it was acknowledged with
  std::uint64_t reply = 0;  // once carried out: the application's value and code
  std::uint16_t code = 0;
  bool acknowledged = false;
  Instant returned;            // when that was first told, of strategies that merge
  std::uint32_t attempts = 0;  // that reached a node
  std::uint32_t refused = 0;   // of these, definitely not done

  [[nodiscard]] bool carried_out() const { return stamp != Stamp{}; }
  // Whether it may still have happened although nobody said so.
  [[nodiscard]] bool uncertain() const { return !acknowledged && refused < attempts; }
};

struct ReadOperation {
  std::uint32_t key = 0;
  ReadMode mode = ReadMode::local;
  Stamp floor;  // the highest stamp of the cell that anyone had been told when this was asked for
  Stamp seen;   // the highest of the cell that this client had heard of and said so
};

struct ClientHistory {
  std::vector<WriteOperation> writes;  // sequence number n at n - 1
  std::vector<ReadOperation> reads;
};

struct History {
  std::vector<ClientHistory> clients;
  Stamp floor;                            // the highest stamp that anyone was told
  std::array<Stamp, kCells> cell_floors;  // the same by cell

  void tell(std::uint32_t key, Stamp stamp) {
    if (stamp > cell_floors[key]) cell_floors[key] = stamp;
    if (stamp > floor) floor = stamp;
  }
};

}  // namespace parley::sim
