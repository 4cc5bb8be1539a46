// All algorithms that this build knows.
#pragma once

#include <span>
#include <string_view>

#include "algorithms/contract/algorithm.h"

namespace parley {

// In the order in which people read them.
std::span<const Algorithm* const> algorithms();

// The algorithm of that name, or null.
const Algorithm* find_algorithm(std::string_view name);

}  // namespace parley
