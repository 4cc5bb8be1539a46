#include "harness/run/bare_path.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/cluster/process.h"
#include "harness/run/run_files.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartAndEnd = 20s;  // what the program may take around its measurement
constexpr auto kPoll = 50ms;

Algorithm describe() {
  Algorithm path;
  path.name = "bare_path";
  path.summary = "client, leader, majority, client over ZeroMQ, without an algorithm";
  path.guarantee.summary = "none: the ceiling of the transport, not a strategy";
  return path;
}

std::filesystem::path program_of(const RunEnvironment& environment) {
  if (!environment.bare_path.empty()) return environment.bare_path;
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "parley_bare_path";
}

// Waits for the program's end. Empty, or why it did not end well.
std::string await(ChildProcess& process, const RunSpec& spec, const RunEnvironment& environment) {
  const auto limit = std::chrono::duration<double>(spec.warmup_s + spec.duration_s) + kStartAndEnd;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!process.wait(kPoll)) {
    if (environment.stop != nullptr && *environment.stop) return "stopped";
    if (std::chrono::steady_clock::now() > deadline) return "parley_bare_path did not end in time";
  }
  if (process.ending() == "exit status 0") return {};
  return "parley_bare_path: " + process.ending() + ", see bare_path.log";
}

// The summary that the program printed last, or nothing.
std::string printed_summary(const std::filesystem::path& output) {
  std::ifstream in(output);
  std::string summary;
  for (std::string line; std::getline(in, line);) {
    if (nlohmann::json::accept(line)) summary = line;
  }
  return summary;
}

}  // namespace

const Algorithm& bare_path() {
  static const Algorithm path = describe();
  return path;
}

std::string impossible_on_bare_path(const RunSpec& spec) {
  const RunSpec usual;
  const auto needs = [](std::string_view what) {
    return fmt::format("bare_path runs only with {}", what);
  };
  if (!spec.closed_loop) return needs("loop = \"closed\"");
  if (spec.faults != usual.faults) return needs("faults = \"none\"");
  if (spec.links != usual.links) return needs("links = \"loopback\"");
  if (spec.durability != usual.durability) return needs("durability = \"none\"");
  if (spec.workload != usual.workload) return needs("workload = \"uniform\"");
  if (spec.read_share != usual.read_share) return needs("read_share = 0");
  if (spec.record != usual.record) return needs("record = \"none\"");
  return {};
}

RunOutcome run_bare_path(const RunSpec& spec, const std::filesystem::path& folder,
                         const RunEnvironment& environment) {
  RunFindings findings;
  findings.started_at = utc_now();
  findings.load_spec.clients = 1;
  findings.notes = {"bare_path: one client without sessions, commands of 16 bytes, no application"};
  if (environment.on_phase) environment.on_phase("measuring");

  const std::filesystem::path output = folder / "bare_path.log";
  std::string reason;
  try {
    ChildProcess process(
        {program_of(environment),
         {"--nodes", std::to_string(spec.nodes), "--window", std::to_string(spec.window), "--batch",
          std::to_string(spec.batch), "--warmup-seconds", std::to_string(spec.warmup_s),
          "--seconds", std::to_string(spec.duration_s), "--json"},
         output});
    reason = await(process, spec, environment);
  } catch (const std::system_error& error) {
    reason = error.what();
  }
  if (environment.stop != nullptr && *environment.stop) return {RunState::stopped, {}, false};
  const std::string summary = printed_summary(output);
  if (reason.empty() && summary.empty()) reason = "parley_bare_path printed no figures";
  if (!reason.empty()) findings.notes.push_back("failed: " + reason);
  write_manifest(folder, spec, environment, findings);
  if (!reason.empty()) return {RunState::failed, reason, false};
  write_text(folder / "summary.json", summary + "\n");
  return {RunState::done, {}, false};
}

}  // namespace parley::harness
