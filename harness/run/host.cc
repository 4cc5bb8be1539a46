#include "harness/run/host.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <vector>

namespace parley::harness {
namespace {

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  utsname names{};
  return uname(&names) == 0 ? names.machine : "unknown";
}

std::uint32_t usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return static_cast<std::uint32_t>(CPU_COUNT(&set));
  return static_cast<std::uint32_t>(sysconf(_SC_NPROCESSORS_ONLN));
}

std::optional<double> disk_sync_us(const std::filesystem::path& folder) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t kMaxSyncs = 100;
  constexpr auto kLimit = std::chrono::milliseconds(200);
  std::string name = (folder / ".disk_sync_XXXXXX").string();
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  unlink(name.c_str());
  const std::array<char, 128> block{};
  std::vector<double> times;
  const auto begin = Clock::now();
  while (times.size() < kMaxSyncs && Clock::now() - begin < kLimit) {
    const auto before = Clock::now();
    if (write(fd, block.data(), block.size()) != static_cast<ssize_t>(block.size()) ||
        fdatasync(fd) != 0)
      break;
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - before).count());
  }
  close(fd);
  if (times.empty()) return std::nullopt;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace

HostInfo inspect_host(const std::filesystem::path& folder) {
  HostInfo host;
  host.cpu = cpu_name();
  host.cores = usable_cores();
  host.memory_bytes = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  utsname names{};
  if (uname(&names) == 0) host.kernel = names.release;
  host.disk_sync_us_p50 = disk_sync_us(folder);
  return host;
}

}  // namespace parley::harness
