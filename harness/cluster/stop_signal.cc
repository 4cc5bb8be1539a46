#include "harness/cluster/stop_signal.h"

#include <csignal>

namespace parley::harness {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // written in a signal handler

void on_signal(int /*number*/) {
  stop_requested.store(true);
}

}  // namespace

StopSignal::StopSignal() {
  stop_requested = false;
  struct sigaction action {};
  action.sa_handler = on_signal;
  // Back to the default with the first signal: the second one kills. No SA_RESTART: waiting calls
  // return, and their callers look at the flag.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int number : kSignals) sigaction(number, &action, nullptr);
}

StopSignal::~StopSignal() {
  for (const int number : kSignals) std::signal(number, SIG_DFL);
}

const std::atomic<bool>& StopSignal::requested() {
  return stop_requested;
}

}  // namespace parley::harness
