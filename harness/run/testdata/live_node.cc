// A real node of the canvas for tests: what `parley node --config` is, without the web page.
// Usage: live_node <node.toml>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>

#include "apps/canvas/canvas.h"
#include "harness/cluster/live_config.h"
#include "harness/cluster/node_control.h"

namespace {

parley::Node* running = nullptr;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const parley::harness::NodeSettings settings = parley::harness::parse_node_config(argv[1]);
  auto logger = spdlog::stderr_logger_mt("node");
  logger->set_pattern(parley::harness::kNodeLogPattern, spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
  const parley::Canvas canvas(settings.canvas, settings.cooldown);
  parley::Node node(parley::harness::live_config(settings, canvas));
  const parley::harness::NodeControl control(settings, node);
  running = &node;
  std::signal(SIGTERM, [](int) { running->stop(); });
  spdlog::info("node {} starts", settings.node.value);
  return node.run();
}
