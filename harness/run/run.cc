#include "harness/run/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "harness/check/checker.h"
#include "harness/check/convergence.h"
#include "harness/check/history.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/links.h"
#include "harness/load/limit.h"
#include "harness/load/load.h"
#include "harness/load/recovery.h"
#include "harness/load/run_files.h"
#include "harness/load/settle.h"
#include "harness/run/bare_path.h"
#include "harness/run/elections.h"
#include "harness/run/fault_injector.h"
#include "harness/run/faults.h"
#include "harness/run/node_counters.h"
#include "harness/run/run_files.h"
#include "harness/run/simulated.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;

constexpr auto kReadyLimit = 30s;
constexpr auto kReportLimit = 500ms;
constexpr auto kSettleLimit = 10s;  // for replicas to become equal after the load

// Nodes are asked for their leader now and then, and answer late on a machine that is busy.
constexpr Duration kLeadersLate = 4 * load::kLeaderAskedEvery;

Duration seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

Duration milliseconds(double value) {
  return seconds(value / 1000);
}

// What a strategy's recorded runs are held to.
history::Model model_of(const Guarantee& guarantee, bool all_lived) {
  if (guarantee.linearizable_writes) return history::Model::linearizable;
  if (guarantee.ordered || !guarantee.keeps_acknowledged) return history::Model::none;
  // Clients stay with a node (see LoadSpec), whose sessions end with its process. The history names
  // a session anew only once the node has refused it.
  return all_lived ? history::Model::session : history::Model::convergent;
}

// How many nodes hold a write before the client is told ok: the option `ack` of strategies that let
// one choose.
std::uint32_t copies_of(const RunSpec& spec) {
  const auto& options = spec.options.all();
  const auto ack = options.find("ack");
  if (ack == options.end()) return 1;
  return std::min(static_cast<std::uint32_t>(ack->second), spec.nodes);
}

ClusterSpec cluster_spec(const RunSpec& spec, const std::filesystem::path& folder,
                         const RunEnvironment& environment) {
  ClusterSpec cluster;
  cluster.executable = environment.executable;
  cluster.arguments = environment.arguments;
  cluster.folder = folder;
  cluster.nodes = spec.nodes;
  cluster.algorithm = spec.algorithm;
  cluster.options = spec.options;
  cluster.canvas = spec.canvas;
  cluster.durability = spec.durability;
  cluster.snapshot_bytes = spec.snapshot_bytes;
  cluster.data = folder / "data";
  cluster.links = load_network_profile(spec.links);
  cluster.peers = PeerTransport::tcp;
  cluster.journal = spec.record != "none";
  cluster.control = needs_control(load_faults(spec));
  cluster.seed = spec.seed;
  return cluster;
}

load::LoadSpec load_spec(const RunSpec& spec, const std::vector<Member>& members,
                         const RunEnvironment& environment) {
  load::LoadSpec load;
  for (const Member& member : members) load.targets.push_back({member.id, member.client_endpoint});
  const NetworkProfile links = load_network_profile(spec.links);
  for (const Member& member : members) {
    if (!links.regions.empty()) load.regions.push_back(links.regions[links.region_of(member.id)]);
  }
  load.loop = spec.closed_loop ? load::Loop::closed : load::Loop::open;
  load.rate = spec.rate;
  load.window = spec.window;
  load.batch = spec.batch;
  load.clients = spec.clients;
  load.read_share = spec.read_share;
  load.read_mode = spec.read_mode == "linearizable" ? ReadMode::linearizable : ReadMode::local;
  load.routing = spec.routing == "leader" ? load::Routing::leader : load::Routing::any;
  load.sessions_of_nodes = !spec.algorithm->guarantee.ordered;
  load.workload = spec.workload;
  load.replay_speed = spec.speed;
  load.canvas_width = spec.canvas.width;
  load.canvas_height = spec.canvas.height;
  load.warmup = seconds(spec.warmup_s);
  load.warmup_max = seconds(most_warmup_s(spec));
  load.duration = seconds(spec.duration_s);
  load.seed = spec.seed;
  load.ceiling_ops_per_s = environment.ceiling_ops_per_s;
  load.stop = environment.stop;
  return load;
}

// Carries out one run; its members are what has been found out so far.
class Run {
 public:
  Run(const RunSpec& spec, const std::filesystem::path& folder, const RunEnvironment& environment)
      : spec_(spec), folder_(folder), environment_(environment) {
    findings_.started_at = utc_now();
  }

