#include "harness/run/run_files.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/cluster/node_config.h"
#include "harness/load/run_files.h"

namespace parley::harness {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json options_json(const RunSpec& spec) {
  Json options = Json::object();
  for (const OptionSpec& option : spec.algorithm->options) {
    if (option.choices.empty()) {
      options[option.name] = spec.options.at(option.name);
    } else {
      options[option.name] = option_text(spec.algorithm->options, option.name, spec.options);
    }
  }
  return options;
}

Json software_json(const SoftwareInfo& software) {
  return {{"commit", software.commit},
          {"build_type", software.build_type},
          {"compiler", software.compiler},
          {"version", software.version}};
}

Json host_json(const HostInfo& host) {
  return {{"cpu", host.cpu},
          {"cores", host.cores},
          {"memory_bytes", host.memory_bytes},
          {"kernel", host.kernel},
          {"disk_sync_us_p50", or_null(host.disk_sync_us_p50)}};
}

// Whom the fault hit; nothing for a cut by groups.
std::optional<std::uint32_t> node_of(const RecoveryFigures& figures) {
  const NodeId node = figures.fault.node;
  return node == kNoNode ? std::nullopt : std::optional(node.value);
}

Json restarts_json(const InjectedFault& fault) {
  Json list = Json::array();
  for (const NodeAbsence& absence : fault.absences) {
    if (!absence.caught_up_ms) continue;
    list.push_back({{"node", absence.node.value},
                    {"asked_ms", absence.from_ms},
                    {"started_ms", or_null(absence.until_ms)},
                    {"caught_up_ms", *absence.caught_up_ms}});
  }
  return list;
}

Json recovery_json(const std::vector<RecoveryFigures>& recovery) {
  Json list = Json::array();
  for (const RecoveryFigures& figures : recovery) {
    list.push_back({{"fault", figures.fault.fault},
                    {"node", or_null(node_of(figures))},
                    {"noticed_ms", or_null(figures.after.noticed_ms)},
                    {"first_success_ms", or_null(figures.after.first_success_ms)},
                    {"back_to_95_ms", or_null(figures.after.back_to_95_ms)},
                    {"ended_ms", or_null(figures.fault.ended_ms)},
                    {"converged_ms", or_null(figures.converged_ms)},
                    {"unavailable_ms", or_null(figures.unavailable_ms)}});
    if (!figures.fault.detail.empty()) list.back()["detail"] = figures.fault.detail;
    const Json restarts = restarts_json(figures.fault);
    if (!restarts.empty()) list.back()["restarts"] = restarts;
  }
  return list;
}

Json comparison_json(const std::optional<Comparison>& comparison) {
  if (!comparison) return nullptr;
  return {{"same_order", comparison->same_order},
          {"same_refusals", comparison->same_refusals},
          {"text", comparison->text}};
}

Json latency_json(const std::optional<SimulatedLatency>& latency) {
  if (!latency) return nullptr;
  return {{"p50", latency->p50_us}, {"p99", latency->p99_us}};
}

Json consistency_object(const RunFindings& findings) {
  Json consistency = findings.consistency.empty() ? Json{{"verdict", "not_checked"}}
                                                  : Json::parse(findings.consistency);
  for (const char* key : {"lost", "superseded", "older_wins", "stale_reads", "duplicates",
                          "divergent_cells_max", "lag_max"}) {
    if (!consistency.contains(key)) consistency[key] = nullptr;
  }
  for (const load::TimelineRow& row : findings.load.timeline) {
    if (!row.lag) continue;
    Json& most = consistency["lag_max"];
    most = most.is_null() ? *row.lag : std::max(most.get<std::uint64_t>(), *row.lag);
  }
  consistency["converged_ms"] = or_null(findings.converged_ms);
  if (findings.divergent_cells_max) {
    consistency["divergent_cells_max"] = *findings.divergent_cells_max;
  }
  return consistency;
}

// Per completed operation or per million of them; null without any.
Json per_operation(std::optional<double> amount, const load::LoadResult& load, double scale = 1) {
  if (!amount) return nullptr;
  // Completions by the clock: the amounts are those of the window, too.
  const double completed = load.achieved_ops_per_s * load.measured_s;
  return completed > 0 ? Json(*amount / completed * scale) : Json(nullptr);
}

std::optional<double> real(std::optional<std::uint64_t> count) {
  return count ? std::optional(static_cast<double>(*count)) : std::nullopt;
}

// The kernel tells user and system time in ticks and their sum precisely: the sum, as they share
// it.
double share_of_cpu(double part_s, double other_s, double cpu_s) {
  return part_s + other_s > 0 ? cpu_s * part_s / (part_s + other_s) : 0;
}

Json cpu_json(const ClusterCost& cost, const load::LoadResult& load) {
  const auto per_million = [&load](double s) { return per_operation(s, load, 1e6); };
  return {{"nodes", per_million(cost.cpu_s)},
          {"clients", per_million(load.generator.cpu_seconds)},
          {"nodes_user", per_million(share_of_cpu(cost.user_s, cost.system_s, cost.cpu_s))},
          {"nodes_system", per_million(share_of_cpu(cost.system_s, cost.user_s, cost.cpu_s))}};
}

Json cost_by_node_json(const ClusterCost& cost, const load::LoadResult& load) {
  Json list = Json::array();
  for (const auto& [node, own] : cost.nodes) {
    const double user_s = share_of_cpu(own.user_s, own.system_s, own.cpu_s);
    const double system_s = share_of_cpu(own.system_s, own.user_s, own.cpu_s);
    list.push_back(
        {{"node", node.value},
         {"cpu_s_per_mops", per_operation(own.cpu_s, load, 1e6)},
         {"user_s_per_mops", per_operation(user_s, load, 1e6)},
         {"system_s_per_mops", per_operation(system_s, load, 1e6)},
         {"messages_per_op", per_operation(real(own.messages), load)},
         {"voluntary_switches_per_op", per_operation(real(own.voluntary_switches), load)},
         {"involuntary_switches_per_op", per_operation(real(own.involuntary_switches), load)},
         {"written_bytes_per_op", per_operation(real(own.written_bytes), load)}});
  }
  return list;
}

Json disk_json(const RunFindings& findings) {
  const std::optional<double> written = real(findings.cost.written_bytes);
  Json disk{{"written_bytes", or_null(findings.cost.written_bytes)},
            {"written_bytes_per_op", per_operation(written, findings.load)},
            {"user_bytes", or_null(findings.user_bytes)},
            {"write_amplification", nullptr}};
  const double user = real(findings.user_bytes).value_or(0);
  if (written && user > 0) disk["write_amplification"] = *written / user;
  return disk;
}

}  // namespace

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw std::system_error(errno, std::generic_category(), path.string());
}

