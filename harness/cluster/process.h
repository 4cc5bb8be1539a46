// Child processes that never outlive this one.
//
// A child asks the kernel to kill it when the thread that forked it dies (prctl(2),
// PR_SET_PDEATHSIG), which holds even when this process is killed with kill -9. Therefore one
// thread that lives as long as the process forks all children. Each child leads a process group of
// its own, so that a Ctrl-C on the terminal reaches only this process, which then ends them in good
// order.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace parley::harness {

// What a process has used since its start.
struct ProcessUsage {
  double cpu_s = 0;   // all threads, precise
  double user_s = 0;  // in steps of the kernel's tick, usually 10 ms
  double system_s = 0;
  std::uint64_t peak_rss_bytes = 0;
  std::uint64_t voluntary_switches = 0;  // of the threads that live
  std::uint64_t involuntary_switches = 0;
  // What it caused to be written to disk, in whole pages, also those that are still to be written
  // (proc(5), write_bytes of io). Nothing where the kernel does not count it.
  std::optional<std::uint64_t> written_bytes{};
};

// Of two processes one after the other.
ProcessUsage operator+(const ProcessUsage& earlier, ProcessUsage later);

// Reads the figures of a process from /proc; nothing if it is gone.
std::optional<ProcessUsage> read_usage(pid_t pid);

class ChildProcess {
 public:
  struct Command {
    std::filesystem::path executable;
    std::vector<std::string> arguments;  // after the program's name
    std::filesystem::path output;        // standard output and error are appended to it
  };

  // Starts the program. Throws std::system_error if it cannot be started.
  explicit ChildProcess(const Command& command);
  // Kills it if it still runs, and waits for its end.
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Whether it still runs. Collects its exit status when it does not.
  bool running();
  // Waits for its end; false if it still runs after `limit`.
  bool wait(std::chrono::milliseconds limit);
  // Sends a signal to its process group, if it still runs.
  void signal(int number);
  // Stops it (SIGSTOP) and returns once it stands still; SIGCONT lets it go on. False if it has
  // ended.
  bool pause();
  // kill -9 and wait for the end.
  void kill();
  // How it ended, in words: "exit status 1", "killed by signal 9 (Killed)"; empty while it runs.
  [[nodiscard]] std::string ending() const;
  // Nothing once it has ended.
  [[nodiscard]] std::optional<ProcessUsage> usage() const;

 private:
  pid_t pid_ = -1;  // -1: moved from
  int pidfd_ = -1;
  bool ended_ = false;
  int status_ = 0;  // of waitpid, once it has ended
};

}  // namespace parley::harness
