// Rules that real systems broke. In a build made for it (PARLEY_MUTANTS) each of them can be left
// out, to see whether the checks notice: a check that never met its bug proves nothing.
#pragma once

#include <string_view>

namespace parley {

// A guard is one object for the whole program: `inline constexpr Guard kVoteStored{...}`.
struct Guard {
  std::string_view name;  // as --mutants spells it
  std::string_view rule;  // what holds as long as the guard is there
  std::string_view setting =
      {};  // options, as NAME=VALUE NAME=VALUE, without which it hardly matters
};

#ifdef PARLEY_MUTANTS
inline constexpr bool kGuardsCanBeLeftOut = true;
// The guard that is left out in this process; null: none is. Not to be set while replicas run.
inline const Guard* left_out = nullptr;
inline bool holds(const Guard& guard) {
  return left_out != &guard;
}
#else
// Everywhere else guards cost nothing and cannot be left out.
inline constexpr bool kGuardsCanBeLeftOut = false;
constexpr bool holds(const Guard&) {
  return true;
}
#endif

}  // namespace parley