  RunOutcome carry_out() {
    try {
      measure();
    } catch (const ClusterError& error) {
      fail(error.what());
    } catch (const load::LoadError& error) {
      fail(error.what());
    } catch (const std::system_error& error) {
      fail(error.what());
    }
    end_cluster();
    if (stopped()) return {RunState::stopped, {}, false};
    if (measured_) {
      judge();
      simulate();
      predict();
    }
    write_files();
    if (!reason_.empty()) return {RunState::failed, reason_, check_failed_};
    return {RunState::done, {}, check_failed_};
  }

 private:
  [[nodiscard]] bool stopped() const { return environment_.stop != nullptr && *environment_.stop; }
  void phase(std::string_view name) const {
    if (environment_.on_phase) environment_.on_phase(name);
  }
  void note(std::string text) { findings_.notes.push_back(std::move(text)); }
  // The first reason counts; all of them are noted.
  void fail(const std::string& reason) {
    if (reason_.empty()) reason_ = reason;
    note("failed: " + reason);
  }

  void measure() {
    phase("starting");
    cluster_.emplace(cluster_spec(spec_, folder_, environment_));
    cluster_->wait_ready(kReadyLimit, environment_.stop);
    if (stopped()) return;
    findings_.load_spec = load_spec(spec_, cluster_->members(), environment_);
    std::optional<history::HistoryWriter> history;
    if (spec_.record != "none") {
      history.emplace(folder_ / "history.jsonl");
      findings_.load_spec.history = &*history;
      findings_.load_spec.recorded_share = recorded_share(spec_.record);
    }
    phase("measuring");
    drive();
    if (stopped()) return;
    measured_ = true;
    settle(history ? &*history : nullptr);
    if (history) history->close();
    findings_.load_spec.history = nullptr;
  }

  void drive() {
    const FaultSchedule schedule = load_faults(spec_);
    // The counts of a process that ends would be lost with it.
    FaultInjector injector(*cluster_, schedule,
                           {[this] { sample(); }, [this](NodeId node) { keep_counts(node); }});
    load::LoadEvents events;
    events.measure_start = [&](std::chrono::steady_clock::time_point zero) {
      injector.start(zero);
      zero_ns_ = std::chrono::nanoseconds(zero.time_since_epoch()).count();
      log_zero_ = std::chrono::system_clock::now() -
                  std::chrono::duration_cast<std::chrono::system_clock::duration>(
                      std::chrono::steady_clock::now() - zero);
      before_ = sample();
    };
    events.measure_end = [&] { after_ = sample(); };
    for (std::size_t place = 0; place < schedule.size(); ++place) {
      const ScheduledFault& fault = schedule[place];
      events.timed.push_back({fault.at, [&injector, place] { injector.begin(place); }});
      events.timed.push_back({fault.at + fault.lasts, [&injector, place] { injector.end(place); }});
    }
    findings_.load = load::run_load(findings_.load_spec, events);
    if (!spec_.algorithm->guarantee.ordered) {
      for (load::TimelineRow& row : findings_.load.timeline) row.lag.reset();
    }
    for (const std::string& text : findings_.load.notes) note(text);
    for (const std::string& text : injector.finish()) note(text);
    take_account(injector.faults());
    count_false_elections(schedule, injector.faults());
    findings_.cost = cost_between(before_, after_);
    if (spec_.durability != "none" && spec_.record == "none") findings_.user_bytes = placed_bytes();
  }

  // What clients had to say in the placements that were done: cell, colour and user.
  [[nodiscard]] std::uint64_t placed_bytes() const {
    std::uint64_t placed = 0;
    for (const load::NodeRow& row : findings_.load.nodes) placed += row.placed;
    return placed * (kPlaceBytes - sizeof(CommandHeader));
  }

  // What the faults did, as the clients saw it.
  void take_account(const std::vector<InjectedFault>& faults) {
    Sightings seen;
    seen.window = seconds(findings_.load.measured_s);
    for (const InjectedFault& fault : faults) {
      if (!fault.problem.empty()) {
        fail(fault.fault + " was not done as planned: " + fault.problem);
        continue;
      }
      const Duration at = milliseconds(fault.injected_ms);
      findings_.recovery.push_back({fault, load::recovery_of(findings_.load, at)});
      note_absences(fault);
      seen.faults.push_back({fault.fault, fault.node, at, {}});
      if (fault.ended_ms) seen.faults.back().ended = milliseconds(*fault.ended_ms);
    }
    measure_unavailability(seen.window);
    if (faults.empty()) return;
    seen.leaders = findings_.load.leaders;
    seen.successes = findings_.load.successes;
    seen.refusals = findings_.load.refusals;
    seen.leaders_late = kLeadersLate;
    findings_.events = events_of(seen);
  }

