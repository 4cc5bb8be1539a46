#include "harness/cli/reports.h"

#include <unistd.h>

#include <cstdlib>

#include "harness/cli/software.h"

namespace parley::cli {
namespace {

namespace fs = std::filesystem;

}  // namespace

fs::path reports_folder() {
  const fs::path programs = fs::read_symlink("/proc/self/exe").parent_path();
  std::error_code error;
  if (fs::equivalent(programs, kBuildFolder, error)) return fs::path(kSourceFolder) / "reports";
  return (programs / kDataFromPrograms / "reports").lexically_normal();
}

bool on_path(const std::string& program) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): one thread
  std::string rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    if (access((rest.substr(0, colon) + "/" + program).c_str(), X_OK) == 0) return true;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  return false;
}

std::string report_problem() {
  const fs::path folder = reports_folder();
  if (!fs::exists(folder / "render.mjs")) {
    return "no report can be made: its scripts are not in " + folder.string() +
           "; install with cmake --install, or run ./parley in a checkout of the source";
  }
  if (!on_path("node")) return "no report can be made without node: install the package nodejs";
  if (!fs::exists(folder / "node_modules")) {
    return "no report can be made: the plot modules are missing; install them with: npm ci "
           "--prefix " +
           folder.string();
  }
  return {};
}

}  // namespace parley::cli
