#include "harness/run/fault_injector.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace parley::harness {
namespace {

using Kind = ScheduledFault::Kind;

constexpr std::chrono::seconds kLeaderPatience{10};
constexpr std::chrono::milliseconds kLeaderPoll{20};

double ms(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::string detail_of(const ScheduledFault& fault) {
  switch (fault.kind) {
    case Kind::slow_link:
      return fmt::format("delay {} ms; jitter {} ms; loss {} %", fault.slower.delay_us / 1e3,
                         fault.slower.jitter_us / 1e3, fault.slower.loss_per_million / 1e4);
    case Kind::slow_disk:
      return fmt::format("each write {} ms longer", ms(fault.write_delay));
    case Kind::clock_step:
      return fmt::format("by {} ms", ms(fault.clock_step));
    case Kind::rolling_restart:
      return fmt::format("each node away for {} ms", ms(fault.down));
    default:
      return {};
  }
}

NodeFaults node_faults_of(const ScheduledFault& fault) {
  return {fault.clock_step, {fault.write_delay, fault.kind == Kind::full_disk}};
}

// Whether it is about what a node has for itself.
bool of_node(Kind kind) {
  return kind == Kind::slow_disk || kind == Kind::full_disk || kind == Kind::clock_step;
}

// Whether the nodes that it hits end.
bool ends_nodes(Kind kind) {
  return kind == Kind::kill || kind == Kind::restart || kind == Kind::full_disk;
}

}  // namespace

FaultInjector::FaultInjector(Cluster& cluster, const FaultSchedule& schedule, InjectorHooks hooks)
    : cluster_(cluster), schedule_(schedule), hooks_(std::move(hooks)), progress_(schedule.size()) {
  for (const ScheduledFault& fault : schedule_) {
    InjectedFault& account = faults_.emplace_back();
    account.fault = fault.name();
    account.detail = detail_of(fault);
  }
}

void FaultInjector::begin(std::size_t place) {
  const ScheduledFault& fault = schedule_[place];
  InjectedFault& account = faults_[place];
  progress_[place].phase = fault.kind == Kind::kill ? Phase::over : Phase::lasts;
  if (fault.kind == Kind::rolling_restart) return begin_rolling(place);
  try {
    if (ends_nodes(fault.kind) && hooks_.before_end) hooks_.before_end();
    const Cluster::Struck struck = strike(fault, account.links);
    account.node = struck.node;
    account.nodes = struck.others;
    if (struck.node != kNoNode) account.nodes.push_back(struck.node);
    if (fault.of_links()) account.nodes = connected_with(struck.node, account.links);
    std::sort(account.nodes.begin(), account.nodes.end());
    account.injected_ms = in_window(struck.at);
    if (!ends_nodes(fault.kind)) return;
    for (const NodeId node : account.nodes)
      account.absences.push_back({node, account.injected_ms, {}, {}});
  } catch (const std::exception& error) {
    account.problem = error.what();
  }
}

void FaultInjector::begin_rolling(std::size_t place) {
  RollingRestartOptions options;
  options.down = std::chrono::round<std::chrono::milliseconds>(schedule_[place].down);
  if (hooks_.before_end) options.before_stop = [this](NodeId) { hooks_.before_end(); };
  options.before_start = hooks_.before_start;
  faults_[place].injected_ms = in_window(std::chrono::steady_clock::now());
  progress_[place].rolling = std::make_unique<RollingRestart>(cluster_, std::move(options));
}

void FaultInjector::end_rolling(std::size_t place) {
  RollingRestart& rolling = *progress_[place].rolling;
  InjectedFault& account = faults_[place];
  const bool in_time = rolling.over();
  rolling.cut_short();
  for (const NodeRestart& restart : rolling.restarts()) {
    account.nodes.push_back(restart.node);
    account.absences.push_back({restart.node, in_window(restart.asked), in_window(restart.started),
                                in_window(restart.caught_up)});
  }
  account.problem = rolling.problem();
  if (account.problem.empty() && !in_time) {
    account.problem = fmt::format("only {} of {} nodes were back and had caught up within {:.1f} s",
                                  rolling.restarts().size(), cluster_.members().size(),
                                  ms(schedule_[place].lasts) / 1000);
  }
  if (!rolling.restarts().empty())
    account.ended_ms = in_window(rolling.restarts().back().caught_up);
}

// The node and those whose links to and from it are whole; none without a node.
std::vector<NodeId> FaultInjector::connected_with(NodeId node,
                                                  const std::vector<DirectedLink>& cut) {
  std::vector<NodeId> side;
  if (node == kNoNode) return side;
  for (const Member& member : cluster_.members()) {
    const bool whole = std::none_of(cut.begin(), cut.end(), [&](const DirectedLink& link) {
      return (link.from == node && link.to == member.id) ||
             (link.to == node && link.from == member.id);
    });
    if (whole) side.push_back(member.id);
  }
  return side;
}

// An election may be under way at the very moment: a fault meant for the leader then waits for one.
Cluster::Struck FaultInjector::strike(const ScheduledFault& fault,
                                      std::vector<DirectedLink>& links) {
  const auto deadline = std::chrono::steady_clock::now() + kLeaderPatience;
  for (;;) {
    try {
      return strike_at_once(fault, links);
    } catch (const NoLeaderError&) {
      if (std::chrono::steady_clock::now() >= deadline) throw;
    }
    std::this_thread::sleep_for(kLeaderPoll);
  }
}

Cluster::Struck FaultInjector::strike_at_once(const ScheduledFault& fault,
                                              std::vector<DirectedLink>& links) {
  if (of_node(fault.kind)) return cluster_.inject(fault.target, node_faults_of(fault));
  if (fault.kind == Kind::pause) return cluster_.pause(fault.target);
  if (!fault.of_links()) return cluster_.kill(fault.target);
  const NodeId node = fault.by_groups() ? kNoNode : cluster_.find(fault.target);
  links = links_of(fault.cut, node, static_cast<std::uint32_t>(cluster_.members().size()));
  const auto at =
      fault.kind == Kind::cut ? cluster_.cut(links) : cluster_.slow(links, fault.slower);
  return {.node = node, .others = {}, .at = at};
}

void FaultInjector::end(std::size_t place) {
  Progress& progress = progress_[place];
  InjectedFault& account = faults_[place];
  if (progress.phase != Phase::lasts) return;
  progress.phase = Phase::over;
  if (progress.rolling != nullptr) return end_rolling(place);
  if (account.nodes.empty() && account.links.empty()) return;  // it hit nobody
  try {
    undo(schedule_[place], account);
    account.ended_ms = in_window(std::chrono::steady_clock::now());
    for (NodeAbsence& absence : account.absences) absence.until_ms = account.ended_ms;
  } catch (const std::exception& error) {
    account.problem = fmt::format("it was not over: {}", error.what());
  }
}

void FaultInjector::undo(const ScheduledFault& fault, const InjectedFault& account) {
  if (fault.kind == Kind::cut) return cluster_.heal(account.links);
  if (fault.kind == Kind::slow_link) return cluster_.speed_up(account.links, fault.slower);
  const std::vector<NodeId> running = cluster_.running();
  for (const NodeId node : account.nodes) {
    // A disk that was full ends only nodes that write.
    const bool ended = std::find(running.begin(), running.end(), node) == running.end();
    if (ends_nodes(fault.kind) && ended && hooks_.before_start) hooks_.before_start(node);
    if (fault.kind == Kind::restart) cluster_.restart(node);
    if (fault.kind == Kind::pause) cluster_.resume(node);
    if (of_node(fault.kind)) cluster_.withdraw(node, node_faults_of(fault));
  }
}

std::vector<std::string> FaultInjector::finish() {
  std::vector<std::string> notes;
  for (std::size_t place = 0; place < schedule_.size(); ++place) {
    InjectedFault& account = faults_[place];
    if (progress_[place].phase == Phase::due) account.problem = "the measured window ended before";
    if (progress_[place].phase != Phase::lasts) continue;
    if (account.problem.empty()) notes.push_back(account.fault + " outlasted the measured window");
    end(place);
  }
  return notes;
}

}  // namespace parley::harness
