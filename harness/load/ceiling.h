// The most that the load generator itself can do on this machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace parley::load {

// How the figure comes about, for a run's manifest.
inline constexpr std::string_view kCeilingMethod =
    "closed loop, 1,024 messages in flight for 0.2 s, over loopback tcp to a peer in the same "
    "process that answers at once; the best of three";

// Operations per second of the closed loop with messages of `batch` commands (1 to 64), against a
// peer that does nothing but answer. It is what was reached, and so a lower bound: with nodes on
// the same cores the generator has less of them, on a quieter machine it could do more. Takes about
// a second. 0 if it cannot be found out.
double measure_ceiling(std::uint32_t batch);

}  // namespace parley::load
