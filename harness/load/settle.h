// What ends a recorded run: waiting until the replicas agree, and reading what they hold.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/check/history.h"
#include "harness/load/load.h"

namespace parley::load {

struct Quiescence {
  bool settled = false;
  double waited_ms = 0;
  std::string problem;  // why not: the node without an answer, or the states that differ
};

// Waits until all nodes report the same applied index and digest and no request in flight, twice in
// a row. `targets` are the live nodes.
Quiescence wait_quiescent(const std::vector<Target>& targets, Duration limit,
                          const std::atomic<bool>* stop = nullptr);

struct FinalReads {
  std::uint64_t written = 0;
  std::vector<std::string> problems;  // nodes whose cells could not (all) be read
};

// Reads the cells (x << 16 | y, see LoadResult::touched_cells) at each of the live nodes, from its
// own store, and writes them to the history as final reads. `limit` is for one query of 4096 cells.
// Throws std::system_error when the history cannot be written.
FinalReads final_reads(const std::vector<Target>& targets, const std::vector<std::uint32_t>& cells,
                       history::HistoryWriter& writer, Duration limit = std::chrono::seconds(5));

}  // namespace parley::load
