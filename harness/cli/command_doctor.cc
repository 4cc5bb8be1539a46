// parley doctor: what this machine has and lacks.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "harness/cli/commands.h"
#include "harness/cli/reports.h"
#include "harness/cli/software.h"

namespace parley::cli {
namespace {

namespace fs = std::filesystem;

struct Finding {
  std::string what;
  std::string found;
  bool good = true;
  std::string consequence = {};  // of what is lacking
};

Finding cores() {
  const unsigned count = std::thread::hardware_concurrency();
  return {"cores", std::to_string(count), count >= 8,
          "nodes and clients share cores: more nodes show their cost, not how they scale"};
}

Finding memory() {
  const auto bytes =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  const double gib = bytes / (1 << 30);
  return {"memory", fmt::format("{:.1f} GiB", gib), gib >= 4, "long runs may exhaust it"};
}

Finding open_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return {"open files", std::to_string(limit.rlim_cur), limit.rlim_cur >= 4096,
          "raise it with `ulimit -n` for clusters of many nodes"};
}

Finding kernel() {
  utsname name{};
  uname(&name);
  return {"kernel", fmt::format("{} {}", name.sysname, name.release)};
}

Finding build_type() {
  return {"build", fmt::format("{} by {}", kBuildType, kCompiler), kBuildType == "Release",
          "figures of an unoptimised build mean nothing"};
}

Finding tool(const std::string& program, const std::string& use) {
  const bool there = on_path(program);
  return {program, there ? "there" : "missing", there, use};
}

Finding plot_modules() {
  const fs::path folder = reports_folder();
  const bool there = fs::exists(folder / "node_modules");
  return {"plot modules", there ? "there" : "missing", there,
          "reports cannot be made: npm ci --prefix " + folder.string() +
              ", which `./parley report` does in a checkout"};
}

// The median time to make 4 KiB durable in the temporary folder.
Finding disk_sync() {
  std::string file = (fs::temp_directory_path() / "parley-doctor-XXXXXX").string();
  const int descriptor = mkstemp(file.data());
  if (descriptor < 0) return {"disk sync", "not measured", false, "no temporary file can be made"};
  std::array<double, 21> times{};
  const std::array<char, 4096> block{};
  for (double& time : times) {
    const auto start = std::chrono::steady_clock::now();
    if (write(descriptor, block.data(), block.size()) < 0 || fdatasync(descriptor) != 0) break;
    time =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  }
  close(descriptor);
  fs::remove(file);
  std::sort(times.begin(), times.end());
  return {"disk sync", fmt::format("{:.0f} µs (median of 21, 4 KiB)", times[10])};
}

}  // namespace

int run_doctor(const DoctorOptions& options) {
  const std::vector<Finding> findings = {
      kernel(),
      build_type(),
      cores(),
      memory(),
      open_files(),
      disk_sync(),
      tool("node", "reports cannot be made: install nodejs"),
      tool("npm", "the plot modules cannot be installed: install npm"),
      tool("rsvg-convert", "plots cannot be written as PDF: install librsvg2-bin"),
      plot_modules(),
  };
  if (options.common.json) {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const Finding& finding : findings) {
      json.push_back({{"what", finding.what}, {"found", finding.found}, {"good", finding.good}});
      if (!finding.good) json.back()["consequence"] = finding.consequence;
    }
    fmt::print("{}\n", nlohmann::ordered_json{{"findings", json}}.dump(2));
    return kDone;
  }
  for (const Finding& finding : findings) {
    fmt::print("{} {:<13} {}\n", finding.good ? "ok  " : "note", finding.what, finding.found);
    if (!finding.good) fmt::print("     {:<13} {}\n", "", finding.consequence);
  }
  return kDone;
}

}  // namespace parley::cli
