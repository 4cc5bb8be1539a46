#include "algorithms/contract/story/files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "algorithms/contract/story/play.h"

namespace parley::story {
namespace {

std::filesystem::path path_of(const std::string& folder) {
  return std::filesystem::path(PARLEY_SOURCE_DIR) / folder;
}

}  // namespace

std::vector<std::string> stories(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(path_of(folder))) {
    if (file.path().extension() == ".txt") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void expect_told(const Strategy& strategy, const std::string& folder, const std::string& name) {
  const std::filesystem::path path = path_of(folder) / (name + ".txt");
  std::ifstream file(path);
  std::stringstream told;
  told << file.rdbuf();
  std::string problem;
  const std::string played = play(strategy, told.str(), problem);
  EXPECT_EQ(problem, "");
  if (std::getenv("PARLEY_REWRITE") != nullptr) {
    std::ofstream(path) << played;
  } else {
    EXPECT_EQ(played, told.str());
  }
}

}  // namespace parley::story
