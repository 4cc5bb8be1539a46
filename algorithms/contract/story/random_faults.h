// Random faults against the safety properties of replicated logs, and progress once the faults are
// over. The simulator does this more thoroughly; this depends on nothing but the replica.
#pragma once

#include <cstdint>

#include "algorithms/contract/story/strategy.h"

namespace parley::story {

void survive_random_faults(const Strategy& strategy, const OptionValues& options,
                           std::uint64_t seed, std::uint32_t size);

}  // namespace parley::story
