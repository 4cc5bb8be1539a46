// Messages and writes of bully_2pc as text, for the traces of stories and the failures of tests.
#pragma once

#include <string>

#include "algorithms/contract/story/strategy.h"

namespace parley::bully_2pc::test {

using story::join;
using story::run_of;
using story::text_of;

// "prepare epoch 2 after 3@1: [4@2 "a"]; decided 3"; the body is the whole of the message's bodies.
std::string text_of_message(const Block& header, const Block& body);
// "append 4@2 "a", 1 left", "truncate 4", "state epoch 2 promised 1 decided 3".
std::string text_of(const Write& write);

extern const story::Strategy kStrategy;

}  // namespace parley::bully_2pc::test
