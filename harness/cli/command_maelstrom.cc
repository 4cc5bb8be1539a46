// parley maelstrom: one node for Maelstrom, on standard input and output.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>

#include "algorithms/registry/registry.h"
#include "harness/cli/commands.h"
#include "harness/maelstrom/workloads.h"
#include "runtime/clocks.h"
#include "runtime/live/trace_file.h"
#include "runtime/maelstrom/node.h"

namespace parley::cli {
namespace {

// Standard output is for messages only.
void log_to_standard_error() {
  auto logger = spdlog::stderr_logger_mt("maelstrom");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

int run_maelstrom(const MaelstromOptions& options) {
  if (!known_algorithm(options.algorithm)) return kUsage;
  const Algorithm* algorithm = find_algorithm(options.algorithm);
  maelstrom::NodeConfig config;
  if (const std::string problem = parse_options(options.options, *algorithm, config.options);
      !problem.empty()) {
    complain(problem);
    return kUsage;
  }
  algorithm = &with_options(*algorithm, config.options);
  config.algorithm = algorithm;
  // No earlier start had it; nodes that share one are told apart by their ids.
  config.incarnation =
      Incarnation{static_cast<std::uint64_t>(wall_now().time_since_epoch().count())};
  config.seed = options.seed.value_or(config.incarnation.value);
  if (!options.trace_out.empty()) {
    const std::filesystem::path folder = options.trace_out;
    if (const std::string problem = make_trace_folder(folder); !problem.empty()) {
      complain(problem);
      return kUsage;
    }
    config.open_trace = [folder](NodeId node) {
      return std::make_unique<TraceFile>(folder / fmt::format("{}.jsonl", node.value),
                                         LineFile::Mode::anew);
    };
  }
  log_to_standard_error();
  // Whoever stops reading is noticed when we write.
  std::signal(SIGPIPE, SIG_IGN);
  maelstrom::Workloads workloads(*algorithm);
  maelstrom::Node node(config, workloads);
  return maelstrom::run(node, STDIN_FILENO, STDOUT_FILENO) == 0 ? kDone : kFailed;
}

}  // namespace parley::cli
