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

nlohmann::ordered_json guarantee_json(const Guarantee& guarantee) {
  return {{"summary", guarantee.summary},
          {"linearizable_writes", guarantee.linearizable_writes},
          {"linearizable_reads", guarantee.linearizable_reads},
          {"exactly_once", guarantee.exactly_once},
          {"ordered", guarantee.ordered},
          {"keeps_acknowledged", guarantee.keeps_acknowledged}};
}

nlohmann::ordered_json algorithm_json(const Algorithm& algorithm) {
  nlohmann::ordered_json options = nlohmann::ordered_json::array();
  for (const OptionSpec& spec : algorithm.options) options.push_back(option_json(spec));
  nlohmann::ordered_json variants = nlohmann::ordered_json::array();
  for (const Variant& variant : algorithm.variants) {
    variants.push_back({{"option", variant.option},
                        {"choice", variant.choice},
                        {"guarantee", guarantee_json(variant.algorithm->guarantee)}});
  }
  return {{"name", algorithm.name},
          {"summary", algorithm.summary},
          {"max_nodes", algorithm.max_nodes},
          {"guarantee", guarantee_json(algorithm.guarantee)},
          {"variants", variants},
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
    for (const Variant& variant : algorithm->variants) {
      fmt::print("  with {} = {}: {}\n", variant.option, variant.choice,
                 variant.algorithm->guarantee.summary);
    }
    if (!algorithm->options.empty()) fmt::print("  options [default; allowed]:\n");
    for (const OptionSpec& spec : algorithm->options) print_option(spec);
    fmt::print("\n");
  }
  return kDone;
}

}  // namespace parley::cli
