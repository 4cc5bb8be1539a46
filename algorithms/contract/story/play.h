// Stories: text files of commands, each followed by the trace that it leaves, indented.
//
//   cluster 3 [down] [spare=1] [seed=7] [option=value ...]   starts nodes 1 to 3, and so many that
//                          wait to be added
//   show roles commits messages writes             what the trace shows from here on
//   run 200ms              time passes, messages travel (1 ms), timers fire
//   timer 1                node 1's clock alone goes on to its next deadline
//   clock 1 200ms          node 1's clock alone goes on
//   deliver [1->2|1->*|*->2]   what is in flight arrives; without a link, and all that it causes
//   drop [1->2|...]        what is in flight is lost
//   copy 1->2 | replay 1->2    remembers what is in flight; lets the copies arrive (late, or again)
//   cut 1->2 | cut 1-2 | isolate 3 | heal          links, one way or both ways, from now on
//   submit 1 "a" "b"       runs of commands at node 1, in one turn; "a*1000" is a thousand letters
//   read 1                 a linearizable read at node 1
//   disk 1 manual|auto     whether writes wait for `sync 1`
//   sync 1 [#4]            what node 1 has written (up to ticket 4) is durable now
//   disk 1 holds 1 1 4 [term 5]                    of a node that is down: the terms of its log
//   crash 2 | restart 2    unsynced writes are lost
//   wipe 2                 of a node that is down: it gets an empty disk, and waits to be added
//   members 1 +4 -3        node 1 is asked to add node 4, remove node 3, or both
//   hand_over 1 [2]        node 1 is asked to make way for node 2, or for any
//   snapshot 1             node 1 has saved a snapshot of what it has applied, of two parts
//   load 1 late            snapshots that node 1 receives wait from here on
//   load 1                 the one of which it has all parts is ready
//   status | log           a line a node
#pragma once

#include <string>

#include "algorithms/contract/story/strategy.h"

namespace parley::story {

// The story with the indented lines replaced by the trace that its commands leave. `problem` is set
// when a command cannot be understood or a safety property was violated.
std::string play(const Strategy& strategy, const std::string& story, std::string& problem);

}  // namespace parley::story
