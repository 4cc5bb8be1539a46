#include "harness/sweep/results.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <limits>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/cluster/node_config.h"

namespace parley::harness {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kStates[] = {"pending", "running", "done", "failed"};

[[noreturn]] void fail(const std::filesystem::path& path) {
  throw std::system_error(errno, std::generic_category(), path.string());
}

// Replaces the file as a whole: after a crash the old or the new one is there.
void write_whole(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path fresh = path.string() + ".new";
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail(fresh);
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = write(fd, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) {
      close(fd);
      fail(fresh);
    }
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  const bool synced = fsync(fd) == 0;
  if (close(fd) != 0 || !synced) fail(fresh);
  if (rename(fresh.c_str(), path.c_str()) != 0) fail(path);
}

Json option_json(const Algorithm& algorithm, const OptionSpec& spec, const OptionValues& values) {
  if (spec.choices.empty()) return values.at(spec.name);
  return option_text(algorithm.options, spec.name, values);
}

// An option with several values is a list of them.
Json options_json(const Algorithm& algorithm, const std::vector<OptionValues>& all) {
  Json options = Json::object();
  for (const OptionSpec& spec : algorithm.options) {
    Json values = Json::array();
    for (const OptionValues& one : all) {
      Json value = option_json(algorithm, spec, one);
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    }
    options[spec.name] = values.size() == 1 ? values.front() : values;
  }
  return options;
}

Json rate_json(double rate) {
  return rate == kSearchedRate ? Json("search") : Json(rate);
}

Json spec_object(const SweepSpec& s) {
  Json algorithms = Json::array();
  Json options = Json::object();
  for (const Algorithm* algorithm : s.algorithms) {
    algorithms.push_back(algorithm->name);
    const auto own = s.options.find(algorithm->name);
    options[std::string(algorithm->name)] = options_json(
        *algorithm,
        own == s.options.end() ? std::vector{default_options(algorithm->options)} : own->second);
  }
  Json rates = Json::array();
  for (const double rate : s.rate) rates.push_back(rate_json(rate));
  return {{"algorithms", algorithms},
          {"nodes", s.nodes},
          {"rate", rates},
          {"objective", s.objective},
          {"durability", s.durability},
          {"links", s.links},
          {"faults", s.faults},
          {"workload", s.workload},
          {"read_share", s.read_share},
          {"read_mode", s.read_mode},
          {"routing", s.routing},
          {"window", s.window},
          {"batch", s.batch},
          {"loop", s.closed_loop ? "closed" : "open"},
          {"canvas", to_text(s.canvas)},
          {"clients", s.clients},
          {"snapshot_bytes", s.snapshot_bytes},
          {"speed", s.speed},
          {"warmup_s", s.warmup_s},
          {"warmup_max_s", s.warmup_max_s ? Json(*s.warmup_max_s) : Json(nullptr)},
          {"duration_s", s.duration_s},
          {"repetitions", s.repetitions},
          {"record", s.record},
          {"seed", s.seed},
          {"baseline", s.baseline},
          {"options", options}};
}

// What distinguishes a run within its sweep.
Json point_object(const RunSpec& s) {
  return {
      {"algorithm", s.algorithm->name}, {"nodes", s.nodes},           {"rate", rate_json(s.rate)},
      {"durability", s.durability},     {"links", s.links},           {"faults", s.faults},
      {"workload", s.workload},         {"read_share", s.read_share}, {"read_mode", s.read_mode},
      {"routing", s.routing},           {"window", s.window},         {"batch", s.batch},
      {"repetition", s.repetition}};
}

std::string plain(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.dump();
}

void flatten(const std::string& prefix, const Json& value, Figures& figures) {
  if (!value.is_object()) {
    figures[prefix] = plain(value);
    return;
  }
  for (const auto& [key, entry] : value.items()) {
    flatten(prefix.empty() ? key : fmt::format("{}.{}", prefix, key), entry, figures);
  }
}

// The slowest of all faults that ended; "inf" if replicas never agreed again after one.
void add_convergence(const Json& recovery, Figures& figures) {
  std::optional<double> worst;
  for (const Json& fault : recovery) {
    const auto ended = fault.find("ended_ms");
    if (ended == fault.end() || !ended->is_number()) continue;
    const auto converged = fault.find("converged_ms");
    const bool known = converged != fault.end() && converged->is_number();
    const double took = known ? converged->get<double>() : std::numeric_limits<double>::infinity();
    worst = std::max(worst.value_or(0), took);
  }
  figures["recovery.converged_ms"] = worst ? fmt::format("{}", *worst) : "";
}

// The longest after any fault; empty in summaries that do not tell it.
void add_unavailability(const Json& recovery, Figures& figures) {
  std::optional<double> worst;
  for (const Json& fault : recovery) {
    const auto entry = fault.find("unavailable_ms");
    if (entry == fault.end() || !entry->is_number()) continue;
    worst = std::max(worst.value_or(0), entry->get<double>());
  }
  figures["recovery.unavailable_ms"] = worst ? fmt::format("{}", *worst) : "";
}

// The worst of all faults: "inf" if one was never got over.
void add_recovery(const Json& recovery, Figures& figures) {
  for (const char* key : {"noticed_ms", "first_success_ms", "back_to_95_ms"}) {
    double worst = 0;
    for (const Json& fault : recovery) {
      const auto entry = fault.find(key);
      const bool known = entry != fault.end() && entry->is_number();
      worst =
          std::max(worst, known ? entry->get<double>() : std::numeric_limits<double>::infinity());
    }
    figures["recovery." + std::string(key)] = recovery.empty() ? "" : fmt::format("{}", worst);
  }
  add_convergence(recovery, figures);
  add_unavailability(recovery, figures);
}

RecordState state_of(const std::string& name) {
  for (std::size_t i = 0; i < std::size(kStates); ++i) {
    if (kStates[i] == name) return static_cast<RecordState>(i);
  }
  return RecordState::pending;
}

Json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  return Json::parse(file, nullptr, false);
}

}  // namespace

