#include "harness/cli/check_options.h"

#include <CLI/CLI.hpp>

namespace parley::cli {

void add_check_options(CLI::App& check, CheckOptions& options) {
  check.add_option("--algorithm", options.algorithm, "The strategy to check")
      ->required()
      ->type_name("ALGORITHM");
  check
      .add_option("--seeds", options.seeds,
                  "How many seeds, from --seed upwards (default: 100; of each mutant, until it is "
                  "caught, at most 1000)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40));
  check.add_option("--nodes", options.nodes, "Nodes of a cluster (default: drawn by the seed)")
      ->check(CLI::Range(1, 16));
  check
      .add_option("--seconds", options.seconds,
                  "Virtual seconds a seed (default: 60; of mutants 240)")
      ->check(CLI::Range(1, 86400));
  check.add_option(
      "--faults", options.faults,
      "all, none, or kinds separated by commas: loss, duplication, reordering, stall, "
      "one_way, partition, pause, crash, clock, slow_disk, failed_save, failed_sync, "
      "members, handover; or a schedule as in a sweep (kill-leader, isolate-leader, ..., or a "
      "TOML file), which takes their place");
  check
      .add_option("--links", options.links,
                  "What the links are without faults: a profile by name (loopback, lan, ...), or a "
                  "TOML file with "
                  "delay_ms, jitter_ms, loss, cut, reorder, [[link]] (default: drawn by the seed)")
      ->type_name("PROFILE");
  check.add_option("--application", options.application, "any, canvas or counter")
      ->check(CLI::IsMember({"any", "canvas", "counter"}));
  check.add_option("--option", options.options, "An option of the algorithm, NAME=VALUE");
  CLI::Option* trace =
      check
          .add_option("--trace-out", options.trace_out,
                      "With one seed: write everything that happens; *.json for Perfetto or "
                      "chrome://tracing, *.shiviz for ShiViz, *.jsonl for programs "
                      "(docs/protocol_trace.md), any other ending for text")
          ->type_name("FILE");
  CLI::Option* reduced =
      check
          .add_option("--reduced", options.reduced,
                      "With one seed: only a part of it, as a reduced failure names it: "
                      "until=SECONDS, and where wanted from=SECONDS, strikes=1,2,... or none, "
                      "clients=N, operations=N; with ; in between")
          ->type_name("PARTS");
  check.add_flag("--no-reduce", options.no_reduce,
                 "Draw a failing execution as it is, not the smallest found that fails likewise");
  CLI::Option* mutants =
      check.add_flag("--mutants", options.mutants,
                     "Leave out each guard in turn, and say how soon that is noticed");
  check
      .add_option("--mutant", options.mutant,
                  "Leave out this guard only; today: one drawn by the date")
      ->type_name("GUARD")
      ->excludes(mutants);
  check
      .add_option("--scaling", options.scaling,
                  "Instead, of a strategy that merges: clusters of 10 to 1000 nodes fall into two "
                  "halves and heal; write how soon they agree and what they send to FILE, as CSV "
                  "(--seeds a size, default 3)")
      ->type_name("FILE")
      ->excludes(mutants);
  mutants->excludes(trace)->excludes(reduced);
}

std::vector<std::string> arguments_of(const CheckOptions& options) {
  std::vector<std::string> arguments{"--algorithm", options.algorithm};
  const auto add = [&arguments](const char* name, const std::string& value) {
    if (value.empty()) return;
    arguments.emplace_back(name);
    arguments.push_back(value);
  };
  if (options.common.json) arguments.emplace_back("--json");
  if (options.common.seed) add("--seed", std::to_string(*options.common.seed));
  if (options.seeds) add("--seeds", std::to_string(*options.seeds));
  if (options.nodes != 0) add("--nodes", std::to_string(options.nodes));
  if (options.seconds) add("--seconds", std::to_string(*options.seconds));
  add("--faults", options.faults);
  add("--links", options.links);
  add("--application", options.application);
  for (const std::string& option : options.options) add("--option", option);
  add("--trace-out", options.trace_out);
  add("--reduced", options.reduced);
  if (options.no_reduce) arguments.emplace_back("--no-reduce");
  if (options.mutants) arguments.emplace_back("--mutants");
  add("--mutant", options.mutant);
  return arguments;
}

}  // namespace parley::cli
