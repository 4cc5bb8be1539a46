// Decoders of bytes from outside, each as a function that any bytes may be thrown at. libFuzzer
// drives them (fuzz_main.cc), and so does an ordinary test with some thousand inputs
// (fuzz_test.cc).
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/block.h"

namespace parley::fuzz {

struct FuzzTarget {
  std::string name;  // "raft_frame"
  // Decodes, and uses what was decoded as far as it goes. Throws Finding where a promise does not
  // hold; other mistakes are for the sanitizers. May keep state from call to call.
  std::function<void(Bytes input)> run;
  // Valid inputs from real encoders, always the same ones. Takes up to some seconds.
  std::function<std::vector<std::string>()> seeds;
  // Inputs that the ordinary test runs; fewer where one takes long.
  std::size_t test_inputs = 4000;
};

// A promise about bytes from outside that does not hold.
struct Finding : std::logic_error {
  using std::logic_error::logic_error;
};
inline void require(bool holds, std::string_view promise) {
  if (!holds) throw Finding(std::string(promise));
}

// All of them, in a fixed order.
const std::vector<FuzzTarget>& targets();

// Where they come from, by what they decode.
void add_algorithm_targets(std::vector<FuzzTarget>& targets);  // frames and records of strategies
void add_state_targets(std::vector<FuzzTarget>& targets);      // snapshots and storage
void add_port_targets(std::vector<FuzzTarget>& targets);       // the sockets of a node
void add_maelstrom_targets(std::vector<FuzzTarget>& targets);  // lines, frames, commands
void add_canvas_targets(std::vector<FuzzTarget>& targets);     // HTTP, WebSocket
void add_file_targets(std::vector<FuzzTarget>& targets);       // logs, journals, results, TOML

}  // namespace parley::fuzz
