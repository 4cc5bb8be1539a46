// docs/results.md against what runs write: every field is in it, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "harness/run/run_files.h"
#include "harness/run/test_runs.h"
#include "harness/sweep/knee.h"
#include "harness/sweep/sweep.h"

namespace parley::harness {
namespace {

// By the file's name as the dictionary has it.
using Fields = std::map<std::string, std::set<std::string>>;

// The names in the first column of each section's table.
Fields documented() {
  std::ifstream file(std::filesystem::path(PARLEY_SOURCE_DIR) / "docs/results.md");
  const std::regex code("`([^`]+)`");
  Fields fields;
  std::string section;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## `")) section = line.substr(4, line.rfind('`') - 4);
    if (section.empty() || !line.starts_with("| `")) continue;
    const std::string names = line.substr(0, line.find('|', 1));
    for (std::sregex_iterator name(names.begin(), names.end(), code), end; name != end; ++name) {
      fields[section].insert((*name)[1]);
    }
  }
  return fields;
}

void gather(const std::string& name, const Json& value, std::set<std::string>& names) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, entry] : value.items()) {
      gather(name.empty() ? key : name + '.' + key, entry, names);
    }
  } else if (value.is_array() && !value.empty() && value.front().is_object()) {
    for (const Json& entry : value) gather(name + "[]", entry, names);
  } else if (!value.is_structured() || !name.empty()) {
    names.insert(name);
  }
}

std::set<std::string> columns_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string header;
  std::getline(in, header);
  std::istringstream cells(header);
  std::set<std::string> names;
  for (std::string cell; std::getline(cells, cell, ',');) names.insert(cell);
  return names;
}

// Adds what the files of a run's folder hold.
void gather_run(const std::filesystem::path& run, Fields& fields) {
  for (const char* file : {"manifest.json", "summary.json"}) {
    gather("", json_of(run / file), fields[file]);
  }
  for (const char* file : {"timeline.csv", "nodes.csv", "faults.csv", "events.csv", "histogram.csv",
                           "staleness.csv", "visibility.csv"}) {
    fields[file].merge(columns_of(run / file));
  }
  fields["nodes/<id>.applied.csv"].merge(columns_of(run / "nodes/1.applied.csv"));
  std::ifstream history(run / "history.jsonl");
  for (std::string line; std::getline(history, line);) {
    const Json operation = Json::parse(line);
    for (const auto& [key, value] : operation.items()) fields["history.jsonl"].insert(key);
  }
}

// Carries out a sweep on real nodes.
void run_all(const std::string& spec, const std::filesystem::path& out, Fields& fields) {
  const RunEnvironment environment = with_real_nodes();
  const RunFunction run = [environment](const RunSpec& one, const std::filesystem::path& folder,
                                        const PhaseCallback& /*on_phase*/) {
    RunEnvironment own = environment;
    own.ceiling_ops_per_s = 1e6;
    return execute_run(one, folder, own);
  };
  const std::string common = "warmup_s = 0.2\nrepetitions = 1\ncanvas = \"16x16\"\nclients = 16\n";
  const SweepResult result =
      run_sweeps({parse_sweep_spec_text(spec + common, "s")}, {out, false, nullptr}, run, {});
  EXPECT_EQ(result.failed, 0U) << results_table(result.rows);
  for (const ResultRow& row : result.rows) gather_run(row.folder, fields);
  fields["results.csv"].merge(columns_of(out / "results.csv"));
}

