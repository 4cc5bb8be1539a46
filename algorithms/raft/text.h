// Messages as text, for people who look at an execution.
#pragma once

#include <string>

#include "algorithms/contract/block.h"
#include "algorithms/contract/command.h"

namespace parley::raft {

// Tells what a run holds.
using RunText = std::string (*)(const CommandRun&);

// "append term 2 after 3@1: 4@2 "a"; commit 3", where i@t is the index i with its term; both blocks
// are verified. With null for `text_of_run` runs are not told, and entries of one term are a range:
// "append term 2 after 3@1: 4-6@2; commit 3".
std::string text_of_message(const Block& header, const Block& body, RunText text_of_run);

// The shorter one; see Algorithm::describe.
std::string describe(const Block& header, const Block& body);

}  // namespace parley::raft
