#include "harness/cli/commands.h"

#include <fmt/core.h>

#include <cstdio>

#include "algorithms/registry/registry.h"

namespace parley::cli {

void complain(const std::string& text) {
  fmt::print(stderr, "parley: {}\n", text);
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

}  // namespace parley::cli