// What a search adds, by the code that writes it; its runs are made up.
void search(const std::filesystem::path& folder, Fields& fields) {
  const RunFunction run = with_search(
      [](const RunSpec&, const std::filesystem::path& out, const PhaseCallback& /*on_phase*/) {
        std::filesystem::create_directories(out);
        std::ofstream(out / "summary.json")
            << R"({"offered_ops_per_s":100,"achieved_ops_per_s":100,"completed":100,"refused":0,)"
               R"("unknown":0,"unsent":0,"latency_us":{"p99":5},"generator":{"limited":false}})";
        return RunOutcome{};
      });
  RunSpec spec = small("raft", 3);
  spec.rate = kSearchedRate;
  spec.objective = "p99<=10ms";
  EXPECT_EQ(run(spec, folder, [](std::string_view) {}).state, RunState::done);
  gather("", json_of(folder / "summary.json"), fields["summary.json"]);
  RunFindings findings;
  findings.departures = {{1, 42}};  // as of a killed node
  write_manifest(folder, spec, with_real_nodes(), findings);
  gather("", json_of(folder / "manifest.json"), fields["manifest.json"]);
}

// Runs that between them write everything.
Fields written() {
  const PrivateFolder folder;
  const auto at = [&folder](const char* name) { return folder.path() / name; };
  std::ofstream(at("faults.toml"))
      << "[[fault]]\nat_s = 0.2\nkind = \"slow-link\"\nnode = \"leader\"\ndelay_ms = 5\nfor_s = "
         "0.3\n"
         "[[fault]]\nat_s = 1\nkind = \"rolling-restart\"\ndown_s = 0.1\n";
  std::ofstream(at("log.csv")) << "t_ms,user,x,y,color\n0,1,1,1,#FF0000\n100,2,2,2,#00FF00\n";
  Fields fields;
  run_all(
      "algorithms = \"raft\"\nnodes = 3\nrate = 300\ndurability = \"async\"\nlinks = \"metro\"\n"
      "record = \"all\"\nread_share = 0.3\nduration_s = 10\nfaults = \"" +
          at("faults.toml").string() + "\"\n",
      at("a"), fields);
  run_all(
      "algorithms = \"unreplicated\"\nnodes = 1\nlinks = \"lan\"\nloop = \"closed\"\nwindow = "
      "8\nduration_s = 0.3\n",
      at("b"), fields);
  run_all("algorithms = \"unreplicated\"\nnodes = 1\nduration_s = 0.5\nworkload = \"replay:" +
              at("log.csv").string() + "\"\n",
          at("c"), fields);
  // Whoever is left has no leader, and says so: there are errors.
  std::ofstream(at("kill.toml")) << "[[fault]]\nat_s = 0.3\nkind = \"kill\"\nnode = \"majority\"\n";
  run_all("algorithms = \"raft\"\nnodes = 3\nrate = 50\nduration_s = 1.5\nfaults = \"" +
              at("kill.toml").string() + "\"\n",
          at("d"), fields);
  search(at("search"), fields);
  return fields;
}

// Whether the name is documented as it is, by a *, or, being null, as what it would hold.
bool is_documented(const std::string& name, const std::set<std::string>& known) {
  if (known.contains(name)) return true;
  const std::string parent = name.substr(0, name.rfind('.') + 1);
  if (known.contains(parent + '*')) return true;
  return std::any_of(known.begin(), known.end(), [&name](const std::string& longer) {
    return longer.starts_with(name + '.') || longer.starts_with(name + "[]");
  });
}

bool is_written(const std::string& name, const std::set<std::string>& known) {
  if (!name.ends_with(".*")) return known.contains(name);
  const std::string parent = name.substr(0, name.size() - 1);
  return std::any_of(known.begin(), known.end(),
                     [&parent](const std::string& one) { return one.starts_with(parent); });
}

TEST(ResultFields, AreAllInTheDictionaryAndNothingElseIs) {
  const Fields dictionary = documented();
  const Fields fields = written();
  for (const auto& [file, names] : fields) {
    ASSERT_TRUE(dictionary.contains(file)) << file;
    for (const std::string& name : names) {
      EXPECT_TRUE(is_documented(name, dictionary.at(file))) << file << ": " << name;
    }
  }
  for (const auto& [file, names] : dictionary) {
    ASSERT_TRUE(fields.contains(file)) << file << " is written by no run";
    for (const std::string& name : names) {
      EXPECT_TRUE(is_written(name, fields.at(file))) << file << ": " << name << " is never written";
    }
  }
}

}  // namespace
}  // namespace parley::harness
