// One line of progress that is redrawn on a terminal; elsewhere a plain line now and then.
#pragma once

#include <chrono>
#include <string>

namespace parley::cli {

// Writes to standard error. Used by one thread at a time.
class Progress {
 public:
  Progress();
  // Ends the redrawn line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows `text` for work of which the share `done` (0 to 1) is finished; adds the time left.
  void show(double done, const std::string& text);

 private:
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace parley::cli
