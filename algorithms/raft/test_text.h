// Messages, writes and runs as text, for the traces of stories and the failures of tests.
#pragma once

#include <string>

#include "algorithms/contract/effects.h"
#include "algorithms/contract/replica.h"

namespace parley::raft::test {

// `"abc"` for a run whose body is that text, `-` for a leader's empty entry.
std::string text_of(const CommandRun& run);
// "append term 2 after 3@1: 4@2 "a"; commit 3"; the body is the whole of the message's bodies.
std::string text_of_message(const Block& header, const Block& body);
// "append 4@2 "a"", "truncate 4", "state term 2 vote 1".
std::string text_of(const Write& write);
// The bodies of a message as they would arrive: concatenated.
Block join(const Effects& effects, const BodyRange& range);
// A run with a text as its body.
CommandRun run_of(NodeId origin, Incarnation incarnation, std::uint64_t number,
                  std::string_view text);

}  // namespace parley::raft::test
