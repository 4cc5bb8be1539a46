#include "harness/cli/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "harness/sweep/duration_text.h"

namespace parley::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(200);
constexpr auto kPlainLine = std::chrono::seconds(10);

}  // namespace

Progress::Progress()
    : terminal_(isatty(STDERR_FILENO) == 1),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
}

void Progress::show(double done, const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < (terminal_ ? kRedraw : kPlainLine)) return;
  last_ = now;
  std::string line = text;
  if (done > 0 && done < 1) {
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    line += fmt::format(", {} left", harness::duration_text(elapsed * (1 - done) / done));
  }
  if (terminal_) {
    fmt::print(stderr, "\r\033[K{}", line);
    drawn_ = true;
  } else {
    fmt::print(stderr, "{}\n", line);
  }
  std::fflush(stderr);
}

}  // namespace parley::cli
