// What the tests that measure whole runs share.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "algorithms/registry/registry.h"
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

}  // namespace parley::harness
