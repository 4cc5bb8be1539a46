// A real node of the canvas for tests: what `parley node --config` is, without the web page.
// Usage: live_node <node.toml>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>

#include "apps/canvas/canvas.h"
#include "harness/cluster/node_config.h"
#include "runtime/live/node.h"

namespace {

parley::Node* running = nullptr;

parley::NodeConfig config_of(const parley::harness::NodeSettings& settings,
                             const parley::Canvas& canvas) {
  parley::NodeConfig config;
  config.algorithm = settings.algorithm;
  config.application = &canvas;
  config.replica.group = settings.group;
  config.replica.self = settings.node;
  config.replica.incarnation = settings.incarnation;
  config.replica.members = settings.members();
  config.replica.options = settings.options;
  config.replica.seed = settings.seed * 1000 + settings.node.value;
  config.peers = settings.peers;
  config.client_endpoints = {settings.client_endpoint};
  config.journal = settings.journal;
  config.journal_cell = [&canvas](parley::Key key) {
    const parley::Canvas::Point point = canvas.xy_of(key);
    return std::uint64_t{point.y} * canvas.size().width + point.x;
  };
  return config;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const parley::harness::NodeSettings settings = parley::harness::parse_node_config(argv[1]);
  auto logger = spdlog::stderr_logger_mt("node");
  logger->set_pattern(parley::harness::kNodeLogPattern, spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
  const parley::Canvas canvas(settings.canvas);
  parley::Node node(config_of(settings, canvas));
  running = &node;
  std::signal(SIGTERM, [](int) { running->stop(); });
  spdlog::info("node {} starts", settings.node.value);
  return node.run();
}
