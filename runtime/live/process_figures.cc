#include "runtime/live/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace parley {
namespace {

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

ProcessFigures process_figures() {
  ProcessFigures figures;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    figures.user_us = microseconds(usage.ru_utime);
    figures.system_us = microseconds(usage.ru_stime);
    figures.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    figures.voluntary_switches = static_cast<std::uint64_t>(usage.ru_nvcsw);
    figures.involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw);
  }
  // The second number is the resident size in pages (proc(5)).
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size_pages = 0;
  std::uint64_t resident_pages = 0;
  if (statm >> size_pages >> resident_pages) {
    figures.rss_bytes = resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  return figures;
}

}  // namespace parley
