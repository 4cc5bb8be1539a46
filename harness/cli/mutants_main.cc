// parley_mutants: `parley check` with strategies whose guards can be left out.
#include <CLI/CLI.hpp>

#include <stdexcept>

#include "harness/cli/check_options.h"

namespace parley::cli {

FaultSchedule load_schedule(const CheckOptions& options) {
  throw std::runtime_error("faults: \"" + options.faults +
                           "\" is a schedule, which mutants do not follow");
}

NetworkProfile load_links(const CheckOptions& options) {
  throw std::runtime_error("links: \"" + options.links + "\": mutants draw theirs by the seed");
}

}  // namespace parley::cli

int main(int argc, char** argv) {
  namespace cli = parley::cli;
  CLI::App app("What `parley check --mutants` runs.", "parley_mutants");
  cli::CheckOptions options;
  app.add_flag("--json", options.common.json);
  app.add_option("--seed", options.common.seed);
  cli::add_check_options(app, options);
  try {
    app.parse(argc, argv);
    return cli::run_check(options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? cli::kDone : cli::kUsage;
  } catch (const std::exception& error) {
    cli::complain(error.what());
    return cli::kFailed;
  }
}
