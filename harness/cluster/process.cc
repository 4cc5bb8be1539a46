#include "harness/cluster/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <mutex>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace parley::harness {
namespace {

// Runs functions, one at a time, on a thread that ends with the process and not before.
class Keeper {
 public:
  static Keeper& instance() {
    static Keeper* const keeper = new Keeper;  // never destroyed: its thread must not end early
    return *keeper;
  }

  // Runs `task` on the thread and returns when it is done. `task` must not throw.
  void run(const std::function<void()>& task) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return task_ == nullptr; });
    task_ = &task;
    changed_.notify_all();
    changed_.wait(lock, [this, &task] { return task_ != &task; });
  }

 private:
  Keeper() {
    std::thread([this] { loop(); }).detach();
  }

  [[noreturn]] void loop() {
    // Signals are for the program's own threads.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return task_ != nullptr; });
      (*task_)();
      task_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* task_ = nullptr;
};

// What the child needs between fork and exec, where only async-signal-safe calls are allowed.
struct Launch {
  const char* executable;
  char* const* arguments;
  int output;   // becomes standard output and error
  int failure;  // errno goes here if exec fails; closed by a successful exec
  pid_t parent;
};

[[noreturn]] void become(const Launch& launch) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != launch.parent) _exit(127);  // the parent died before the line above
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  const int input = open("/dev/null", O_RDONLY);
  dup2(input, STDIN_FILENO);
  dup2(launch.output, STDOUT_FILENO);
  dup2(launch.output, STDERR_FILENO);
  execv(launch.executable, launch.arguments);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(launch.failure, &error, sizeof error);
  _exit(127);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::system_error(error, std::generic_category(), what);
}

int open_pidfd(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

// Sums "<name>:<tab><number>" over the status files of all threads.
std::uint64_t sum_over_threads(pid_t pid, const std::string& name) {
  std::uint64_t sum = 0;
  std::error_code error;
  const std::filesystem::path tasks = fmt::format("/proc/{}/task", pid);
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(name + ':')) sum += std::stoull(line.substr(name.size() + 1));
    }
  }
  return sum;
}

std::optional<std::uint64_t> written_bytes(pid_t pid) {
  constexpr std::string_view kName = "write_bytes: ";
  std::ifstream io(fmt::format("/proc/{}/io", pid));
  for (std::string line; std::getline(io, line);) {
    if (line.starts_with(kName)) return std::stoull(line.substr(kName.size()));
  }
  return std::nullopt;
}

std::uint64_t peak_rss(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

}  // namespace

ProcessUsage operator+(const ProcessUsage& earlier, ProcessUsage later) {
  later.cpu_s += earlier.cpu_s;
  later.user_s += earlier.user_s;
  later.system_s += earlier.system_s;
  later.peak_rss_bytes = std::max(later.peak_rss_bytes, earlier.peak_rss_bytes);
  later.voluntary_switches += earlier.voluntary_switches;
  later.involuntary_switches += earlier.involuntary_switches;
  if (later.written_bytes) *later.written_bytes += earlier.written_bytes.value_or(0);
  return later;
}

std::optional<ProcessUsage> read_usage(pid_t pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(stat, line)) return std::nullopt;
  // The name in parentheses may hold anything; the state follows it. utime and stime are the 12th
  // and 13th field after the name (proc(5)).
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  if (!(fields >> user >> system)) return std::nullopt;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  ProcessUsage usage;
  usage.user_s = user / ticks;
  usage.system_s = system / ticks;
  usage.cpu_s = usage.user_s + usage.system_s;
  clockid_t clock;
  timespec spent{};
  if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &spent) == 0) {
    usage.cpu_s = static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
  }
  usage.peak_rss_bytes = peak_rss(pid);
  usage.written_bytes = written_bytes(pid);
  usage.voluntary_switches = sum_over_threads(pid, "voluntary_ctxt_switches");
  usage.involuntary_switches = sum_over_threads(pid, "nonvoluntary_ctxt_switches");
  return usage;
}

ChildProcess::ChildProcess(const Command& command) {
  const std::string executable = command.executable.string();
  std::vector<std::string> words{executable};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const Descriptor output(
      open(command.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (output.get() < 0) fail(command.output.string(), errno);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe", errno);
  const Descriptor told(ends[0]);
  Descriptor telling(ends[1]);
  const Launch launch{executable.c_str(), arguments.data(), output.get(), telling.get(), getpid()};

  int fork_error = 0;
  Keeper::instance().run([&] {
    pid_ = fork();
    if (pid_ == 0) become(launch);
    fork_error = errno;
  });
  if (pid_ < 0) fail("fork", fork_error);
  telling.close();
  int exec_error = 0;
  const ssize_t got = read(told.get(), &exec_error, sizeof exec_error);
  if (got == static_cast<ssize_t>(sizeof exec_error)) {
    waitpid(pid_, nullptr, 0);
    fail(executable, exec_error);
  }
  pidfd_ = open_pidfd(pid_);
  if (pidfd_ < 0) {
    const int error = errno;
    kill();
    fail("pidfd_open", error);
  }
  fcntl(pidfd_, F_SETFD, FD_CLOEXEC);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::exchange(other.pidfd_, -1)),
      ended_(other.ended_),
      status_(other.status_) {}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) kill();
  if (pidfd_ >= 0) close(pidfd_);
}

bool ChildProcess::running() {
  if (!ended_) ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

bool ChildProcess::wait(std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (running()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() < 0) return false;
    pollfd ended{pidfd_, POLLIN, 0};
    poll(&ended, 1, static_cast<int>(left.count()) + 1);
  }
  return true;
}

void ChildProcess::signal(int number) {
  if (running()) ::kill(-pid_, number);
}

bool ChildProcess::pause() {
  signal(SIGSTOP);
  // The end is left for running() to collect.
  siginfo_t change{};
  while (running() &&
         waitid(P_PID, static_cast<id_t>(pid_), &change, WSTOPPED | WEXITED | WNOWAIT) < 0 &&
         errno == EINTR) {
  }
  return running();
}

void ChildProcess::kill() {
  if (ended_) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // in case it has not made its group yet
  while (waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
  }
  ended_ = true;
}

std::string ChildProcess::ending() const {
  if (!ended_) return {};
  if (WIFEXITED(status_)) return fmt::format("exit status {}", WEXITSTATUS(status_));
  const int number = WTERMSIG(status_);
  return fmt::format("killed by signal {} ({})", number, sigdescr_np(number));
}

std::optional<ProcessUsage> ChildProcess::usage() const {
  return ended_ ? std::nullopt : read_usage(pid_);
}

}  // namespace parley::harness
