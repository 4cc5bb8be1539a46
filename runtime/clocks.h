// The clocks of the machine, for drivers of replicas that run on it.
#pragma once

#include "algorithms/contract/time.h"

namespace parley {

// The monotonic clock of this process, and the wall clock.
Instant monotonic_now();
WallTime wall_now();

}  // namespace parley
