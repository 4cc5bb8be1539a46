// Durations for people.
#pragma once

#include <string>

namespace parley::harness {

// "1 h 02 min", "3 min 20 s", "12 s".
std::string duration_text(double seconds);

}  // namespace parley::harness
