// The stories of a folder as tests.
#pragma once

#include <string>
#include <vector>

#include "algorithms/contract/story/strategy.h"

namespace parley::story {

// The names of the stories in a folder of the source tree, without their extension.
std::vector<std::string> stories(const std::string& folder);

// Plays a story and expects the trace that its file tells. PARLEY_REWRITE=1 in the environment
// writes the trace into the file instead: review it as a diff.
void expect_told(const Strategy& strategy, const std::string& folder, const std::string& name);

}  // namespace parley::story
