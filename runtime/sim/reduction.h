// What is left of an execution in which a failure shows as well (reduce.h), as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/time.h"

namespace parley::sim {

// Times are those of phase one without the rests between bouts, in whole milliseconds: there a
// strike of the nemesis has the same time in every execution of the seed.
struct Reduction {
  Duration from{};   // where phase one begins
  Duration until{};  // where it ends; after `from`
  // Strikes that happen, by their numbers from 1 in rising order; unset: all of that time. Of a
  // schedule these are its faults.
  std::optional<std::vector<std::uint32_t>> strikes;
  std::uint32_t clients = 0;                // 1 to 1000; 0: as many as otherwise
  std::optional<std::uint64_t> operations;  // after so many phase one's clients ask nothing more
  bool operator==(const Reduction&) const = default;
};

// As --reduced has it: "from=112.5;until=117.7;strikes=203,207;clients=1;operations=61", where
// strikes may be "none" and only `until` must be there.
std::string to_text(const Reduction& reduction);
// Reads that. Returns an empty string, or what is wrong and what is allowed.
std::string parse_reduction(std::string_view text, Reduction& reduction);

}  // namespace parley::sim
