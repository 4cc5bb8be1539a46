// parley algorithms: the registered strategies with their guarantees and options.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "algorithms/registry/registry.h"
#include "harness/cli/commands.h"

namespace parley::cli {
namespace {

nlohmann::ordered_json option_json(const OptionSpec& spec) {
  nlohmann::ordered_json json{{"name", spec.name}, {"help", spec.help}};
  if (spec.choices.empty()) {
    json["default"] = spec.fallback;
    json["min"] = spec.min;
    json["max"] = spec.max;
  } else {
    json["default"] = spec.choices[static_cast<std::size_t>(spec.fallback)];
    json["choices"] = spec.choices;
  }
  return json;
}

nlohmann::ordered_json algorithm_json(const Algorithm& algorithm) {
  nlohmann::ordered_json options = nlohmann::ordered_json::array();
  for (const OptionSpec& spec : algorithm.options) options.push_back(option_json(spec));
  return {{"name", algorithm.name},
          {"summary", algorithm.summary},
          {"max_nodes", algorithm.max_nodes},
          {"guarantee",
           {{"summary", algorithm.guarantee.summary},
            {"linearizable_writes", algorithm.guarantee.linearizable_writes},
            {"linearizable_reads", algorithm.guarantee.linearizable_reads},
            {"exactly_once", algorithm.guarantee.exactly_once},
            {"ordered", algorithm.guarantee.ordered}}},
          {"options", options}};
}

void print_option(const OptionSpec& spec) {
  std::string values = fmt::format("{}; {} to {}", spec.fallback, spec.min, spec.max);
  if (!spec.choices.empty()) {
    values = spec.choices[static_cast<std::size_t>(spec.fallback)] + ";";
    for (const std::string& choice : spec.choices) values += " " + choice;
  }
  fmt::print("    {:<26} {} [{}]\n", spec.name, spec.help, values);
}

}  // namespace

int run_algorithms(const AlgorithmsOptions& options) {
  if (options.common.json) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const Algorithm* algorithm : algorithms()) all.push_back(algorithm_json(*algorithm));
    fmt::print("{}\n", nlohmann::ordered_json{{"algorithms", all}}.dump(2));
    return kDone;
  }
  for (const Algorithm* algorithm : algorithms()) {
    fmt::print("{}: {}\n  promises: {}\n", algorithm->name, algorithm->summary,
               algorithm->guarantee.summary);
    if (!algorithm->options.empty()) fmt::print("  options [default; allowed]:\n");
    for (const OptionSpec& spec : algorithm->options) print_option(spec);
    fmt::print("\n");
  }
  return kDone;
}

}  // namespace parley::cli