  // Each fault answers for what comes before the next one begins.
  void measure_unavailability(Duration window) {
    const std::vector<load::SuccessSeen>& successes = findings_.load.successes;
    findings_.unavailable_ms = load::unavailable_ms(successes, {}, window);
    for (RecoveryFigures& figures : findings_.recovery) {
      const double from_ms = figures.fault.injected_ms;
      Duration until = window;
      for (const RecoveryFigures& other : findings_.recovery) {
        if (other.fault.injected_ms > from_ms)
          until = std::min(until, milliseconds(other.fault.injected_ms));
      }
      figures.unavailable_ms = load::unavailable_ms(successes, milliseconds(from_ms), until);
    }
  }

  void count_false_elections(const FaultSchedule& schedule,
                             const std::vector<InjectedFault>& faults) {
    if (!spec_.algorithm->guarantee.led) return;
    findings_.false_elections =
        false_elections(read_roles(folder_ / "nodes", spec_.nodes, log_zero_),
                        disturbances_of(schedule, faults), findings_.load.measured_s * 1000);
  }

  // By the clock of the journals.
  [[nodiscard]] std::int64_t clock_ns(double in_window_ms) const {
    return zero_ns_ + milliseconds(in_window_ms).count();
  }

  void note_absences(const InjectedFault& fault) {
    for (const NodeAbsence& absence : fault.absences) {
      absences_.push_back({absence.node.value, clock_ns(absence.from_ms),
                           absence.until_ms ? clock_ns(*absence.until_ms) : history::kNever});
      if (!absence.until_ms || spec_.durability == "none")
        findings_.departures.push_back({absence.node.value, clock_ns(absence.from_ms)});
    }
  }

  // How far the replicas were apart, as their journals say.
  void measure_convergence() {
    history::ConvergenceOptions options;
    options.ordered = spec_.algorithm->guarantee.ordered;
    options.zero_ns = zero_ns_;
    options.rows = findings_.load.timeline.size();
    options.absences = absences_;
    for (const RecoveryFigures& figures : findings_.recovery) {
      if (figures.fault.ended_ms) options.healed_ns.push_back(clock_ns(*figures.fault.ended_ms));
    }
    const auto measured = history::measure_convergence(folder_, options);
    if (!measured) return;
    if (findings_.converged_ms && !measured->converged_ms) {
      note("the replicas agreed in the end, which their journals do not show");
    }
    findings_.converged_ms = measured->converged_ms;
    findings_.divergent_cells_max = measured->divergent_cells_max;
    for (std::size_t row = 0; row < measured->divergent_cells.size(); ++row) {
      findings_.load.timeline[row].divergent_cells = measured->divergent_cells[row];
    }
    std::size_t healing = 0;
    for (RecoveryFigures& figures : findings_.recovery) {
      if (figures.fault.ended_ms) figures.converged_ms = measured->after_healing_ms[healing++];
    }
  }

  // The same faults on simulated nodes, and whether what followed them is the same.
  void simulate() {
    const FaultSchedule schedule = load_faults(spec_);
    if (schedule.empty()) return;
    phase("simulating");
    const SimulatedRun simulated = simulate_run(spec_, schedule);
    if (!simulated.problem.empty()) {
      note("the faults were not simulated as well: " + simulated.problem);
      return;
    }
    findings_.simulated = events_of(simulated.sightings);
    findings_.as_simulated =
        compare(aftermaths_of(findings_.events), aftermaths_of(findings_.simulated));
    if (!findings_.as_simulated->same_order)
      note("same order of events as simulated: " + findings_.as_simulated->text);
  }

  // What the latency should be, by the links and the strategy alone.
  void predict() {
    if (!predicts_latency(spec_)) return;
    phase("simulating");
    SimulatedLatency predicted = simulate_latency(spec_);
    if (predicted.problem.empty()) {
      findings_.simulated_latency = std::move(predicted);
    } else {
      note("the latency was not simulated as well: " + predicted.problem);
    }
  }

  // The nodes as they are now; of those that are dead what was last heard.
  ClusterSample sample() {
    const std::lock_guard lock(counts_mutex_);
    latest_.usage = cluster_->usage();
    latest_.silent.clear();
    for (const Member& member : cluster_->members()) {
      if (member.running && !member.paused) latest_.silent.insert(member.id);
    }
    for (const auto& [node, json] : cluster_->reports(kReportLimit)) {
      NodeCounters counters;
      if (!parse_report(json, counters)) continue;
      latest_.counters[node] = ended_[node] + counters;
      latest_.silent.erase(node);
    }
    return latest_;
  }

  // What the node's process, which has ended, had counted is not lost with it.
  void keep_counts(NodeId node) {
    const std::lock_guard lock(counts_mutex_);
    ended_[node] = latest_.counters[node];
  }

