// Progress of a sweep on standard error.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "harness/sweep/duration_text.h"
#include "harness/sweep/sweep.h"

namespace parley::harness {
namespace {

// Writes lines, and on a terminal one more that is rewritten.
class Printer {
 public:
  explicit Printer(bool terminal) : terminal_(terminal) {}

  void status(const SweepProgress& progress) {
    if (!terminal_) return;
    fmt::print(stderr, "\r\x1b[K[{}/{}] {}: {}, {} left", progress.finished + 1, progress.total,
               progress.run, progress.phase, duration_text(progress.seconds_left));
    std::fflush(stderr);
  }

  void line(const std::string& text) {
    fmt::print(stderr, "{}{}\n", terminal_ ? "\r\x1b[K" : "", text);
    std::fflush(stderr);
  }

 private:
  bool terminal_;
};

}  // namespace

SweepCallbacks progress_printer() {
  const auto printer = std::make_shared<Printer>(isatty(STDERR_FILENO) != 0);
  SweepCallbacks callbacks;
  callbacks.on_phase = [printer](const SweepProgress& progress) { printer->status(progress); };
  callbacks.on_run = [printer](const SweepProgress& progress, const ResultRow& row) {
    printer->line(fmt::format("[{}/{}] {}: {}; {} left", progress.finished, progress.total,
                              progress.run, result_line(row),
                              duration_text(progress.seconds_left)));
  };
  callbacks.on_skipped = [printer](const SkippedRun& skipped) {
    printer->line("left out: " + skipped_line(skipped));
  };
  return callbacks;
}

}  // namespace parley::harness
