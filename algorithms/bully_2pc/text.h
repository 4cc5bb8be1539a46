// Messages as text, for people who look at an execution.
#pragma once

#include <string>

#include "algorithms/contract/block.h"
#include "algorithms/contract/command.h"

namespace parley::bully_2pc {

// Tells what a run holds.
using RunText = std::string (*)(const CommandRun&);

// "prepare epoch 2 after 3@1: [4@2 "a" 5@2 "b"]; decided 3", where i@e is the index i with its
// epoch and brackets hold a batch; both blocks are verified. With null for `text_of_run` runs are
// not told, and a batch is a range: "prepare epoch 2 after 3@1: [4-5@2]; decided 3".
std::string text_of_message(const Block& header, const Block& body, RunText text_of_run);

// The shorter one; see Algorithm::describe.
std::string describe(const Block& header, const Block& body);

}  // namespace parley::bully_2pc
