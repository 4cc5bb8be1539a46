// What stories have to know of a strategy that puts runs into one order, to tell of it.
#pragma once

#include <string>
#include <string_view>

#include "algorithms/contract/algorithm.h"

namespace parley::story {

struct Strategy {
  const Algorithm* algorithm = nullptr;
  std::string_view leader = {};  // the role of who leads
  std::string_view epoch = {};   // the word for what numbers leaders
  std::string (*text_of_message)(const Block& header, const Block& body) = nullptr;
  std::string (*text_of_write)(const Write& write) = nullptr;
  // What storage holds: the hard state of an epoch, and the header of a run's record.
  Block (*state)(Epoch epoch) = nullptr;
  Block (*record)(Epoch epoch, const CommandRun& run, std::uint32_t nodes) = nullptr;
};

// `"abc"` for a run whose body is that text, `-` for a leader's empty entry.
std::string text_of(const CommandRun& run);
// The bodies of a message as they would arrive: concatenated.
Block join(const Effects& effects, const BodyRange& range);
// A run with a text as its body.
CommandRun run_of(NodeId origin, Incarnation incarnation, std::uint64_t number,
                  std::string_view text);

}  // namespace parley::story
