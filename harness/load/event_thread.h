// Calls a run's LoadEvents at their times, apart from the thread that generates load.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "harness/load/load.h"

namespace parley::load {

class EventThread {
 public:
  // `events` must outlive the thread. `whole` is the length of the load with warm-up, for progress.
  EventThread(const LoadEvents& events, Duration whole);
  ~EventThread();  // gives up what is not due
  EventThread(const EventThread&) = delete;
  EventThread& operator=(const EventThread&) = delete;

  // When the measured window begins, once that is known.
  void begin_window(std::chrono::steady_clock::time_point zero);
  void set_completed(std::uint64_t completed) { completed_.store(completed); }
  // The measured window is over: timed events that are not due are given up.
  void end_window();
  // Waits until measure_end has returned. What a callback threw is thrown here.
  void finish();

 private:
  void run();
  void run_events();
  // Waits for the moment, counted from the start of the measured window, or without one for the
  // window's end, with progress on the way. False when the window ended before.
  bool wait_until(std::optional<Duration> moment);

  const LoadEvents& events_;
  std::optional<std::chrono::steady_clock::time_point> zero_;  // guarded until it is there
  std::chrono::steady_clock::time_point began_;
  Duration whole_;
  std::atomic<std::uint64_t> completed_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  bool abandoned_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace parley::load