std::string_view state_name(RecordState state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::string spec_json(const SweepSpec& spec) {
  return spec_object(spec).dump();
}

void write_sweep_json(const std::filesystem::path& folder, const SweepSpec& spec,
                      const std::vector<RunRecord>& runs, const std::vector<SkippedRun>& skipped,
                      const std::vector<std::string>& warnings) {
  Json list = Json::array();
  for (const RunRecord& record : runs) {
    Json entry{{"name", record.run.name}, {"state", state_name(record.state)}};
    if (!record.reason.empty()) entry["reason"] = record.reason;
    entry.update(point_object(record.run.spec));
    if (record.run.spec.baseline) entry["baseline"] = true;
    list.push_back(std::move(entry));
  }
  Json left_out = Json::array();
  for (const SkippedRun& run : skipped) {
    Json entry{{"reason", run.reason}};
    entry.update(point_object(run.spec));
    left_out.push_back(std::move(entry));
  }
  const Json sweep{
      {"spec", spec_object(spec)}, {"runs", list}, {"skipped", left_out}, {"warnings", warnings}};
  write_whole(folder / "sweep.json", sweep.dump(1) + "\n");
}

std::map<std::string, EarlierRun> read_sweep_json(const std::filesystem::path& folder,
                                                  const SweepSpec& spec) {
  const std::filesystem::path path = folder / "sweep.json";
  const Json sweep = read_json(path);
  if (!sweep.is_object() || !sweep.contains("spec") || !sweep.contains("runs") ||
      !sweep["runs"].is_array()) {
    throw ConfigError(path.string() +
                      ": is not the state of a sweep; choose another folder (--out)");
  }
  if (sweep["spec"].dump() != spec_json(spec)) {
    throw ConfigError(
        path.string() +
        ": belongs to a sweep with another spec, which cannot be gone on with; choose "
        "another folder (--out)");
  }
  std::map<std::string, EarlierRun> runs;
  for (const Json& run : sweep["runs"]) {
    const auto text = [&run](const char* key) {
      const auto entry = run.find(key);
      const bool is_text = entry != run.end() && entry->is_string();
      return is_text ? entry->get<std::string>() : std::string();
    };
    runs[text("name")] = {state_of(text("state")), text("reason")};
  }
  return runs;
}

Figures read_figures(const std::filesystem::path& folder) {
  Figures figures;
  const Json summary = read_json(folder / "summary.json");
  if (!summary.is_object()) return figures;
  for (const auto& [key, value] : summary.items()) {
    if (key == "recovery" && value.is_array()) {
      add_recovery(value, figures);
    } else if (key == "peak_rss_bytes" && value.is_object()) {
      std::uint64_t largest = 0;
      for (const auto& [node, bytes] : value.items()) {
        if (bytes.is_number_unsigned()) largest = std::max(largest, bytes.get<std::uint64_t>());
      }
      figures["peak_rss_bytes"] = fmt::format("{}", largest);
    } else {
      flatten(key, value, figures);
    }
  }
  return figures;
}

std::optional<double> number_of(const ResultRow& row, std::string_view name) {
  const auto it = row.figures.find(name);
  if (it == row.figures.end()) return std::nullopt;
  double value = 0;
  const char* end = it->second.data() + it->second.size();
  const auto [stop, error] = std::from_chars(it->second.data(), end, value);
  return error == std::errc{} && stop == end ? std::optional(value) : std::nullopt;
}

namespace {

// The columns of results.csv that come from summary.json.
constexpr std::string_view kFigureColumns[] = {"offered_ops_per_s",
                                               "achieved_ops_per_s",
                                               "completed",
                                               "refused",
                                               "unknown",
                                               "unsent",
                                               "latency_us.min",
                                               "latency_us.p50",
                                               "latency_us.p90",
                                               "latency_us.p99",
                                               "latency_us.p999",
                                               "latency_us.max",
                                               "service_us.min",
                                               "service_us.p50",
                                               "service_us.p90",
                                               "service_us.p99",
                                               "service_us.p999",
                                               "service_us.max",
                                               "messages_per_op",
                                               "bytes_per_op",
                                               "cpu_s_per_mops.nodes",
                                               "cpu_s_per_mops.clients",
                                               "peak_rss_bytes",
                                               "elections",
                                               "false_elections",
                                               "unavailable_ms",
                                               "blockings",
                                               "blocked_ms",
                                               "generator.cpu_share",
                                               "generator.late_share",
                                               "generator.limited",
                                               "generator.limited_by",
                                               "generator.ceiling_ops_per_s",
                                               "generator.late_us.p50",
                                               "generator.late_us.p99",
                                               "generator.latency_share.p50",
                                               "generator.latency_share.p99",
                                               "search.objective",
                                               "search.saturation_ops_per_s",
                                               "search.rate_low",
                                               "search.rate_high",
                                               "search.confirmed",
                                               "recovery.noticed_ms",
                                               "recovery.first_success_ms",
                                               "recovery.back_to_95_ms",
                                               "recovery.converged_ms",
                                               "recovery.unavailable_ms",
                                               "consistency.verdict",
                                               "consistency.lost",
                                               "consistency.superseded",
                                               "consistency.older_wins",
                                               "consistency.places",
                                               "consistency.reads",
                                               "consistency.stale_reads",
                                               "consistency.stale_ms_p99",
                                               "consistency.stale_ms_max",
                                               "consistency.stale_versions_p99",
                                               "consistency.stale_versions_max",
                                               "consistency.duplicates",
                                               "consistency.divergent_cells_max",
                                               "consistency.lag_max",
                                               "consistency.converged_ms",
                                               "warmup.took_s",
                                               "warmup.steady",
                                               "cpu_s_per_mops.nodes_user",
                                               "cpu_s_per_mops.nodes_system",
                                               "context_switches.voluntary_per_op",
                                               "context_switches.involuntary_per_op",
                                               "disk.written_bytes_per_op",
                                               "disk.write_amplification",
                                               "simulated_latency_us.p50",
                                               "simulated_latency_us.p99"};

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_row(const ResultRow& row) {
  const RunSpec& s = row.record.run.spec;
  std::string line =
      fmt::format("{},{},{},{},{},{},{},{},{}", row.record.run.name, state_name(row.record.state),
                  s.algorithm->name, s.nodes, s.closed_loop ? "" : plain(rate_json(s.rate)),
                  s.durability, csv_cell(s.links), csv_cell(s.faults), csv_cell(s.workload));
  line += fmt::format(",{},{},{},{},{},{},{},{},{},{},{},{},{},{}", s.read_share, s.read_mode,
                      s.routing, s.closed_loop ? fmt::format("{}", s.window) : "", s.batch,
                      s.closed_loop ? "closed" : "open", to_text(s.canvas), s.clients, s.warmup_s,
                      s.duration_s, s.record, s.seed, s.repetition, csv_cell(row.record.reason));
  for (const std::string_view column : kFigureColumns) {
    const auto it = row.figures.find(column);
    line += ',' + (it == row.figures.end() ? std::string() : csv_cell(it->second));
  }
  return line + (s.baseline ? ",true\n" : ",false\n");
}

}  // namespace

void write_results_csv(const std::filesystem::path& folder, const std::vector<ResultRow>& rows) {
  std::string text =
      "name,state,algorithm,nodes,rate,durability,links,faults,workload,read_share,read_mode,"
      "routing,window,batch,"
      "loop,canvas,clients,warmup_s,duration_s,record,seed,repetition,reason";
  for (const std::string_view column : kFigureColumns) text += fmt::format(",{}", column);
  text += ",baseline\n";
  for (const ResultRow& row : rows) {
    const bool ended =
        row.record.state == RecordState::done || row.record.state == RecordState::failed;
    if (ended) text += csv_row(row);
  }
  write_whole(folder / "results.csv", text);
}

}  // namespace parley::harness
