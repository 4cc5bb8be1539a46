// Plays the stories of testdata/ and compares their traces. PARLEY_REWRITE=1 writes the traces into
// the files instead: review them as a diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "algorithms/raft/test_story.h"

namespace parley::raft::test {
namespace {

std::filesystem::path folder() {
  return std::filesystem::path(PARLEY_SOURCE_DIR) / "algorithms/raft/testdata";
}

std::vector<std::string> stories() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder())) {
    if (file.path().extension() == ".txt") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Story : public testing::TestWithParam<std::string> {};

TEST_P(Story, LeavesTheTraceThatItTells) {
  const std::filesystem::path path = folder() / (GetParam() + ".txt");
  std::ifstream file(path);
  std::stringstream told;
  told << file.rdbuf();
  std::string problem;
  const std::string played = play(told.str(), problem);
  EXPECT_EQ(problem, "");
  if (std::getenv("PARLEY_REWRITE") != nullptr) {
    std::ofstream(path) << played;
  } else {
    EXPECT_EQ(played, told.str());
  }
}

INSTANTIATE_TEST_SUITE_P(Raft, Story, testing::ValuesIn(stories()),
                         [](const auto& story) { return story.param; });

}  // namespace
}  // namespace parley::raft::test
