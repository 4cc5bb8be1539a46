// What the tests that measure whole runs share.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "algorithms/registry/registry.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/private_folder.h"
#include "harness/run/run.h"

namespace parley::harness {

using Json = nlohmann::json;

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline Json json_of(const std::filesystem::path& path) {
  return Json::parse(content_of(path));
}

// A small run with small figures.
inline RunSpec small(const char* algorithm, std::uint32_t nodes) {
  RunSpec spec;
  spec.algorithm = find_algorithm(algorithm);
  spec.options = default_options(spec.algorithm->options);
  spec.nodes = nodes;
  spec.rate = 200;
  spec.clients = 16;
  spec.warmup_s = 0.2;
  spec.duration_s = 1;
  spec.canvas = {64, 64};
  return spec;
}

// Nodes as the tests build them.
inline RunEnvironment with_real_nodes() {
  RunEnvironment environment;
  environment.executable = PARLEY_LIVE_NODE;
  environment.arguments = {};
  return environment;
}

// Nodes of Raft as the tests build them, which keep their state.
inline ClusterSpec stored_nodes(const PrivateFolder& folder) {
  ClusterSpec spec;
  spec.executable = PARLEY_LIVE_NODE;
  spec.arguments = {};
  spec.folder = folder.path();
  spec.algorithm = find_algorithm("raft");
  spec.options = default_options(spec.algorithm->options);
  spec.durability = "async";
  spec.data = folder.path() / "data";
  return spec;
}

// A run on real nodes and its folder, which is gone with it.
class TestRun {
 public:
  // `schedule`, unless it is empty, is the text of the file with the faults.
  explicit TestRun(RunSpec spec, const std::string& schedule = {}) {
    if (!schedule.empty()) {
      spec.faults = (folder_.path() / "faults.toml").string();
      std::ofstream(spec.faults) << schedule;
    }
    outcome = execute_run(spec, out(), with_real_nodes());
  }

  [[nodiscard]] std::filesystem::path out() const { return folder_.path() / "run"; }
  [[nodiscard]] std::string content(const char* file) const { return content_of(out() / file); }
  [[nodiscard]] Json summary() const { return json_of(out() / "summary.json"); }

  void expect_done() const {
    EXPECT_EQ(outcome.state, RunState::done) << outcome.reason << content("cluster.log");
  }
  // Recorded, nothing was lost or done twice, and all agree in the end.
  void expect_sound() const {
    expect_done();
    const Json consistency = summary()["consistency"];
    EXPECT_EQ(consistency["verdict"], "pass") << json_of(out() / "manifest.json")["notes"];
    EXPECT_EQ(consistency["lost"], 0);
    EXPECT_EQ(consistency["duplicates"], 0);
    EXPECT_FALSE(consistency["converged_ms"].is_null()) << "all agree in the end";
  }

  RunOutcome outcome;

 private:
  PrivateFolder folder_;
};

// Each node had its turn in a rolling restart. Prints how long the cluster was unavailable at most.
inline void expect_rolled(const TestRun& run, std::size_t nodes) {
  const Json summary = run.summary();
  ASSERT_EQ(summary["recovery"].size(), 1U);
  const Json& rolled = summary["recovery"][0];
  EXPECT_EQ(rolled["fault"], "rolling-restart");
  ASSERT_EQ(rolled["restarts"].size(), nodes) << rolled;
  for (std::size_t i = 0; i < nodes; ++i) EXPECT_EQ(rolled["restarts"][i]["node"], i + 1);
  ASSERT_TRUE(rolled["unavailable_ms"].is_number());
  std::printf(
      "%zu nodes restarted in %.0f ms; unavailable for at most %.0f ms, %s false elections\n",
      nodes, rolled["ended_ms"].get<double>() - rolled["restarts"][0]["asked_ms"].get<double>(),
      rolled["unavailable_ms"].get<double>(), summary["false_elections"].dump().c_str());
}

}  // namespace parley::harness
