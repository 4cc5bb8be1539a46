// Whether the checks notice when a guard is left out.
#pragma once

#include <string>
#include <vector>

#include "runtime/sim/check_seeds.h"

namespace parley::sim {

// A strategy's own guards and those of the runtime that it relies on.
std::vector<const Guard*> guards_of(const Algorithm& algorithm);

// `values` with what the guard's setting names. Throws std::invalid_argument if that is no option.
OptionValues with_setting(const Algorithm& algorithm, OptionValues values, const Guard& guard);

struct MutantResult {
  const Guard* guard = nullptr;
  bool caught = false;
  std::uint64_t seeds = 0;  // until it was caught, that one included; or all that were run
  std::string check;        // that caught it, by its name in check_names.h
  Failure failure;          // of the seed that caught it
};

// Runs seeds, as `options` say, with `guard` left out until one fails that does not fail with it.
// Only in a build where guards can be left out, and not from two threads.
MutantResult check_mutant(const Algorithm& algorithm, const OptionValues& values,
                          SeedsOptions options, const Guard& guard);

}  // namespace parley::sim