void write_manifest(const std::filesystem::path& folder, const RunSpec& spec,
                    const RunEnvironment& environment, const RunFindings& findings) {
  const Algorithm& algorithm = *spec.algorithm;
  Json manifest{{"algorithm", algorithm.name},
                {"nodes", spec.nodes},
                {"rate", spec.closed_loop ? Json(nullptr) : Json(spec.rate)},
                {"durability", spec.durability},
                {"snapshot_bytes", spec.snapshot_bytes},
                {"read_share", spec.read_share},
                {"read_mode", spec.read_mode},
                {"routing", spec.routing},
                {"batch", spec.batch},
                {"window", spec.window},
                {"loop", spec.closed_loop ? "closed" : "open"},
                {"workload", spec.workload},
                {"links", spec.links},
                {"faults", spec.faults},
                {"seed", spec.seed},
                {"repetition", spec.repetition},
                {"baseline", spec.baseline},
                {"guarantee", algorithm.guarantee.summary},
                {"transport", "tcp"},
                {"duration_s", spec.duration_s},
                {"warmup_s", spec.warmup_s},
                {"warmup_max_s", most_warmup_s(spec)},
                {"canvas", to_text(spec.canvas)},
                {"clients", spec.clients},
                {"record", spec.record},
                {"options", options_json(spec)},
                {"load", Json::parse(load::spec_json(findings.load_spec))},
                {"software", software_json(environment.software)},
                {"host", host_json(environment.host)},
                {"started_at", findings.started_at},
                {"notes", findings.notes}};
  if (findings.quiescent) manifest["quiescent"] = *findings.quiescent;
  for (const history::Departure& departure : findings.departures) {
    manifest["departures"].push_back({{"node", departure.node}, {"at_ns", departure.at_ns}});
  }
  if (!spec.objective.empty()) manifest["objective"] = spec.objective;
  if (spec.workload.starts_with("replay:")) {
    manifest["rate"] = nullptr;  // the log's own
    manifest["speed"] = spec.speed;
  }
  write_text(folder / "manifest.json",
             manifest.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void write_summary(const std::filesystem::path& folder, const RunFindings& findings) {
  const load::LoadResult& load = findings.load;
  const ClusterCost& cost = findings.cost;
  Json rss = Json::object();
  for (const auto& [node, bytes] : cost.peak_rss_bytes) rss[std::to_string(node.value)] = bytes;
  Json summary = Json::parse(load::summary_json(load));
  summary["messages_per_op"] = per_operation(static_cast<double>(cost.messages), load);
  summary["bytes_per_op"] = per_operation(static_cast<double>(cost.bytes), load);
  summary["cpu_s_per_mops"] = cpu_json(cost, load);
  summary["cost_by_node"] = cost_by_node_json(cost, load);
  summary["peak_rss_bytes"] = rss;
  summary["elections"] = cost.elections;
  summary["false_elections"] = or_null(findings.false_elections);
  summary["unavailable_ms"] = findings.unavailable_ms;
  summary["blockings"] = cost.blockings;
  summary["blocked_ms"] = cost.blocked_ms;
  summary["recovery"] = recovery_json(findings.recovery);
  summary["as_simulated"] = comparison_json(findings.as_simulated);
  summary["simulated_latency_us"] = latency_json(findings.simulated_latency);
  summary["consistency"] = consistency_object(findings);
  summary["context_switches"] = {
      {"voluntary", cost.voluntary_switches},
      {"involuntary", cost.involuntary_switches},
      {"voluntary_per_op", per_operation(real(cost.voluntary_switches), load)},
      {"involuntary_per_op", per_operation(real(cost.involuntary_switches), load)}};
  summary["disk"] = disk_json(findings);
  summary["cpu_s"] = {{"user", cost.user_s}, {"system", cost.system_s}};
  summary["dropped_messages"] = cost.dropped;
  write_text(folder / "summary.json", summary.dump(1) + "\n");
}

void write_faults(const std::filesystem::path& folder,
                  const std::vector<RecoveryFigures>& recovery) {
  const auto cell = [](const std::optional<double>& ms) {
    return ms ? fmt::format("{:.1f}", *ms) : std::string();
  };
  const auto ids = [](const std::vector<NodeId>& nodes) {
    std::string list;
    for (const NodeId node : nodes)
      list += fmt::format("{}{}", list.empty() ? "" : " ", node.value);
    return list;
  };
  std::string text =
      "fault,node,injected_ms,noticed_ms,first_success_ms,back_to_95_ms,nodes,ended_ms,"
      "converged_ms,unavailable_ms,detail\n";
  for (const RecoveryFigures& figures : recovery) {
    const auto node = node_of(figures);
    text += fmt::format("{},{},{:.1f},{},{},{},{},{},{},{},{}\n", figures.fault.fault,
                        node ? std::to_string(*node) : std::string(), figures.fault.injected_ms,
                        cell(figures.after.noticed_ms), cell(figures.after.first_success_ms),
                        cell(figures.after.back_to_95_ms), ids(figures.fault.nodes),
                        cell(figures.fault.ended_ms), cell(figures.converged_ms),
                        cell(figures.unavailable_ms), figures.fault.detail);
  }
  write_text(folder / "faults.csv", text);
}

void write_events(const std::filesystem::path& folder, const RunFindings& findings) {
  if (!findings.events.empty()) write_text(folder / "events.csv", events_csv(findings.events));
  if (!findings.simulated.empty())
    write_text(folder / "simulated.csv", events_csv(findings.simulated));
}

}  // namespace parley::harness
