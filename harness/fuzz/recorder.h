// What the nodes of a simulated cluster with faults say to each other and find on their disks: the
// valid inputs that fuzzing begins with.
#pragma once

#include <string>
#include <vector>

#include "algorithms/contract/algorithm.h"

namespace parley::fuzz {

struct RecordedFrame {
  NodeId to;
  Frame frame;
};

struct Recording {
  std::vector<RecordedFrame> frames;  // that replicas were given, in the order of time
  std::vector<Recovered> starts;      // what replicas were made from, where it was something
};

// The executions of `algorithm` with so many seeds from 1 on, three nodes each; a strategy that is
// alone has no frames.
Recording record(const Algorithm& algorithm, const OptionValues& values, std::uint32_t seeds);

// The headers of frames without a body, each once: all that such a frame says.
std::vector<std::string> lone_headers(const Recording& recording);

}  // namespace parley::fuzz
