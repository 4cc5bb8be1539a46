// Breaks valid inputs in the ways that libFuzzer does, without knowing what they mean.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "algorithms/contract/random.h"

namespace parley::fuzz {

// One of `seeds`, which are not empty, broken once or a few times; at most `max_bytes` long.
std::string mutate(std::span<const std::string> seeds, std::size_t max_bytes, Random& random);

}  // namespace parley::fuzz
