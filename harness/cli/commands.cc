#include "harness/cli/commands.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "algorithms/registry/registry.h"

namespace parley::cli {

void complain(const std::string& text) {
  fmt::print(stderr, "parley: {}\n", text);
}

std::string parse_options(const std::vector<std::string>& options, const Algorithm& algorithm,
                          OptionValues& values) {
  values = default_options(algorithm.options);
  for (const std::string& option : options) {
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos) return "option: \"" + option + "\" is not NAME=VALUE";
    std::string problem =
        set_option(algorithm.options, option.substr(0, equals), option.substr(equals + 1), values);
    if (!problem.empty()) return problem;
  }
  return algorithm.check_options == nullptr ? std::string() : algorithm.check_options(values);
}

bool known_algorithm(const std::string& name) {
  if (find_algorithm(name) != nullptr) return true;
  std::string known;
  for (const Algorithm* algorithm : algorithms()) {
    if (!known.empty()) known += ", ";
    known += algorithm->name;
  }
  complain("algorithm: \"" + name + "\" is not one of " + known);
  return false;
}

std::string make_trace_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && access(folder.c_str(), W_OK) != 0) error.assign(errno, std::generic_category());
  if (!error) return {};
  return fmt::format("trace-out: {} cannot be written to: {}", folder.string(), error.message());
}

}  // namespace parley::cli
