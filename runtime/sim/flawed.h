// Strategies with a mistake built in: what the checks of the simulator must catch.
#pragma once

#include "algorithms/contract/algorithm.h"

namespace parley::sim {

// Raft behind a wrapper that falsifies what goes in or comes out. The mistake is the option `flaw`.
enum class Flaw : std::int64_t {
  none,
  acknowledges_unsynced,  // takes every write for durable at once
  forgets_votes,          // finds no hard state after a restart
  forgets_the_log,        // finds no records after a restart
  small_quorum,           // a node knows only itself and one neighbour: majorities do not meet
  answers_reads_at_once,  // without asking whether it still leads
  skips_a_run,            // one node hands over an empty entry instead of a run
  swaps_runs,             // one node hands two runs over in the wrong order
  applies_twice,          // one node hands an index over again
  refuses_what_it_does,   // tells the client no, and goes on
  falls_silent,           // sends nothing any more after some seconds
  sends_garbage,          // a header that is cut short
  skips_a_ticket,
  reports_an_old_epoch,
  is_always_due,  // asks for its next turn at a time that has passed
};
inline constexpr std::int64_t kFlaws = 15;

const Algorithm& flawed_raft_algorithm();
// The control baseline with the same wrapper.
const Algorithm& flawed_unreplicated_algorithm();

}  // namespace parley::sim
