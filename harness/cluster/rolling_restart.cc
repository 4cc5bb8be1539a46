#include "harness/cluster/rolling_restart.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace parley::harness {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr auto kPoll = 5ms;
constexpr auto kReportLimit = 500ms;

// How far a node is, in what its strategy counts.
struct Progress {
  std::uint64_t applied = 0;
  bool led = false;      // it knows a leader
  bool outside = false;  // it waits to be added, and gets nothing
};

std::optional<Progress> progress_of(const std::string& report, bool ordered) {
  const Json json = Json::parse(report, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return Progress{json.value(ordered ? "applied" : "written_cells", std::uint64_t{0}),
                  json.value("leader", std::uint32_t{0}) != 0,
                  json.value("part", std::string()) == "outsider"};
}

}  // namespace

RollingRestart::RollingRestart(Cluster& cluster, RollingRestartOptions options)
    : cluster_(cluster), options_(std::move(options)), thread_([this] { run(); }) {}

RollingRestart::~RollingRestart() {
  cut_short();
}

void RollingRestart::cut_short() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void RollingRestart::run() {
  try {
    for (const Member& member : cluster_.members()) {
      if (stop_) break;
      restart(member.id);
    }
  } catch (const std::exception& error) {
    problem_ = error.what();
    cluster_.note("the rolling restart has ended early: " + problem_);
  }
  over_ = true;
  if (options_.ended) options_.ended(problem_);
}

void RollingRestart::restart(NodeId node) {
  NodeRestart restart{node, {}, {}, {}};
  if (options_.before_stop) options_.before_stop(node);
  restart.asked = cluster_.ask_to_stop(node);
  await_end(node);
  pause(options_.down);
  if (options_.before_start) options_.before_start(node);
  cluster_.restart(node);
  restart.started = Clock::now();
  await_caught_up(node);
  restart.caught_up = Clock::now();
  if (stop_) return;
  cluster_.note(fmt::format("node {} has caught up", node.value));
  restarts_.push_back(restart);
}

// Also when it is cut short: a node that was asked to stop has to be started again.
void RollingRestart::await_end(NodeId node) const {
  const auto until = Clock::now() + options_.patience;
  const auto runs = [&] {
    const std::vector<NodeId> running = cluster_.running();
    return std::find(running.begin(), running.end(), node) != running.end();
  };
  while (runs()) {
    if (Clock::now() > until)
      throw ClusterError(fmt::format("node {} did not end within {} ms of SIGTERM", node.value,
                                     options_.patience.count()));
    std::this_thread::sleep_for(kPoll);
  }
}

void RollingRestart::await_caught_up(NodeId node) const {
  const Guarantee& guarantee = cluster_.algorithm().guarantee;
  const auto until = Clock::now() + options_.patience;
  std::optional<std::uint64_t> goal;
  while (!stop_) {
    std::map<NodeId, Progress> all;
    for (const auto& [id, report] : cluster_.reports(kReportLimit)) {
      if (const auto progress = progress_of(report, guarantee.ordered)) all[id] = *progress;
    }
    const auto own = all.find(node);
    if (own != all.end()) {
      std::uint64_t most = 0;
      for (const auto& [id, progress] : all) most = std::max(most, progress.applied);
      if (!goal) goal = most;
      if (own->second.outside) return;
      if (own->second.applied >= *goal && (own->second.led || !guarantee.led)) return;
    }
    if (Clock::now() > until)
      throw ClusterError(fmt::format("node {} has not caught up within {} ms of its start",
                                     node.value, options_.patience.count()));
    std::this_thread::sleep_for(kPoll);
  }
}

// In steps, so that it can be cut short.
void RollingRestart::pause(std::chrono::milliseconds time) const {
  const auto until = Clock::now() + time;
  while (!stop_ && Clock::now() < until) {
    std::this_thread::sleep_for(std::min<Clock::duration>(kPoll, until - Clock::now()));
  }
}

}  // namespace parley::harness
