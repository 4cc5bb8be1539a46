// What is read from files: histories, journals, logs, results, everything in TOML; and what a user
// asks for: faults, options.
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

#include "algorithms/raft/replica.h"
#include "algorithms/registry/registry.h"
#include "harness/check/checker.h"
#include "harness/check/history.h"
#include "harness/check/journal.h"
#include "harness/check/json_io.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/config_file.h"
#include "harness/cluster/fault_request.h"
#include "harness/cluster/link_profiles.h"
#include "harness/cluster/links.h"
#include "harness/cluster/log_merge.h"
#include "harness/cluster/node_config.h"
#include "harness/cluster/private_folder.h"
#include "harness/diff/diff.h"
#include "harness/fuzz/bytes.h"
#include "harness/fuzz/memory_file.h"
#include "harness/fuzz/target.h"
#include "harness/load/json.h"
#include "harness/load/load.h"
#include "harness/load/replay.h"
#include "harness/load/workload.h"
#include "harness/run/elections.h"
#include "harness/run/faults.h"
#include "harness/run/node_counters.h"
#include "harness/sweep/results.h"
#include "harness/sweep/sweep_spec.h"
#include "harness/terminal/canvas_link.h"

namespace parley::fuzz {
namespace {

using harness::ConfigError;

// A file is read, or refused with a message that names it.
template <class Read>
void read_config(Read&& read) {
  try {
    read();
  } catch (const ConfigError& error) {
    require(error.what()[0] != '\0', "a file that is refused is told why");
  }
}

// --- histories ---

std::vector<history::Operation> some_operations() {
  history::Operation place;
  place.client = 7;
  place.seq = 41;
  place.outcome = history::Outcome::ok;
  place.x = 1;
  place.y = 2;
  place.color = 0xff5733;
  place.invoke_ns = 10;
  place.return_ns = 20;
  place.node = 2;
  place.version = {5, 0};
  history::Operation read = place;
  read.kind = history::Kind::read;
  read.read_mode = history::ReadMode::local;
  read.seq = 42;
  read.invoke_ns = 30;
  read.return_ns = 40;
  read.writer = Writer{7, 41};
  history::Operation final_read = read;
  final_read.seq = 43;
  final_read.read_mode = history::ReadMode::final;
  history::Operation unknown = place;
  unknown.seq = 44;
  unknown.outcome = history::Outcome::unknown;
  unknown.version = {};
  return {place, read, final_read, unknown};
}

void run_history_line(Bytes input) {
  history::OperationParser parser;
  history::Operation operation;
  history::MalformedLine error;
  if (!parser.parse(text_of(input), operation, error)) {
    require(!error.problem.empty(), "a line that is left out says why");
    return;
  }
  require(operation.x <= history::kMaxCoordinate && operation.y <= history::kMaxCoordinate,
          "what is accepted is in range");
  std::string again;
  history::format_operation(operation, again);
  // A read of a stamp that nobody wrote is for the checks to find; it cannot be written.
  const bool of_a_write = operation.version != Stamp{};
  if (operation.kind == history::Kind::read && of_a_write != operation.writer.has_value()) return;
  history::OperationParser second;
  history::Operation reread;
  const std::string_view line(again.data(), again.size() - 1);
  require(second.parse(line, reread, error), "what is read can be written and read again");
}

std::vector<std::string> history_lines() {
  std::vector<std::string> lines;
  for (const history::Operation& operation : some_operations()) {
    std::string line;
    history::format_operation(operation, line);
    line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

void run_history(Bytes input) {
  history::CheckOptions options;
  options.max_search_states = 1000;
  for (const auto model : {history::Model::linearizable, history::Model::convergent}) {
    options.model = model;
    const history::CheckResult result = history::check_history(memory_file(input), options);
    require(!history::to_json(result).empty(), "a verdict can be written");
  }
}

std::vector<std::string> histories() {
  std::string all;
  for (const std::string& line : history_lines()) all += line + "\n";
  return {all};
}

// --- journals, logs, reports ---

void run_journal(Bytes input) {
  std::uint64_t entries = 0;
  const history::ReadReport report = history::read_journal(
      memory_file(input), [&](const history::JournalEntry&, std::uint64_t) { ++entries; });
  require(entries + report.malformed <= report.lines, "a line is an entry, or is left out");
}

std::vector<std::string> journals() {
  const std::string header = std::string(history::kJournalHeader) + "\n";
  const std::string stamp = history::format_stamp({5, 1});
  return {header + stamp + ",7,41,201,123456,\n" + history::format_stamp({6, 0}) +
              ",7,42,202,123457,5\n",
          header + history::format_stamp({0, 0}) + ",0,0,0,0,\n",
          "stamp,client,seq,cell\n" + stamp + ",7,41,201\n"};
}

void run_replay(Bytes input) {
  try {
    load::ReplayReader reader(memory_file(input));
    std::uint64_t placements = 0;
    while (reader.next()) ++placements;
    require(placements + reader.malformed() <= reader.lines() + 1,
            "a line is a placement, or is left out");
  } catch (const load::LoadError&) {  // says what is wrong
  }
}

std::string gzipped(const std::string& text) {
  constexpr int kGzip = 15 + 16;  // zlib's way to ask for it
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::vector<std::string> replays() {
  std::vector<std::string> texts{
      "ts,user,x_coordinate,y_coordinate,color\n1490986860000,abc=,1,2,3\n1490986861000,x,4,5,15\n",
      "timestamp,user_id,pixel_color,coordinate\n2022-04-04 00:53:51.577 UTC,abc==,#00CCC0,"
      "\"826,1048\"\n2022-04-04 00:53:53 UTC,abd==,#FFFFFF,\"1,2,3,4\"\n",
      "t_ms,user,x,y,color\n0,1,2,3,#FF0000\n15,2,3,4,#00FF00\n"};
  texts.push_back(gzipped(texts.front()));
  return texts;
}

void run_report(Bytes input) {
  const std::string text(text_of(input));
  load::parse_report(text);
  harness::NodeCounters counters;
  harness::parse_report(text, counters);
}

// The manifest beside a history.
void run_manifest(Bytes input) {
  try {
    const history::ManifestFacts facts = history::read_manifest(memory_file(input));
    require(facts.canvas_width.value_or(1) > 0, "a canvas has a width");
  } catch (const std::invalid_argument& error) {
    require(error.what()[0] != '\0', "a manifest that is refused is told why");
  }
}

std::vector<std::string> manifests() {
  return {R"({"canvas":"64x64","record":"all","options":{"ack":"2"}})",
          R"({"spec":{"canvas":"64x64","record":"1%"},"options":{"ack":1},"departures":[{"node":2,)"
          R"("at_ns":5}]})"};
}

// The logs of two nodes.
void run_logs(Bytes input) {
  static const harness::PrivateFolder folder;
  InputReader reader(input);
  const Bytes first = reader.piece();
  const auto write = [](const std::string& name, Bytes text) {
    const auto path = folder.path() / name;
    std::ofstream(path, std::ios::binary) << text_of(text);
    return path;
  };
  const harness::LogSource one{"node 1", write("1.log", first)};
  const harness::LogSource other{"node 2", write("2.log", reader.rest())};
  harness::merge_logs({one, other}, folder.path() / "all");
  require(harness::log_tail(folder.path() / "all", 3).size() <= 8192, "a tail is bounded");
  const auto roles = harness::read_roles(folder.path(), 2, {});
  require(std::ranges::is_sorted(roles, {}, &harness::RoleTold::at_ms), "roles are in order");
  const std::string line(text_of(first));
  const auto time = harness::parse_log_time(line);
  if (!time) return;
  require(harness::parse_log_time(harness::log_time(*time)) == time,
          "a time that is read can be written and read again");
}

std::vector<std::string> logs() {
  InputWriter writer;
  writer.piece(bytes_of("2026-01-01T00:00:00.000001Z a\n  stack\n2026-01-01T00:00:00.000004Z d\n"));
  writer.rest(bytes_of("early\n2026-01-01T00:00:00.000003Z c"));
  InputWriter roles;
  roles.piece(
      bytes_of("2026-01-01T00:00:00.000001Z info node 1 is leader in epoch 4, leader 1, "
               "commit 3, elections begun 2\n"));
  roles.rest(bytes_of(
      "2026-01-01T00:00:00.000000Z info node 2 is follower in epoch 4, leader 1, commit 3\n"));
  return {writer.take(), roles.take()};
}

// --- results ---

// A manifest and a summary, as diff, sweeps and the table of results read them.
void run_results(Bytes input) {
  static const harness::PrivateFolder folder;
  InputReader reader(input);
  std::ofstream(folder.path() / "manifest.json", std::ios::binary) << text_of(reader.piece());
  std::ofstream(folder.path() / "summary.json", std::ios::binary) << text_of(reader.rest());
  harness::ResultRow row;
  row.record.run.spec.algorithm = &kRaft;
  row.record.state = harness::RecordState::done;
  row.figures = harness::read_figures(folder.path());
  require(!harness::result_line(row).empty(), "a run has a line");
  require(!harness::results_table({row}).empty(), "a run is in the table");
  try {
    const diff::ResultSet set = diff::read_result_set(folder.path());
    const diff::Diff same = diff::compare_results(set, set, {});
    require(diff::verdict_of(same) != diff::Verdict::differs, "a run differs not from itself");
    require(!diff::to_text(same, 0.05).empty() && !diff::to_json(same).empty(),
            "a comparison can be written");
  } catch (const diff::ResultError& error) {
    require(error.what()[0] != '\0', "results that are refused are told why");
  }
}

std::vector<std::string> results() {
  InputWriter writer;
  writer.piece(bytes_of(
      R"({"algorithm":"raft","nodes":3,"rate":100,"loop":"open","faults":"kill-leader","options":{"heartbeat_ms":50},"host":{"cpu":"x","cores":2}})"));
  writer.rest(bytes_of(
      R"({"achieved_ops_per_s":99.5,"latency_us":{"p50":12.5,"p99":">5000000"},"cpu_s_per_mops":{"nodes":3},"peak_rss_bytes":{"1":10},"recovery":[{"fault":"kill-leader","noticed_ms":150,"first_success_ms":200,"back_to_95_ms":null,"ended_ms":9,"converged_ms":4}],"generator":{"limited":true},"consistency":{"verdict":"pass"}})"));
  return {writer.take()};
}

// The state of a sweep that is gone on with.
harness::SweepSpec small_sweep() {
  return harness::parse_sweep_spec_text("algorithms = \"raft\"\nnodes = 3\nrate = 100\n", "s");
}

void run_sweep_state(Bytes input) {
  static const harness::PrivateFolder folder;
  static const harness::SweepSpec spec = small_sweep();
  std::ofstream(folder.path() / "sweep.json", std::ios::binary) << text_of(input);
  read_config([] { harness::read_sweep_json(folder.path(), spec); });
}

std::vector<std::string> sweep_states() {
  const harness::PrivateFolder folder;
  std::vector<harness::RunRecord> runs(2);
  for (harness::RunRecord& record : runs) record.run.spec.algorithm = &kRaft;
  runs[0].run.name = "001-raft";
  runs[0].state = harness::RecordState::failed;
  runs[0].reason = "no leader";
  harness::write_sweep_json(folder.path(), small_sweep(), runs, {}, {"a warning"});
  std::ostringstream text;
  text << std::ifstream(folder.path() / "sweep.json").rdbuf();
  return {text.str()};
}

// --- POST /faults ---

void run_fault_request(Bytes input) {
  harness::FaultRequest request;
  if (const auto complaint = harness::parse_fault_request(text_of(input), 5, request)) {
    require(!complaint_json(*complaint).empty(), "a refusal can be written");
    return;
  }
  using Kind = harness::FaultRequest::Kind;
  require(!request.name().empty(), "a fault has a name");
  const bool of_links = request.kind == Kind::cut || request.kind == Kind::slow_link;
  if (of_links && !request.target) links_of(request.which, kNoNode, 5);
  if (of_links && request.target) {
    require(request.target->kind != NodeTarget::Kind::majority, "a cut has one node");
    links_of(request.which, NodeId{1}, 5);
  }
}

std::vector<std::string> fault_requests() {
  return {R"({"fault":"cut","node":"leader","side":"minority","direction":"in"})",
          R"({"fault":"cut","groups":[[1,2,3],[3,4,5]]})",
          R"({"fault":"slow-link","node":2,"delay_ms":50,"jitter_ms":10,"loss":0.01})",
          R"({"fault":"delay","delay_ms":50})",
          R"({"fault":"kill","node":"majority"})",
          R"({"fault":"slow-disk","node":"follower","delay_ms":50})",
          R"({"fault":"clock-step","node":3,"step_ms":-2000})",
          R"({"fault":"rolling-restart","down_ms":500})",
          R"({"fault":"heal"})"};
}

// --- options that have a form of their own ---

// Which option of which strategy, and the text.
void run_option_text(Bytes input) {
  static const std::vector<std::pair<const Algorithm*, const OptionSpec*>> all = [] {
    std::vector<std::pair<const Algorithm*, const OptionSpec*>> found;
    for (const Algorithm* algorithm : algorithms()) {
      for (const OptionSpec& option : algorithm->options) found.emplace_back(algorithm, &option);
    }
    return found;
  }();
  InputReader reader(input);
  const auto [algorithm, option] = all[reader.number<std::uint8_t>() % all.size()];
  const std::string text(text_of(reader.rest()));
  OptionValues values;
  if (set_option(algorithm->options, option->name, text, values).empty()) {
    const std::int64_t value = values.at(option->name);
    require(value >= option->min && value <= option->max, "what is accepted is in range");
  }
  try {
    load::parse_workload(text, 5000);
  } catch (const load::LoadError& error) {
    require(error.what()[0] != '\0', "a workload that is refused is told why");
  }
  harness::parse_target(text);
  terminal::parse_address(text);
  // A path is another target's matter.
  if (text.find('/') != std::string::npos || text.ends_with(".toml")) return;
  read_config([&] {
    harness::RunSpec spec;
    spec.algorithm = &kRaft;
    spec.faults = text;
    harness::load_faults(spec);
  });
}

std::vector<std::string> option_texts() {
  std::vector<std::string> seeds;
  for (const char* text : {"zipf:1.1", "hotspot:0.5@4", "rplace", "random:10", "kill-leader",
                           "leader", "7", "127.0.0.1:7001", "http://[::1]:80/", "-1", "fast"}) {
    seeds.push_back(std::string(1, static_cast<char>(seeds.size())) + text);
  }
  return seeds;
}

std::vector<std::string> reports() {
  return {R"({"applied":12,"digest":"00000000000000ff","requests_in_flight":3,"role":"leader"})",
          R"({"applied":12,"digest":255,"requests_in_flight":3})"};
}

// --- TOML ---

void run_node_config(Bytes input) {
  read_config([&] {
    const auto settings = harness::parse_node_config_text(text_of(input), "node.toml");
    const std::string text = harness::node_config_text(settings);
    try {
      require(harness::node_config_text(harness::parse_node_config_text(text, "again")) == text,
              "what is read can be written and read again");
    } catch (const ConfigError& error) {
      throw Finding("what was read and written is refused: " + std::string(error.what()));
    }
  });
}

std::vector<std::string> node_configs() {
  std::vector<std::string> texts;
  for (const Algorithm* algorithm : algorithms()) {
    harness::NodeSettings settings;
    settings.node = NodeId{1};
    settings.algorithm = algorithm;
    settings.options = default_options(algorithm->options);
    settings.client_endpoint = "tcp://127.0.0.1:7001";
    for (std::uint32_t node = 1; node <= std::min(3U, algorithm->max_nodes); ++node) {
      settings.peers[NodeId{node}] = "tcp://127.0.0.1:" + std::to_string(7100 + node);
    }
    texts.push_back(harness::node_config_text(settings));
  }
  return texts;
}

void run_sweep_spec(Bytes input) {
  read_config([&] { harness::parse_sweep_spec_text(text_of(input), "sweep.toml"); });
}

std::vector<std::string> sweep_specs() {
  return {
      "algorithms = [\"raft\", \"gossip_lww\"]\nnodes = [3, 5]\nrate = [1000, 2000]\n"
      "durability = [\"none\"]\nlinks = [\"loopback\", \"lan\"]\nfaults = [\"none\", "
      "\"kill-leader\"]\nworkload = [\"uniform\", \"zipf:1.1\"]\nread_share = [0.0, 0.5]\n"
      "read_mode = [\"local\"]\nrouting = [\"any\"]\nbatch = [1, 8]\nloop = \"open\"\ncanvas = "
      "\"100x100\"\nclients = 64\nwarmup_s = 1\nduration_s = 2\nrepetitions = 3\nrecord = "
      "\"1%\"\nseed = 7\n[options.raft]\nelection_timeout_min_ms = [150, 200]\n",
      "algorithms = \"raft\"\nnodes = 3\nloop = \"closed\"\nwindow = [1, 16]\n",
      "algorithms = \"raft\"\nnodes = 3\nrate = \"search\"\nobjective = \"p99<=10ms\"\n"};
}

void run_links(Bytes input) {
  read_config([&] { harness::load_network_profile(memory_file(input).string()); });
}

std::vector<std::string> links() {
  std::vector<std::string> texts{
      "delay_ms = 20\njitter_ms = 5\nloss = 0.01\nreorder = true\n[[link]]\nfrom = 1\nto = "
      "2\ndelay_ms = 80\ncut = true\n"};
  for (const harness::NamedLinks& named : harness::named_links()) texts.emplace_back(named.toml);
  return texts;
}

// The tables of a request at a node's control (harness/cluster/node_control.h).
void run_link_tables(Bytes input) {
  read_config([&] {
    const auto read = [](std::string_view text) {
      auto reader = harness::ConfigReader::from_text(text, "request");
      const auto rules = harness::read_links(reader, NodeId{1});
      const auto faults = harness::read_node_faults(reader, "async");
      reader.finish();
      return harness::links_text(rules) + harness::node_faults_text(faults);
    };
    const std::string text = read(text_of(input));
    try {
      require(read(text) == text, "what is read can be written and read again");
    } catch (const ConfigError& error) {
      throw Finding("what was read and written is refused: " + std::string(error.what()));
    }
  });
}

std::vector<std::string> link_tables() {
  LinkRule rule;
  rule.from = NodeId{1};
  rule.to = NodeId{2};
  return {"[[link]]\nto = 2\ndelay_ms = 20\njitter_ms = 5\nloss = 0.01\ncut = false\n",
          harness::links_text({rule}),
          "[faults]\nclock_step_ms = -2000\ndisk_delay_ms = 100\ndisk_full = true\n"};
}

void run_schedule(Bytes input) {
  read_config([&] {
    harness::RunSpec spec;
    spec.algorithm = &kRaft;
    spec.faults = memory_file(input).string();
    const FaultSchedule faults = harness::load_faults(spec);
    for (const ScheduledFault& fault : faults) {
      require(!fault.name().empty(), "a fault has a name");
      if (fault.kind == ScheduledFault::Kind::cut) links_of(fault.cut, NodeId{1}, 3);
    }
    harness::impossible_for(faults, 3);
  });
}

std::vector<std::string> schedules() {
  return {"[[fault]]\nat_s = 2.5\nkind = \"restart\"\nnode = \"leader\"\ndown_s = 1.0\n",
          "[[fault]]\nat_s = 5\nkind = \"cut\"\nnode = 3\nside = \"minority\"\ndirection = "
          "\"in\"\nfor_s = 2\n[[fault]]\nat_s = 1\nkind = \"kill\"\nnode = \"majority\"\n",
          "[[fault]]\nat_s = 8\nkind = \"cut\"\ngroups = [[1, 2, 3], [2, 4], [3, 5]]\nfor_s = 1\n",
          "[[fault]]\nat_s = 3\nkind = \"pause\"\nnode = \"follower\"\nfor_s = 2\n"};
}

}  // namespace

void add_file_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"history_line", run_history_line, history_lines, 20'000});
  targets.push_back({"history", run_history, histories, 1000});
  targets.push_back({"journal", run_journal, journals, 3000});
  targets.push_back({"replay_log", run_replay, replays, 10'000});
  targets.push_back({"node_report", run_report, reports, 10'000});
  targets.push_back({"node_logs", run_logs, logs, 1000});
  targets.push_back({"manifest", run_manifest, manifests, 5000});
  targets.push_back({"results", run_results, results, 1000});
  targets.push_back({"sweep_state", run_sweep_state, sweep_states, 1000});
  targets.push_back({"fault_request_body", run_fault_request, fault_requests, 20'000});
  targets.push_back({"option_text", run_option_text, option_texts, 5000});
  targets.push_back({"node_toml", run_node_config, node_configs});
  targets.push_back({"sweep_toml", run_sweep_spec, sweep_specs});
  targets.push_back({"links_toml", run_links, links});
  targets.push_back({"link_tables_toml", run_link_tables, link_tables});
  targets.push_back({"schedule_toml", run_schedule, schedules});
}

}  // namespace parley::fuzz
