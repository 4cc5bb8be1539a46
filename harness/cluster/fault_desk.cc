#include "harness/cluster/fault_desk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "apps/canvas/gateway_json.h"
#include "harness/cluster/config_file.h"
#include "harness/cluster/fault_request.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr auto kRelayLimit = 7s;        // the gateway gives up after 8 s
constexpr std::size_t kMaxWaiting = 8;  // requests at a node

std::string answer_text(int status, const std::string& json) {
  return fmt::format("{} {}", status, json);
}

// Whom they are at this moment.
std::vector<DirectedLink> links_at(Cluster& cluster, const FaultRequest& request, Json& done) {
  const auto size = static_cast<std::uint32_t>(cluster.members().size());
  const NodeId node = request.target ? cluster.find(*request.target) : kNoNode;
  std::vector<DirectedLink> links =
      links_of(request.which, node, size, std::min(size, cluster.first_members()));
  if (links.empty()) throw ClusterError(fmt::format("a cluster of {} has no such link", size));
  if (request.target) done["node"] = node.value;
  done["links"] = links.size();
  return links;
}

Json struck_json(Json done, const Cluster::Struck& struck) {
  done["node"] = struck.node.value;
  for (const NodeId other : struck.others) done["others"].push_back(other.value);
  return done;
}

// Which nodes stay dead.
std::vector<std::uint32_t> heal(Cluster& cluster, std::optional<RollingRestart>& rolling) {
  if (rolling) rolling->cut_short();
  std::vector<std::uint32_t> dead;
  std::vector<std::string> problems;
  try {
    cluster.withdraw_all();
  } catch (const std::exception& error) {
    problems.emplace_back(error.what());
  }
  // What cannot be done for one node is no reason to leave the others as they are.
  for (const Member& member : cluster.members()) {
    try {
      if (member.paused && member.running) cluster.resume(member.id);
      if (!member.running) cluster.restart(member.id);
    } catch (const ConfigError&) {  // it kept nothing
      dead.push_back(member.id.value);
    } catch (const std::exception& error) {
      problems.emplace_back(error.what());
    }
  }
  try {
    cluster.heal_links();
  } catch (const std::exception& error) {
    problems.emplace_back(error.what());
  }
  if (!problems.empty()) throw ClusterError(fmt::format("{}", fmt::join(problems, "; ")));
  return dead;
}

Json carry_out(Cluster& cluster, std::optional<RollingRestart>& rolling,
               const FaultRequest& request) {
  using Kind = FaultRequest::Kind;
  Json done{{"done", request.name()}};
  switch (request.kind) {
    case Kind::cut:
      cluster.cut(links_at(cluster, request, done));
      return done;
    case Kind::slow_link:
      cluster.slow(links_at(cluster, request, done), request.by);
      return done;
    case Kind::delay:
      cluster.delay(request.by);
      return done;
    case Kind::pause:
      return struck_json(done, cluster.pause(*request.target));
    case Kind::kill:
      return struck_json(done, cluster.kill(*request.target));
    case Kind::rolling_restart:
      done["nodes"] = cluster.members().size();
      return done;
    case Kind::heal:
      done["dead"] = heal(cluster, rolling);
      return done;
    default:
      return struck_json(done, cluster.inject(*request.target, request.faults));
  }
}

}  // namespace

FaultDesk::FaultDesk(const std::string& endpoint, Cluster& cluster, Tell tell)
    : cluster_(cluster),
      tell_(std::move(tell)),
      port_(endpoint, [this](std::string_view request) { return answer(request); }) {}

std::string FaultDesk::answer(std::string_view request) {
  FaultRequest fault;
  const auto nodes = static_cast<std::uint32_t>(cluster_.members().size());
  if (const auto complaint = parse_fault_request(request, nodes, fault)) {
    return answer_text(400, complaint_json(*complaint));
  }
  try {
    if (fault.kind == FaultRequest::Kind::rolling_restart) roll(fault);
    return answer_text(200, carry_out(cluster_, rolling_, fault).dump());
  } catch (const std::exception& error) {  // of the cluster, or a process that cannot be started
    return answer_text(409, complaint_json({error.what(), "not_possible", {}, {}}));
  }
}

void FaultDesk::roll(const FaultRequest& request) {
  if (!cluster_.keeps_state())
    throw ClusterError("with durability \"none\" no node can be started again");
  if (rolling_ && !rolling_->over()) throw ClusterError("a rolling restart is under way");
  for (const Member& member : cluster_.members()) {
    if (!member.running || member.paused) {
      throw ClusterError(fmt::format("node {} {}: heal first", member.id.value,
                                     member.running ? "is paused" : "does not run"));
    }
  }
  RollingRestartOptions options;
  options.down = request.down;
  options.ended = [this](const std::string& problem) {
    rolls_ = false;
    if (!problem.empty() && tell_) tell_("the rolling restart has ended early: " + problem);
  };
  rolling_.reset();
  rolls_ = true;
  rolling_.emplace(cluster_, options);
}

FaultRelay::FaultRelay(std::string endpoint)
    : endpoint_(std::move(endpoint)), thread_([this] { run(); }) {}

FaultRelay::~FaultRelay() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
  for (const Waiting& waiting : waiting_) relay(waiting);
}

void FaultRelay::ask(std::string request, Answered done) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kMaxWaiting) {
      waiting_.push_back({std::move(request), std::move(done)});
      changed_.notify_all();
      return;
    }
  }
  done(503, complaint_json({"too many faults at once; nothing was done", "overloaded", {}, {}}));
}

void FaultRelay::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    relay(next);
    lock.lock();
  }
}

void FaultRelay::relay(const Waiting& waiting) {
  if (stop_) {
    return waiting.done(
        503, complaint_json({"the node is stopping; nothing was done", "stopping", {}, {}}));
  }
  const std::string text = ask_desk(waiting.request);
  if (text.size() > 4 &&
      std::all_of(text.begin(), text.begin() + 3, [](char c) { return c >= '0' && c <= '9'; })) {
    return waiting.done(std::stoi(text.substr(0, 3)), text.substr(4));
  }
  waiting.done(504,
               complaint_json({"no answer in time; it may have been done", "timed_out", {}, {}}));
}

// Empty without an answer in time, or once the node stops.
std::string FaultRelay::ask_desk(const std::string& request) const try {
  const NodeId desk{1};  // any name will do for the only one
  const auto answers = ask_all({{desk, {endpoint_, request}}}, kRelayLimit, &stop_);
  return answers.empty() ? std::string() : answers.at(desk);
} catch (const zmq::error_t&) {  // no descriptor is left for a socket
  return {};
}

}  // namespace parley::harness
