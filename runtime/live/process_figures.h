// What this process has cost so far.
#pragma once

#include <cstdint>

namespace parley {

struct ProcessFigures {
  std::uint64_t user_us = 0;  // CPU time, all threads
  std::uint64_t system_us = 0;
  std::uint64_t rss_bytes = 0;
  std::uint64_t peak_rss_bytes = 0;
  std::uint64_t voluntary_switches = 0;    // a thread waited
  std::uint64_t involuntary_switches = 0;  // a thread was made to wait
};

// Of the calling process, now. Figures that the system does not tell are 0.
ProcessFigures process_figures();

}  // namespace parley
