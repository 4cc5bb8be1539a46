// Ctrl-C as a wish that long work looks at, so that it can end in good order.
#pragma once

#include <atomic>

namespace parley::harness {

// While an object lives, SIGINT, SIGTERM and SIGHUP only set a flag. A second one ends the program
// at once; child processes end with it (harness/cluster/process.h). At most one object at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // True once the user wants the program to end. Lives as long as the program.
  static const std::atomic<bool>& requested();
};

}  // namespace parley::harness
