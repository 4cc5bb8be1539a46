#include "harness/load/event_thread.h"

#include <algorithm>
#include <vector>

namespace parley::load {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kProgressEvery(100);

}  // namespace

EventThread::EventThread(const LoadEvents& events, Duration whole)
    : events_(events), began_(Clock::now()), whole_(whole), thread_([this] { run(); }) {}

EventThread::~EventThread() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    ended_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void EventThread::begin_window(Clock::time_point zero) {
  {
    const std::lock_guard lock(mutex_);
    zero_ = zero;
  }
  changed_.notify_all();
}

void EventThread::end_window() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

void EventThread::finish() {
  end_window();
  if (thread_.joinable()) thread_.join();
  if (error_ != nullptr) std::rethrow_exception(error_);
}

void EventThread::run() {
  try {
    run_events();
  } catch (...) {
    error_ = std::current_exception();
  }
}

void EventThread::run_events() {
  std::vector<const LoadEvents::Timed*> timed;
  for (const LoadEvents::Timed& event : events_.timed) timed.push_back(&event);
  std::stable_sort(timed.begin(), timed.end(),
                   [](const auto* a, const auto* b) { return a->at < b->at; });
  bool in_window = wait_until(Duration{});
  if (in_window && events_.measure_start) events_.measure_start(*zero_);
  const bool started = in_window;
  for (const LoadEvents::Timed* event : timed) {
    in_window = in_window && wait_until(event->at);
    if (in_window) event->run();
  }
  if (in_window) wait_until(std::nullopt);
  {
    const std::lock_guard lock(mutex_);
    if (abandoned_) return;
  }
  if (started && events_.measure_end) events_.measure_end();
}

bool EventThread::wait_until(std::optional<Duration> moment) {
  std::unique_lock lock(mutex_);
  const auto due = [this, moment] {
    return zero_ && moment ? *zero_ + *moment : Clock::time_point::max();
  };
  while (!ended_ && Clock::now() < due()) {
    changed_.wait_until(lock, std::min(due(), Clock::now() + kProgressEvery));
    if (ended_ || !events_.progress) continue;
    const double done = std::chrono::duration<double>(Clock::now() - began_) / whole_;
    lock.unlock();
    events_.progress(std::clamp(done, 0.0, 1.0), completed_.load());
    lock.lock();
  }
  return !ended_;
}

}  // namespace parley::load
