// Messages and writes of Raft as text, for the traces of stories and the failures of tests.
#pragma once

#include <string>

#include "algorithms/contract/story/strategy.h"

namespace parley::raft::test {

using story::join;
using story::run_of;
using story::text_of;

// "append term 2 after 3@1: 4@2 "a"; commit 3"; the body is the whole of the message's bodies.
std::string text_of_message(const Block& header, const Block& body);
// "append 4@2 "a"", "truncate 4", "state term 2 vote 1".
std::string text_of(const Write& write);

extern const story::Strategy kStrategy;

}  // namespace parley::raft::test
