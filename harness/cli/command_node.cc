// parley node: one node in the foreground.
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <csignal>
#include <optional>

#include "apps/canvas/canvas.h"
#include "apps/canvas/gateway.h"
#include "harness/cli/commands.h"
#include "harness/cluster/fault_desk.h"
#include "harness/cluster/live_config.h"
#include "harness/cluster/node_control.h"

namespace parley::cli {
namespace {

void set_up_log(const harness::NodeSettings& settings) {
  std::shared_ptr<spdlog::logger> logger;
  if (settings.log.empty()) {
    logger = spdlog::stderr_logger_mt("node");
  } else {
    logger = spdlog::basic_logger_mt("node", settings.log.string());
  }
  logger->flush_on(spdlog::level::info);
  logger->set_pattern(harness::kNodeLogPattern, spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
}

// The node that a signal stops; set before the handlers are.
Node* running_node = nullptr;

void stop_on_signals(Node& node) {
  running_node = &node;
  struct sigaction action {};
  action.sa_handler = [](int) { running_node->stop(); };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void ignore_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

// Thousands of viewers need more descriptors than the 1024 that a shell usually gives.
void take_all_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const harness::NodeSettings& settings) {
  take_all_descriptors();
  const Canvas canvas(settings.canvas, settings.cooldown);
  Node node(harness::live_config(settings, canvas));
  const harness::NodeControl control(settings, node);
  GatewayConfig web;
  web.address = settings.http_address;
  web.port = settings.http_port;
  web.pages = settings.pages;
  std::optional<harness::FaultRelay> faults;
  if (!settings.fault_endpoint.empty()) {
    faults.emplace(settings.fault_endpoint);
    web.faults = [&faults](std::string body, harness::FaultRelay::Answered done) {
      faults->ask(std::move(body), std::move(done));
    };
  }
  Gateway gateway(canvas, node.port(), web);
  if (settings.http_port != 0) {
    if (const std::string problem = gateway.start(); !problem.empty()) {
      complain(problem);
      return kUsage;
    }
    spdlog::info("serving {}", gateway.url());
  }
  stop_on_signals(node);
  spdlog::info("node {} of {} runs {}, clients at {}", settings.node.value, settings.nodes().size(),
               settings.algorithm->name, node.client_endpoints().front());
  const int status = node.run();
  ignore_signals();  // another one would find no node
  if (settings.http_port != 0) gateway.stop();
  if (status != 0) complain(node.story());
  return status == 0 ? kDone : kFailed;
}

}  // namespace

int run_node(const NodeOptions& options) {
  harness::NodeSettings settings;
  try {
    settings = harness::parse_node_config(options.config);
    if (options.rejoin) harness::make_rejoin(settings);
    if (!options.trace_out.empty()) settings.trace = options.trace_out;
  } catch (const harness::ConfigError& error) {
    complain(error.what());
    return kUsage;
  }
  try {
    set_up_log(settings);
    return serve(settings);
  } catch (const spdlog::spdlog_ex& error) {
    complain(std::string("log: ") + error.what());
    return kUsage;
  } catch (const std::runtime_error& error) {  // a port that is taken, storage that is another's
    complain(error.what());
    return kUsage;
  }
}

}  // namespace parley::cli