  // Waits until the live replicas agree and, when recording, reads what they hold.
  void settle(history::HistoryWriter* history) {
    phase("settling");
    std::vector<load::Target> live;
    for (const Member& member : cluster_->members()) {
      if (!member.running) continue;
      live.push_back({member.id, member.client_endpoint});
      live_.push_back(member.id.value);
    }
    const load::Quiescence quiet = load::wait_quiescent(live, kSettleLimit, environment_.stop);
    if (quiet.settled) {
      findings_.converged_ms = quiet.waited_ms;
    } else if (!stopped()) {
      note(fmt::format("the replicas did not settle within {} ms: {}", kSettleLimit / 1ms,
                       quiet.problem));
    }
    if (history == nullptr || stopped()) return;
    const load::FinalReads reads = load::final_reads(live, findings_.load.touched_cells, *history);
    for (const std::string& problem : reads.problems) note("final reads: " + problem);
  }

  void end_cluster() {
    if (!cluster_) return;
    phase("stopping");
    for (const std::string& story : cluster_->casualties()) fail(story);
    for (const std::string& text : cluster_->stop()) note(text);
    cluster_->merge_logs();
    std::filesystem::remove_all(folder_ / "data");  // results are figures, not states
  }

  // What the figures are worth.
  void judge() {
    const load::LoadResult& load = findings_.load;
    if (load.completed == 0) fail("no operation was completed");
    if (const std::string limit = load::limit_text(load); !limit.empty()) note(limit);
    for (const NodeId node : findings_.cost.without_counters) {
      note(
          fmt::format("node {} did not report its counters: messages, bytes and elections lack "
                      "them",
                      node.value));
    }
    if (spec_.record != "none") check();
  }

  void check() {
    phase("checking");
    history::CheckOptions options;
    options.model = model_of(spec_.algorithm->guarantee, absences_.empty());
    options.canvas_width = spec_.canvas.width;
    options.sampled = spec_.record != "all";
    options.live_nodes = live_;
    options.departures = findings_.departures;
    options.copies = copies_of(spec_);
    options.seed = spec_.seed;
    // Without a majority nobody knows what of the last is decided.
    findings_.quiescent = !spec_.algorithm->guarantee.ordered || 2 * live_.size() > spec_.nodes;
    options.quiescent = *findings_.quiescent;
    try {
      const history::CheckResult result = history::check_history(folder_, options);
      findings_.consistency = history::consistency_json(result);
      write_staleness(result);
      measure_convergence();
      check_failed_ = result.verdict == history::Verdict::fail;
      if (check_failed_) note("the check failed:\n" + history::to_text(result));
      for (const std::string& text : result.notes) note("check: " + text);
    } catch (const std::exception& error) {
      fail(std::string("the history could not be checked: ") + error.what());
    }
  }

  void write_staleness(const history::CheckResult& result) const {
    if (result.staleness.reads() == 0) return;
    write_text(folder_ / "staleness.csv", result.staleness.csv());
    if (result.visibility.empty()) return;
    write_text(folder_ / "visibility.csv",
               history::visibility_csv(result.visibility, result.predicted));
  }

  void write_files() const {
    write_manifest(folder_, spec_, environment_, findings_);
    if (!measured_) return;
    write_summary(folder_, findings_);
    write_faults(folder_, findings_.recovery);
    write_events(folder_, findings_);
    load::write_timeline_csv(folder_ / "timeline.csv", findings_.load);
    load::write_nodes_csv(folder_ / "nodes.csv", findings_.load);
    load::write_histogram_csv(folder_ / "histogram.csv", findings_.load.latency);
  }

  const RunSpec& spec_;
  const std::filesystem::path& folder_;
  const RunEnvironment& environment_;
  RunFindings findings_;
  std::optional<Cluster> cluster_;
  std::mutex counts_mutex_;  // rolling restarts have a thread of their own
  ClusterSample latest_;     // guarded
  std::map<NodeId, NodeCounters>
      ended_;  // of processes that ended, of nodes that returned; guarded
  ClusterSample before_;
  ClusterSample after_;
  std::vector<std::uint32_t> live_;
  std::int64_t zero_ns_ = 0;  // when the measured window began, by the monotonic clock
  std::chrono::system_clock::time_point log_zero_{};  // the same by the clock of the logs
  std::vector<history::Absence> absences_;
  bool measured_ = false;
  bool check_failed_ = false;
  std::string reason_;
};

}  // namespace

RunOutcome execute_run(const RunSpec& spec, const std::filesystem::path& folder,
                       const RunEnvironment& environment) {
  check_run(spec);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  if (spec.algorithm == &bare_path()) return run_bare_path(spec, folder, environment);
  return Run(spec, folder, environment).carry_out();
}

}  // namespace parley::harness
